/*
 * Pictures: what is in them, and that no two texts share a place.
 */
#include "host/svg_map.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "support/compiler.h"
#include "support/diagnostics.h"

#define LINE 20 /* pixels between two texts, at least */

static char *draw(const SvgMap *map)
{
	Arena *arena = arena_new(1 << 20);
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	Error err;

	cr_assert(svg_map_print(out, map, arena, &err), "%s", err.text);
	fclose(out);
	arena_free(arena);
	return text;
}

static size_t count(const char *text, const char *word)
{
	size_t found = 0;

	for (const char *at = text; (at = strstr(at, word)); at += strlen(word))
		found++;
	return found;
}

static SvgBand band(uint64_t start, uint64_t last, SvgRole role, const char *name)
{
	return (SvgBand){ start, last, role, "R0", name, "detail" };
}

static SvgMap map_of(const SvgBand *bands, size_t n, SvgScale scale)
{
	return (SvgMap){ .title = "title",
		.description = "what it is",
		.bands = bands,
		.band_count = n,
		.scale = scale };
}

/* Places of all texts of a class and a column: each is below the one before. */
static void expect_apart(const char *svg, const char *head)
{
	long before = -LINE;
	size_t found = 0;

	for (const char *at = svg; (at = strstr(at, head)); found++) {
		const long y = strtol(at + strlen(head), NULL, 10);

		cr_expect_geq(y, before + LINE, "%s%ld after %ld", head, y, before);
		before = y;
		at += strlen(head);
	}
	cr_expect_gt(found, 0, "%s", head);
}

/* A title is as long as the picture is wide. */
Test(svg_map, cuts_a_long_title)
{
	const SvgBand bands[] = { band(0, 0xfff, SVG_RAM, "low") };
	SvgMap map = map_of(bands, 1, SVG_LOG);
	char *svg;

	map.title = "0123456789012345678901234567890123456789012345678901234567890123456789";
	svg = draw(&map);
	cr_expect_not_null(strstr(svg, "890123456789012&#8230;</text>"), "\n%s", svg);
	free(svg);
}

Test(svg_map, has_a_title_a_description_and_a_text_for_each_range)
{
	const SvgBand bands[] = { band(0, 0xfff, SVG_RAM, "low"),
		band(0x3000, 0x3fff, SVG_CHIPSET, "high") };
	const SvgMap map = map_of(bands, 2, SVG_LOG);
	char *svg = draw(&map);

	cr_expect_eq(
		strncmp(svg, "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\"", 49), 0);
	cr_expect_not_null(strstr(svg, "width=\"960\""));
	cr_expect_not_null(strstr(svg, "<title id=\"t\">title</title>"));
	cr_expect_not_null(strstr(svg, "<desc id=\"d\">what it is</desc>"));
	cr_expect_not_null(strstr(svg, "<title>low: 0x0 to 0xfff (4 KiB), detail</title>"));
	cr_expect_not_null(
		strstr(svg, "<title>high: 0x3000 to 0x3fff (4 KiB), detail</title>"));
	cr_expect_not_null(strstr(svg, ">gap</text>"));
	cr_expect_not_null(strstr(svg, ">8 KiB</text>"));
	cr_expect_not_null(strstr(svg, ">0x4000</text>"));
	cr_expect_not_null(strstr(svg, "prefers-color-scheme:dark"));
	cr_expect_null(strstr(svg, "<script"));
	cr_expect_eq(count(svg, "</svg>"), 1);
	free(svg);
}

Test(svg_map, keeps_texts_apart_at_both_scales)
{
	SvgBand bands[40];

	/* Pages in a row, then one far above. */
	for (uint64_t i = 0; i < 39; i++)
		bands[i] = band(i * 0x2000, i * 0x2000 + 0xfff, SVG_DEVICE, "page");
	bands[39] = band(UINT64_C(1) << 44, (UINT64_C(1) << 45) - 1, SVG_PCIE, "far");
	for (SvgScale scale = 0; scale < SVG_SCALE_COUNT; scale++) {
		const SvgMap map = map_of(bands, 40, scale);
		char *svg = draw(&map);

		expect_apart(svg, "<text class=\"address\" x=\"184\" y=\"");
		expect_apart(svg, "<text class=\"size\" x=\"734\" y=\"");
		free(svg);
	}
}

Test(svg_map, lets_no_markup_in)
{
	const SvgBand bands[] = { { 0, 0xfff, SVG_RAM, "<&", "</svg><script>\"'&\n\x7f\xc3\xbc",
		"]]>" } };
	const char *facts[] = { "<fact>" };
	const SvgNote notes[] = { { 0, 1, "<note>", "\033[2J" } };
	SvgMap map = map_of(bands, 1, SVG_LOG);
	char *svg;

	map.title = "<title>";
	map.facts = facts;
	map.fact_count = 1;
	map.note_title = "placed";
	map.notes = notes;
	map.note_count = 1;
	svg = draw(&map);
	cr_expect_null(strstr(svg, "<script"));
	cr_expect_null(strchr(svg, '\033'));
	cr_expect_null(strchr(svg, 0x7f));
	cr_expect_null(strchr(svg, '\xc3'));
	cr_expect_not_null(strstr(svg, "&lt;/svg&gt;&lt;script&gt;&quot;'&amp;????"));
	cr_expect_not_null(strstr(svg, "&lt;fact&gt;"));
	cr_expect_not_null(strstr(svg, "&lt;note&gt; - ?[2J"));
	cr_expect_eq(count(svg, "</svg>"), 1);
	free(svg);
}

Test(svg_map, cuts_what_is_too_long_but_not_in_the_hover_text)
{
	static const char name[] = "a name of more than five and twenty characters";
	const SvgBand bands[] = { band(0, 0xfff, SVG_RAM, name) };
	const SvgMap map = map_of(bands, 1, SVG_LOG);
	char *svg = draw(&map);

	cr_expect_not_null(strstr(svg, ">a name of more than five&#8230;</text>"));
	cr_expect_not_null(
		strstr(svg, "<title>a name of more than five and twenty characters: "));
	free(svg);
}

/* A worker may say anything. */
Test(svg_map, draws_the_end_of_64_bits_overlaps_and_nothing)
{
	const SvgBand bands[] = { band(0, UINT64_MAX, SVG_RAM, "all"),
		band(0x1000, 0x1fff, SVG_VTL2, "in it"),
		band(UINT64_MAX - 0xfff, UINT64_MAX, SVG_RESERVED, "last") };

	for (SvgScale scale = 0; scale < SVG_SCALE_COUNT; scale++) {
		SvgMap map = map_of(bands, 3, scale);
		char *svg = draw(&map);

		cr_expect_not_null(strstr(svg, ">end of 64 bits</text>"));
		cr_expect_eq(count(svg, "overlaps the range before"), 2);
		free(svg);
		map.band_count = 0;
		svg = draw(&map);
		cr_expect_not_null(strstr(svg, "nothing lies there"));
		free(svg);
	}
}

Test(svg_map, fails_without_memory)
{
	const SvgBand bands[] = { band(0, 0xfff, SVG_RAM, "ram") };
	const SvgMap map = map_of(bands, 1, SVG_LOG);
	Arena *arena = arena_new(8);
	Error err;

	cr_expect_not(svg_map_print(stdout, &map, arena, &err));
	cr_expect_eq(err.diagnostic, PVW_MEM_0001);
	cr_expect_not_null(strstr(err.text, "bytes"));
	arena_free(arena);
}
