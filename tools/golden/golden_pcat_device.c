/*
 * Area pcat_device: port operations against the PCAT helper device.
 *
 * The device is configured the way a worker does it: from the memory map to the artifact
 * "pcat.config", and from its bytes to the device. Each operation gives "ok", hex bytes,
 * {"defer_ns": …} or "err …".
 */
#include "golden.h"

#include <string.h>

#include "acpi/acpi_build.h"
#include "devices/pcat_device.h"
#include "loaders/pcat_config.h"

#define ENTROPY_BYTE 0x5a

typedef struct Run {
	PcatSetup setup;
	PcatState state;
	json_t *results, *writes, *events;
	json_int_t replays;
} Run;

static MemoryRangeList read_ram(const json_t *list, Arena *arena)
{
	const size_t count = json_array_size(list);
	MemoryRange *items = golden_array(arena, count, sizeof(*items));

	for (size_t i = 0; i < count; i++)
		items[i] = golden_range(json_array_get(list, i));
	return (MemoryRangeList){ items, count };
}

static PcatBootDevice read_kind(const char *name)
{
	static const char *const names[PCAT_BOOT_DEVICE_COUNT] = {
		[PCAT_BOOT_FLOPPY] = "floppy",
		[PCAT_BOOT_OPTICAL] = "optical",
		[PCAT_BOOT_HARD_DRIVE] = "harddrive",
		[PCAT_BOOT_NETWORK] = "network",
	};

	for (size_t i = 0; i < PCAT_BOOT_DEVICE_COUNT; i++) {
		if (strcmp(names[i], name) == 0)
			return (PcatBootDevice)i;
	}
	golden_malformed("boot device \"%s\"", name);
}

static void read_boot_order(
	const json_t *list, PlatformSettings *settings, PcatConfigInputs *config)
{
	if (json_array_size(list) != PCAT_BOOT_DEVICE_COUNT)
		golden_malformed("%zu boot devices", json_array_size(list));
	for (size_t i = 0; i < PCAT_BOOT_DEVICE_COUNT; i++) {
		const json_t *device = json_array_get(list, i);
		const PcatBootDevice kind = read_kind(golden_string(device, "kind"));

		settings->pcat.boot_order[i] = kind;
		config->detached[kind] = !golden_bool(device, "attached");
	}
}

static void read_cpu_info(const json_t *bundle, SmbiosSettings *smbios)
{
	smbios->processor_family2 = (uint16_t)golden_u64(bundle, "processor_family");
	smbios->voltage = (uint8_t)golden_u64(bundle, "voltage");
	smbios->external_clock = (uint16_t)golden_u64(bundle, "external_clock");
	smbios->max_speed = (uint16_t)golden_u64(bundle, "max_speed");
	smbios->current_speed = (uint16_t)golden_u64(bundle, "current_speed");
}

static void read_settings(const json_t *input, Arena *arena, PlatformSettings *out)
{
	SmbiosSettings *smbios = &out->smbios;
	Bytes guid;

	*out = platform_settings_default();
	guid = golden_hex(input, "bios_guid", arena);
	if (guid.len != sizeof(out->bios_guid))
		golden_malformed("a GUID of %zu bytes", guid.len);
	memcpy(&out->bios_guid, guid.data, guid.len);
	out->uefi.hibernation = golden_bool(input, "hibernation_enabled");
	out->pcat.num_lock = golden_bool(input, "num_lock_enabled");
	smbios->serial_number = golden_hex(input, "system_serial_number", arena);
	smbios->base_board_serial = golden_hex(input, "base_board_serial_number", arena);
	smbios->chassis_serial = golden_hex(input, "chassis_serial_number", arena);
	smbios->chassis_asset_tag = golden_hex(input, "chassis_asset_tag", arena);
	smbios->bios_lock = golden_hex(input, "bios_lock_string", arena);
	smbios->processor_manufacturer = golden_hex(input, "processor_manufacturer", arena);
	smbios->processor_version = golden_hex(input, "processor_version", arena);
	if (!golden_is_null(input, "cpu_info_bundle"))
		read_cpu_info(golden_member(input, "cpu_info_bundle"), smbios);
}

static bool find_srat(const json_t *input, const PcatConfigInputs *config, Arena *arena,
	Bytes *out, Error *err)
{
	NodeRange *nodes = golden_array(arena, config->ram.count, sizeof(*nodes));
	const AcpiInputs acpi = {
		.profile = ACPI_PROFILE_REFERENCE,
		.topology = config->topology,
		.ram = { nodes, config->ram.count },
	};

	if (!golden_is_null(input, "srat")) {
		*out = golden_hex(input, "srat", arena);
		return true;
	}
	for (size_t i = 0; i < config->ram.count; i++)
		nodes[i] = (NodeRange){ config->ram.items[i], 0 };
	return acpi_build_table(ACPI_SRAT, &acpi, arena, out, err);
}

static bool make_device(const json_t *input, Arena *arena, Run *run, Error *err)
{
	const TopologyInputs topology_in = {
		.vps_per_socket = (uint32_t)golden_u64(input, "vps_per_socket"),
		.x2apic = X2APIC_SUPPORTED,
	};
	uint8_t entropy[PCAT_ENTROPY_SIZE];
	PlatformSettings settings;
	ProcessorTopology topology;
	PcatConfigInputs in = {
		.ram = read_ram(golden_member(input, "ram"), arena),
		.low = golden_range(golden_member(input, "chipset_low_mmio")),
		.high = golden_range(golden_member(input, "chipset_high_mmio")),
		.topology = &topology,
		.settings = &settings,
	};
	PcatConfig config;
	Bytes artifact;

	read_settings(input, arena, &settings);
	read_boot_order(golden_member(input, "boot_order"), &settings, &in);
	if (!topology_from_count(GUEST_ARCH_X86_64, (uint32_t)golden_u64(input, "proc_count"),
		    &topology_in, arena, &topology, err) ||
		!find_srat(input, &in, arena, &in.srat, err) ||
		!pcat_config_build(&in, arena, &config, err) ||
		!pcat_config_write(&config, arena, &artifact, err) ||
		!pcat_setup_read(artifact, &run->setup, err))
		return false;
	memset(entropy, ENTROPY_BYTE, sizeof(entropy));
	pcat_reset(&run->state, entropy);
	return true;
}

static PcatOperation read_operation(const json_t *op, Arena *arena)
{
	PcatOperation out = { .kind = PCAT_PORT_READ, .address = golden_u64(op, "port") };
	Bytes data;

	if (strcmp(golden_string(op, "op"), "read") == 0) {
		out.width = (uint32_t)golden_u64(op, "width");
		return out;
	}
	data = golden_hex(op, "data", arena);
	if (data.len > sizeof(out.value))
		golden_malformed("%zu bytes to a port", data.len);
	out.kind = PCAT_PORT_WRITE;
	out.width = (uint32_t)data.len;
	memcpy(&out.value, data.data, data.len);
	return out;
}

static json_t *write_result(const PcatOperation *operation, const PcatAnswer *answer)
{
	static const char *const refusals[PCAT_RESULT_COUNT] = {
		[PCAT_NOT_CLAIMED] = "err NotClaimed",
		[PCAT_BAD_WIDTH] = "err InvalidAccessSize",
		[PCAT_BAD_REGISTER] = "err InvalidRegister",
	};

	if (answer->result != PCAT_DONE)
		return json_string(refusals[answer->result]);
	if (answer->defer_ns)
		return json_pack("{s: o}", "defer_ns", golden_json_u64(answer->defer_ns));
	if (operation->kind == PCAT_PORT_WRITE)
		return json_string("ok");
	return golden_json_hex((Bytes){ (const uint8_t *)&answer->value, operation->width });
}

/* The schema records where the id shall go, but has no id: its writes are left out. */
static bool is_generation_id(const Run *run, const PcatAnswer *answer)
{
	return answer->write.bytes.data == run->state.generation_id.id;
}

static void run_operation(const json_t *op, Arena *arena, Run *run)
{
	const PcatOperation operation = read_operation(op, arena);
	PcatAnswer answer;

	pcat_step(&run->setup, &run->state, &operation, &answer);
	json_array_append_new(run->results, write_result(&operation, &answer));
	run->replays += answer.replay_mtrrs;
	if (answer.event != PCAT_EVENT_NONE)
		json_array_append_new(run->events,
			json_string(answer.event == PCAT_EVENT_BOOT_FAILURE ? "BootFailure"
									    : "BootAttempt"));
	if (answer.write.bytes.len && !is_generation_id(run, &answer))
		json_array_append_new(run->writes,
			json_pack("{s: o, s: o}", "gpa", golden_json_u64(answer.write.gpa),
				"data", golden_json_hex(answer.write.bytes)));
}

static json_t *write_half(const GenerationId *id, GenerationIdHalf half)
{
	return id->known[half] ? golden_json_u64(id->pointer[half]) : json_null();
}

bool golden_run_pcat_device(const json_t *input, Arena *arena, json_t **output, Error *err)
{
	const json_t *ops = golden_member(input, "ops");
	Run run = { .replays = 0 };

	if (!make_device(input, arena, &run, err))
		return false;
	run.results = json_array();
	run.writes = json_array();
	run.events = json_array();
	for (size_t i = 0; i < json_array_size(ops); i++)
		run_operation(json_array_get(ops, i), arena, &run);
	*output = json_pack("{s: o, s: o, s: o, s: o, s: I, s: o, s: o}", "srat_in_use",
		golden_json_hex(run.setup.srat), "results", run.results, "guest_memory_writes",
		run.writes, "log_events", run.events, "replay_mtrrs_calls", run.replays,
		"generation_id_low", write_half(&run.state.generation_id, GENERATION_ID_LOW),
		"generation_id_high", write_half(&run.state.generation_id, GENERATION_ID_HIGH));
	return true;
}
