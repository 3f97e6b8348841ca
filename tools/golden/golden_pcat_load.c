/*
 * Area pcat_load: the image's copies and the first registers.
 *
 * Images are described, not given: "0x40000 bytes: byte i = (i>>12)+1", "0x20000 zero bytes".
 */
#include "golden.h"
#include "loaders/pcat.h"

#include <stdlib.h>
#include <string.h>

static Bytes read_image(const char *text, Arena *arena)
{
	static const char numbered[] = " bytes: byte i = (i>>12)+1", zeros[] = " zero bytes";
	char *rest;
	const size_t len = strtoul(text, &rest, 16);
	uint8_t *bytes = golden_array(arena, len, 1);

	if (strcmp(rest, numbered) == 0) {
		for (size_t i = 0; i < len; i++)
			bytes[i] = (uint8_t)((i >> 12) + 1);
	} else if (strcmp(rest, zeros) != 0) {
		golden_malformed("not an image: \"%s\"", text);
	}
	return (Bytes){ bytes, len };
}

static json_t *write_pages(const char *tag, uint64_t gpa, Bytes bytes)
{
	return json_pack("{s: o, s: I, s: s, s: s, s: I}", "page_base",
		golden_json_u64(gpa / PAGE_SIZE), "page_count",
		(json_int_t)(bytes.len / PAGE_SIZE), "tag", tag, "acceptance", "Exclusive",
		"data_len", (json_int_t)bytes.len);
}

static json_t *write_register(Register value)
{
	const char *name = register_row(value.id)->name;

	if (value.id != REGISTER_CS)
		return json_pack(
			"{s: s, s: o}", "reg", name, "value", golden_json_u64(value.low));
	return json_pack("{s: s, s: o, s: o, s: o, s: o}", "reg", name, "base",
		golden_json_u64(value.low), "limit", golden_json_u64(value.high & UINT32_MAX),
		"selector", golden_json_u64(value.high >> 32 & UINT16_MAX), "attributes",
		golden_json_u64(value.high >> 48));
}

bool golden_run_pcat_load(const json_t *input, Arena *arena, json_t **output, Error *err)
{
	const bool has_image = !golden_is_null(input, "image");
	const bool has_max = !golden_is_null(input, "max_ram_below_4gb");
	Register start[PCAT_START_REGISTERS];
	json_t *pages, *registers;
	PcatImage image;

	if (has_image &&
		!pcat_image_place(read_image(golden_string(input, "image"), arena), has_max,
			has_max ? golden_u64(input, "max_ram_below_4gb") : 0, &image, err))
		return false;

	pages = json_array();
	if (has_image) {
		json_array_append_new(pages, write_pages("pcat-image", image.gpa, image.image));
		json_array_append_new(
			pages, write_pages("pcat-top-pages", PCAT_TOP_GPA, image.top));
	}
	registers = json_array();
	pcat_start_registers(start);
	for (size_t i = 0; i < PCAT_START_REGISTERS; i++)
		json_array_append_new(registers, write_register(start[i]));
	*output = json_pack("{s: o, s: o, s: n}", "pages", pages, "registers", registers,
		"vp_context_page");
	return true;
}
