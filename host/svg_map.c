/*
 * Bands from top to bottom: addresses on the left, names on the right, lines between them where
 * the scale has no room.
 */
#include "host/svg_map.h"

#include <inttypes.h>
#include <string.h>

#include "host/size_text.h"
#include "support/memory_range.h"

/* Pixels. */
#define WIDTH 960
#define MARGIN 28
#define ADDRESS_X 184 /* right end of addresses */
#define BAND_X 204
#define BAND_END 444
#define NAME_X 476
#define SIZE_X 734 /* right end of sizes */
#define DETAIL_X 752
#define DETAIL_COLUMNS 26 /* characters of 12 pixels that fit there */
#define NAME_COLUMNS 25   /* of 14 pixels, bold, before the size */
#define NOTE_COLUMNS 76
#define TITLE_COLUMNS 64 /* of 22 pixels, bold */
#define FACT_HEIGHT 20
#define LINE_HEIGHT 20 /* between two lines of text, at least */
#define BAND_MIN 26
#define BAND_STEP 4 /* a doubling of the size */
#define BAND_MAX 112
#define GAP_HEIGHT 40
#define LINEAR_HEIGHT 900
#define LEGEND_WIDTH 128

/* A row: a band, or the gap before one (@band NULL). */
typedef struct SvgRow {
	const SvgBand *band;
	uint64_t start, last;
	unsigned top, bottom; /* of the band */
	unsigned label;       /* middle of its name */
	unsigned address;     /* middle of its start's text */
	bool overlaps;        /* the row before */
} SvgRow;

typedef struct Svg {
	FILE *out;
	const SvgMap *map;
	SvgRow *rows;
	size_t count;
	uint64_t end;        /* the last address drawn */
	unsigned y;          /* where the next part begins */
	unsigned end_label;  /* middle of the end's text */
	unsigned end_bottom; /* where the last band ends */
} Svg;

/* By SvgRole. Colours: Okabe and Ito, "Color Universal Design". */
static const struct {
	const char *name, *colour, *hatch;
} roles[] = {
	[SVG_RAM] = { "RAM", "#009e73", NULL },
	[SVG_SPECIAL_RAM] = { "special RAM", "#f0e442", "M0 10 10 0" },
	[SVG_CHIPSET] = { "chipset MMIO", "#e69f00", "M0 0 10 10" },
	[SVG_DEVICE] = { "devices", "#0072b2", "M0 5h10" },
	[SVG_PCIE] = { "PCIe", "#56b4e9", "M5 0v10" },
	[SVG_VTL2] = { "VTL2", "#cc79a7", "M0 10 10 0M0 0 10 10" },
	[SVG_RESERVED] = { "reserved", "#999999", "M0 5h10M5 0v10" },
};
static_assert(ARRAY_COUNT(roles) == SVG_ROLE_COUNT, "a row for each role");

/* Callers' texts: no markup, no controls, nothing that is not ASCII. At most @columns. */
static void put_text(FILE *out, const char *text, size_t columns)
{
	const size_t len = strlen(text), shown = len > columns ? columns - 1 : len;

	for (size_t i = 0; i < shown; i++) {
		switch (text[i]) {
		case '&':
			fputs("&amp;", out);
			break;
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '"':
			fputs("&quot;", out);
			break;
		default:
			fputc(text[i] < ' ' || text[i] > '~' ? '?' : text[i], out);
		}
	}
	if (shown < len)
		fputs("&#8230;", out);
}

static uint64_t span_of(uint64_t start, uint64_t last)
{
	return last - start == UINT64_MAX ? UINT64_MAX : last - start + 1;
}

/*
 * Rows and their places.
 */

static void add_row(Svg *svg, const SvgBand *band, uint64_t start, uint64_t last)
{
	svg->rows[svg->count++] = (SvgRow){ .band = band, .start = start, .last = last };
}

static void list_rows(Svg *svg)
{
	uint64_t next = svg->map->from; /* the first address not drawn yet */
	bool full = false;

	for (size_t i = 0; i < svg->map->band_count; i++) {
		const SvgBand *band = &svg->map->bands[i];
		const bool overlaps = svg->count && (band->start < next || full);

		if (!overlaps && band->start > next)
			add_row(svg, NULL, next, band->start - 1);
		add_row(svg, band, band->start, band->last);
		svg->rows[svg->count - 1].overlaps = overlaps;
		if (full || band->last < next)
			continue;
		svg->end = band->last;
		full = band->last == UINT64_MAX;
		next = full ? next : band->last + 1;
	}
}

static unsigned doublings(uint64_t size)
{
	return size <= 1 ? 0 : 63 - (unsigned)__builtin_clzll(size);
}

static void place_log(Svg *svg)
{
	unsigned least = 64;

	for (size_t i = 0; i < svg->count; i++) {
		const unsigned size = doublings(span_of(svg->rows[i].start, svg->rows[i].last));

		if (svg->rows[i].band && size < least)
			least = size;
	}
	for (size_t i = 0; i < svg->count; i++) {
		SvgRow *row = &svg->rows[i];
		const unsigned size = doublings(span_of(row->start, row->last));
		unsigned height = GAP_HEIGHT;

		if (row->band)
			height = BAND_MIN + BAND_STEP * (size - least);
		if (height > BAND_MAX)
			height = BAND_MAX;
		row->top = svg->y;
		svg->y += height;
		row->bottom = svg->y;
		row->label = (row->top + row->bottom) / 2;
		row->address = row->top;
	}
	svg->end_bottom = svg->end_label = svg->y;
}

static unsigned linear_y(const Svg *svg, unsigned top, uint64_t address)
{
	const uint64_t whole = svg->end - svg->map->from;

	/* Rounded in floating point, where 64 bits of addresses are far more than enough. */
	return top +
		(whole ? (unsigned)((double)(address - svg->map->from) / (double)whole *
				 LINEAR_HEIGHT)
		       : 0);
}

/* Texts keep their distance: each is pushed down by the one before. Returns where the next is. */
static void push_down(unsigned *place, unsigned *next)
{
	if (*place < *next)
		*place = *next;
	*next = *place + LINE_HEIGHT;
}

static void place_linear(Svg *svg)
{
	const unsigned top = svg->y;
	unsigned label = top, address = top;

	for (size_t i = 0; i < svg->count; i++) {
		SvgRow *row = &svg->rows[i];

		row->top = linear_y(svg, top, row->start);
		row->bottom = linear_y(svg, top, row->last);
		if (row->bottom <= row->top)
			row->bottom = row->top + 1;
		row->label = (row->top + row->bottom) / 2;
		row->address = row->top;
		push_down(&row->label, &label);
		push_down(&row->address, &address);
	}
	svg->end_bottom = svg->end_label = top + LINEAR_HEIGHT;
	push_down(&svg->end_label, &address);
	svg->y = svg->end_label > label ? svg->end_label : label;
}

/*
 * The parts of the picture.
 */

static void put_style(FILE *out)
{
	fputs("<style>\n"
	      ":root{color-scheme:light dark}\n"
	      "svg{background:#fff;color:#1b1f24;font:14px system-ui,'DejaVu "
	      "Sans',sans-serif}\n"
	      "text{fill:currentColor}\n"
	      ".title{font-size:22px;font-weight:600}\n"
	      ".fact{font-size:13px;fill:#59636e}\n"
	      ".address,.size{font:13px 'DejaVu Sans Mono',monospace;text-anchor:end}\n"
	      ".name{font-weight:600}\n"
	      ".detail,.note{font-size:12px;fill:#59636e}\n"
	      ".gap{font-style:italic;fill:#59636e}\n"
	      ".badge{font:600 12px 'DejaVu Sans "
	      "Mono',monospace;fill:#1b1f24;text-anchor:middle}\n"
	      ".plate{fill:#fff;fill-opacity:.82}\n"
	      ".edge{fill:none;stroke:#1b1f24;stroke-width:1}\n"
	      ".lead{fill:none;stroke:#8c959f;stroke-width:1}\n"
	      ".tick{stroke:#8c959f;stroke-width:1}\n"
	      ".break{fill:none;stroke:#8c959f;stroke-width:1.5;stroke-dasharray:3 4}\n"
	      ".hatch{stroke:#1b1f24;stroke-opacity:.45;stroke-width:1.2;fill:none}\n"
	      "@media(prefers-color-scheme:dark){"
	      "svg{background:#0d1117;color:#e6edf3}"
	      ".fact,.detail,.note,.gap{fill:#9da7b3}"
	      ".edge{stroke:#e6edf3}}\n"
	      "</style>\n",
		out);
}

static void put_patterns(FILE *out)
{
	fputs("<defs>\n", out);
	for (size_t i = 0; i < ARRAY_COUNT(roles); i++) {
		fprintf(out,
			"<pattern id=\"r%zu\" width=\"10\" height=\"10\" "
			"patternUnits=\"userSpaceOnUse\"><path fill=\"%s\" "
			"d=\"M0 0h10v10H0z\"/>",
			i, roles[i].colour);
		if (roles[i].hatch)
			fprintf(out, "<path class=\"hatch\" d=\"%s\"/>", roles[i].hatch);
		fputs("</pattern>\n", out);
	}
	fputs("</defs>\n", out);
}

static void put_head(Svg *svg)
{
	const SvgMap *map = svg->map;

	fprintf(svg->out, "<text class=\"title\" x=\"%d\" y=\"48\">", MARGIN);
	put_text(svg->out, map->title, TITLE_COLUMNS);
	fputs("</text>\n", svg->out);
	for (size_t i = 0; i < map->fact_count; i++) {
		fprintf(svg->out, "<text class=\"fact\" x=\"%d\" y=\"%zu\">", MARGIN,
			76 + i * FACT_HEIGHT);
		put_text(svg->out, map->facts[i], 120);
		fputs("</text>\n", svg->out);
	}
}

/* A line from where something is to where its text has room. */
static void put_lead(FILE *out, int from_x, unsigned from, int to_x, unsigned to)
{
	const int middle = (from_x + to_x) / 2;

	if (from != to)
		fprintf(out, "<path class=\"lead\" d=\"M%d %uH%dL%d %uH%d\"/>\n", from_x, from,
			(from_x + middle) / 2, (to_x + middle) / 2, to, to_x);
}

static void put_address(Svg *svg, uint64_t address, unsigned at, unsigned label)
{
	fprintf(svg->out, "<path class=\"tick\" d=\"M%d %uH%d\"/>\n", BAND_X - 6, at, BAND_X);
	put_lead(svg->out, BAND_X - 6, at, ADDRESS_X + 3, label);
	fprintf(svg->out,
		"<text class=\"address\" x=\"%d\" y=\"%u\" dy=\".35em\">0x%" PRIx64 "</text>\n",
		ADDRESS_X, label, address);
}

static void put_hover(FILE *out, const SvgRow *row)
{
	fputs("<title>", out);
	put_text(out, row->band->name, SIZE_MAX);
	fprintf(out, ": 0x%" PRIx64 " to 0x%" PRIx64 " (%s)", row->start, row->last,
		size_text(span_of(row->start, row->last)).text);
	if (row->band->detail[0]) {
		fputs(", ", out);
		put_text(out, row->band->detail, SIZE_MAX);
	}
	fputs("</title>", out);
}

static void put_badge(FILE *out, const SvgRow *row)
{
	const unsigned middle = (row->top + row->bottom) / 2;
	const int x = (BAND_X + BAND_END) / 2;

	if (row->bottom - row->top < 18)
		return;
	fprintf(out,
		"<rect class=\"plate\" x=\"%d\" y=\"%u\" width=\"28\" height=\"16\" "
		"rx=\"3\"/><text class=\"badge\" x=\"%d\" y=\"%u\" dy=\".35em\">",
		x - 14, middle - 8, x, middle);
	put_text(out, row->band->badge, 2);
	fputs("</text>", out);
}

static void put_band(const Svg *svg, const SvgRow *row)
{
	FILE *out = svg->out;
	/* What overlaps is drawn beside, so that both are seen. */
	const int x = row->overlaps ? BAND_X + 60 : BAND_X;

	fputs("<g>", out);
	put_hover(out, row);
	fprintf(out,
		"<rect x=\"%d\" y=\"%u\" width=\"%d\" height=\"%u\" fill=\"url(#r%u)\"/>"
		"<rect class=\"edge\" x=\"%d\" y=\"%u\" width=\"%d\" height=\"%u\"/>",
		x, row->top, BAND_END - x, row->bottom - row->top, (unsigned)row->band->role, x,
		row->top, BAND_END - x, row->bottom - row->top);
	put_badge(out, row);
	fputs("</g>\n", out);
}

static void put_label(const Svg *svg, const SvgRow *row)
{
	FILE *out = svg->out;

	put_lead(out, BAND_END, (row->top + row->bottom) / 2, NAME_X - 6, row->label);
	fprintf(out, "<text class=\"%s\" x=\"%d\" y=\"%u\" dy=\".35em\">",
		row->band ? "name" : "gap", NAME_X, row->label);
	put_text(out, row->band ? row->band->name : "gap", NAME_COLUMNS);
	fprintf(out, "</text>\n<text class=\"size\" x=\"%d\" y=\"%u\" dy=\".35em\">%s</text>\n",
		SIZE_X, row->label, size_text(span_of(row->start, row->last)).text);
	if (!row->band || (!row->band->detail[0] && !row->overlaps))
		return;
	fprintf(out, "<text class=\"detail\" x=\"%d\" y=\"%u\" dy=\".35em\">", DETAIL_X,
		row->label);
	put_text(out, row->overlaps ? "overlaps the range before" : row->band->detail,
		DETAIL_COLUMNS);
	fputs("</text>\n", out);
}

/* Both sides of the column go on, broken; a wave across says that the scale does not. */
static void put_gap(const Svg *svg, const SvgRow *row)
{
	const unsigned middle = (row->top + row->bottom) / 2;

	fprintf(svg->out, "<path class=\"break\" d=\"M%d %uV%uM%d %uV%u\"/>\n", BAND_X,
		row->top, row->bottom, BAND_END, row->top, row->bottom);
	if (svg->map->scale != SVG_LOG)
		return;
	fprintf(svg->out, "<path class=\"lead\" d=\"M%d %u", BAND_X, middle);
	for (int x = BAND_X; x < BAND_END; x += 20)
		fputs("q5-8 10 0t10 0", svg->out);
	fputs("\"/>\n", svg->out);
}

static void put_rows(Svg *svg)
{
	for (size_t i = 0; i < svg->count; i++) {
		if (!svg->rows[i].band)
			put_gap(svg, &svg->rows[i]);
		else
			put_band(svg, &svg->rows[i]);
	}
	for (size_t i = 0; i < svg->count; i++) {
		put_address(svg, svg->rows[i].start, svg->rows[i].top, svg->rows[i].address);
		put_label(svg, &svg->rows[i]);
	}
	if (svg->count && svg->end != UINT64_MAX)
		put_address(svg, svg->end + 1, svg->end_bottom, svg->end_label);
	else if (svg->count)
		fprintf(svg->out,
			"<text class=\"address\" x=\"%d\" y=\"%u\" dy=\".35em\">end of 64 "
			"bits</text>\n",
			ADDRESS_X, svg->end_label);
	else
		fprintf(svg->out,
			"<text class=\"gap\" x=\"%d\" y=\"%u\">nothing lies there</text>\n",
			NAME_X, svg->y + LINE_HEIGHT);
}

static void put_legend(Svg *svg)
{
	unsigned used = 0;
	int x = MARGIN;

	for (size_t i = 0; i < svg->map->band_count; i++)
		used |= 1u << svg->map->bands[i].role;
	for (size_t i = 0; i < ARRAY_COUNT(roles); i++) {
		if (!(used & 1u << i))
			continue;
		fprintf(svg->out,
			"<rect x=\"%d\" y=\"%u\" width=\"18\" height=\"14\" "
			"fill=\"url(#r%zu)\"/><rect class=\"edge\" x=\"%d\" y=\"%u\" "
			"width=\"18\" height=\"14\"/><text class=\"detail\" x=\"%d\" "
			"y=\"%u\">%s</text>\n",
			x, svg->y, i, x, svg->y, x + 25, svg->y + 12, roles[i].name);
		x += LEGEND_WIDTH;
	}
	svg->y += used ? 40 : 0;
}

static void put_notes(Svg *svg)
{
	if (svg->map->note_count == 0)
		return;
	fprintf(svg->out, "<text class=\"name\" x=\"%d\" y=\"%u\">", MARGIN, svg->y + 12);
	put_text(svg->out, svg->map->note_title, NOTE_COLUMNS);
	fputs("</text>\n", svg->out);
	svg->y += 26;
	for (size_t i = 0; i < svg->map->note_count; i++) {
		const SvgNote *note = &svg->map->notes[i];

		fprintf(svg->out,
			"<text class=\"address\" x=\"%d\" y=\"%u\">0x%" PRIx64
			"</text><text class=\"size\" x=\"%d\" y=\"%u\">%s</text><text "
			"class=\"note\" x=\"%d\" y=\"%u\">",
			ADDRESS_X, svg->y + 12, note->start, ADDRESS_X + 90, svg->y + 12,
			size_text(note->size).text, ADDRESS_X + 110, svg->y + 12);
		put_text(svg->out, note->name, NOTE_COLUMNS);
		if (note->detail[0]) {
			fputs(" - ", svg->out);
			put_text(svg->out, note->detail, NOTE_COLUMNS);
		}
		fputs("</text>\n", svg->out);
		svg->y += LINE_HEIGHT;
	}
}

/* Legend and list, without drawing them. */
static unsigned height_below(const SvgMap *map)
{
	return (map->band_count ? 40u : 0u) + 20u +
		(map->note_count ? 26 + LINE_HEIGHT * (unsigned)map->note_count : 0);
}

bool svg_map_print(FILE *out, const SvgMap *map, Arena *arena, Error *err)
{
	Svg svg = {
		.out = out,
		.map = map,
		.rows = arena_array(arena, SvgRow, 2 * map->band_count, err),
		.y = 88 + FACT_HEIGHT * (unsigned)map->fact_count,
	};

	if (!svg.rows)
		return false;
	list_rows(&svg);
	if (map->scale == SVG_LINEAR && svg.count)
		place_linear(&svg);
	else
		place_log(&svg);
	svg.y += 32;
	fprintf(out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" "
		"aria-labelledby=\"t d\" width=\"%d\" height=\"%u\" viewBox=\"0 0 %d "
		"%u\">\n<title id=\"t\">",
		WIDTH, svg.y + height_below(map), WIDTH, svg.y + height_below(map));
	put_text(out, map->title, NOTE_COLUMNS);
	fputs("</title>\n<desc id=\"d\">", out);
	put_text(out, map->description, SIZE_MAX);
	fputs("</desc>\n", out);
	put_style(out);
	put_patterns(out);
	put_head(&svg);
	put_rows(&svg);
	put_legend(&svg);
	put_notes(&svg);
	fputs("</svg>\n", out);
	return true;
}
