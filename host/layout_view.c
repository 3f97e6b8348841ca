/*
 * A layout as a table.
 */
#include "host/layout_view.h"

#include <inttypes.h>

#include "host/size_text.h"

#define TAG_WIDTH 24

bool layout_view_make(
	const Vm *vm, const KeptLayout *kept, Arena *arena, LayoutView *out, Error *err)
{
	ResolvedLayout *layout = arena_array(arena, ResolvedLayout, 1, err);
	LayoutView view = { .vm = vm, .layout = layout, .restored = kept != NULL };
	MtrrInputs inputs;

	if (!layout)
		return false;
	if (kept ? !layout_restore(kept, &vm->layout, arena, layout, err)
		 : !vm_resolve(vm, arena, layout, err))
		return false;
	if (vm->layout.arch == GUEST_ARCH_X86_64) {
		if (!mtrr_inputs_from_resolved(
			    layout, vm->layout.address_bits, arena, &inputs, err))
			return false;
		view.has_mtrr = mtrr_solve(
			MTRR_POLICY_EXACT, &inputs, arena, &view.mtrr, &view.mtrr_error);
	}
	*out = view;
	return true;
}

/*
 * The table.
 */

static void print_gap(FILE *out, uint64_t gap)
{
	fprintf(out, "%9s\n", gap ? size_text(gap).text : "-");
}

static bool print_row(
	FILE *out, const LayoutView *view, size_t index, bool explain, Arena *arena, Error *err)
{
	const LayoutPlacement *placement = &view->layout->placements.items[index];
	LayoutReason reason;

	if (!layout_reason(view, index, arena, &reason, err))
		return false;
	fprintf(out, "0x%016" PRIx64 " 0x%016" PRIx64 " %9s  %-9s %-*s ",
		placement->range.start, placement->range.end,
		size_text(memory_range_len(placement->range)).text,
		placement_kind_name(placement->kind), TAG_WIDTH, reason.tag);
	print_gap(out, reason.gap);
	if (explain)
		fprintf(out, "    asked for by %s: %s\n    %s\n", reason.member, reason.asked,
			reason.placed);
	return true;
}

static unsigned bits_of(uint64_t top)
{
	return top <= 1 ? 1 : 64 - (unsigned)__builtin_clzll(top - 1);
}

static const char *bar_text(MemoryRange window, SizeText *room)
{
	*room = size_text(layout_largest_bar(window));
	return memory_range_is_empty(window) ? "no window" : room->text;
}

/* Names come from a file: nothing in them may steer a terminal. */
static void print_name(FILE *out, const char *name)
{
	for (; *name; name++)
		fputc((unsigned char)*name < ' ' || *name == 0x7f ? '?' : *name, out);
}

static void print_bars(FILE *out, const LayoutView *view)
{
	for (size_t i = 0; i < view->vm->layout.root_complex_count; i++) {
		const RootComplexLayout *complex = &view->layout->root_complexes[i];
		SizeText low, high;

		fputs("largest bar   ", out);
		print_name(out, view->vm->layout.root_complexes[i].name);
		fprintf(out, ": low %s, high %s\n", bar_text(complex->low, &low),
			bar_text(complex->high, &high));
	}
}

static void print_mtrr(FILE *out, const LayoutView *view)
{
	if (view->vm->layout.arch != GUEST_ARCH_X86_64)
		return;
	if (view->has_mtrr)
		fprintf(out, "MTRRs         %zu of %d pairs, exact (%s)\n", view->mtrr.count,
			MTRR_DEFAULT_BUDGET, mtrr_cover_name(view->mtrr.cover));
	else
		fprintf(out, "MTRRs         none are exact: %s\n", view->mtrr_error.text);
}

static void print_facts(FILE *out, const LayoutView *view)
{
	const ResolvedLayout *layout = view->layout;

	fprintf(out, "\nlayout        version %" PRIu32 ", %s\n", layout->version,
		guest_arch_name(view->vm->layout.arch));
	fprintf(out, "end of RAM    0x%" PRIx64 "\n", layout->end_of_ram);
	fprintf(out, "top           0x%" PRIx64 ", %u of %u address bits\n", layout->top,
		bits_of(layout->top), view->vm->layout.address_bits);
	print_bars(out, view);
	print_mtrr(out, view);
}

bool layout_view_print(
	FILE *out, const LayoutView *view, bool explain, Arena *arena, Error *err)
{
	fprintf(out, "%-18s %-18s %9s  %-9s %-*s %9s\n", "start", "end", "size", "kind",
		TAG_WIDTH, "tag", "gap");
	for (size_t i = 0; i < view->layout->placements.count; i++) {
		if (!print_row(out, view, i, explain, arena, err))
			return false;
	}
	print_facts(out, view);
	return true;
}
