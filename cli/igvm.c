/*
 * pvw igvm: what an IGVM file holds, as people read it, and all that is wrong with it.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/output.h"
#include "host/file.h"
#include "loaders/igvm_contents.h"

#define SCHEMA "pvw.igvm/1"
#define MAX_FINDINGS 256
#define MAX_FILE ((size_t)1024 * 1024 * 1024)
#define ARENA_LIMIT (MAX_FILE + (size_t)512 * 1024 * 1024)

/* One run of the command. */
typedef struct Run {
	const Invocation *invocation;
	const char *path;
	Arena *arena;
	Diagnostics findings;
	IgvmFile file;
	IgvmSelection selection;
	IgvmContents contents;
	bool sound; /* nothing is wrong with it */
} Run;

/*
 * Reading.
 */

static bool choose_platform(Run *run, Error *err)
{
	static const char *const names[] = { "native", "vsm", "snp", "tdx", "sev", "sev-es",
		"cca", NULL };
	size_t platform = IGVM_PLATFORM_VSM;

	return invocation_choice(
		       run->invocation, "platform", names, IGVM_PLATFORM_VSM, &platform, err) &&
		igvm_select(&run->file, (IgvmPlatform)platform, &run->selection, err);
}

/* A file whose headers can be read is shown, whatever they say. */
static bool read_file(Run *run, Error *err)
{
	Bytes bytes;

	if (!file_read(run->path, MAX_FILE, run->arena, &bytes, err))
		return false;
	if (!igvm_open(bytes, &run->file, err))
		return error_wrap(err, "%s", run->path);
	if (!diagnostics_init(&run->findings, MAX_FINDINGS, run->arena, err))
		return false;
	if (!choose_platform(run, err)) {
		if (err->diagnostic < PVW_IGVM_0001 || err->diagnostic > PVW_IGVM_0034)
			return false;
		diagnostics_add_error(&run->findings, err);
		return true;
	}
	run->sound = igvm_read(
		&run->file, &run->selection, run->arena, &run->contents, &run->findings, err);
	return true;
}

/*
 * JSON.
 */

static json_t *hex(uint64_t value)
{
	return json_sprintf("0x%" PRIx64, value);
}

static json_t *range_json(MemoryRange range)
{
	return json_pack("{s:o, s:o}", "start", hex(range.start), "end", hex(range.end));
}

/* Pages that follow each other and are of one kind: where a run ends. */
static size_t run_end(const IgvmContents *contents, size_t at)
{
	const IgvmPage *pages = contents->pages;
	size_t end = at + 1;

	while (end < contents->page_count && pages[end].gpa == pages[end - 1].gpa + PAGE_SIZE &&
		pages[end].flags == pages[at].flags &&
		(pages[end].file_offset == 0) == (pages[at].file_offset == 0))
		end++;
	return end;
}

static MemoryRange run_range(const IgvmContents *contents, size_t from, size_t end)
{
	return (MemoryRange){ contents->pages[from].gpa,
		contents->pages[end - 1].gpa + PAGE_SIZE };
}

static json_t *pages_json(const IgvmContents *contents)
{
	json_t *list = json_array();

	for (size_t at = 0, end; at < contents->page_count; at = end) {
		json_t *item;

		end = run_end(contents, at);
		item = range_json(run_range(contents, at, end));
		json_object_set_new(
			item, "zeros", json_boolean(!contents->pages[at].file_offset));
		json_object_set_new(item, "flags", json_integer(contents->pages[at].flags));
		json_array_append_new(list, item);
	}
	return list;
}

static json_t *areas_json(const IgvmContents *contents)
{
	json_t *list = json_array();

	for (size_t i = 0; i < contents->area_count; i++) {
		const IgvmArea *area = &contents->areas[i];
		json_t *uses = json_array();
		json_t *item = json_pack("{s:I, s:I}", "index", (json_int_t)area->index,
			"bytes", (json_int_t)area->bytes);

		for (size_t k = 0; k < contents->use_count; k++) {
			const IgvmUse *use = &contents->uses[k];

			if (use->area == area)
				json_array_append_new(uses,
					json_pack("{s:s, s:I}", "parameter", use->row->name,
						"offset", (json_int_t)use->offset));
		}
		if (area->inserted)
			json_object_set_new(item, "gpa", hex(area->gpa));
		json_object_set_new(item, "parameters", uses);
		json_array_append_new(list, item);
	}
	return list;
}

static json_t *contexts_json(const IgvmContents *contents)
{
	json_t *list = json_array();

	for (size_t i = 0; i < contents->context_count; i++) {
		const IgvmContext *context = &contents->contexts[i];
		json_t *registers = json_array();

		for (size_t k = 0; k < context->registers.count; k++) {
			const Register *value = &context->registers.items[k];

			json_array_append_new(registers,
				json_pack("{s:s, s:o, s:o}", "name",
					register_row(value->id)->name, "low", hex(value->low),
					"high", hex(value->high)));
		}
		json_array_append_new(list,
			json_pack(
				"{s:i, s:o}", "vp", (int)context->vp, "registers", registers));
	}
	return list;
}

static json_t *ranges_json(const IgvmRange *ranges, size_t count)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++) {
		json_t *item = range_json(ranges[i].range);

		json_object_set_new(item, "protectable", json_boolean(ranges[i].protectable));
		json_array_append_new(list, item);
	}
	return list;
}

static json_t *findings_json(const Diagnostics *findings)
{
	json_t *list = json_array();

	for (size_t i = 0; i < findings->count; i++) {
		const Error *what = &findings->items[i].what;
		json_t *item = json_pack("{s:s, s:s}", "id",
			diagnostic_row(what->diagnostic)->name, "text", what->text);

		if (what->has_offset)
			json_object_set_new(
				item, "offset", json_integer((json_int_t)what->offset));
		json_array_append_new(list, item);
	}
	return list;
}

static json_t *platforms_json(const IgvmFile *file)
{
	IgvmCursor cursor = igvm_first(file);
	json_t *list = json_array();

	while (!igvm_at_end(file, &cursor)) {
		IgvmSupportedPlatform body;
		IgvmHeader header;
		Error ignored;

		if (!igvm_next(file, &cursor, &header, &ignored) || header.skipped ||
			header.row->type != IGVM_SUPPORTED_PLATFORM)
			continue;
		body = igvm_body(IgvmSupportedPlatform, &header);
		json_array_append_new(list,
			json_pack("{s:s, s:o, s:i, s:i}", "platform",
				igvm_platform_name(body.platform), "mask", hex(body.mask),
				"highest_vtl", (int)body.highest_vtl, "version",
				(int)body.version));
	}
	return list;
}

static bool print_json(const Run *run, Error *err)
{
	const IgvmContents *contents = &run->contents;
	json_t *document = json_pack("{s:i, s:s, s:o, s:o, s:b, s:o}", "format",
		(int)run->file.format, "arch", guest_arch_name(run->file.arch), "checksum",
		hex(run->file.checksum), "platforms", platforms_json(&run->file), "sound",
		run->sound, "findings", findings_json(&run->findings));

	if (document && run->sound) {
		json_object_set_new(document, "pages", pages_json(contents));
		json_object_set_new(document, "areas", areas_json(contents));
		json_object_set_new(document, "contexts", contexts_json(contents));
		json_object_set_new(document, "required",
			ranges_json(contents->required, contents->required_count));
		json_object_set_new(document, "error_ranges",
			ranges_json(contents->errors, contents->error_count));
		if (contents->has_region)
			json_object_set_new(document, "relocatable",
				range_json(igvm_region_range(contents)));
		if (contents->has_tables)
			json_object_set_new(document, "page_tables",
				range_json(igvm_tables_range(contents)));
	}
	return output_json(run->invocation, SCHEMA, document, err);
}

/*
 * Text.
 */

static void print_platforms(const IgvmFile *file)
{
	IgvmCursor cursor = igvm_first(file);

	while (!igvm_at_end(file, &cursor)) {
		IgvmSupportedPlatform body;
		IgvmHeader header;
		Error ignored;

		if (!igvm_next(file, &cursor, &header, &ignored) || header.skipped ||
			header.row->type != IGVM_SUPPORTED_PLATFORM)
			continue;
		body = igvm_body(IgvmSupportedPlatform, &header);
		printf("platform    %s, mask 0x%" PRIx32 ", highest VTL %u, version %u\n",
			igvm_platform_name(body.platform), body.mask, body.highest_vtl,
			body.version);
	}
}

static void print_regions(const IgvmContents *contents)
{
	if (contents->has_region)
		printf("relocatable " RANGE_FORMAT ", to multiples of 0x%" PRIx64
		       " between 0x%" PRIx64 " and 0x%" PRIx64 "%s%s\n",
			RANGE_ARGS(igvm_region_range(contents)), contents->region.alignment,
			contents->region.minimum, contents->region.maximum,
			contents->region.flags & IGVM_RELOCATE_PC ? ", with the PC" : "",
			contents->region.flags & IGVM_RELOCATE_GDTR ? ", with the GDTR" : "");
	if (contents->has_tables)
		printf("page tables " RANGE_FORMAT ", 0x%" PRIx64 " bytes in use\n",
			RANGE_ARGS(igvm_tables_range(contents)), contents->tables.used_size);
	for (size_t i = 0; i < contents->required_count; i++)
		printf("required    " RANGE_FORMAT "%s\n",
			RANGE_ARGS(contents->required[i].range),
			contents->required[i].protectable ? ", for VTL2" : "");
	for (size_t i = 0; i < contents->error_count; i++)
		printf("error range " RANGE_FORMAT "\n", RANGE_ARGS(contents->errors[i].range));
}

static void print_pages(const IgvmContents *contents)
{
	for (size_t at = 0, end; at < contents->page_count; at = end) {
		const IgvmPage *page = &contents->pages[at];

		end = run_end(contents, at);
		printf("pages       " RANGE_FORMAT ", %zu %s%s%s\n",
			RANGE_ARGS(run_range(contents, at, end)), end - at,
			page->file_offset ? "with data" : "of zeros",
			page->flags & IGVM_PAGE_UNMEASURED ? ", unmeasured" : "",
			page->flags & IGVM_PAGE_SHARED ? ", shared" : "");
	}
}

static void print_areas(const IgvmContents *contents)
{
	for (size_t i = 0; i < contents->area_count; i++) {
		const IgvmArea *area = &contents->areas[i];

		printf("area %-6" PRIu32 " 0x%" PRIx64 " bytes", area->index, area->bytes);
		if (area->inserted)
			printf(" at 0x%" PRIx64, area->gpa);
		for (size_t k = 0; k < contents->use_count; k++) {
			if (contents->uses[k].area == area)
				printf(", %s at 0x%" PRIx32, contents->uses[k].row->name,
					contents->uses[k].offset);
		}
		putchar('\n');
	}
}

static void print_contexts(const IgvmContents *contents)
{
	for (size_t i = 0; i < contents->context_count; i++) {
		const RegisterList list = contents->contexts[i].registers;

		printf("processor %u\n", contents->contexts[i].vp);
		for (size_t k = 0; k < list.count; k++) {
			printf("  %-10s 0x%" PRIx64, register_row(list.items[k].id)->name,
				list.items[k].low);
			if (list.items[k].high)
				printf(", high half 0x%" PRIx64, list.items[k].high);
			putchar('\n');
		}
	}
}

static void print_text(const Run *run)
{
	printf("igvm        format %" PRIu32 ", %s, %zu bytes, checksum 0x%08" PRIx32 "\n",
		run->file.format, guest_arch_name(run->file.arch), run->file.bytes.len,
		run->file.checksum);
	print_platforms(&run->file);
	if (!run->sound)
		return;
	print_regions(&run->contents);
	print_pages(&run->contents);
	print_areas(&run->contents);
	print_contexts(&run->contents);
}

/*
 * The command.
 */

static ExitStatus run_command(Run *run, bool show)
{
	Error err = { 0 };

	if (!read_file(run, &err))
		return report_error(run->invocation, &err);
	if (output_wants_json(run->invocation)) {
		if (!print_json(run, &err))
			return report_error(run->invocation, &err);
	} else {
		if (show)
			print_text(run);
		report_diagnostics(run->invocation, &run->findings);
	}
	return run->sound ? STATUS_DONE : STATUS_REFUSED;
}

ExitStatus command_igvm(const Invocation *invocation)
{
	const char *verb = invocation_operand(invocation, 0);
	Run run = { .invocation = invocation, .path = invocation_operand(invocation, 1) };
	Error err = { 0 };
	ExitStatus status;

	if (strcmp(verb, "show") != 0 && strcmp(verb, "check") != 0) {
		error_set(&err, PVW_CLI_0001, "igvm %s, expected show or check", verb);
		return report_error(invocation, &err);
	}
	run.arena = arena_new(ARENA_LIMIT);
	if (!run.arena) {
		error_set(&err, PVW_MEM_0001, "no memory to read a file");
		return report_error(invocation, &err);
	}
	status = run_command(&run, strcmp(verb, "show") == 0);
	arena_free(run.arena);
	return status;
}
