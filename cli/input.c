/*
 * From options and documents to the inputs of prepare.h.
 */
#include "cli/input.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "bootinfo/fdt_reader.h"
#include "cli/input_images.h"
#include "host/client.h"
#include "host/file.h"
#include "host/seed.h"
#include "host/settings_json.h"
#include "worker/convert.h"

#define DEFAULT_ADDRESS_BITS 46
#define ADDRESS_BITS_MIN 36
#define ADDRESS_BITS_MAX 52
#define SETTINGS_MAX_SIZE ((size_t)1024 * 1024)

const OptionRow input_options[] = {
	{ .name = "fixture",
		.value = "FILE",
		.help = "recorded boot info; brings all the rest" },
	{ .name = "dtb", .value = "FILE", .help = "the boot tree that a shim hands over" },
	{ .name = "socket",
		.value = "ADDR",
		.help = "ask a running worker: unix:PATH, vsock:CID:PORT or fd:N "
			"(PVW_SOCKET)" },
	{ .name = "vm",
		.value = "FILE",
		.help = "a machine's description, for acpi, map, mtrr and explain" },
	{ .name = "settings", .value = "FILE", .help = "the host's settings document, JSON" },
	{ .name = "arch",
		.value = "ARCH",
		.help = "x86_64 or aarch64 (guessed from the tree)" },
	{ .name = "firmware", .value = "KIND", .help = "uefi, pcat, linux, none or igvm" },
	{ .name = "isolation",
		.value = "KIND",
		.help = "none, vbs, snp or tdx: refuse a tree that says otherwise" },
	{ .name = "phys-bits",
		.value = "N",
		.help = "width of guest physical addresses, 36 to 52 (46)" },
	{ .name = "vps-per-socket", .value = "N", .help = "processors in a socket (all)" },
	{ .name = "smt", .help = "two processors in a core" },
	{ .name = "no-x2apic", .help = "processors without x2APIC" },
	{ .name = "relay", .value = "N", .help = "VPCI relay devices, at most 64 (0)" },
	{ .name = "kernel",
		.value = "FILE|GPA:SIZE",
		.help = "Linux: the kernel, or where it lies in guest memory" },
	{ .name = "initrd",
		.value = "FILE|GPA:SIZE",
		.help = "Linux: the initrd, or where it lies in guest memory" },
	{ .name = "command-line", .value = "TEXT", .help = "Linux: the kernel's command line" },
	{ .name = "append", .value = "TEXT", .help = "Linux: what follows that line" },
	{ .name = "firmware-image",
		.value = "FILE|GPA:SIZE",
		.help = "firmware or an IGVM file, or where firmware lies in memory" },
	{ .name = "blob",
		.value = "NAME=FILE",
		.repeats = true,
		.help = "an image that the settings name" },
	{ .name = "mtrr",
		.value = "POLICY",
		.help = "exact, hyperv or best-effort (as the firmware prefers)" },
	{ .name = "acpi-profile", .value = "NAME", .help = "default or reference" },
	{ .name = "layout-version", .value = "N", .help = "0 is the newest (0)" },
	{ .name = "entropy", .value = "HEX", .help = "64 bytes for the guest" },
	{ .name = "seed", .value = "N", .help = "the same, made from a number (0)" },
	{ .name = NULL },
};

static const char *const arch_names[] = { "x86_64", "aarch64", NULL };
static const char *const firmware_names[] = { "uefi", "pcat", "linux", "none", "igvm", NULL };
static const char *const isolation_names[] = { "none", "vbs", "snp", "tdx", NULL };
static const char *const mtrr_names[] = { "exact", "hyperv", "best-effort", NULL };
static const char *const profile_names[] = { "default", "reference", NULL };

static bool option_fail(const char *option, Error *err)
{
	char source[ERROR_SOURCE_SIZE];

	snprintf(source, sizeof(source), "--%s", option);
	return error_at(err, source);
}

/* An option's number, or what is there already. */
static bool take_number(const Invocation *invocation, const char *option, uint32_t max,
	uint32_t *value, Error *err)
{
	uint64_t number;

	if (!invocation_number(invocation, option, *value, max, &number, err))
		return false;
	*value = (uint32_t)number;
	return true;
}

/*
 * Which input.
 */

static bool choose_kind(const Invocation *invocation, Input *input, Error *err)
{
	static const char *const names[] = { "fixture", "dtb", "socket", "vm" };
	const char *chosen = NULL, *address = getenv("PVW_SOCKET");

	for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
		if (!invocation_has(invocation, names[i]))
			continue;
		if (chosen)
			return error_set(err, PVW_INPUT_0002,
				"--%s and --%s, expected one of them", chosen, names[i]);
		chosen = names[i];
		input->name = invocation_value(invocation, chosen);
	}
	if (!chosen && address && *address) {
		chosen = "socket";
		input->name = address;
	}
	if (!chosen)
		return error_set(err, PVW_INPUT_0001, "no input, expected a fixture or a tree");
	if (strcmp(chosen, "vm") == 0)
		return error_set(err, PVW_INPUT_0003,
			"--vm is for acpi, explain, map and mtrr, expected --fixture or "
			"--dtb, which boot-tree makes");
	input->kind = strcmp(chosen, "fixture") == 0 ? INPUT_FIXTURE
		: strcmp(chosen, "dtb") == 0         ? INPUT_TREE
						     : INPUT_SOCKET;
	return true;
}

/* Errors inside a file name the file: "boot.dtb:fixture", offset kept. */
static bool name_file(const char *path, Error *err)
{
	const bool has_offset = err->has_offset;
	const uint64_t offset = err->offset;
	char source[ERROR_SOURCE_SIZE];

	snprintf(source, sizeof(source), "%.100s%s%.50s", path, err->source[0] ? ":" : "",
		err->source);
	error_at(err, source);
	if (has_offset)
		error_at_offset(err, source, offset);
	return false;
}

/*
 * A tree: the architecture is in what it has.
 */

static GuestArch guess_arch(Bytes tree, Arena *arena)
{
	GuestArch arch = GUEST_ARCH_X86_64;
	FdtReader reader;
	uint32_t cells;
	Error why;

	/* What cannot be read is refused by who parses it, with all particulars. */
	if (!fdt_reader_open("dtb", tree, arena, &reader, &why))
		return arch;
	while (fdt_reader_next(&reader, &why) && reader.depth) {
		if (reader.depth != 2)
			continue;
		if (fdt_name_starts(&reader, "intc@") ||
			(fdt_name_is(&reader, "cpus") && fdt_has(&reader, FDT_ADDRESS_CELLS) &&
				fdt_read_u32(&reader, FDT_ADDRESS_CELLS, &cells, &why) &&
				cells == 2))
			arch = GUEST_ARCH_AARCH64;
	}
	return arch;
}

static bool load_tree(Arena *arena, Input *input, Error *err)
{
	Bytes tree;

	if (!file_read(input->name, BOOT_INFO_MAX_DTB, arena, &tree, err))
		return false;
	input->facts = (FactInputs){
		.arch = guess_arch(tree, arena),
		.boot_tree = tree,
		.physical_address_bits = DEFAULT_ADDRESS_BITS,
		.x2apic = true,
	};
	input->settings =
		message_new(arena, &pvw__v1__device_platform_settings__descriptor, err);
	seed_entropy(0, input->plan.entropy);
	return input->settings != NULL;
}

/*
 * A fixture.
 */

static bool take_parameters(const Fixture *fixture, FactInputs *facts, Error *err)
{
	for (size_t i = 0; i < fixture->parameters.count; i++) {
		const FixtureParameter *parameter = &fixture->parameters.items[i];

		if (parameter->kind == FIXTURE_PARAMETER_SLIT) {
			facts->slit = parameter->data;
		} else if (parameter->kind == FIXTURE_PARAMETER_PPTT) {
			facts->pptt = parameter->data;
		} else {
			error_set(err, PVW_FIXTURE_0002,
				"parameter of kind 0x%" PRIx64 ", expected SLIT or PPTT",
				parameter->kind);
			return error_at(err, "fixture");
		}
	}
	return true;
}

static bool take_processors(
	const FixtureHostCaps *caps, Arena *arena, FactInputs *facts, Error *err)
{
	StatedVp *vps = arena_array(arena, StatedVp, caps->vps.count, err);

	if (!vps)
		return false;
	for (size_t i = 0; i < caps->vps.count; i++) {
		const FixtureVp *vp = &caps->vps.items[i];

		vps[i] = (StatedVp){ .index = vp->index, .vnode = vp->vnode, .id = vp->id };
	}
	facts->physical_address_bits = caps->physical_address_bits;
	facts->x2apic = caps->x2apic;
	facts->stated_vp_count = (uint32_t)caps->vps.count;
	facts->stated_vps = vps;
	facts->stated_vps_count = caps->vps.count;
	return true;
}

static bool take_settings(const Fixture *fixture, Arena *arena, Input *input, Error *err)
{
	const ProtobufCMessageDescriptor *type = &pvw__v1__device_platform_settings__descriptor;
	ProtobufCMessage *message = message_new(arena, type, err);
	Error why;

	if (!message)
		return false;
	if (fixture->settings.len &&
		!message_unpack(type, fixture->settings, arena, &message, &why)) {
		error_set(err, PVW_FIXTURE_0002, "settings: %.200s", why.text);
		return error_at(err, "fixture");
	}
	input->settings = (Pvw__V1__DevicePlatformSettings *)message;
	return true;
}

static bool take_fixture(const Fixture *fixture, Arena *arena, Input *input, Error *err)
{
	const FixtureOptions *options = &fixture->options;

	if (fixture->host_caps.has_alias_base) {
		error_set(err, PVW_FIXTURE_0007,
			"an alias map, expected none: this version has no use for it");
		return error_at(err, "fixture");
	}
	input->fixture = *fixture;
	input->has_isolation = true;
	input->isolation = fixture->isolation;
	input->facts = (FactInputs){
		.arch = fixture->arch,
		.boot_tree = fixture->boot_tree,
		.physical_address_bits = FIXTURE_ADDRESS_BITS,
		.vps_per_socket = options->vps_per_socket,
		.smt = options->smt,
	};
	if (fixture->measured_vtl0.data &&
		!measured_split(
			fixture->measured_vtl0, fixture->arch, &input->facts.measured, err))
		return false;
	input->facts.measured.vtl2 = fixture->measured_vtl2;
	input->config.relay_devices = options->relay_devices;
	memcpy(input->plan.entropy, options->entropy, sizeof(input->plan.entropy));
	input->plan.request = (PlanRequest){
		.has_mtrr = true,
		.has_acpi = true,
		.mtrr = options->mtrr,
		.acpi = options->acpi,
		.layout_version = options->layout_version,
	};
	if (fixture->has_host_caps &&
		!take_processors(&fixture->host_caps, arena, &input->facts, err))
		return false;
	return take_parameters(fixture, &input->facts, err) &&
		take_settings(fixture, arena, input, err);
}

static bool load_fixture(Arena *arena, Input *input, Error *err)
{
	Fixture fixture;
	Bytes bytes;

	if (!file_read(input->name, FIXTURE_MAX_SIZE, arena, &bytes, err))
		return false;
	if (!fixture_read(bytes, arena, &fixture, err) ||
		!take_fixture(&fixture, arena, input, err))
		return name_file(input->name, err);
	return true;
}

/*
 * Options and the settings document, over what is there.
 */

static bool take_document(const Invocation *invocation, Arena *arena, Input *input,
	Diagnostics *diagnostics, Error *err)
{
	const char *path = invocation_value(invocation, "settings");
	SettingsDocument document;
	PlanRequest *request = &input->plan.request;
	Bytes text;

	if (!path)
		return true;
	if (!file_read(path, SETTINGS_MAX_SIZE, arena, &text, err))
		return false;
	if (!settings_json_read(text, "settings", arena, &document, diagnostics, err))
		return name_file(path, err);
	input->settings = document.settings;
	input->config.channels = document.channels;
	if (document.has_relay_devices)
		input->config.relay_devices = document.relay_devices;
	if (document.plan.has_mtrr) {
		request->has_mtrr = true;
		request->mtrr = document.plan.mtrr;
	}
	if (document.plan.has_acpi) {
		request->has_acpi = true;
		request->acpi = document.plan.acpi;
	}
	if (document.plan.layout_version)
		request->layout_version = document.plan.layout_version;
	return true;
}

static bool take_facts(const Invocation *invocation, Input *input, Error *err)
{
	FactInputs *facts = &input->facts;
	size_t arch = facts->arch, isolation = input->isolation;
	uint32_t bits = facts->physical_address_bits;

	if (!invocation_choice(invocation, "arch", arch_names, arch, &arch, err) ||
		!invocation_choice(
			invocation, "isolation", isolation_names, isolation, &isolation, err) ||
		!take_number(invocation, "phys-bits", ADDRESS_BITS_MAX, &bits, err) ||
		!take_number(invocation, "vps-per-socket", UINT32_MAX, &facts->vps_per_socket,
			err) ||
		!take_number(
			invocation, "relay", UINT32_MAX, &input->config.relay_devices, err))
		return false;
	if (bits < ADDRESS_BITS_MIN || bits > ADDRESS_BITS_MAX) {
		error_set(err, PVW_INPUT_0004, "%u bits, expected %d to %d", bits,
			ADDRESS_BITS_MIN, ADDRESS_BITS_MAX);
		return option_fail("phys-bits", err);
	}
	facts->arch = (GuestArch)arch;
	facts->physical_address_bits = (uint8_t)bits;
	facts->smt = facts->smt || invocation_has(invocation, "smt");
	facts->x2apic = facts->x2apic && !invocation_has(invocation, "no-x2apic");
	input->isolation = (IsolationType)isolation;
	input->has_isolation = input->has_isolation || invocation_has(invocation, "isolation");
	return true;
}

static bool take_policies(const Invocation *invocation, Input *input, Error *err)
{
	PlanRequest *request = &input->plan.request;
	size_t firmware = 0, mtrr = request->mtrr, acpi = request->acpi;

	if (!invocation_choice(invocation, "firmware", firmware_names, 0, &firmware, err) ||
		!invocation_choice(invocation, "mtrr", mtrr_names, mtrr, &mtrr, err) ||
		!invocation_choice(
			invocation, "acpi-profile", profile_names, acpi, &acpi, err) ||
		!take_number(invocation, "layout-version", UINT32_MAX, &request->layout_version,
			err))
		return false;
	if (invocation_has(invocation, "firmware"))
		input->settings->firmware =
			PVW__V1__FIRMWARE_KIND__FIRMWARE_UEFI + (unsigned)firmware;
	request->has_mtrr = request->has_mtrr || invocation_has(invocation, "mtrr");
	request->has_acpi = request->has_acpi || invocation_has(invocation, "acpi-profile");
	request->mtrr = (MtrrPolicy)mtrr;
	request->acpi = (AcpiProfile)acpi;
	return true;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool parse_entropy(const char *text, uint8_t out[ENTROPY_SIZE], Error *err)
{
	bool ok = strlen(text) == 2 * ENTROPY_SIZE;

	for (size_t i = 0; ok && i < ENTROPY_SIZE; i++) {
		const int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);

		ok = high >= 0 && low >= 0;
		out[i] = (uint8_t)(high * 16 + low);
	}
	if (ok)
		return true;
	error_set(err, PVW_INPUT_0004, "%zu characters, expected %d hexadecimal digits",
		strlen(text), 2 * ENTROPY_SIZE);
	return option_fail("entropy", err);
}

static bool take_entropy(const Invocation *invocation, Input *input, Error *err)
{
	const char *text = invocation_value(invocation, "entropy");
	uint64_t seed;

	if (text && invocation_has(invocation, "seed"))
		return error_set(
			err, PVW_INPUT_0002, "--entropy and --seed, expected one of them");
	if (text)
		return parse_entropy(text, input->plan.entropy, err);
	if (!invocation_has(invocation, "seed"))
		return true;
	if (!invocation_number(invocation, "seed", 0, UINT64_MAX, &seed, err))
		return false;
	seed_entropy(seed, input->plan.entropy);
	return true;
}

bool input_convert(Arena *arena, Input *input, Error *err)
{
	return convert_settings(
		input->settings, input->blobs, arena, &input->config.settings, err);
}

bool input_load(const Invocation *invocation, Arena *arena, Input *out,
	Diagnostics *diagnostics, Error *err)
{
	Input input;

	memset(&input, 0, sizeof(input));
	if (!choose_kind(invocation, &input, err))
		return false;
	if (input.kind == INPUT_SOCKET) {
		*out = input;
		return true;
	}
	if (!(input.kind == INPUT_TREE ? load_tree(arena, &input, err)
				       : load_fixture(arena, &input, err)) ||
		!take_document(invocation, arena, &input, diagnostics, err) ||
		!take_facts(invocation, &input, err) ||
		!take_policies(invocation, &input, err) ||
		!input_take_images(invocation, arena, &input, err) ||
		!take_entropy(invocation, &input, err) || !input_convert(arena, &input, err))
		return false;
	*out = input;
	return true;
}

bool input_from_fixture(const Fixture *fixture, Arena *arena, Input *out, Error *err)
{
	Input input;

	memset(&input, 0, sizeof(input));
	input.kind = INPUT_FIXTURE;
	input.name = "fixture";
	if (!take_fixture(fixture, arena, &input, err) || !input_convert(arena, &input, err))
		return false;
	*out = input;
	return true;
}

bool input_read_fixture(const char *path, Arena *arena, Input *out, Error *err)
{
	Input input;

	memset(&input, 0, sizeof(input));
	input.kind = INPUT_FIXTURE;
	input.name = path;
	if (!load_fixture(arena, &input, err) || !input_convert(arena, &input, err))
		return false;
	*out = input;
	return true;
}

/*
 * Planning.
 */

static bool check_isolation(const Input *input, const Facts *facts, Error *err)
{
	if (!input->has_isolation || facts->info.isolation == input->isolation)
		return true;
	error_set(err, PVW_SESSION_0002, "isolation %s, expected %s as asked for",
		isolation_names[facts->info.isolation], isolation_names[input->isolation]);
	return error_at(err, "dtb:/openhcl/isolation-type");
}

bool input_facts(
	const Input *input, Arena *arena, Facts *out, Diagnostics *diagnostics, Error *err)
{
	Facts facts;

	if (!prepare_facts(&input->facts, arena, &facts, diagnostics, err) ||
		!check_isolation(input, &facts, err))
		return false;
	*out = facts;
	return true;
}

bool input_plan(const Input *input, Arena *arena, InputResult *out, Diagnostics *diagnostics,
	Error *err)
{
	/* Later steps keep pointers into earlier ones: these must stay where they are. */
	return input_facts(input, arena, &out->facts, diagnostics, err) &&
		prepare_config(
			&out->facts, &input->config, arena, &out->config, diagnostics, err) &&
		prepare_plan(&out->facts, &out->config, &input->plan, arena, &out->prepared,
			diagnostics, err);
}
