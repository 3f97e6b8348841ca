/*
 * Recording: input and outcome as a fixture.
 */
#include "cli/fixture_record.h"

#include <stdlib.h>
#include <string.h>

#include "cli/fixture_fields.h"
#include "support/version.h"
#include "worker/convert.h"

#define ANONYMOUS_MAGIC "PVWANON1"

/*
 * Outcomes.
 */

/* A fixture's map has its keys by their encoding: shorter ones first. */
static int by_encoded_name(const void *a, const void *b)
{
	const char *left = ((const FixtureArtifact *)a)->name;
	const char *right = ((const FixtureArtifact *)b)->name;
	const size_t left_len = strlen(left), right_len = strlen(right);

	if (left_len != right_len)
		return left_len < right_len ? -1 : 1;
	return strcmp(left, right);
}

static bool observe_artifacts(
	const BootPlan *plan, Arena *arena, FixtureArtifactList *out, Error *err)
{
	FixtureArtifact *items =
		arena_array(arena, FixtureArtifact, plan->artifacts.count, err);
	size_t count = 0;

	if (!items)
		return false;
	for (size_t i = 0; i < plan->artifacts.count; i++) {
		const Artifact *artifact = &plan->artifacts.items[i];

		/* Measured and in place: nobody has seen the bytes. */
		if (artifact->measured && !artifact->bytes.data)
			continue;
		items[count++] = (FixtureArtifact){ artifact->name, plan->digests[i] };
	}
	qsort(items, count, sizeof(*items), by_encoded_name);
	*out = (FixtureArtifactList){ items, count };
	return true;
}

static bool observe_ranges(
	const InputResult *result, Arena *arena, FixtureRangeList *out, Error *err)
{
	Pvw__V1__Layout *layout;
	FixtureRange *items;
	size_t count = 0;

	if (!convert_layout_out(&result->facts, &result->config, &result->prepared,
		    /* with_source= */ false, arena, &layout, err))
		return false;
	items = arena_array(arena, FixtureRange, layout->n_memory + layout->n_mmio, err);
	if (!items)
		return false;
	for (size_t i = 0; i < layout->n_memory; i++) {
		const Pvw__V1__MemoryRange *range = layout->memory[i];

		items[count++] = (FixtureRange){ range->start, range->size, FIXTURE_MEMORY,
			range->role };
	}
	for (size_t i = 0; i < layout->n_mmio; i++) {
		const Pvw__V1__MmioRange *range = layout->mmio[i];

		items[count++] =
			(FixtureRange){ range->start, range->size, FIXTURE_MMIO, range->role };
	}
	*out = (FixtureRangeList){ items, count };
	return true;
}

static void add_once(const char **items, size_t *count, const char *text)
{
	for (size_t i = 0; i < *count; i++) {
		if (strcmp(items[i], text) == 0)
			return;
	}
	items[(*count)++] = text;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool observe_findings(const Diagnostics *found, const FixtureTextList *allow,
	Arena *arena, FixtureTextList *out, Error *err)
{
	const char **items = arena_array(arena, const char *, allow->count + found->count, err);
	size_t count = 0;

	if (!items)
		return false;
	for (size_t i = 0; i < allow->count; i++)
		add_once(items, &count, allow->items[i]);
	for (size_t i = 0; i < found->count; i++)
		add_once(items, &count, diagnostic_row(found->items[i].what.diagnostic)->name);
	qsort(items, count, sizeof(*items), by_text);
	*out = (FixtureTextList){ items, count };
	return true;
}

bool fixture_observe(const Input *input, const FixtureTextList *allow, Arena *arena,
	FixtureExpect *out, Error *refusal, Error *err)
{
	FixtureExpect expect = { .ok = true };
	Diagnostics findings;
	InputResult result;

	if (!diagnostics_init(&findings, INPUT_MAX_FINDINGS, arena, err))
		return false;
	if (!input_plan(input, arena, &result, &findings, refusal)) {
		*out = (FixtureExpect){
			.diagnostic = diagnostic_row(refusal->diagnostic)->name,
			.has_offset = refusal->has_offset,
			.offset = refusal->offset,
		};
		return true;
	}
	expect.plan = result.prepared.plan.digest;
	if (!observe_artifacts(&result.prepared.plan, arena, &expect.artifacts, err) ||
		!observe_ranges(&result, arena, &expect.ranges, err) ||
		!observe_findings(&findings, allow, arena, &expect.allowed, err))
		return false;
	*out = expect;
	return true;
}

/*
 * Identifiers: their digests stand in for them. Lengths stay, so that layouts do.
 */

static Digest anonymous(const char *field, const uint8_t *data, size_t len)
{
	DigestState state;

	digest_begin(&state);
	digest_add(&state, ANONYMOUS_MAGIC, strlen(ANONYMOUS_MAGIC));
	digest_add(&state, field, strlen(field) + 1);
	digest_add(&state, data, len);
	return digest_end(&state);
}

static bool replace_bytes(
	const char *field, ProtobufCBinaryData *data, Arena *arena, Error *err)
{
	const Digest digest = anonymous(field, data->data, data->len);
	uint8_t *bytes = arena_alloc(arena, data->len, 1, err);

	if (!bytes)
		return false;
	for (size_t i = 0; i < data->len; i++)
		bytes[i] = digest.bytes[i % DIGEST_SIZE];
	data->data = bytes;
	return true;
}

static bool replace_text(const char *field, ProtobufCBinaryData *data, Arena *arena, Error *err)
{
	char hex[DIGEST_HEX_SIZE];
	uint8_t *text = arena_alloc(arena, data->len, 1, err);

	if (!text)
		return false;
	digest_format(anonymous(field, data->data, data->len), hex);
	for (size_t i = 0; i < data->len; i++)
		text[i] = (uint8_t)hex[i % (DIGEST_HEX_SIZE - 1)];
	data->data = text;
	return true;
}

static bool replace_identifiers(
	Pvw__V1__DevicePlatformSettings *settings, Arena *arena, Error *err)
{
	Pvw__V1__Smbios *smbios = settings->smbios;
	Pvw__V1__Guid *filter = settings->uefi ? settings->uefi->vpci_instance_filter : NULL;

#define REPLACE(kind, owner, member)                                                           \
	(!(owner) || replace_##kind(#member, &(owner)->member, arena, err))
	return (!settings->bios_guid ||
		       replace_bytes("bios_guid", &settings->bios_guid->le, arena, err)) &&
		(!filter || replace_bytes("vpci_instance_filter", &filter->le, arena, err)) &&
		REPLACE(bytes, settings->chipset, generation_id) &&
		REPLACE(text, smbios, serial_number) &&
		REPLACE(text, smbios, base_board_serial) &&
		REPLACE(text, smbios, chassis_serial) &&
		REPLACE(text, smbios, chassis_asset_tag) &&
		REPLACE(text, smbios, memory_device_serial);
#undef REPLACE
}

/*
 * Fixtures.
 */

static bool pack_settings(
	const Pvw__V1__DevicePlatformSettings *settings, Arena *arena, Bytes *out, Error *err)
{
	const size_t len = pvw__v1__device_platform_settings__get_packed_size(settings);
	uint8_t *bytes = arena_alloc(arena, len, 1, err);

	if (!bytes)
		return false;
	pvw__v1__device_platform_settings__pack(settings, bytes);
	*out = (Bytes){ bytes, len };
	return true;
}

static bool note_processors(
	const Input *input, const Facts *facts, Arena *arena, Fixture *fixture, Error *err)
{
	const ProcessorTopology *topology = &facts->topology;
	FixtureVp *vps = arena_array(arena, FixtureVp, topology->count, err);

	if (!vps)
		return false;
	for (size_t i = 0; i < topology->count; i++) {
		const VirtualProcessor *vp = &topology->vps[i];

		vps[i] = (FixtureVp){
			.index = (uint32_t)i,
			.id = topology->arch == GUEST_ARCH_AARCH64 ? vp->mpidr & MPIDR_AFFINITY
								   : vp->apic_id,
			.vnode = vp->vnode,
		};
	}
	fixture->has_host_caps = true;
	fixture->host_caps = (FixtureHostCaps){
		.physical_address_bits = input->facts.physical_address_bits,
		.has_x2apic = true,
		.x2apic = input->facts.x2apic,
		.vps = { vps, topology->count },
	};
	return true;
}

/* What the boot tree says, as far as it can be read: a fixture of a bad one has no more. */
static bool note_facts(const Input *input, Arena *arena, Fixture *fixture, Error *err)
{
	Diagnostics findings;
	Facts facts;
	Error why;

	if (!diagnostics_init(&findings, INPUT_MAX_FINDINGS, arena, err))
		return false;
	fixture->isolation = input->isolation;
	if (fixture->options.vps_per_socket == 0)
		fixture->options.vps_per_socket = 1;
	if (!input_facts(input, arena, &facts, &findings, &why))
		return true;
	fixture->isolation = facts.info.isolation;
	if (input->facts.vps_per_socket == 0)
		fixture->options.vps_per_socket = facts.topology.vps_per_socket;
	return facts.topology.count == 0 || note_processors(input, &facts, arena, fixture, err);
}

static bool note_parameters(const Input *input, Arena *arena, Fixture *fixture, Error *err)
{
	FixtureParameter *items = arena_array(arena, FixtureParameter, 2, err);
	size_t count = 0;

	if (!items)
		return false;
	if (input->facts.slit.len)
		items[count++] =
			(FixtureParameter){ FIXTURE_PARAMETER_SLIT, input->facts.slit };
	if (input->facts.pptt.len)
		items[count++] =
			(FixtureParameter){ FIXTURE_PARAMETER_PPTT, input->facts.pptt };
	if (count)
		fixture->parameters = (FixtureParameterList){ items, count };
	return true;
}

/* What in effect was used, never "default". */
static bool note_options(const Input *input, Fixture *fixture, Error *err)
{
	PlanPolicy policy;

	if (!boot_path_policy(
		    input->config.settings.firmware, &input->plan.request, &policy, err))
		return false;
	fixture->options = (FixtureOptions){
		.mtrr = policy.mtrr,
		.acpi = policy.acpi,
		.layout_version = policy.layout_version,
		.vps_per_socket = input->facts.vps_per_socket,
		.smt = input->facts.smt,
		.relay_devices = input->config.relay_devices,
	};
	memcpy(fixture->options.entropy, input->plan.entropy, ENTROPY_SIZE);
	return true;
}

/* The fixture as others will read it gives what it says. */
static bool check_recorded(const Fixture *fixture, Arena *arena, Error *err)
{
	FixtureFieldList before, after;
	FixtureDifferenceList differences;
	FixtureExpect again;
	Input input;
	Error refusal;

	if (!input_from_fixture(fixture, arena, &input, err) ||
		!fixture_observe(
			&input, &fixture->expect.allowed, arena, &again, &refusal, err) ||
		!fixture_expect_fields(&fixture->expect, arena, &before, err) ||
		!fixture_expect_fields(&again, arena, &after, err) ||
		!fixture_compare(before, after, arena, &differences, err))
		return false;
	if (differences.count == 0)
		return true;
	return error_set(err, PVW_FIXTURE_0006, "%s: %s when recorded, %s when replayed",
		differences.items[0].path,
		differences.items[0].before ? differences.items[0].before : "absent",
		differences.items[0].after ? differences.items[0].after : "absent");
}

bool fixture_record(Input *input, const FixtureRecording *how, Arena *arena, Fixture *out,
	Error *refusal, Error *err)
{
	const FixtureTextList nothing = { 0 };
	Fixture fixture;

	memset(&fixture, 0, sizeof(fixture));
	/* Channels place, but change no write and no register: a fixture has none. */
	input->config.channels = (ChannelDemandList){ 0 };
	if (input->kind == INPUT_TREE && !how->keep_identifiers &&
		!replace_identifiers(input->settings, arena, err))
		return false;
	if (!input_convert(arena, input, err) ||
		!pack_settings(input->settings, arena, &fixture.settings, err) ||
		!note_options(input, &fixture, err) ||
		!note_facts(input, arena, &fixture, err) ||
		!note_parameters(input, arena, &fixture, err) ||
		!fixture_observe(input, &nothing, arena, &fixture.expect, refusal, err))
		return false;
	fixture.arch = input->facts.arch;
	fixture.boot_tree = input->facts.boot_tree;
	fixture.provenance = (FixtureProvenance){
		.present = true,
		.tool = "pvw " PVW_VERSION,
		.has_time = how->has_time,
		.unix_time = how->unix_time,
		.note = how->note,
	};
	if (!check_recorded(&fixture, arena, err))
		return false;
	*out = fixture;
	return true;
}
