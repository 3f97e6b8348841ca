/*
 * Layouts of described machines as tables, reasons, documents and pictures.
 */
#include "host/layout_view.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/json_text.h"
#include "support/diagnostics.h"

static Arena *arena;
static Error err;
static Vm vm;
static LayoutView view;

static void setup(void)
{
	arena = arena_new(VM_ARENA_LIMIT);
	err = (Error){ 0 };
}

static void teardown(void)
{
	arena_free(arena);
}

TestSuite(layout_view, .init = setup, .fini = teardown);

static Bytes bytes_of(const char *text)
{
	return (Bytes){ (const uint8_t *)text, strlen(text) };
}

static void make(const char *text)
{
	cr_assert(vm_read(bytes_of(text), "vm", arena, &vm, &err), "%s: %s", err.source,
		err.text);
	cr_assert(layout_view_make(&vm, NULL, arena, &view, &err), "%s", err.text);
}

#define SMALL "{\"schema\": \"pvw.vm/1\", \"memory\": \"4GiB\"}"
#define WITH(members) "{\"schema\": \"pvw.vm/1\", \"memory\": \"4GiB\"" members "}"
#define COMPLEXES                                                                              \
	", \"pcie\": {\"root_complexes\": [{\"end_bus\": 15, \"high\": \"4GiB\"},"             \
	"{\"start_bus\": 16, \"end_bus\": 31}]}"

static char *print(bool explain)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	cr_assert(layout_view_print(out, &view, explain, arena, &err));
	fclose(out);
	return text;
}

Test(layout_view, prints_a_table_and_what_follows_from_it)
{
	char *text;

	make(SMALL);
	text = print(/* explain= */ false);
	cr_expect_str_eq(text,
		"start              end                     size  kind      tag                "
		" "
		"           gap\n"
		"0x0000000000000000 0x00000000c0000000     3 GiB  ram       ram0               "
		" "
		"       896 MiB\n"
		"0x00000000f8000000 0x0000000100000000   128 MiB  fixed     chipset-low-mmio   "
		" "
		"             -\n"
		"0x0000000100000000 0x0000000140000000     1 GiB  ram       ram0               "
		" "
		"             -\n"
		"0x0000000140000000 0x0000000160000000   512 MiB  fixed     chipset-high-mmio  "
		" "
		"             -\n"
		"\nlayout        version 2, x86_64\n"
		"end of RAM    0x140000000\n"
		"top           0x160000000, 33 of 46 address bits\n"
		"MTRRs         3 of 6 pairs, exact (strict-wb)\n",
		"\n%s", text);
	free(text);
}

Test(layout_view, says_the_largest_bar_of_each_window)
{
	char *text;

	make(WITH(", \"arch\": \"aarch64\", \"pcie\": {\"root_complexes\": [{\"high\": 0}]}"));
	text = print(/* explain= */ false);
	cr_expect_not_null(
		strstr(text, "largest bar   rc0: low 64 MiB, high no window\n"), "\n%s", text);
	cr_expect_null(strstr(text, "MTRR"));
	free(text);
}

static LayoutReason reason_of(uint64_t address)
{
	const size_t index = layout_view_find(&view, address);
	LayoutReason reason;

	cr_assert_neq(index, SIZE_MAX);
	cr_assert(layout_reason(&view, index, arena, &reason, &err));
	return reason;
}

static void expect_reason(
	uint64_t address, const char *member, const char *asked, const char *placed)
{
	const LayoutReason reason = reason_of(address);

	cr_expect_str_eq(reason.member, member);
	cr_expect_str_eq(reason.asked, asked);
	cr_expect_str_eq(reason.placed, placed);
}

Test(layout_view, says_who_asked_and_what_moved_it)
{
	make(WITH(COMPLEXES));

	expect_reason(0, "memory", "4 GiB, aligned to 2 MiB",
		"piece 1 of 2, RAM upwards: nothing is below; up to the device space of 1 GiB "
		"below 4 GiB");
	expect_reason(0x100000000, "memory", "4 GiB, aligned to 2 MiB",
		"piece 2 of 2, RAM upwards: on chipset-low-mmio, which ends at 0x100000000");
	expect_reason(0xf8000000, "chipset.low", "128 MiB, pinned",
		"always ends at 4 GiB, and holds the architecture's own devices from "
		"0xfe000000 on");
	expect_reason(0xf4000000, "pcie.root_complexes[0].low", "64 MiB, aligned to 64 MiB",
		"highest place below 4 GiB: under chipset-low-mmio at 0xf8000000");
	expect_reason(0xf0000000, "pcie.root_complexes[1].low", "64 MiB, aligned to 64 MiB",
		"highest place below 4 GiB: under pcie-rc0-low-mmio at 0xf4000000");
	expect_reason(0x140000000, "chipset.high", "512 MiB, pinned",
		"first window, lowest place above RAM: on ram0, which ends at 0x140000000");
	/* What was placed before it counts, not the smaller windows that filled the gap. */
	expect_reason(view.layout->root_complexes[0].high.start, "pcie.root_complexes[0].high",
		"4 GiB, aligned to 4 GiB",
		"lowest place above RAM and 4 GiB: on chipset-high-mmio, which ends at "
		"0x160000000, 2.5 GiB apart by its alignment");
	expect_reason(view.layout->root_complexes[0].ecam.start, "the buses of PCI segment 0",
		"32 MiB, aligned to 1 MiB",
		"lowest place above RAM and 4 GiB: on chipset-high-mmio, which ends at "
		"0x160000000");
	cr_expect_eq(layout_view_find(&view, 0xc0000000), SIZE_MAX);
}

Test(layout_view, explains_version_1_nodes_gaps_and_vtl2)
{
	make("{\"schema\": \"pvw.vm/1\", \"nodes\": [{\"memory\": \"3GiB\"}, {\"memory\": "
	     "\"2GiB\"}], \"layout\": {\"version\": 1, \"ram_start\": \"1MiB\"},"
	     "\"chipset\": {\"virtio_mmio\": 1}, \"vtl2\": {\"memory\": \"128MiB\"}}");

	expect_reason(
		0, "layout.ram_start", "1 MiB, pinned", "kept free below the start of RAM");
	expect_reason(0x40000000, "nodes[0].memory", "3 GiB, aligned to 1 GiB",
		"piece 1 of 2, RAM upwards: on low-ram-gap, which ends at 0x100000, 1023 MiB "
		"apart by its alignment; as many times 1 GiB as fit below virtio-mmio");
	expect_reason(0xf7fff000, "chipset.virtio_mmio", "4 KiB, aligned to 4 KiB",
		"highest place below 4 GiB: under chipset-low-mmio at 0xf8000000");
	expect_reason(view.layout->vtl2.start, "vtl2.memory", "128 MiB, aligned to 2 MiB",
		"above all that the guest sees: on vtl2-chipset-mmio, which ends at "
		"0x220000000");
}

/* H, and what is reserved, by what they are and not by their most frequent cause. */
Test(layout_view, says_where_windows_begin_and_why)
{
	make("{\"schema\": \"pvw.vm/1\", \"memory\": \"2GiB\"}");
	expect_reason(0x100000000, "chipset.high", "512 MiB, pinned",
		"first window, lowest place above RAM: on chipset-low-mmio, which ends at "
		"0x100000000");

	make("{\"schema\": \"pvw.vm/1\", \"memory\": \"513GiB\"}");
	expect_reason(0x8100000000, "chipset.high", "512 MiB, pinned",
		"first window, lowest place above RAM: from 0x8100000000 on, the end of RAM "
		"(0x8080000000) rounded up to 4 GiB so that 6 MTRRs suffice");

	make(WITH(", \"layout\": {\"device_space\": \"3GiB\", \"reserved_iova\": "
		  "[{\"start\": \"0x1c0000000\", \"end\": \"0x1c0001000\", \"reason\": "
		  "\"a\"}]}"));
	expect_reason(0, "memory", "4 GiB, aligned to 2 MiB",
		"piece 1 of 2, RAM upwards: nothing is below; up to the device space of 3 GiB "
		"below 4 GiB");
	expect_reason(0x1c0000000, "layout.reserved_iova", "4 KiB, pinned",
		"the host's IOMMU uses it itself: no RAM, no window");

	make("{\"schema\": \"pvw.vm/1\", \"memory\": \"2GiB\", \"arch\": \"aarch64\"}");
	expect_reason(0x140000000, "chipset.high", "512 MiB, pinned",
		"first window, lowest place above RAM: from 0x140000000 on, for firmware needs "
		"a gap between 4 GiB and the first window");

	/* A hole that is no device space, and a window that it moved. */
	make("{\"schema\": \"pvw.vm/1\", \"memory\": \"3GiB\", \"layout\": {\"reserved_iova\": "
	     "[{\"start\": \"2GiB\", \"end\": \"0x80001000\", \"reason\": \"a\"}, {\"start\": "
	     "\"0x150000000\", \"end\": \"0x150001000\", \"reason\": \"b\"}]}}");
	expect_reason(0, "memory", "3 GiB, aligned to 2 MiB",
		"piece 1 of 3, RAM upwards: nothing is below; as many times 2 MiB as fit below "
		"reserved-iova-a");
	expect_reason(0x180000000, "chipset.high", "512 MiB, pinned",
		"first window, lowest place above RAM: on reserved-iova-b, which ends at "
		"0x150001000, 768 MiB apart by its alignment");
}

/* Every placement of a machine with everything has its reason, in both versions. */
Test(layout_view, explains_every_item)
{
	static const char *const extras[] = { "\"version\": 1",
		"\"version\": 2, \"reserved_iova\": [{\"start\": \"0x50000000\", \"end\": "
		"\"0x50001000\", \"reason\": \"mine\"}], \"ram_start\": \"1GiB\", "
		"\"low_window\": \"64MiB\"" };
	bool seen[LAYOUT_ITEM_COUNT] = { false };

	for (size_t v = 0; v < ARRAY_COUNT(extras); v++) {
		char text[1024];
		char *table;

		snprintf(text, sizeof(text),
			"{\"schema\": \"pvw.vm/1\", \"arch\": \"aarch64\", \"memory\": "
			"\"4GiB\","
			"\"layout\": {%s}, \"chipset\": {\"virtio_mmio\": 1}, \"vtl2\": "
			"{\"memory\": \"2MiB\", \"framebuffer\": \"8MiB\"}, \"pcie\": "
			"{\"root_complexes\": [{\"iommu\": \"smmu\", \"cxl_hdm\": "
			"\"256MiB\"}]}}",
			extras[v]);
		make(text);
		for (size_t i = 0; i < view.layout->placements.count; i++)
			seen[view.layout->placements.items[i].item] = true;
		table = print(/* explain= */ true);
		cr_expect_null(strchr(table, '%'), "\n%s", table);
		free(table);
	}
	for (LayoutItem item = 0; item < LAYOUT_ITEM_COUNT; item++)
		cr_expect(seen[item], "%s", layout_item_name(item));
}

static json_t *document_of(bool explain)
{
	json_t *document;

	cr_assert(layout_view_json(&view, explain, arena, &document, &err), "%s", err.text);
	return document;
}

Test(layout_view, writes_a_document_of_what_was_decided)
{
	json_t *document, *complex, *placement;

	make(WITH(COMPLEXES ", \"layout\": {\"reserved_iova\": [\"amd-ht\"]}"));
	document = document_of(/* explain= */ true);

	cr_expect_eq(json_integer_value(json_object_get(document, "version")), 2);
	cr_expect_str_eq(
		json_string_value(json_object_get(document, "end_of_ram")), "0x140000000");
	cr_expect(json_is_null(json_object_get(document, "vtl2")));
	cr_expect_eq(json_integer_value(
			     json_object_get(json_object_get(document, "mtrr"), "budget")),
		6);
	complex = json_array_get(json_object_get(document, "root_complexes"), 0);
	cr_expect_str_eq(
		json_string_value(json_object_get(complex, "high_largest_bar")), "0x100000000");
	placement = json_array_get(json_object_get(document, "placements"), 0);
	cr_expect_str_eq(json_string_value(json_object_get(placement, "tag")), "ram0");
	cr_expect_str_eq(json_string_value(json_object_get(placement, "member")), "memory");
	cr_expect_eq(json_array_size(json_object_get(document, "reserved")), 1);
	json_decref(document);
}

/* The document as text, with its schema; to be freed. */
static char *text_of(const char *schema)
{
	json_t *document = document_of(/* explain= */ false);
	char *text;

	json_object_set_new(document, "schema", json_string(schema));
	text = json_dumps(document, 0);
	json_decref(document);
	return text;
}

Test(layout_view, keeps_what_can_be_compared)
{
	KeptLayout kept, now;
	char *text;

	make(WITH(COMPLEXES));
	text = text_of("pvw.layout/1");
	cr_assert(layout_kept_read(bytes_of(text), "kept", arena, &kept, &err), "%s: %s",
		err.source, err.text);
	cr_assert(layout_keep(view.layout, arena, &now, &err));
	cr_expect(layout_compare(&kept, &now, &err), "%s", err.text);

	make(SMALL);
	cr_assert(layout_keep(view.layout, arena, &now, &err));
	cr_expect_not(layout_compare(&kept, &now, &err));
	cr_expect_eq(err.diagnostic, PVW_RESOLVE_0019);
	cr_expect_not_null(strstr(err.text, "pcie-rc1-low-mmio"), "%s", err.text);
	free(text);
}

Test(layout_view, refuses_what_was_not_kept)
{
#define KEPT(schema, items)                                                                    \
	"{\"schema\": \"" schema "\", \"version\": 2, \"more\": 1, \"placements\": [" items "]}"
#define ITEM(tag, start, end)                                                                  \
	"{\"kind\": \"ram\", \"tag\": \"" tag "\", \"start\": \"" start "\", \"end\": \"" end  \
	"\"}"
#define LONG "0123456789012345678901234567890123456789012345678901234567890123"
	static const struct {
		const char *text;
		uint16_t diagnostic;
		const char *source, *word;
	} cases[] = {
		{ "7", PVW_JSON_0001, "kept", "JSON" },
		{ "{\"schema\": \"pvw.layout/1\"}", PVW_JSON_0003, "kept.version", "missing" },
		{ KEPT("pvw.map/1", ""), PVW_VM_0009, "kept", "pvw.layout/1" },
		{ KEPT("pvw.layout/1", "{\"kind\": \"rom\"}"), PVW_JSON_0002,
			"kept.placements[0].kind", "post-mmio" },
		{ KEPT("pvw.layout/1", ITEM("a", "0x0", "0x0")), PVW_VM_0009, "kept",
			"whole pages" },
		{ KEPT("pvw.layout/1", ITEM("a", "0x1", "0x1000")), PVW_VM_0009, "kept",
			"whole pages" },
		{ KEPT("pvw.layout/1", ITEM("a", "0x2000", "0x1000")), PVW_VM_0009, "kept",
			"whole pages" },
		{ KEPT("pvw.layout/1",
			  ITEM("a", "0x0", "0x2000") ", " ITEM("b", "0x1000", "0x3000")),
			PVW_VM_0009, "kept", "placement 1" },
		{ KEPT("pvw.layout/1", ITEM(LONG, "0x0", "0x1000")), PVW_VM_0009, "kept",
			"64 bytes" },
	};
	KeptLayout kept = { .version = 42 };

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		err = (Error){ 0 };
		cr_expect_not(
			layout_kept_read(bytes_of(cases[i].text), "kept", arena, &kept, &err));
		cr_expect_eq(
			err.diagnostic, cases[i].diagnostic, "%s: %s", cases[i].text, err.text);
		cr_expect_str_eq(err.source, cases[i].source, "%s", cases[i].text);
		cr_expect_not_null(strstr(err.text, cases[i].word), "%s", err.text);
		cr_expect_eq(kept.version, 42);
	}
}

static KeptLayout keep(void)
{
	char *text = text_of("pvw.layout/1");
	KeptLayout kept;

	cr_assert(layout_kept_read(bytes_of(text), "kept", arena, &kept, &err), "%s: %s",
		err.source, err.text);
	free(text);
	return kept;
}

#define TURNED                                                                                 \
	", \"pcie\": {\"root_complexes\": [{\"name\": \"rc1\", \"start_bus\": 16, "            \
	"\"end_bus\": "                                                                        \
	"31}, {\"name\": \"rc0\", \"end_bus\": 15, \"high\": \"4GiB\"}]}"

Test(layout_view, restores_what_was_kept)
{
	KeptLayout kept;

	make(WITH(COMPLEXES));
	kept = keep();
	cr_assert(vm_read(bytes_of(WITH(TURNED)), "vm", arena, &vm, &err), "%s", err.text);
	cr_assert(layout_view_make(&vm, &kept, arena, &view, &err), "%s", err.text);
	cr_expect_eq(view.layout->root_complexes[0].low.start, 0xf0000000);
	expect_reason(0xf0000000, "pcie.root_complexes[0].low", "64 MiB, aligned to 64 MiB",
		"where it was in the layout that is restored");
	expect_reason(0x100000000, "memory", "4 GiB, aligned to 2 MiB",
		"piece 2 of 2, RAM upwards: on chipset-low-mmio, which ends at 0x100000000");

	make(SMALL);
	cr_expect_not(layout_view_make(&vm, &kept, arena, &view, &err));
	cr_expect_eq(err.diagnostic, PVW_RESOLVE_0019);
	cr_expect_not_null(strstr(err.text, "pcie-rc1-low-mmio was at"), "%s", err.text);
}

/* Names that look alike as tags are still two. */
Test(layout_view, restores_windows_of_foreign_names)
{
	KeptLayout kept;

	make(WITH(", \"pcie\": {\"root_complexes\": [{\"name\": \"\u00e9\"}, {\"name\": "
		  "\"\u00fc\", \"segment\": 1}]}"));
	kept = keep();
	cr_expect(layout_view_make(&vm, &kept, arena, &view, &err), "%s", err.text);
}

/* The largest layout there is can be kept, explained and read again. */
Test(layout_view, keeps_the_largest_layout)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	json_t *document;
	KeptLayout kept;

	fputs("{\"schema\": \"pvw.vm/1\", \"nodes\": [", out);
	for (size_t i = 0; i < LAYOUT_MAX_NODES; i++)
		fprintf(out, "%s{\"memory\": \"2MiB\"}", i ? "," : "");
	fputs("], \"layout\": {\"device_space\": \"2GiB\"}, \"pcie\": {\"root_complexes\": [",
		out);
	for (size_t i = 0; i < LAYOUT_MAX_ROOT_COMPLEXES; i++)
		fprintf(out,
			"%s{\"name\": \"a-root-complex-with-a-name-that-goes-on-and-on-%zu\", "
			"\"segment\": %zu, \"end_bus\": 0, \"low\": \"2MiB\", \"cxl_hdm\": "
			"\"256MiB\", \"iommu\": \"intel-vtd\"}",
			i ? "," : "", i, i);
	fputs("]}}", out);
	fclose(out);
	make(text);
	free(text);

	document = document_of(/* explain= */ true);
	json_object_set_new(document, "schema", json_string("pvw.layout/1"));
	text = json_dumps(document, JSON_INDENT(2));
	cr_expect_lt(strlen(text), LAYOUT_VIEW_MAX_DOCUMENT);
	cr_assert(layout_kept_read(bytes_of(text), "kept", arena, &kept, &err), "%s: %s",
		err.source, err.text);
	cr_expect_eq(kept.count, view.layout->placements.count);
	cr_expect(layout_view_make(&vm, &kept, arena, &view, &err), "%s", err.text);
	json_decref(document);
	free(text);
}

Test(layout_view, prints_names_that_steer_no_terminal)
{
	char *text;

	make(WITH(", \"pcie\": {\"root_complexes\": [{\"name\": \"a\\u001b[31m\"}]}"));
	text = print(/* explain= */ true);
	cr_expect_null(strchr(text, '\033'), "\n%s", text);
	cr_expect_not_null(strstr(text, "largest bar   a?[31m: low"), "\n%s", text);
	free(text);
}

/* Version 1 puts windows right behind RAM, wherever it ends. */
Test(layout_view, tells_why_no_mtrrs_are_exact)
{
	json_t *document;
	char *text;

	make("{\"schema\": \"pvw.vm/1\", \"memory\": \"43690MiB\", \"layout\": {\"version\": "
	     "1}}");
	cr_assert_not(view.has_mtrr);
	text = print(/* explain= */ false);
	cr_expect_not_null(strstr(text, "MTRRs         none are exact: "), "\n%s", text);
	free(text);
	document = document_of(/* explain= */ false);
	cr_expect(json_is_null(json_object_get(json_object_get(document, "mtrr"), "pairs")));
	json_decref(document);
}

static char *draw(MapStyle style, bool svg)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	cr_assert(svg ? layout_view_draw(out, &view, style, arena, &err)
		      : layout_view_map(out, &view, style, arena, &err));
	fclose(out);
	return text;
}

Test(layout_view, draws_the_same_ranges_in_text_and_in_svg)
{
	char *text, *svg, *again;

	make(WITH(", \"name\": \"<&\\\"\\u00fc\\u0001>\"" COMPLEXES));
	text = draw((MapStyle){ 0 }, /* svg= */ false);
	cr_expect_not_null(strstr(text, "| p0 PCIe high window"), "\n%s", text);
	cr_expect_not_null(strstr(text, "| rc1\n"));
	svg = draw((MapStyle){ 0 }, /* svg= */ true);
	again = draw((MapStyle){ 0 }, /* svg= */ true);
	cr_expect_str_eq(svg, again);
	cr_expect_not_null(strstr(svg, ">&lt;&amp;&quot;???&gt;</text>"));
	cr_expect_not_null(strstr(svg,
		"PCIe high window: 0x200000000 to 0x2ffffffff (4 GiB), "
		"rc0</title>"));
	free(text);
	free(svg);
	free(again);
}

Test(layout_view, draws_a_part)
{
	const MapStyle style = { .from = 0xf0000000, .to = 0xfc000000 };
	char *text;

	make(SMALL);
	text = draw(style, /* svg= */ false);
	cr_expect_not_null(
		strstr(text, "0x00000000f0000000 ~        gap 128 MiB"), "\n%s", text);
	cr_expect_not_null(strstr(text, " 64 MiB | chipset-low-mmio"), "\n%s", text);
	cr_expect_null(strstr(text, "RAM "), "\n%s", text);
	free(text);
}
