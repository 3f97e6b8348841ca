/*
 * pvw mtrr: what each MTRR policy makes of a guest's memory, address by address.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/output.h"
#include "cli/view.h"
#include "cli/vm_input.h"
#include "host/size_text.h"
#include "loaders/mtrr.h"

#define SCHEMA "pvw.mtrr/1"
#define LEGACY_END UINT64_C(0x100000)

/* One policy's answer. */
typedef struct Answer {
	MtrrPolicy policy;
	bool solved;
	Error why; /* it was not */
	MtrrState state;
} Answer;

/* Policies side by side: what we give, and what the reference gives. */
typedef struct Comparison {
	MtrrInputs in;
	uint8_t address_bits; /* as registers are made for */
	Answer ours, reference;
} Comparison;

/* What an address is to the guest. */
typedef struct Use {
	const char *name;
	bool ram, device;
} Use;

/* A run of addresses that everybody treats alike. */
typedef struct Row {
	MemoryRange range;
	Use use;
	MtrrType ours[2], reference[2]; /* as the processor matches; as software reads */
} Row;

typedef struct RowList {
	Row *items;
	size_t count;
} RowList;

static const struct {
	MtrrType type;
	const char *name, *text;
} types[] = {
	{ MTRR_UNCACHED, "UC", "uncached" },
	{ MTRR_WRITE_COMBINING, "WC", "write-combining" },
	{ MTRR_WRITE_THROUGH, "WT", "write-through" },
	{ MTRR_WRITE_PROTECTED, "WP", "write-protected" },
	{ MTRR_WRITE_BACK, "WB", "write-back" },
	{ MTRR_UNDEFINED, "??", "undefined" },
};

static const char *type_name(MtrrType type, bool whole)
{
	size_t i = 0;

	while (types[i].type != type)
		i++;
	return whole ? types[i].text : types[i].name;
}

/*
 * The answers.
 */

static void solve(const MtrrInputs *in, MtrrPolicy policy, uint8_t address_bits, Arena *arena,
	Answer *out)
{
	Register fixed[MTRR_FIXED_COUNT];
	const MemoryRange low_ram = MTRR_LOW_RAM;
	const size_t count = mtrr_fixed_registers(&low_ram, 1, fixed);

	*out = (Answer){ .policy = policy,
		.state = { .def_type = MTRR_DEF_TYPE_INITIAL, .address_bits = address_bits } };
	out->solved = mtrr_solve(policy, in, arena, &out->state.variable, &out->why);
	for (size_t i = 0; i < MTRR_FIXED_COUNT; i++) {
		for (size_t k = 0; k < count; k++) {
			if (fixed[k].id == mtrr_fixed_register(i).id)
				out->state.fixed[i] = fixed[k].low;
		}
	}
}

static uint8_t clamp_bits(uint8_t bits)
{
	if (bits < MTRR_MIN_ADDRESS_BITS)
		return MTRR_MIN_ADDRESS_BITS;
	return bits > MTRR_MAX_ADDRESS_BITS ? MTRR_MAX_ADDRESS_BITS : bits;
}

/* Where exact cannot, best-effort shows what would have to give way. */
static void compare(const MtrrInputs *in, Arena *arena, Comparison *out)
{
	Answer second;

	out->in = *in;
	out->address_bits = clamp_bits(in->physical_address_bits);
	solve(in, MTRR_POLICY_EXACT, out->address_bits, arena, &out->ours);
	solve(in, MTRR_POLICY_HYPERV, out->address_bits, arena, &out->reference);
	if (out->ours.solved)
		return;
	solve(in, MTRR_POLICY_BEST_EFFORT, out->address_bits, arena, &second);
	if (second.solved) {
		second.why = out->ours.why;
		out->ours = second;
	}
}

/*
 * Rows.
 */

static bool list_holds(MemoryRangeList list, uint64_t address)
{
	for (size_t i = 0; i < list.count; i++) {
		if (address >= list.items[i].start && address < list.items[i].end)
			return true;
	}
	return false;
}

/* What a PC has between 640 KiB and 1 MiB is for the fixed ranges to say. */
static Use use_of(const MtrrInputs *in, uint64_t address)
{
	if (address >= MTRR_LOW_RAM.end && address < LEGACY_END)
		return (Use){ .name = "legacy" };
	if (list_holds(in->ram, address))
		return (Use){ "ram", .ram = true };
	if (list_holds(in->mmio, address))
		return (Use){ "mmio", .device = true };
	for (MtrrYield list = 0; list < MTRR_YIELD_COUNT; list++) {
		if (list_holds(in->yielding[list], address))
			return (Use){ mtrr_yield_name(list), .device = true };
	}
	return (Use){ .name = "-" };
}

static int by_value(const void *a, const void *b)
{
	const uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return (left > right) - (left < right);
}

/* Addresses at which something may change. */
typedef struct Edges {
	uint64_t *items;
	size_t count;
} Edges;

static void add_list_edges(Edges *edges, MemoryRangeList list)
{
	for (size_t i = 0; i < list.count; i++) {
		edges->items[edges->count++] = list.items[i].start;
		edges->items[edges->count++] = list.items[i].end;
	}
}

/* Both readings of a pair: from the base's block, and from the base itself. */
static MemoryRange pair_range(const MtrrPair *pair, uint8_t address_bits)
{
	const uint64_t all = (UINT64_C(1) << address_bits) - PAGE_SIZE;
	const uint64_t mask = pair->mask & all;
	const uint64_t size = mask ? mask & (0 - mask) : all + PAGE_SIZE;
	const uint64_t base = pair->base & all;

	return (MemoryRange){ base, base + size };
}

static void add_pair_edges(Edges *edges, const Answer *answer)
{
	const uint8_t bits = answer->state.address_bits;

	if (!answer->solved)
		return;
	for (size_t i = 0; i < answer->state.variable.count; i++) {
		const MtrrPair *pair = &answer->state.variable.pairs[i];
		const MemoryRange read = pair_range(pair, bits);
		const uint64_t size = memory_range_len(read);
		const uint64_t matched = read.start & ~(size - 1);

		if (!(pair->mask & MTRR_MASK_VALID))
			continue;
		edges->items[edges->count++] = read.start;
		edges->items[edges->count++] = read.end;
		edges->items[edges->count++] = matched;
		edges->items[edges->count++] = matched + size;
	}
}

static bool collect_edges(const Comparison *c, Arena *arena, Edges *out, Error *err)
{
	const uint64_t limit = UINT64_C(1) << c->address_bits;
	size_t ranges = c->in.ram.count + c->in.mmio.count;
	Edges edges = { 0 };
	size_t kept = 0;

	for (MtrrYield list = 0; list < MTRR_YIELD_COUNT; list++)
		ranges += c->in.yielding[list].count;
	edges.items =
		arena_array(arena, uint64_t, 2 * ranges + 2 * 4 * MTRR_MAX_PAIRS + 5, err);
	if (!edges.items)
		return false;
	add_list_edges(&edges, c->in.ram);
	add_list_edges(&edges, c->in.mmio);
	for (MtrrYield list = 0; list < MTRR_YIELD_COUNT; list++)
		add_list_edges(&edges, c->in.yielding[list]);
	add_pair_edges(&edges, &c->ours);
	add_pair_edges(&edges, &c->reference);
	edges.items[edges.count++] = 0;
	edges.items[edges.count++] = MTRR_LOW_RAM.end;
	edges.items[edges.count++] = LEGACY_END;
	edges.items[edges.count++] = limit;
	qsort(edges.items, edges.count, sizeof(*edges.items), by_value);
	for (size_t i = 0; i < edges.count; i++) {
		if (edges.items[i] <= limit &&
			(!kept || edges.items[kept - 1] < edges.items[i]))
			edges.items[kept++] = edges.items[i];
	}
	*out = (Edges){ edges.items, kept };
	return true;
}

static void find_types(const Answer *answer, uint64_t address, MtrrType out[2])
{
	out[0] = mtrr_type_at(&answer->state, address);
	out[1] = mtrr_type_as_read(&answer->state, address);
}

static Row row_at(const Comparison *c, MemoryRange range)
{
	Row row = { .range = range, .use = use_of(&c->in, range.start) };

	find_types(&c->ours, range.start, row.ours);
	find_types(&c->reference, range.start, row.reference);
	return row;
}

static bool rows_alike(const Row *a, const Row *b)
{
	return a->use.name == b->use.name && memcmp(a->ours, b->ours, sizeof(a->ours)) == 0 &&
		memcmp(a->reference, b->reference, sizeof(a->reference)) == 0;
}

static bool make_rows(const Comparison *c, Arena *arena, RowList *out, Error *err)
{
	RowList rows = { 0 };
	Edges edges;

	if (!collect_edges(c, arena, &edges, err))
		return false;
	rows.items = arena_array(arena, Row, edges.count, err);
	if (!rows.items)
		return false;
	for (size_t i = 1; i < edges.count; i++) {
		const Row row = row_at(c, (MemoryRange){ edges.items[i - 1], edges.items[i] });

		if (rows.count && rows_alike(&rows.items[rows.count - 1], &row))
			rows.items[rows.count - 1].range.end = row.range.end;
		else
			rows.items[rows.count++] = row;
	}
	*out = rows;
	return true;
}

/* RAM that is not write-back, a device that is not uncached, two readers of two minds. */
static bool is_wrong(Use use, const MtrrType types_found[2])
{
	const MtrrType wanted = use.ram ? MTRR_WRITE_BACK : MTRR_UNCACHED;

	return (use.ram || use.device) &&
		(types_found[0] != wanted || types_found[1] != wanted);
}

/*
 * Text.
 */

static void print_type(Use use, const Answer *answer, const MtrrType found[2])
{
	char text[16] = "-";

	if (answer->solved) {
		if (found[0] == found[1])
			snprintf(text, sizeof(text), "%s", type_name(found[0], false));
		else
			snprintf(text, sizeof(text), "%s, %s", type_name(found[0], false),
				type_name(found[1], false));
		if (is_wrong(use, found))
			strcat(text, "  !");
	}
	printf("  %-11s", text);
}

static void print_rows(const Comparison *c, RowList rows)
{
	printf("%-37s %9s  %-12s  %-11s  %s\n", "range", "size", "what",
		mtrr_policy_name(c->ours.policy), mtrr_policy_name(c->reference.policy));
	for (size_t i = 0; i < rows.count; i++) {
		const Row *row = &rows.items[i];

		printf("0x%016" PRIx64 "-0x%016" PRIx64 " %9s  %-12s", row->range.start,
			row->range.end, size_text(memory_range_len(row->range)).text,
			row->use.name);
		print_type(row->use, &c->ours, row->ours);
		print_type(row->use, &c->reference, row->reference);
		putchar('\n');
	}
}

static void print_pairs(const Answer *answer)
{
	const MtrrSet *set = &answer->state.variable;

	if (!answer->solved) {
		printf("\n%s: %s\n", mtrr_policy_name(answer->policy), answer->why.text);
		return;
	}
	printf("\n%s", mtrr_policy_name(answer->policy));
	if (answer->policy != MTRR_POLICY_HYPERV)
		printf(" (%s)", mtrr_cover_name(set->cover));
	if (answer->policy == MTRR_POLICY_BEST_EFFORT)
		printf(", because exact %s", answer->why.text);
	putchar('\n');
	for (size_t i = 0; i < set->count; i++) {
		const MtrrPair *pair = &set->pairs[i];
		const MemoryRange range = pair_range(pair, answer->state.address_bits);

		if (!(pair->mask & MTRR_MASK_VALID))
			continue;
		printf("  %zu  base 0x%013" PRIx64 "  mask 0x%013" PRIx64 "  %s "
		       "0x%" PRIx64 "-0x%" PRIx64 "%s\n",
			i, pair->base, pair->mask,
			type_name((MtrrType)(pair->base & 0xff), false), range.start, range.end,
			range.start & (memory_range_len(range) - 1)
				? "  base no multiple of its size"
				: "");
	}
}

static void print_reading(const Answer *answer, Use use, const MtrrType found[2])
{
	if (!answer->solved)
		printf("  %-12s %s\n", mtrr_policy_name(answer->policy), answer->why.text);
	else
		printf("  %-12s the processor: %s; software: %s%s\n",
			mtrr_policy_name(answer->policy), type_name(found[0], true),
			type_name(found[1], true), is_wrong(use, found) ? "  ! wrong" : "");
}

static void print_address(const Comparison *c, uint64_t address, const Row *row)
{
	printf("0x%016" PRIx64 " is in " RANGE_FORMAT ": %s\n", address, RANGE_ARGS(row->range),
		row->use.ram || row->use.device ? row->use.name : "nothing that is placed");
	print_reading(&c->ours, row->use, row->ours);
	print_reading(&c->reference, row->use, row->reference);
}

/*
 * JSON.
 */

static json_t *hex(uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%" PRIx64, value);
	return json_string(text);
}

static json_t *pairs_json(const Answer *answer)
{
	json_t *array = json_array();

	for (size_t i = 0; i < answer->state.variable.count; i++) {
		const MtrrPair *pair = &answer->state.variable.pairs[i];

		if (pair->mask & MTRR_MASK_VALID)
			json_array_append_new(array,
				json_pack("{s:i, s:o, s:o}", "number", (int)i, "base",
					hex(pair->base), "mask", hex(pair->mask)));
	}
	return array;
}

static json_t *answer_json(const Answer *answer)
{
	json_t *object = json_pack("{s:s}", "policy", mtrr_policy_name(answer->policy));

	if (!answer->solved || answer->policy == MTRR_POLICY_BEST_EFFORT)
		json_object_set_new(object, "refused", json_string(answer->why.text));
	if (!answer->solved)
		return object;
	if (answer->policy != MTRR_POLICY_HYPERV)
		json_object_set_new(object, "cover",
			json_string(mtrr_cover_name(answer->state.variable.cover)));
	json_object_set_new(object, "pairs", pairs_json(answer));
	return object;
}

static json_t *types_json(const Answer *answer, const MtrrType found[2])
{
	return answer->solved ? json_pack("{s:s, s:s}", "processor", type_name(found[0], true),
					"software", type_name(found[1], true))
			      : json_null();
}

static json_t *row_json(const Comparison *c, const Row *row)
{
	return json_pack("{s:o, s:o, s:s, s:o, s:o}", "start", hex(row->range.start), "end",
		hex(row->range.end), "what", row->use.name, "ours",
		types_json(&c->ours, row->ours), "reference",
		types_json(&c->reference, row->reference));
}

static bool print_json(
	const Invocation *invocation, const Comparison *c, RowList rows, Error *err)
{
	json_t *ranges = json_array();

	for (size_t i = 0; i < rows.count; i++)
		json_array_append_new(ranges, row_json(c, &rows.items[i]));
	return output_json(invocation, SCHEMA,
		json_pack("{s:i, s:o, s:o, s:o}", "address_bits", (int)c->address_bits, "ours",
			answer_json(&c->ours), "reference", answer_json(&c->reference),
			"ranges", ranges),
		err);
}

/*
 * Inputs.
 */

static bool inputs_of_vm(const char *path, Arena *arena, MtrrInputs *out, Error *err)
{
	LayoutView view;

	if (!vm_input_load(path, (VmWishes){ 0 }, arena, &view, err))
		return false;
	if (view.vm->layout.arch != GUEST_ARCH_X86_64)
		return error_set(err, PVW_INPUT_0002,
			"%.200s describes an aarch64 guest, expected x86-64: others have no "
			"mtrrs",
			path);
	return mtrr_inputs_from_resolved(
		view.layout, view.vm->layout.address_bits, arena, out, err);
}

static bool inputs_of_input(
	const Invocation *invocation, View *view, MtrrInputs *out, Error *err)
{
	Input *input = &view->input;

	if (!view_open(invocation, view, err))
		return false;
	if (view->client)
		return error_set(err, PVW_INPUT_0002,
			"--socket, expected --fixture, --dtb or --vm: a worker tells "
			"registers, not "
			"how it came to them");
	if (input->facts.arch != GUEST_ARCH_X86_64)
		return error_set(err, PVW_INPUT_0002,
			"%.200s is of an aarch64 guest, expected x86-64: others have no mtrrs",
			input->name);
	/* Only the layout is wanted: a boot path might refuse the very layout in question. */
	input->config.settings.firmware = BOOT_NONE;
	if (!input_plan(input, view->arena, &view->result, &view->findings, err))
		return false;
	return mtrr_inputs_from_layout(&view->result.prepared.layout, &view->result.config.mmio,
		input->facts.physical_address_bits, view->arena, out, err);
}

static bool parse_address(const Invocation *invocation, uint64_t *out, Error *err)
{
	const char *text = invocation_operand(invocation, 0);
	char *end;

	errno = 0;
	*out = strtoull(text, &end, 0);
	if (errno || *end || end == text || *text == '-')
		return error_set(err, PVW_CLI_0001,
			"\"%.40s\", expected an address, as 0xf8000000 or 4160749568", text);
	return true;
}

static bool show_address(
	const Invocation *invocation, const Comparison *c, RowList rows, Error *err)
{
	uint64_t address;
	size_t i = 0;

	if (!parse_address(invocation, &address, err))
		return false;
	if (address >> c->address_bits)
		return error_set(err, PVW_CLI_0001,
			"0x%" PRIx64 ", expected an address below 0x%" PRIx64
			": the guest has %u bits",
			address, UINT64_C(1) << c->address_bits, (unsigned)c->address_bits);
	while (address >= rows.items[i].range.end)
		i++;
	if (output_wants_json(invocation))
		return output_json(invocation, SCHEMA, row_json(c, &rows.items[i]), err);
	print_address(c, address, &rows.items[i]);
	return true;
}

static bool show_mtrrs(const Invocation *invocation, View *view, Error *err)
{
	const char *path = invocation_value(invocation, "vm");
	Comparison c;
	MtrrInputs in;
	RowList rows;

	if (path) {
		view->arena = arena_new(VM_ARENA_LIMIT);
		if (!view->arena)
			return error_set(err, PVW_MEM_0001, "no memory");
	}
	if (!(path ? inputs_of_vm(path, view->arena, &in, err)
		   : inputs_of_input(invocation, view, &in, err)))
		return false;
	compare(&in, view->arena, &c);
	if (!make_rows(&c, view->arena, &rows, err))
		return false;
	if (invocation_operand_count(invocation))
		return show_address(invocation, &c, rows, err);
	if (output_wants_json(invocation))
		return print_json(invocation, &c, rows, err);
	print_rows(&c, rows);
	print_pairs(&c.ours);
	print_pairs(&c.reference);
	return true;
}

ExitStatus command_mtrr(const Invocation *invocation)
{
	View view = { 0 };
	Error err;
	const bool ok = show_mtrrs(invocation, &view, &err);
	ExitStatus status;

	report_diagnostics(invocation, &view.findings);
	status = ok ? STATUS_DONE : report_error(invocation, &err);
	view_close(&view);
	return status;
}
