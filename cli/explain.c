/*
 * pvw explain: what a diagnostic means, what lies at an address, what a setting does.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "bootinfo/boot_info_check.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/view.h"
#include "cli/vm_input.h"
#include "host/size_text.h"
#include "layout/layout_explain.h"

#define SCHEMA "pvw.explain/1"
#define HEX_SIZE 24 /* bytes of "0x…" */

typedef struct HexText {
	char text[HEX_SIZE];
} HexText;

static HexText hex(uint64_t value)
{
	HexText out;

	snprintf(out.text, sizeof(out.text), "0x%" PRIx64, value);
	return out;
}

/*
 * Diagnostics.
 */

static bool explain_diagnostic(const Invocation *invocation, const char *name, Error *err)
{
	const DiagnosticId known = diagnostic_find(name);
	const uint16_t id = (uint16_t)known;
	const DiagnosticRow *row = diagnostic_row(id);
	const Error example = { .code = row->code, .diagnostic = id };
	const ExitStatus status = status_of(&example);

	if (id == PVW_NONE)
		return error_set(err, PVW_CLI_0005, "no diagnostic '%.64s'", name);
	if (output_wants_json(invocation))
		return output_json(invocation, SCHEMA,
			json_pack("{s:s, s:s, s:s, s:s, s:s, s:i}", "diagnostic", row->name,
				"severity", severity_name(row->severity), "class",
				error_code_name(row->code), "title", row->title, "hint",
				row->hint, "exit_status", (int)status),
			err);
	printf("%s: %s %s\n\n   %s\n   hint: %s\n", row->name, severity_name(row->severity),
		error_code_name(row->code), row->title, row->hint);
	return true;
}

/*
 * Settings.
 */

/* What isolation makes of it, for people. */
static const char *const policy_texts[] = {
	[SETTING_ATTESTED] = "obeyed: what it leads to is attested",
	[SETTING_CLAMP] = "replaced when it weakens the guest",
	[SETTING_REFUSE] = "refused when it weakens the guest",
	[SETTING_IGNORE] = "left out",
	[SETTING_HARMLESS] = "obeyed: a host gains nothing by it",
};
static_assert(ARRAY_COUNT(policy_texts) == SETTING_POLICY_COUNT, "one text a policy");

/* What an input asks for and what its guest gets; NULL without an input. */
typedef struct SettingValues {
	const char *asked, *used;
} SettingValues;

static bool has_input(const Invocation *invocation)
{
	return invocation_has(invocation, "fixture") || invocation_has(invocation, "dtb");
}

static bool find_values(const Invocation *invocation, View *view, const SettingRow *row,
	SettingValues *out, Error *err)
{
	InputResult *result = &view->result;

	if (!has_input(invocation))
		return true;
	if (!view_open(invocation, view, err) ||
		!input_facts(&view->input, view->arena, &result->facts, &view->findings, err) ||
		!prepare_config(&result->facts, &view->input.config, view->arena,
			&result->config, &view->findings, err))
		return false;
	out->asked = settings_policy_value(row, &view->input.config.settings, view->arena, err);
	out->used = out->asked
		? settings_policy_value(row, &result->config.settings, view->arena, err)
		: NULL;
	return out->used != NULL;
}

static bool print_setting(
	const Invocation *invocation, const SettingRow *row, SettingValues values, Error *err)
{
	if (output_wants_json(invocation))
		return output_json(invocation, SCHEMA,
			json_pack("{s:s, s:s, s:s, s:s, s:s, s:s?, s:s?}", "setting", row->path,
				"help", row->help, "default", row->default_text, "isolated",
				settings_policy_name(row->policy), "why", row->when_isolated,
				"asked", values.asked, "used", values.used),
			err);
	printf("%s: %s\n\n   default: %s\n   isolated guests: %s%s%s\n", row->path, row->help,
		row->default_text, policy_texts[row->policy], row->when_isolated[0] ? "; " : "",
		row->when_isolated);
	if (values.asked)
		printf("   here: %s asked for, %s used\n", values.asked, values.used);
	return true;
}

static bool explain_setting(
	const Invocation *invocation, View *view, const char *path, Error *err)
{
	const SettingRow *row = settings_policy_find(path);
	SettingValues values = { 0 };

	if (!row)
		return error_set(err, PVW_CLI_0005,
			"'%.64s', expected a diagnostic, an address or a setting", path);
	return find_values(invocation, view, row, &values, err) &&
		print_setting(invocation, row, values, err);
}

static bool list_settings(const Invocation *invocation, Error *err)
{
	const SettingRowList rows = settings_policy_rows();
	json_t *list;

	if (!output_wants_json(invocation)) {
		for (size_t i = 0; i < rows.count; i++)
			printf("%-36s %-9s %s\n", rows.items[i].path,
				settings_policy_name(rows.items[i].policy), rows.items[i].help);
		return true;
	}
	list = json_array();
	for (size_t i = 0; i < rows.count; i++)
		json_array_append_new(list,
			json_pack("{s:s, s:s, s:s}", "setting", rows.items[i].path, "isolated",
				settings_policy_name(rows.items[i].policy), "help",
				rows.items[i].help));
	return output_json(invocation, SCHEMA, json_pack("{s:o}", "settings", list), err);
}

/*
 * Addresses.
 */

/* What is known about one address. */
typedef struct AddressFacts {
	uint64_t address;
	MemoryRange range;
	const char *text;     /* what the range is */
	const char *artifact; /* what is written there, or NULL */
	MemoryRange written;
	const char *claim; /* a channel or the relay, or NULL */
	MemoryRange claimed;
} AddressFacts;

/* VTL2's own memory is no part of the guest's layout. */
static void find_vtl2_memory(const View *view, AddressFacts *facts, Arena *arena, Error *err)
{
	const MapEntryList map = view->result.facts.info.map;

	for (size_t i = 0; i < map.count; i++) {
		const MapEntry *entry = &map.items[i];

		if (entry->type == MEMORY_TYPE_VTL0 ||
			!memory_range_contains_address(entry->range, facts->address))
			continue;
		facts->range = entry->range;
		facts->text = arena_printf(arena, err,
			"%s, node %" PRIu32
			", given to VTL2 by the boot tree, not shown to VTL0",
			boot_info_memory_type_name(entry->type), entry->vnode);
		return;
	}
}

static void find_artifact(const BootPlan *plan, AddressFacts *facts)
{
	for (size_t i = 0; i < plan->artifacts.count; i++) {
		const Artifact *artifact = &plan->artifacts.items[i];
		const MemoryRange range = { artifact->gpa,
			artifact->gpa + artifact->bytes.len };

		if (!artifact->placed || !memory_range_contains_address(range, facts->address))
			continue;
		facts->artifact = artifact->name;
		facts->written = range;
	}
}

static void find_claim(const Config *config, AddressFacts *facts)
{
	if (memory_range_contains_address(config->relay, facts->address)) {
		facts->claim = "the VPCI relay's aperture";
		facts->claimed = config->relay;
	}
	for (size_t i = 0; i < config->channels.count; i++) {
		const ChannelClaim *claim = &config->channels.items[i];

		if (!memory_range_contains_address(claim->range, facts->address))
			continue;
		facts->claim = "a VMBus channel's claim";
		facts->claimed = claim->range;
	}
}

static bool find_address(View *view, AddressFacts *facts, Error *err)
{
	InputResult *result = &view->result;
	const Explanation *found;
	ExplanationList list;

	if (!input_plan(&view->input, view->arena, result, &view->findings, err) ||
		!layout_explain(&result->prepared.layout, &result->config.mmio, view->arena,
			&list, err))
		return false;
	found = layout_explain_find(list, facts->address);
	facts->text = found ? found->text : "the last page, which no range can hold";
	facts->range = found ? found->range : MEMORY_RANGE_EMPTY;
	find_vtl2_memory(view, facts, view->arena, err);
	find_artifact(&result->prepared.plan, facts);
	find_claim(&result->config, facts);
	return facts->text != NULL;
}

static void print_part(const char *what, MemoryRange range, uint64_t address)
{
	printf("   %s, " RANGE_FORMAT ", at its byte 0x%" PRIx64 "\n", what, RANGE_ARGS(range),
		address - range.start);
}

static bool print_address(const Invocation *invocation, const AddressFacts *facts, Error *err)
{
	const bool written = facts->artifact != NULL, claimed = facts->claim != NULL;

	if (output_wants_json(invocation))
		return output_json(invocation, SCHEMA,
			json_pack("{s:s, s:s, s:s, s:s, s:s?, s:s?, s:s?, s:s?}", "address",
				hex(facts->address).text, "start", hex(facts->range.start).text,
				"end", hex(facts->range.end).text, "text", facts->text,
				"artifact", facts->artifact, "artifact_start",
				written ? hex(facts->written.start).text : NULL, "claim",
				facts->claim, "claim_start",
				claimed ? hex(facts->claimed.start).text : NULL),
			err);
	printf("0x%" PRIx64 ": " RANGE_FORMAT " (%s)\n\n   %s\n", facts->address,
		RANGE_ARGS(facts->range), size_text(memory_range_len(facts->range)).text,
		facts->text);
	if (written)
		print_part(facts->artifact, facts->written, facts->address);
	if (claimed)
		print_part(facts->claim, facts->claimed, facts->address);
	return true;
}

/*
 * Addresses of a described machine.
 */

/* What lies directly before and behind, with the room between. */
typedef struct Neighbours {
	const LayoutPlacement *before, *behind;
	char before_tag[LAYOUT_TAG_SIZE], behind_tag[LAYOUT_TAG_SIZE];
} Neighbours;

static Neighbours neighbours_of(const LayoutView *layout, uint64_t address)
{
	const LayoutPlacementList list = layout->layout->placements;
	Neighbours out = { .before = NULL };

	for (size_t i = 0; i < list.count; i++) {
		if (list.items[i].range.end <= address)
			out.before = &list.items[i];
		if (list.items[i].range.start > address && !out.behind)
			out.behind = &list.items[i];
	}
	if (out.before)
		layout_tag_write(out.before->tag, out.before_tag);
	if (out.behind)
		layout_tag_write(out.behind->tag, out.behind_tag);
	return out;
}

static json_t *neighbour_json(const LayoutPlacement *placement, const char *tag)
{
	if (!placement)
		return json_null();
	return json_pack("{s:s, s:s, s:s}", "tag", tag, "start",
		hex(placement->range.start).text, "end", hex(placement->range.end).text);
}

/* @reason NULL: nothing is there. */
static bool print_vm_json(const Invocation *invocation, uint64_t address,
	const LayoutPlacement *placement, const LayoutReason *reason, const Neighbours *sides,
	Error *err)
{
	json_t *document = json_pack("{s:s, s:o, s:o}", "address", hex(address).text, "before",
		neighbour_json(sides->before, sides->before_tag), "behind",
		neighbour_json(sides->behind, sides->behind_tag));

	if (document && reason)
		json_object_update_new(document,
			json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "start",
				hex(placement->range.start).text, "end",
				hex(placement->range.end).text, "tag", reason->tag, "kind",
				placement_kind_name(placement->kind), "item",
				layout_item_name(placement->item), "member", reason->member,
				"asked", reason->asked, "placed", reason->placed));
	return output_json(invocation, SCHEMA, document, err);
}

static void print_neighbour(
	const char *side, const LayoutPlacement *placement, const char *tag, uint64_t room)
{
	if (!placement)
		printf("   %s: nothing\n", side);
	else
		printf("   %s: " RANGE_FORMAT " %s%s%s\n", side, RANGE_ARGS(placement->range),
			tag, room ? ", with a gap of " : "", room ? size_text(room).text : "");
}

static void print_vm_text(uint64_t address, const LayoutPlacement *placement,
	const LayoutReason *reason, const Neighbours *sides)
{
	const MemoryRange range =
		placement ? placement->range : (MemoryRange){ address, address };

	if (placement)
		printf("0x%" PRIx64 ": " RANGE_FORMAT " (%s)\n\n   %s, %s, byte 0x%" PRIx64
		       " of it\n   asked for by %s: %s\n   %s\n",
			address, RANGE_ARGS(range), size_text(memory_range_len(range)).text,
			reason->tag, placement_kind_name(placement->kind),
			address - range.start, reason->member, reason->asked, reason->placed);
	else
		printf("0x%" PRIx64 ": nothing that the machine has\n\n", address);
	print_neighbour("before", sides->before, sides->before_tag,
		sides->before ? range.start - sides->before->range.end : 0);
	print_neighbour("behind", sides->behind, sides->behind_tag,
		sides->behind ? sides->behind->range.start - range.end : 0);
}

static bool explain_vm_address(const Invocation *invocation, const char *path, View *view,
	uint64_t address, Error *err)
{
	const LayoutPlacement *placement = NULL;
	LayoutReason reason;
	LayoutView layout;
	Neighbours sides;
	uint64_t version;
	size_t index;

	view->arena = arena_new(VM_ARENA_LIMIT);
	if (!view->arena)
		return error_set(err, PVW_MEM_0001, "no memory");
	if (!invocation_number(invocation, "layout-version", 0, UINT32_MAX, &version, err) ||
		!vm_input_load(path, (VmWishes){ .layout_version = (uint32_t)version },
			view->arena, &layout, err))
		return false;
	index = layout_view_find(&layout, address);
	if (index != SIZE_MAX) {
		placement = &layout.layout->placements.items[index];
		if (!layout_reason(&layout, index, view->arena, &reason, err))
			return false;
	}
	sides = neighbours_of(&layout, address);
	if (output_wants_json(invocation))
		return print_vm_json(invocation, address, placement, placement ? &reason : NULL,
			&sides, err);
	print_vm_text(address, placement, &reason, &sides);
	return true;
}

static bool explain_address(
	const Invocation *invocation, View *view, const char *text, Error *err)
{
	const char *vm = invocation_value(invocation, "vm");
	AddressFacts facts = { 0 };
	char *end = NULL;

	errno = 0;
	facts.address = strtoull(text, &end, 0);
	if (*end || errno)
		return error_set(err, PVW_CLI_0005, "'%.64s', expected an address", text);
	if (vm && has_input(invocation))
		return error_set(
			err, PVW_INPUT_0002, "--vm and another input, expected one of them");
	if (vm)
		return explain_vm_address(invocation, vm, view, facts.address, err);
	if (!view_open(invocation, view, err))
		return false;
	if (view->client)
		return error_set(err, PVW_INPUT_0003,
			"addresses are explained in this process, expected --fixture or --dtb");
	return find_address(view, &facts, err) && print_address(invocation, &facts, err);
}

ExitStatus command_explain(const Invocation *invocation)
{
	const char *what = invocation_operand(invocation, 0);
	View view = { 0 };
	ExitStatus status;
	Error err;
	bool ok;

	if (strncasecmp(what, "pvw-", 4) == 0)
		ok = explain_diagnostic(invocation, what, &err);
	else if (isdigit((unsigned char)what[0]))
		ok = explain_address(invocation, &view, what, &err);
	else if (strcmp(what, "settings") == 0)
		ok = list_settings(invocation, &err);
	else
		ok = explain_setting(invocation, &view, what, &err);
	status = ok ? STATUS_DONE : report_error(invocation, &err);
	view_close(&view);
	return status;
}
