/*
 * The configuration blob: checks first, then record by record in a fixed order.
 */
#include "loaders/uefi_config.h"

#include <inttypes.h>
#include <stdio.h>

#include "layout/fixed_map.h"
#include "loaders/uefi_acpi.h"
#include "support/checked.h"

/* Room for every record of fixed length, with its header. */
#define FIXED_RECORDS_BOUND ((size_t)512)
#define MAX_PROCESSORS 65535
#define HIGH_WINDOW_LIMIT (UINT64_C(1) << 52) /* the firmware counts MiB in 32 bits */
#define FRAME_BUFFER_SIZE (UINT64_C(8) << 20)

/* Everything that records are made of, checked; what the steps below read. */
typedef struct Contents {
	const UefiConfigInputs *in;
	const Bytes *host_tables;
	size_t host_table_count;
	Bytes madt, srat, mcfg, ssdt, cedt, slit, pptt; /* empty: no record */
} Contents;

/*
 * Strings, in two groups; in the order of a group.
 */
typedef struct StringRow {
	UefiRecordType type;
	size_t at; /* offset of Bytes in SmbiosSettings */
} StringRow;

static const StringRow serial_strings[] = {
	{ UEFI_RECORD_SYSTEM_SERIAL_NUMBER, offsetof(SmbiosSettings, serial_number) },
	{ UEFI_RECORD_BASE_SERIAL_NUMBER, offsetof(SmbiosSettings, base_board_serial) },
	{ UEFI_RECORD_CHASSIS_SERIAL_NUMBER, offsetof(SmbiosSettings, chassis_serial) },
	{ UEFI_RECORD_CHASSIS_ASSET_TAG, offsetof(SmbiosSettings, chassis_asset_tag) },
};

static const StringRow identity_strings[] = {
	{ UEFI_RECORD_SYSTEM_MANUFACTURER, offsetof(SmbiosSettings, system_manufacturer) },
	{ UEFI_RECORD_SYSTEM_PRODUCT_NAME, offsetof(SmbiosSettings, system_product) },
	{ UEFI_RECORD_SYSTEM_VERSION, offsetof(SmbiosSettings, system_version) },
	{ UEFI_RECORD_SYSTEM_SKU_NUMBER, offsetof(SmbiosSettings, system_sku) },
	{ UEFI_RECORD_SYSTEM_FAMILY, offsetof(SmbiosSettings, system_family) },
	{ UEFI_RECORD_BIOS_LOCK_STRING, offsetof(SmbiosSettings, bios_lock) },
	{ UEFI_RECORD_MEMORY_DEVICE_SERIAL_NUMBER,
		offsetof(SmbiosSettings, memory_device_serial) },
	{ UEFI_RECORD_PROCESSOR_MANUFACTURER,
		offsetof(SmbiosSettings, processor_manufacturer) },
	{ UEFI_RECORD_PROCESSOR_VERSION, offsetof(SmbiosSettings, processor_version) },
};

static Bytes string_of(const SmbiosSettings *smbios, const StringRow *row)
{
	return *(const Bytes *)(const void *)((const char *)smbios + row->at);
}

bool uefi_config_has_host_table(
	const PlatformSettings *settings, bool isolated, const char *signature)
{
	for (size_t i = 0; !isolated && i < settings->acpi_table_count; i++) {
		if (uefi_acpi_is(settings->acpi_tables[i], signature))
			return true;
	}
	return false;
}

/*
 * Memory, by igvm-type; without a row it is refused.
 */
static const struct {
	bool known;
	uint32_t flags;
} memory_kinds[] = {
	[IGVM_MEMORY] = { true, 0 },
	[IGVM_PLATFORM_RESERVED] = { true, UEFI_MEMORY_PLATFORM_RESERVED },
	[IGVM_VTL2_PROTECTABLE] = { true, 0 },
	[IGVM_SPECIFIC_PURPOSE] = { true, UEFI_MEMORY_SPECIFIC_PURPOSE },
};

static bool check_memory(const UefiConfigInputs *in, Error *err)
{
	size_t ordinary = 0;

	for (size_t i = 0; i < in->ram.count; i++) {
		const LayoutRecord *record = &in->ram.items[i];

		if (record->igvm_type >= ARRAY_COUNT(memory_kinds) ||
			!memory_kinds[record->igvm_type].known)
			return error_set(err, PVW_UEFI_0004,
				"igvm-type %u at " RANGE_FORMAT ", expected 0, 1, 3 or 4",
				record->igvm_type, RANGE_ARGS(record->range));
		ordinary += memory_kinds[record->igvm_type].flags == 0;
	}
	if (in->settings->uefi.legacy_memory_map ? ordinary == 0 : in->ram.count == 0)
		return error_set(err, PVW_UEFI_0003,
			"%zu ranges of memory, %zu of them ordinary, expected at least one",
			in->ram.count, ordinary);
	return true;
}

static bool check_windows(const UefiConfigInputs *in, Error *err)
{
	if (!memory_range_is_empty(in->low) && in->low.end > FOUR_GIB)
		return error_set(err, PVW_UEFI_0005,
			"low window " RANGE_FORMAT ", expected an end at or below 4 GiB",
			RANGE_ARGS(in->low));
	if (!memory_range_is_empty(in->high) &&
		(in->high.start < FOUR_GIB || in->high.end > HIGH_WINDOW_LIMIT))
		return error_set(err, PVW_UEFI_0005,
			"high window " RANGE_FORMAT
			", expected a start from 4 GiB up and an end up to 2^52",
			RANGE_ARGS(in->high));
	/* Firmware on x86-64 does not look at the width. */
	if (in->arch == GUEST_ARCH_AARCH64 && in->physical_address_bits < 64 &&
		in->high.end > UINT64_C(1) << in->physical_address_bits)
		return error_set(err, PVW_UEFI_0005,
			"high window " RANGE_FORMAT ", expected an end within %u address bits",
			RANGE_ARGS(in->high), in->physical_address_bits);
	return true;
}

/* What the firmware takes, but makes less of than the host may think. */
static void lint_windows(const UefiConfigInputs *in, Diagnostics *diagnostics)
{
	static const MemoryRange device = { UEFI_DEVICE_ARM64_GPA,
		FIXED_END(UEFI_DEVICE_ARM64) };

	if (memory_range_len(in->low) < FRAME_BUFFER_SIZE)
		diagnostics_add(diagnostics, PVW_UEFI_0012, NULL,
			"low window " RANGE_FORMAT ", expected at least 8 MiB",
			RANGE_ARGS(in->low));
	if (!is_aligned(in->high.start, UINT64_C(1) << 20))
		diagnostics_add(diagnostics, PVW_UEFI_0013, NULL,
			"high window " RANGE_FORMAT ", expected a start at a multiple of 1 MiB",
			RANGE_ARGS(in->high));
	if (in->arch == GUEST_ARCH_AARCH64 && !memory_range_is_empty(in->low) &&
		(in->low.end != FOUR_GIB || !memory_range_contains(in->low, device)))
		diagnostics_add(diagnostics, PVW_UEFI_0014, NULL,
			"low window " RANGE_FORMAT ", expected an end at 4 GiB and 0x%" PRIx64
			" inside",
			RANGE_ARGS(in->low), UEFI_DEVICE_ARM64_GPA);
}

/* [MU] MsvmPkg/PlatformPei/Config.c stops at the first one that is not so. */
static bool check_bridges(const UefiConfigInputs *in, Error *err)
{
	for (size_t i = 0; i < in->bridge_count; i++) {
		const AcpiBridge *bridge = &in->bridges[i];

		if (bridge->end_bus < bridge->start_bus)
			return error_set(err, PVW_UEFI_0005,
				"bridge %u: buses %u to %u, expected them to ascend",
				bridge->index, bridge->start_bus, bridge->end_bus);
		if (bridge->low.end > FOUR_GIB)
			return error_set(err, PVW_UEFI_0005,
				"bridge %u: low window " RANGE_FORMAT
				", expected an end at or below 4 GiB",
				bridge->index, RANGE_ARGS(bridge->low));
	}
	return true;
}

static bool check_processors(const UefiConfigInputs *in, Error *err)
{
	const ProcessorTopology *topology = in->topology;

	if (topology->count == 0 || topology->count > MAX_PROCESSORS)
		return error_set(err, PVW_UEFI_0007, "%zu processors, expected 1 to %d",
			topology->count, MAX_PROCESSORS);
	/* The firmware divides by the socket's size in 16 bits. */
	if (topology->reserved_vps_per_socket == 0 ||
		topology->reserved_vps_per_socket > MAX_PROCESSORS)
		return error_set(err, PVW_UEFI_0007,
			"sockets of %u processors, expected 1 to %d",
			topology->reserved_vps_per_socket, MAX_PROCESSORS);
	if (in->arch == GUEST_ARCH_AARCH64 && topology->arm.gic_v2)
		return error_set(err, PVW_UEFI_0008, "GICv2, expected GICv3");
	return true;
}

static bool check_parameter(Bytes table, const char *signature, Bytes *out, Error *err)
{
	if (table.len == 0)
		return true;
	if (!uefi_acpi_check(table, signature, out, err))
		return error_wrap(err, "igvm parameters");
	if (!uefi_acpi_is(table, signature))
		return error_set(err, PVW_UEFI_0006,
			"igvm parameters: a table signed \"%.4s\", expected %s",
			(const char *)table.data, signature);
	return true;
}

/* What the host gave goes before what we made. */
static bool check_tables(const UefiConfigInputs *in, Arena *arena, Contents *contents,
	Diagnostics *diagnostics, Error *err)
{
	const PlatformSettings *settings = in->settings;
	Bytes *tables;

	if (!uefi_config_has_host_table(settings, in->isolated, "APIC") &&
		!uefi_acpi_check(in->madt, "madt", &contents->madt, err))
		return false;
	if (!uefi_config_has_host_table(settings, in->isolated, "SRAT") &&
		!uefi_acpi_check(in->srat, "srat", &contents->srat, err))
		return false;
	if ((in->mcfg.len && !uefi_acpi_check(in->mcfg, "mcfg", &contents->mcfg, err)) ||
		(in->ssdt.len && !uefi_acpi_check(in->ssdt, "ssdt", &contents->ssdt, err)) ||
		(in->cedt.len && !uefi_acpi_check(in->cedt, "cedt", &contents->cedt, err)))
		return false;
	if (!check_parameter(in->slit, "SLIT", &contents->slit, err) ||
		!check_parameter(in->pptt, "PPTT", &contents->pptt, err))
		return false;
	if (in->isolated || settings->acpi_table_count == 0)
		return true;

	tables = arena_array(arena, Bytes, settings->acpi_table_count, err);
	if (!tables)
		return false;
	for (size_t i = 0; i < settings->acpi_table_count; i++) {
		char source[ERROR_SOURCE_SIZE];

		snprintf(source, sizeof(source), "settings.acpi_tables[%zu]", i);
		if (!uefi_acpi_check(settings->acpi_tables[i], "host table", &tables[i], err))
			return error_at(err, source);
		uefi_acpi_lint_host_table(tables[i], source, diagnostics);
	}
	contents->host_tables = tables;
	contents->host_table_count = settings->acpi_table_count;
	return true;
}

/*
 * The steps that write.
 */
static void put_entropy(const Contents *contents, UefiBlob *blob)
{
	uefi_blob_append(blob, UEFI_RECORD_ENTROPY, contents->in->entropy, UEFI_ENTROPY_SIZE);
}

static void put_table(const Contents *contents, Bytes table, UefiBlob *blob)
{
	const UefiAcpiRecords records = contents->in->settings->uefi.acpi_records;

	if (table.len)
		uefi_blob_append(blob,
			uefi_acpi_record_type(table, records, contents->in->arch), table.data,
			table.len);
}

static void put_host_tables(const Contents *contents, UefiBlob *blob)
{
	for (size_t i = 0; i < contents->host_table_count; i++)
		put_table(contents, contents->host_tables[i], blob);
}

static void put_own_tables(const Contents *contents, UefiBlob *blob)
{
	put_table(contents, contents->madt, blob);
	put_table(contents, contents->srat, blob);
	put_table(contents, contents->mcfg, blob);
	put_table(contents, contents->ssdt, blob);
	put_table(contents, contents->cedt, blob);
}

static void put_memory_entry(
	const LayoutRecord *record, uint32_t flags, bool legacy, ByteWriter *w)
{
	const UefiMemoryEntry entry = {
		.start = record->range.start,
		.len = memory_range_len(record->range),
		.flags = flags,
	};
	const UefiLegacyMemoryEntry legacy_entry = { entry.start, entry.len };

	/* Without flags a range would pass for ordinary memory: leave those with flags out. */
	if (!legacy)
		put_struct(w, entry);
	else if (!flags)
		put_struct(w, legacy_entry);
}

static void put_memory_map(const Contents *contents, UefiBlob *blob)
{
	const LayoutRecordList ram = contents->in->ram;
	const bool legacy = contents->in->settings->uefi.legacy_memory_map;
	const size_t mark = uefi_blob_open(blob, UEFI_RECORD_MEMORY_MAP);

	for (size_t i = 0; i < ram.count; i++)
		put_memory_entry(&ram.items[i], memory_kinds[ram.items[i].igvm_type].flags,
			legacy, &blob->w);
	uefi_blob_close(blob, mark);
}

static UefiMmioRange window_pages(MemoryRange window, uint64_t empty_page)
{
	if (memory_range_is_empty(window))
		return (UefiMmioRange){ .page = empty_page, .pages = 0 };
	return (UefiMmioRange){
		.page = window.start >> PAGE_SHIFT,
		.pages = memory_range_len(window) >> PAGE_SHIFT,
	};
}

static void put_mmio_ranges(const Contents *contents, UefiBlob *blob)
{
	const UefiMmioRanges ranges = {
		.low = window_pages(contents->in->low, 0),
		.high = window_pages(contents->in->high, UEFI_MMIO_EMPTY_HIGH_PAGE),
	};

	uefi_blob_append_struct(blob, UEFI_RECORD_MMIO_RANGES, ranges);
}

static void put_processors(const Contents *contents, UefiBlob *blob)
{
	const ProcessorTopology *topology = contents->in->topology;
	const UefiProcessorInformation information = {
		.max_count = (uint32_t)topology->count,
		.count = (uint32_t)topology->count,
		.per_socket = topology->reserved_vps_per_socket,
		.per_core = topology->smt ? 2 : 1,
	};

	uefi_blob_append_struct(blob, UEFI_RECORD_PROCESSOR_INFORMATION, information);
}

static void put_parameter_tables(const Contents *contents, UefiBlob *blob)
{
	put_table(contents, contents->slit, blob);
	put_table(contents, contents->pptt, blob);
}

static void put_bios(const Contents *contents, UefiBlob *blob)
{
	const PlatformSettings *settings = contents->in->settings;
	const UefiBiosInformation information = {
		.image_pages = (uint32_t)(contents->in->image_size >> PAGE_SHIFT),
		.flags = settings->uefi.legacy_memory_map ? UEFI_BIOS_LEGACY_MEMORY_MAP : 0,
	};

	uefi_blob_append_struct(blob, UEFI_RECORD_BIOS_INFORMATION, information);
	uefi_blob_append_struct(blob, UEFI_RECORD_BIOS_GUID, settings->bios_guid);
}

static void put_strings(
	const Contents *contents, const StringRow *rows, size_t count, UefiBlob *blob)
{
	for (size_t i = 0; i < count; i++)
		uefi_blob_append_string(blob, rows[i].type,
			string_of(&contents->in->settings->smbios, &rows[i]));
}

static void put_serial_strings(const Contents *contents, UefiBlob *blob)
{
	put_strings(contents, serial_strings, ARRAY_COUNT(serial_strings), blob);
}

static void put_nvdimm_count(const Contents *contents, UefiBlob *blob)
{
	const UefiNvdimmCount nvdimm = { .count =
						 contents->in->settings->chipset.nvdimm_count };

	uefi_blob_append_struct(blob, UEFI_RECORD_NVDIMM_COUNT, nvdimm);
}

static void put_vpci_filter(const Contents *contents, UefiBlob *blob)
{
	const UefiSettings *uefi = &contents->in->settings->uefi;

	if (uefi->has_vpci_instance_filter)
		uefi_blob_append_struct(
			blob, UEFI_RECORD_VPCI_INSTANCE_FILTER, uefi->vpci_instance_filter);
}

static void put_identity_strings(const Contents *contents, UefiBlob *blob)
{
	put_strings(contents, identity_strings, ARRAY_COUNT(identity_strings), blob);
}

static void put_processor_details(const Contents *contents, UefiBlob *blob)
{
	const SmbiosSettings *smbios = &contents->in->settings->smbios;
	const UefiSmbios31Processor details = {
		.id = smbios->processor_id,
		.external_clock = smbios->external_clock,
		.max_speed = smbios->max_speed,
		.current_speed = smbios->current_speed,
		.characteristics = smbios->processor_characteristics,
		.family2 = smbios->processor_family2,
		.type = smbios->processor_type,
		.voltage = smbios->voltage,
		.status = smbios->status,
		.upgrade = smbios->processor_upgrade,
	};

	uefi_blob_append_struct(blob, UEFI_RECORD_SMBIOS31_PROCESSOR, details);
}

static void put_flags(const Contents *contents, UefiBlob *blob)
{
	const uint64_t flags =
		uefi_config_flags(contents->in->settings, contents->in->isolated);

	uefi_blob_append_struct(blob, UEFI_RECORD_FLAGS, flags);
}

static void put_gic(const Contents *contents, UefiBlob *blob)
{
	const ArmPlatform *arm = &contents->in->topology->arm;
	const UefiGic gic = { arm->gic_distributor, arm->gic_redistributors };

	if (contents->in->arch == GUEST_ARCH_AARCH64)
		uefi_blob_append_struct(blob, UEFI_RECORD_GIC, gic);
}

/* A list of none would halt the firmware: then there is no record. */
static void put_apertures(const Contents *contents, UefiBlob *blob)
{
	const UefiConfigInputs *in = contents->in;
	size_t mark;

	if (!in->bridge_count)
		return;
	mark = uefi_blob_open(blob, UEFI_RECORD_PCIE_BAR_APERTURES);
	for (size_t i = 0; i < in->bridge_count; i++) {
		const AcpiBridge *bridge = &in->bridges[i];
		const UefiPcieBarAperture aperture = {
			.segment = bridge->segment,
			.start_bus = bridge->start_bus,
			.end_bus = bridge->end_bus,
			.uid = bridge->index,
			.low_start = bridge->low.start,
			.low_len = memory_range_len(bridge->low),
			.high_start = bridge->high.start,
			.high_len = memory_range_len(bridge->high),
		};

		put_struct(&blob->w, aperture);
	}
	uefi_blob_close(blob, mark);
}

/* In the order of the blob. */
static void (*const steps[])(const Contents *contents, UefiBlob *blob) = {
	put_entropy,
	put_host_tables,
	put_own_tables,
	put_memory_map,
	put_mmio_ranges,
	put_processors,
	put_parameter_tables,
	put_bios,
	put_serial_strings,
	put_nvdimm_count,
	put_vpci_filter,
	put_identity_strings,
	put_processor_details,
	put_flags,
	put_gic,
	put_apertures,
};

/* @bound grows by a record of @len bytes of payload; saturates. */
static void add_record(size_t *bound, size_t len)
{
	const size_t around = sizeof(UefiRecordHeader) + UEFI_RECORD_ALIGN; /* also a NUL */

	if (!checked_add_size(*bound, around, bound) || !checked_add_size(*bound, len, bound))
		*bound = SIZE_MAX;
}

static size_t blob_bound(const Contents *contents)
{
	const UefiConfigInputs *in = contents->in;
	const SmbiosSettings *smbios = &in->settings->smbios;
	size_t bound = FIXED_RECORDS_BOUND, map, apertures;

	for (size_t i = 0; i < contents->host_table_count; i++)
		add_record(&bound, contents->host_tables[i].len);
	add_record(&bound, contents->madt.len);
	add_record(&bound, contents->srat.len);
	add_record(&bound, contents->mcfg.len);
	add_record(&bound, contents->ssdt.len);
	add_record(&bound, contents->cedt.len);
	add_record(&bound, contents->slit.len);
	add_record(&bound, contents->pptt.len);
	for (size_t i = 0; i < ARRAY_COUNT(serial_strings); i++)
		add_record(&bound, string_of(smbios, &serial_strings[i]).len);
	for (size_t i = 0; i < ARRAY_COUNT(identity_strings); i++)
		add_record(&bound, string_of(smbios, &identity_strings[i]).len);
	if (!checked_mul_size(in->ram.count, sizeof(UefiMemoryEntry), &map))
		map = SIZE_MAX;
	add_record(&bound, map);
	if (!checked_mul_size(in->bridge_count, sizeof(UefiPcieBarAperture), &apertures))
		apertures = SIZE_MAX;
	add_record(&bound, apertures);
	return bound;
}

bool uefi_config_build(const UefiConfigInputs *in, Arena *arena, Bytes *out,
	Diagnostics *diagnostics, Error *err)
{
	Contents contents = { .in = in };
	size_t bound;
	ByteWriter w;
	UefiBlob blob;

	if (!check_memory(in, err) || !check_windows(in, err) || !check_bridges(in, err) ||
		!check_processors(in, err) ||
		!check_tables(in, arena, &contents, diagnostics, err))
		return false;
	lint_windows(in, diagnostics);
	bound = blob_bound(&contents);
	if (bound > UEFI_CONFIG_MAX)
		return error_set(err, PVW_UEFI_0002,
			"up to %zu bytes of ACPI tables, strings and memory map, expected at "
			"most %zu",
			bound, UEFI_CONFIG_MAX);
	if (!byte_writer_in_arena(arena, bound, &w, err))
		return false;
	blob = uefi_blob_begin(w);
	for (size_t i = 0; i < ARRAY_COUNT(steps); i++)
		steps[i](&contents, &blob);
	return uefi_blob_finish(&blob, out, err);
}
