/*
 * Ranges of a layout, drawn one below the other.
 *
 *	0x0000000000000000 +--------------------------------------------------+
 *	                   | R0 VTL0 RAM             ##############   2.9 GiB | node 0
 *	0x00000000b8000000 ~        gap 64 MiB                                ~
 *	0x00000000bc000000 +--------------------------------------------------+
 *
 * The bar grows with the logarithm of the size: 4 KiB and 4 TiB share a page.
 */
#include "host/memory_map.h"

#include <inttypes.h>
#include <string.h>

#include "host/memory_map_internal.h"
#include "host/size_text.h"
#include "support/memory_range.h"

#define DEFAULT_WIDTH 80
#define MIN_WIDTH 72
#define MAX_WIDTH 400
#define ADDRESS_WIDTH 19 /* "0x" and 16 digits, a blank */
#define NODE_WIDTH 8     /* what stands behind the box; an owner makes a row longer */
#define NAME_WIDTH 21
#define HUMAN_WIDTH 9
#define TAKEN_WIDTH (NAME_WIDTH + HUMAN_WIDTH + 7) /* of a row without its bar */

typedef struct Canvas {
	FILE *out;
	MapStyle style;
	unsigned box;       /* columns between the box's sides */
	unsigned doublings; /* of the largest row: its bar fills the room */
	uint64_t from;
} Canvas;

/*
 * Drawing.
 */

/* Names come from a worker: nothing in them may steer a terminal. */
static void print_text(FILE *out, const char *text)
{
	for (; *text; text++)
		fputc((unsigned char)*text < ' ' || *text == 0x7f ? '?' : *text, out);
}

static void print_repeated(FILE *out, char what, unsigned count)
{
	while (count-- > 0)
		fputc(what, out);
}

static void draw_line(const Canvas *canvas, uint64_t address, char what)
{
	fprintf(canvas->out, "0x%016" PRIx64 " +", address);
	print_repeated(canvas->out, what, canvas->box);
	fputs("+\n", canvas->out);
}

/* The size of [start, last]; the whole of 2^64 is said to be a byte less. */
static uint64_t span(uint64_t start, uint64_t last)
{
	return last - start == UINT64_MAX ? UINT64_MAX : last - start + 1;
}

static void draw_gap(const Canvas *canvas, uint64_t start, uint64_t last)
{
	char text[64];
	int len = snprintf(
		text, sizeof(text), "        gap %s", size_text(span(start, last)).text);

	fprintf(canvas->out, "0x%016" PRIx64 " ~%s", start, text);
	print_repeated(canvas->out, ' ', canvas->box - (unsigned)len);
	fputs("~\n", canvas->out);
}

/* How often a page doubles up to @size. */
static unsigned doublings_of(uint64_t size)
{
	unsigned doublings = 0;

	for (; size > PAGE_SIZE; size = size / 2 + size % 2)
		doublings++;
	return doublings;
}

static void draw_bar(const Canvas *canvas, uint64_t size)
{
	const unsigned room = canvas->box - TAKEN_WIDTH;
	const unsigned length = canvas->doublings
		? 1 + (room - 1) * doublings_of(size) / canvas->doublings
		: room;

	print_repeated(canvas->out, '#', length);
	print_repeated(canvas->out, ' ', room - length);
}

static void draw_row(const Canvas *canvas, const MapRow *row)
{
	FILE *out = canvas->out;
	const uint64_t size = span(row->start, row->last);

	print_repeated(out, ' ', ADDRESS_WIDTH);
	fprintf(out, "| %s%c%c %-*s ", canvas->style.colour ? row->look->colour : "",
		row->look->letter, row->look->vtl, NAME_WIDTH, row->look->name);
	draw_bar(canvas, size);
	fprintf(out, "%s %*s |", canvas->style.colour ? MAP_PLAIN : "", HUMAN_WIDTH,
		size_text(size).text);
	if (row->is_ram)
		fprintf(out, " node %" PRIu32, row->vnode);
	if (row->owner[0]) {
		fputc(' ', out);
		print_text(out, row->owner);
	}
	if (row->folded)
		fprintf(out, " (%zu ranges)", row->folded + 1);
	fputc('\n', out);
}

/* A double line where the owner changes from one privilege level to another. */
static char boundary(const MapRow *before, const MapRow *row)
{
	return before && before->look->vtl != row->look->vtl ? '=' : '-';
}

static void draw_rows(const Canvas *canvas, const MapRow *rows, size_t count)
{
	uint64_t next = canvas->from; /* the first address not drawn yet */

	for (size_t i = 0; i < count; i++) {
		const MapRow *row = &rows[i], *before = i ? &rows[i - 1] : NULL;

		if (row->start > next)
			draw_gap(canvas, next, row->start - 1);
		draw_line(canvas, row->start, boundary(before, row));
		draw_row(canvas, row);
		if (row->start < next && before)
			fprintf(canvas->out, "%*s! overlaps the range before\n", ADDRESS_WIDTH,
				"");
		if (row->last == UINT64_MAX) {
			fprintf(canvas->out, "%-*s+", ADDRESS_WIDTH, "end of 64 bits");
			print_repeated(canvas->out, '-', canvas->box);
			fputs("+\n", canvas->out);
			return;
		}
		if (row->last >= next)
			next = row->last + 1;
	}
	draw_line(canvas, next, '-');
}

/*
 * What stands below the picture.
 */

static void print_window(const Canvas *canvas, const char *name,
	const Pvw__V1__AddrRange *range, Pvw__V1__RoleSource source)
{
	const char *why = memory_map_source(source);

	if (!range || range->size == 0)
		fprintf(canvas->out, "chipset %-5s absent, %s\n", name, why);
	else
		fprintf(canvas->out, "chipset %-5s 0x%" PRIx64 "-0x%" PRIx64 " (%s), %s\n",
			name, range->start, range->start + range->size,
			size_text(range->size).text, why);
}

static void print_placement(const Canvas *canvas, const Pvw__V1__Placement *placement)
{
	fprintf(canvas->out, "0x%016" PRIx64 " %9s  ", placement->start,
		size_text(placement->size).text);
	print_text(canvas->out, placement->name);
	if (placement->source && placement->source[0]) {
		fputs("  ", canvas->out);
		print_text(canvas->out, placement->source);
	}
	fputc('\n', canvas->out);
}

static bool print_placements(
	const Canvas *canvas, const Pvw__V1__Layout *layout, Arena *arena, Error *err)
{
	const Pvw__V1__Placement **list;
	size_t count;

	if (!memory_map_placements(layout, canvas->style, arena, &list, &count, err))
		return false;
	if (layout->n_placements == 0)
		return true;
	fprintf(canvas->out, "\n%-18s %9s  %s\n", "placed at", "size", "what");
	for (size_t i = 0; i < count; i++)
		print_placement(canvas, list[i]);
	return true;
}

static void print_facts(const Canvas *canvas, const Pvw__V1__Layout *layout)
{
	const Pvw__V1__ChipsetMmio *chipset = layout->chipset;

	fputc('\n', canvas->out);
	if (chipset) {
		print_window(canvas, "low", chipset->low, chipset->low_source);
		print_window(canvas, "high", chipset->high, chipset->high_source);
	}
	fprintf(canvas->out,
		"end of ram 0x%" PRIx64 ", end of layout 0x%" PRIx64 ", %" PRIu32
		" address bits, layout version %" PRIu32 "\n",
		layout->end_of_ram, layout->end_of_layout, layout->physical_address_bits,
		layout->layout_version);
}

static Canvas canvas_new(FILE *out, MapStyle style)
{
	unsigned width = style.width ? style.width : DEFAULT_WIDTH;

	if (width < MIN_WIDTH)
		width = MIN_WIDTH;
	if (width > MAX_WIDTH)
		width = MAX_WIDTH;
	return (Canvas){
		.out = out,
		.style = style,
		.box = width - ADDRESS_WIDTH - 2 - NODE_WIDTH,
		.from = style.from,
	};
}

void memory_map_print_rows(FILE *out, MapStyle style, MapRows rows)
{
	Canvas canvas = canvas_new(out, style);

	for (size_t i = 0; i < rows.count; i++) {
		const unsigned doublings =
			doublings_of(span(rows.items[i].start, rows.items[i].last));

		if (doublings > canvas.doublings)
			canvas.doublings = doublings;
	}
	if (rows.count)
		draw_rows(&canvas, rows.items, rows.count);
	else
		fputs("nothing lies there\n", out);
}

bool memory_map_print(
	FILE *out, const Pvw__V1__Layout *layout, MapStyle style, Arena *arena, Error *err)
{
	const Canvas canvas = canvas_new(out, style);
	MapRows rows;

	if (!memory_map_rows(layout, style, arena, &rows, err))
		return false;
	memory_map_print_rows(out, style, rows);
	print_facts(&canvas, layout);
	return print_placements(&canvas, layout, arena, err);
}
