/*
 * Ranges of a layout as bands of an SVG picture.
 */
#include <inttypes.h>

#include "host/memory_map_internal.h"
#include "host/size_text.h"

#define MAX_FACTS 3

static const char *detail_of(const MapRow *row, Arena *arena, Error *err)
{
	const char *owner = row->owner;

	if (row->is_ram && row->folded)
		return arena_printf(arena, err, "node %" PRIu32 " (%zu ranges)", row->vnode,
			row->folded + 1);
	if (row->is_ram)
		return arena_printf(arena, err, "node %" PRIu32, row->vnode);
	return owner;
}

const SvgBand *memory_map_bands(MapRows rows, Arena *arena, Error *err)
{
	SvgBand *bands = arena_array(arena, SvgBand, rows.count, err);

	for (size_t i = 0; bands && i < rows.count; i++) {
		const MapRow *row = &rows.items[i];

		bands[i] = (SvgBand){
			.start = row->start,
			.last = row->last,
			.role = row->look->role,
			.badge = arena_printf(
				arena, err, "%c%c", row->look->letter, row->look->vtl),
			.name = row->look->name,
			.detail = detail_of(row, arena, err),
		};
		if (!bands[i].badge || !bands[i].detail)
			return NULL;
	}
	return bands;
}

static const char *describe_window(const char *name, const Pvw__V1__AddrRange *range,
	Pvw__V1__RoleSource source, Arena *arena, Error *err)
{
	if (!range || range->size == 0)
		return arena_printf(
			arena, err, "chipset %s: absent, %s", name, memory_map_source(source));
	return arena_printf(arena, err, "chipset %s: 0x%" PRIx64 " to 0x%" PRIx64 " (%s), %s",
		name, range->start, range->start + range->size, size_text(range->size).text,
		memory_map_source(source));
}

static bool list_facts(const Pvw__V1__Layout *layout, Arena *arena,
	const char *facts[MAX_FACTS], size_t *count, Error *err)
{
	const Pvw__V1__ChipsetMmio *chipset = layout->chipset;
	size_t n = 0;

	if (chipset) {
		facts[n++] =
			describe_window("low", chipset->low, chipset->low_source, arena, err);
		facts[n++] = describe_window(
			"high", chipset->high, chipset->high_source, arena, err);
	}
	facts[n++] = arena_printf(arena, err,
		"RAM ends at 0x%" PRIx64 ", the layout at 0x%" PRIx64 "; %" PRIu32
		" address bits, layout version %" PRIu32,
		layout->end_of_ram, layout->end_of_layout, layout->physical_address_bits,
		layout->layout_version);
	*count = n;
	for (size_t i = 0; i < n; i++) {
		if (!facts[i])
			return false;
	}
	return true;
}

static bool make_notes(const Pvw__V1__Layout *layout, MapStyle style, Arena *arena,
	SvgNote **out, size_t *count, Error *err)
{
	const Pvw__V1__Placement **list;
	SvgNote *notes;

	if (!memory_map_placements(layout, style, arena, &list, count, err))
		return false;
	notes = arena_array(arena, SvgNote, *count, err);
	for (size_t i = 0; notes && i < *count; i++)
		notes[i] = (SvgNote){ list[i]->start, list[i]->size, list[i]->name,
			list[i]->source ? list[i]->source : "" };
	*out = notes;
	return notes;
}

bool memory_map_draw(FILE *out, const char *title, const Pvw__V1__Layout *layout,
	MapStyle style, Arena *arena, Error *err)
{
	const char *facts[MAX_FACTS];
	SvgMap map = { .title = title,
		.facts = facts,
		.note_title = "placed",
		.scale = style.scale,
		.from = style.from };
	SvgNote *notes;
	MapRows rows;

	if (!memory_map_rows(layout, style, arena, &rows, err) ||
		!list_facts(layout, arena, facts, &map.fact_count, err) ||
		!make_notes(layout, style, arena, &notes, &map.note_count, err))
		return false;
	map.bands = memory_map_bands(rows, arena, err);
	map.description = arena_printf(arena, err,
		"A guest's physical memory from low to high addresses: %zu ranges, RAM up to "
		"0x%" PRIx64 ".",
		rows.count, layout->end_of_ram);
	if (!map.bands || !map.description)
		return false;
	map.band_count = rows.count;
	map.notes = notes;
	return svg_map_print(out, &map, arena, err);
}
