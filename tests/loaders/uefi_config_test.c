/*
 * What UEFI firmware is told, read back as the firmware reads it; and what is refused before that.
 */
#include "loaders/uefi_config.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "helpers/uefi_decode.h"

#define GIB (UINT64_C(1) << 30)
#define MIB (UINT64_C(1) << 20)

#define TEXT(literal) ((Bytes){ (const uint8_t *)(literal), sizeof(literal) - 1 })

static Arena *arena;
static Diagnostics diagnostics;
static UefiDecoded decoded; /* large, hence not on the stack */

static LayoutRecord ram[8];
static VirtualProcessor vps[4];
static ProcessorTopology topology;
static PlatformSettings settings;
static UefiConfigInputs inputs;
static uint8_t entropy[64];
static Bytes host_tables[8];

/* A table of @len bytes whose header says @length. */
static Bytes table(const char *signature, size_t len, uint32_t length)
{
	Error err = { 0 };
	uint8_t *bytes = arena_alloc(arena, len, 8, &err);

	cr_assert_not_null(bytes);
	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)i;
	memcpy(bytes, signature, len < 4 ? len : 4);
	if (len >= 8)
		memcpy(bytes + 4, &length, 4);
	return (Bytes){ bytes, len };
}

static void set_up(void)
{
	Error err = { 0 };

	arena = arena_new(64 << 20);
	cr_assert(diagnostics_init(&diagnostics, 16, arena, &err));
	for (size_t i = 0; i < sizeof(entropy); i++)
		entropy[i] = (uint8_t)(i * 3);
	ram[0] = (LayoutRecord){ .kind = LAYOUT_RAM, .range = { 0, 0xf8000000 } };
	ram[1] = (LayoutRecord){ .kind = LAYOUT_RAM, .range = { 4 * GIB, 5 * GIB } };
	topology = (ProcessorTopology){
		.vps = vps, .count = 4, .vps_per_socket = 3, .reserved_vps_per_socket = 4
	};
	settings = (PlatformSettings){
		.uefi = { .memory_protection = MEMORY_PROTECTION_DEFAULT },
		.acpi_tables = host_tables,
	};
	inputs = (UefiConfigInputs){
		.settings = &settings,
		.entropy = entropy,
		.ram = { ram, 2 },
		.low = { 0xf8000000, 4 * GIB },
		.high = { 64 * GIB, 65 * GIB },
		.physical_address_bits = 40,
		.topology = &topology,
		.madt = table("APIC", 45, 45),
		.srat = table("SRAT", 48, 48),
		.image_size = 0x600000,
	};
}

static void tear_down(void)
{
	arena_free(arena);
}

TestSuite(uefi_config, .init = set_up, .fini = tear_down);

/* Build, and read as the firmware does. */
static Bytes build(void)
{
	Bytes blob = { 0 };
	Error err = { 0 };
	const char *halt;

	cr_assert(uefi_config_build(&inputs, arena, &blob, &diagnostics, &err), "%s", err.text);
	halt = uefi_decode(blob, &decoded);
	cr_assert_null(halt, "%s", halt);
	return blob;
}

static void expect_refusal(uint16_t diagnostic, const char *word)
{
	Bytes blob = TEXT("untouched");
	Error err = { 0 };

	cr_assert_not(uefi_config_build(&inputs, arena, &blob, &diagnostics, &err));
	cr_assert_eq(err.diagnostic, diagnostic, "%s: %s", diagnostic_row(err.diagnostic)->name,
		err.text);
	cr_assert_not_null(strstr(err.text, word), "%s", err.text);
	cr_assert_eq(blob.len, strlen("untouched"));
}

static bool warned(uint16_t diagnostic, const char *word)
{
	for (size_t i = 0; i < diagnostics.count; i++) {
		if (diagnostics.items[i].what.diagnostic == diagnostic &&
			strstr(diagnostics.items[i].what.text, word))
			return diagnostics.items[i].severity == SEVERITY_WARNING;
	}
	return false;
}

static void expect_types(const uint32_t *types, size_t count)
{
	cr_assert_eq(decoded.record_count, count, "%zu records", decoded.record_count);
	for (size_t i = 0; i < count; i++)
		cr_assert_eq(decoded.records[i].type, types[i], "record %zu: 0x%x", i,
			decoded.records[i].type);
}

static void say_everything(void)
{
	SmbiosSettings *smbios = &settings.smbios;

	smbios->serial_number = TEXT("serial");
	smbios->base_board_serial = TEXT("board");
	smbios->chassis_serial = TEXT("chassis");
	smbios->chassis_asset_tag = TEXT("tag");
	smbios->system_manufacturer = TEXT("maker");
	smbios->system_product = TEXT("product");
	smbios->system_version = TEXT("version");
	smbios->system_sku = TEXT("sku");
	smbios->system_family = TEXT("family");
	smbios->bios_lock = TEXT("lock");
	smbios->memory_device_serial = TEXT("memory");
	smbios->processor_manufacturer = TEXT("cpu maker");
	smbios->processor_version = TEXT("cpu version");
	settings.uefi.has_vpci_instance_filter = true;
	settings.uefi.vpci_instance_filter = (Guid){ "filterfilterfilt" };
	inputs.slit = table("SLIT", 48, 45);
	inputs.pptt = table("PPTT", 40, 40);
	host_tables[0] = table("SSDT", 40, 40);
	host_tables[1] = table("SSDT", 52, 41);
	settings.acpi_table_count = 2;
}

Test(uefi_config, has_its_records_in_order)
{
	static const uint32_t types[] = { 0x00, 0x04, 0x16, 0x16, 0x16, 0x16, 0x03, 0x14, 0x13,
		0x16, 0x16, 0x01, 0x05, 0x06, 0x07, 0x08, 0x09, 0x17, 0x19, 0x1a, 0x1b, 0x1c,
		0x1d, 0x1e, 0x0a, 0x1f, 0x0d, 0x0e, 0x0b, 0x12 };

	say_everything();
	build();
	expect_types(types, ARRAY_COUNT(types));
}

Test(uefi_config, leaves_out_what_nobody_said)
{
	static const uint32_t types[] = { 0x00, 0x04, 0x16, 0x16, 0x03, 0x14, 0x13, 0x01, 0x05,
		0x17, 0x0b, 0x12 };

	build();
	expect_types(types, ARRAY_COUNT(types));
}

Test(uefi_config, adds_the_gic_on_aarch64)
{
	const UefiDecodedRecord *gic;

	inputs.arch = GUEST_ARCH_AARCH64;
	topology.arm.gic_distributor = 0xffff0000;
	topology.arm.gic_redistributors = 0xeffee000;
	inputs.low.start = 0xe0000000;
	build();
	gic = &decoded.records[decoded.record_count - 1];
	cr_assert_eq(gic->type, 0x23u, "forgetting it selects the firmware's own addresses");
	cr_assert_eq(gic->payload.len, 16u);
	cr_assert_eq(uefi_decode_u64(gic->payload, 0), 0xffff0000u);
	cr_assert_eq(uefi_decode_u64(gic->payload, 8), 0xeffee000u);
}

Test(uefi_config, refuses_a_gic_v2)
{
	inputs.arch = GUEST_ARCH_AARCH64;
	topology.arm.gic_v2 = true;
	expect_refusal(PVW_UEFI_0008, "GICv2");
}

Test(uefi_config, carries_entropy_and_identity)
{
	const UefiDecodedRecord *record;

	settings.bios_guid = (Guid){ "0123456789abcdef" };
	settings.chipset.nvdimm_count = 0x1234;
	build();
	record = uefi_decode_find(&decoded, 0x04, 0);
	cr_assert_eq(record->payload.len, 64u);
	cr_assert_arr_eq(record->payload.data, entropy, 64);
	cr_assert_arr_eq(
		uefi_decode_find(&decoded, 0x05, 0)->payload.data, "0123456789abcdef", 16);
	cr_assert_eq(uefi_decode_u64(uefi_decode_find(&decoded, 0x17, 0)->payload, 0), 0x1234u);
	cr_assert_eq(decoded.image_pages, 0x600u);
}

Test(uefi_config, carries_every_string)
{
	static const struct {
		uint32_t type;
		const char *text;
	} strings[] = {
		{ 0x06, "serial" },
		{ 0x07, "board" },
		{ 0x08, "chassis" },
		{ 0x09, "tag" },
		{ 0x1a, "maker" },
		{ 0x1b, "product" },
		{ 0x1c, "version" },
		{ 0x1d, "sku" },
		{ 0x1e, "family" },
		{ 0x0a, "lock" },
		{ 0x1f, "memory" },
		{ 0x0d, "cpu maker" },
		{ 0x0e, "cpu version" },
	};
	char text[65];

	say_everything();
	build();
	for (size_t i = 0; i < ARRAY_COUNT(strings); i++)
		cr_assert_str_eq(
			uefi_decode_string(&decoded, strings[i].type, text), strings[i].text);
	cr_assert_null(uefi_decode_string(&decoded, 0x11, text),
		"the part number would overwrite the asset tag");
	cr_assert_arr_eq(
		uefi_decode_find(&decoded, 0x19, 0)->payload.data, "filterfilterfilt", 16);
}

Test(uefi_config, has_no_record_for_a_string_that_begins_with_nul)
{
	settings.smbios.serial_number = TEXT("\0hidden");
	build();
	cr_assert_null(uefi_decode_find(&decoded, 0x06, 0));
}

Test(uefi_config, carries_processor_details)
{
	Bytes details;

	settings.smbios.processor_id = UINT64_C(0x1122334455667788);
	settings.smbios.external_clock = 100;
	settings.smbios.max_speed = 4000;
	settings.smbios.current_speed = 2600;
	settings.smbios.processor_characteristics = 0xfc;
	settings.smbios.processor_family2 = 0xb3;
	settings.smbios.processor_type = 3;
	settings.smbios.voltage = 0x8c;
	settings.smbios.status = 0x41;
	settings.smbios.processor_upgrade = 0x33;
	build();
	details = uefi_decode_find(&decoded, 0x0b, 0)->payload;
	cr_assert_eq(uefi_decode_u64(details, 0), UINT64_C(0x1122334455667788));
	cr_assert_eq(uefi_decode_u16(details, 8), 100u);
	cr_assert_eq(uefi_decode_u16(details, 10), 4000u);
	cr_assert_eq(uefi_decode_u16(details, 12), 2600u);
	cr_assert_eq(uefi_decode_u16(details, 14), 0xfcu);
	cr_assert_eq(uefi_decode_u16(details, 16), 0xb3u);
	cr_assert_arr_eq(details.data + 18, "\x03\x8c\x41\x33\0\0", 6);
}

/*
 * Memory.
 */

Test(uefi_config, lists_all_memory_with_its_kind)
{
	static const struct {
		uint16_t igvm_type;
		uint32_t flags;
	} kinds[] = { { 0, 0 }, { 1, 1 }, { 3, 0 }, { 4, 4 } };

	for (size_t i = 0; i < ARRAY_COUNT(kinds); i++)
		ram[i] = (LayoutRecord){ .range = { i * GIB, (i + 1) * GIB },
			.igvm_type = kinds[i].igvm_type };
	inputs.ram.count = ARRAY_COUNT(kinds);
	build();
	cr_assert_eq(decoded.memory_count, ARRAY_COUNT(kinds), "neighbours stay apart");
	for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
		cr_assert_eq(decoded.memory[i].base, i * GIB);
		cr_assert_eq(decoded.memory[i].length, GIB);
		cr_assert_eq(decoded.memory[i].flags, kinds[i].flags);
	}
}

/* The reference sets the bit and writes 24-byte entries: the firmware then misreads every one. */
Test(uefi_config, writes_legacy_maps_that_the_firmware_can_read)
{
	settings.uefi.legacy_memory_map = true;
	ram[1].igvm_type = 1;
	ram[2] = (LayoutRecord){ .range = { 5 * GIB, 6 * GIB }, .igvm_type = 3 };
	ram[3] = (LayoutRecord){ .range = { 6 * GIB, 7 * GIB }, .igvm_type = 4 };
	inputs.ram.count = 4;
	build();
	cr_assert(decoded.legacy_map);
	cr_assert_eq(uefi_decode_find(&decoded, 0x03, 0)->payload.len, 32u);
	cr_assert_eq(decoded.memory_count, 2u, "what is not ordinary is not told");
	cr_assert_eq(decoded.memory[0].length, UINT64_C(0xf8000000));
	cr_assert_eq(decoded.memory[1].base, 5 * GIB);
	cr_assert_eq(decoded.memory[1].length, GIB);
}

Test(uefi_config, refuses_a_map_without_memory)
{
	inputs.ram.count = 0;
	expect_refusal(PVW_UEFI_0003, "0 ranges of memory");
}

Test(uefi_config, refuses_a_legacy_map_without_ordinary_memory)
{
	settings.uefi.legacy_memory_map = true;
	ram[0].igvm_type = 1;
	ram[1].igvm_type = 4;
	expect_refusal(PVW_UEFI_0003, "2 ranges of memory, 0 of them ordinary");
}

Test(uefi_config, refuses_memory_that_it_cannot_name)
{
	static const uint16_t types[] = { 2, 5, 6, 119, 0xffff };

	for (size_t i = 0; i < ARRAY_COUNT(types); i++) {
		char word[32];

		ram[1].igvm_type = types[i];
		snprintf(word, sizeof(word), "igvm-type %u at", types[i]);
		expect_refusal(PVW_UEFI_0004, word);
	}
}

/*
 * Windows. The decoder insists on what current and older firmware both take.
 */

static void expect_windows(uint64_t low, uint64_t low_pages, uint64_t high, uint64_t high_pages)
{
	const UefiDecodedWindow windows[] = { decoded.low, decoded.old_low };
	const UefiDecodedWindow highs[] = { decoded.high, decoded.old_high };

	for (size_t i = 0; i < 2; i++) {
		cr_assert_eq(windows[i].page, low);
		cr_assert_eq(windows[i].pages, low_pages);
		cr_assert_eq(highs[i].page, high);
		cr_assert_eq(highs[i].pages, high_pages);
	}
}

Test(uefi_config, states_both_windows)
{
	build();
	expect_windows(0xf8000, 0x8000, 0x1000000, 0x40000);
	cr_assert_eq(diagnostics.count, 0u);
}

Test(uefi_config, states_an_empty_high_window_above_4_gib)
{
	inputs.high = MEMORY_RANGE_EMPTY;
	build();
	expect_windows(0xf8000, 0x8000, 0x100000, 0);
}

Test(uefi_config, states_an_empty_high_window_there_whatever_its_address)
{
	inputs.high = (MemoryRange){ 9 * GIB, 9 * GIB };
	build();
	expect_windows(0xf8000, 0x8000, 0x100000, 0);
}

Test(uefi_config, keeps_a_high_window_high_when_low_is_empty)
{
	inputs.low = MEMORY_RANGE_EMPTY;
	build();
	expect_windows(0, 0, 0x1000000, 0x40000);
	cr_assert(warned(PVW_UEFI_0012, "low window 0x0-0x0"));
}

Test(uefi_config, states_no_windows)
{
	inputs.low = MEMORY_RANGE_EMPTY;
	inputs.high = MEMORY_RANGE_EMPTY;
	build();
	expect_windows(0, 0, 0x100000, 0);
}

Test(uefi_config, refuses_bridges_whose_buses_descend)
{
	static const AcpiBridge bridge = { .index = 3, .start_bus = 2, .end_bus = 1 };

	inputs.bridges = &bridge;
	inputs.bridge_count = 1;
	expect_refusal(PVW_UEFI_0005, "bridge 3: buses 2 to 1");
}

Test(uefi_config, refuses_windows_on_the_wrong_side)
{
	inputs.low.end = 4 * GIB + 4096;
	expect_refusal(PVW_UEFI_0005, "low window 0xf8000000-0x100001000");
	inputs.low.end = 4 * GIB;
	inputs.high.start = 4 * GIB - 4096;
	expect_refusal(PVW_UEFI_0005, "high window 0xfffff000");
	inputs.high = (MemoryRange){ UINT64_C(1) << 52, (UINT64_C(1) << 52) + GIB };
	expect_refusal(PVW_UEFI_0005, "up to 2^52");
	inputs.high = (MemoryRange){ 64 * GIB, (UINT64_C(1) << 52) + 4096 };
	expect_refusal(PVW_UEFI_0005, "up to 2^52");
	inputs.high.end -= 4096;
	build();
}

Test(uefi_config, refuses_a_high_window_beyond_the_address_width_on_aarch64)
{
	inputs.high.end = (UINT64_C(1) << 40) + 4096;
	build();
	inputs.arch = GUEST_ARCH_AARCH64;
	expect_refusal(PVW_UEFI_0005, "within 40 address bits");
	inputs.high.end = UINT64_C(1) << 40;
	build();
}

Test(uefi_config, warns_of_a_low_window_without_room_for_a_frame_buffer)
{
	inputs.low.start = 4 * GIB - 8 * MIB + 4096;
	build();
	cr_assert(warned(PVW_UEFI_0012, "expected at least 8 MiB"));
	diagnostics.count = 0;
	inputs.low.start = 4 * GIB - 8 * MIB;
	build();
	cr_assert_eq(diagnostics.count, 0u);
}

Test(uefi_config, warns_of_a_high_window_that_the_firmware_rounds_down)
{
	inputs.high.start += 4096;
	build();
	cr_assert(warned(PVW_UEFI_0013, "0x1000001000"));
}

Test(uefi_config, says_nothing_of_a_high_window_that_ends_within_a_mib)
{
	inputs.high.end -= 0x80000;
	build();
	cr_assert_eq(diagnostics.count, 0u, "a relay's aperture may have been cut off");
}

Test(uefi_config, warns_of_a_low_window_that_aarch64_firmware_maps_wrongly)
{
	static const MemoryRange wrong[] = {
		{ 0xe0000000, 0xf0000000 },  /* ends below 4 GiB */
		{ 0xf8000000, 0x100000000 }, /* without the device's page */
		{ 0xeffee000, 0x100000000 },
	};

	inputs.arch = GUEST_ARCH_AARCH64;
	for (size_t i = 0; i < ARRAY_COUNT(wrong); i++) {
		diagnostics.count = 0;
		inputs.low = wrong[i];
		build();
		cr_assert(warned(PVW_UEFI_0014, "0xeffed000 inside"), "window %zu", i);
	}
	diagnostics.count = 0;
	inputs.low = (MemoryRange){ 0xeffed000, 4 * GIB };
	build();
	cr_assert_eq(diagnostics.count, 0u);
}

/*
 * Processors.
 */

Test(uefi_config, counts_processors)
{
	build();
	cr_assert_eq(decoded.max_processors, 4u);
	cr_assert_eq(decoded.processors, 4u);
	cr_assert_eq(decoded.per_socket, 4u, "3 rounded up to a power of two");
	cr_assert_eq(decoded.threads, 1u);
}

Test(uefi_config, counts_two_threads_with_smt)
{
	topology.smt = true;
	build();
	cr_assert_eq(decoded.threads, 2u);
}

Test(uefi_config, refuses_counts_that_smbios_cannot_hold)
{
	topology.count = 0;
	expect_refusal(PVW_UEFI_0007, "0 processors");
	topology.count = 65536;
	expect_refusal(PVW_UEFI_0007, "65536 processors");
	topology.count = 65535;
	topology.reserved_vps_per_socket = 0;
	expect_refusal(PVW_UEFI_0007, "sockets of 0");
	topology.reserved_vps_per_socket = 65536;
	expect_refusal(PVW_UEFI_0007, "sockets of 65536");
	topology.reserved_vps_per_socket = 32768;
	build();
}

/*
 * ACPI tables.
 */

Test(uefi_config, carries_tables_cut_to_their_own_length)
{
	say_everything();
	build();
	cr_assert_eq(uefi_decode_table(&decoded, "SSDT", 0).len, 40u);
	cr_assert_eq(uefi_decode_table(&decoded, "SSDT", 1).len, 41u);
	cr_assert_eq(uefi_decode_table(&decoded, "SLIT", 0).len, 45u);
	cr_assert_eq(uefi_decode_find(&decoded, 0x16, 1)->payload.len, 48u, "41 and padding");
	cr_assert_arr_eq(
		uefi_decode_table(&decoded, "APIC", 0).data, inputs.madt.data, inputs.madt.len);
	cr_assert_arr_eq(
		uefi_decode_table(&decoded, "SRAT", 0).data, inputs.srat.data, inputs.srat.len);
}

Test(uefi_config, takes_the_hosts_madt_and_srat_instead_of_ours)
{
	host_tables[0] = table("SRAT", 100, 100);
	host_tables[1] = table("APIC", 200, 200);
	settings.acpi_table_count = 2;
	inputs.madt = inputs.srat = (Bytes){ 0 };
	build();
	cr_assert_eq(uefi_decode_table(&decoded, "APIC", 0).len, 200u);
	cr_assert_eq(uefi_decode_table(&decoded, "SRAT", 0).len, 100u);
	cr_assert_eq(uefi_decode_table(&decoded, "APIC", 1).len, 0u);
	cr_assert_eq(uefi_decode_table(&decoded, "SRAT", 1).len, 0u);
}

Test(uefi_config, ignores_the_hosts_tables_when_isolated)
{
	say_everything();
	host_tables[0] = table("APIC", 200, 200);
	host_tables[1] = table("BAD!", 4, 0);
	inputs.isolated = true;
	build();
	cr_assert_eq(uefi_decode_table(&decoded, "APIC", 0).len, 45u);
	cr_assert_null(uefi_decode_find(&decoded, 0x16, 4));
	cr_assert_eq(uefi_decode_table(&decoded, "SLIT", 0).len, 45u, "igvm parameters stay");
	cr_assert_eq(uefi_decode_table(&decoded, "PPTT", 0).len, 40u);
}

Test(uefi_config, finds_host_tables_by_signature)
{
	host_tables[0] = table("APIC", 35, 35);
	host_tables[1] = table("SRAT", 36, 36);
	settings.acpi_table_count = 2;
	cr_assert_not(uefi_config_has_host_table(&settings, false, "APIC"), "too short");
	cr_assert(uefi_config_has_host_table(&settings, false, "SRAT"));
	cr_assert_not(uefi_config_has_host_table(&settings, true, "SRAT"));
	cr_assert_not(uefi_config_has_host_table(&settings, false, "HMAT"));
}

static const struct {
	const char *signature;
	uint32_t x86, arm64;
} record_types[] = {
	{ "SRAT", 0x02, 0x02 },
	{ "APIC", 0x18, 0x18 },
	{ "SLIT", 0x20, 0x20 },
	{ "ASPT", 0x21, 0x16 },
	{ "PPTT", 0x22, 0x22 },
	{ "MCFG", 0x24, 0x24 },
	{ "SSDT", 0x25, 0x25 },
	{ "HMAT", 0x26, 0x26 },
	{ "IORT", 0x27, 0x27 },
	{ "CEDT", 0x16, 0x16 },
};

static void expect_record_type(GuestArch arch, const char *signature, uint32_t type)
{
	inputs.arch = arch;
	inputs.low.start = 0xe0000000;
	host_tables[0] = table(signature, 36, 36);
	settings.acpi_table_count = 1;
	build();
	cr_assert_eq(
		decoded.records[2].type, type, "%s: 0x%x", signature, decoded.records[2].type);
}

Test(uefi_config, numbers_tables_for_firmware_that_knows_no_generic_record)
{
	settings.uefi.acpi_records = UEFI_ACPI_RECORDS_TYPED;
	for (size_t i = 0; i < ARRAY_COUNT(record_types); i++) {
		expect_record_type(
			GUEST_ARCH_X86_64, record_types[i].signature, record_types[i].x86);
		expect_record_type(
			GUEST_ARCH_AARCH64, record_types[i].signature, record_types[i].arm64);
	}
}

Test(uefi_config, uses_the_generic_record_for_all_tables)
{
	for (size_t i = 0; i < ARRAY_COUNT(record_types); i++)
		expect_record_type(GUEST_ARCH_X86_64, record_types[i].signature, 0x16);
}

Test(uefi_config, refuses_tables_whose_header_lies)
{
	static const struct {
		size_t len;
		uint32_t length;
		const char *word;
	} cases[] = {
		{ 0, 0, "0 bytes, expected a header of 36" },
		{ 35, 35, "35 bytes, expected a header of 36" },
		{ 36, 35, "header length 35" },
		{ 36, 0, "header length 0" },
		{ 36, 37, "header length 37, expected 36 to 36" },
		{ 64, 0xffffffff, "header length 4294967295" },
	};

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		settings.acpi_table_count = 1;
		host_tables[0] = table("SSDT", cases[i].len, cases[i].length);
		expect_refusal(PVW_UEFI_0006, cases[i].word);
		settings.acpi_table_count = 0;
		if (cases[i].len == 0)
			continue;
		inputs.slit = table("SLIT", cases[i].len, cases[i].length);
		expect_refusal(PVW_UEFI_0006, cases[i].word);
		inputs.slit.len = 0;
	}
}

Test(uefi_config, refuses_to_leave_out_madt_or_srat)
{
	const Bytes madt = inputs.madt;

	inputs.madt = (Bytes){ 0 };
	expect_refusal(PVW_UEFI_0006, "madt: 0 bytes");
	inputs.madt = madt;
	inputs.srat = (Bytes){ 0 };
	expect_refusal(PVW_UEFI_0006, "srat: 0 bytes");
}

Test(uefi_config, refuses_parameters_signed_otherwise)
{
	inputs.slit = table("PPTT", 40, 40);
	expect_refusal(PVW_UEFI_0006, "signed \"PPTT\", expected SLIT");
	inputs.slit = (Bytes){ 0 };
	inputs.pptt = table("SLIT", 40, 40);
	expect_refusal(PVW_UEFI_0006, "signed \"SLIT\", expected PPTT");
}

Test(uefi_config, says_which_host_table_is_bad)
{
	Bytes blob;
	Error err;

	host_tables[0] = table("DSDT", 36, 36);
	host_tables[1] = table("SSDT", 36, 37);
	settings.acpi_table_count = 2;
	cr_assert_not(uefi_config_build(&inputs, arena, &blob, &diagnostics, &err));
	cr_assert_str_eq(err.source, "settings.acpi_tables[1]");
	cr_assert_eq(diagnostics.count, 1u);
	cr_assert_str_eq(diagnostics.items[0].what.source, "settings.acpi_tables[0]");
}

Test(uefi_config, warns_of_tables_that_the_firmware_completes)
{
	static const char *const signatures[] = { "DSDT", "FACP", "OEM0", "SPCR", "WDAT" };

	for (size_t i = 0; i < ARRAY_COUNT(signatures); i++)
		host_tables[i] = table(signatures[i], 36, 36);
	settings.acpi_table_count = ARRAY_COUNT(signatures);
	build();
	for (size_t i = 0; i < ARRAY_COUNT(signatures); i++) {
		char word[32];

		snprintf(word, sizeof(word), "host table %s,", signatures[i]);
		cr_assert(warned(PVW_UEFI_0015, word), "%s", signatures[i]);
	}
	cr_assert_eq(diagnostics.count, ARRAY_COUNT(signatures));
}

Test(uefi_config, refuses_more_than_firmware_has_room_for)
{
	host_tables[0] = table("SSDT", UEFI_CONFIG_MAX - 1024, UEFI_CONFIG_MAX - 1024);
	settings.acpi_table_count = 1;
	build();
	host_tables[1] = table("SSDT", 1024, 1024);
	settings.acpi_table_count = 2;
	expect_refusal(PVW_UEFI_0002, "expected at most 4194304");
}

Test(uefi_config, refuses_lengths_that_no_sum_holds)
{
	settings.smbios.serial_number.len = SIZE_MAX - 4;
	settings.smbios.base_board_serial.len = SIZE_MAX - 4;
	expect_refusal(PVW_UEFI_0002, "18446744073709551615");
}

/*
 * Flags.
 */

#define ALWAYS UINT64_C(0x12002000) /* bits 13, 25, 28 */

static uint64_t flags_of(bool isolated)
{
	return uefi_config_flags(&settings, isolated);
}

Test(uefi_config, always_sets_three_flags)
{
	settings.uefi.memory_protection = MEMORY_PROTECTION_DISABLED;
	cr_assert_eq(flags_of(false), ALWAYS);
}

Test(uefi_config, sets_a_flag_for_each_setting)
{
	static const struct {
		size_t at;
		int bit;
	} rows[] = {
		{ offsetof(PlatformSettings, chipset.com1), 0 },
		{ offsetof(PlatformSettings, chipset.com2), 0 },
		{ offsetof(PlatformSettings, uefi.pause_after_boot_failure), 1 },
		{ offsetof(PlatformSettings, uefi.pxe_ip_v6), 2 },
		{ offsetof(PlatformSettings, uefi.firmware_debugging), 3 },
		{ offsetof(PlatformSettings, chipset.tpm), 5 },
		{ offsetof(PlatformSettings, uefi.hibernation), 6 },
		{ offsetof(PlatformSettings, chipset.battery), 10 },
		{ offsetof(PlatformSettings, uefi.disable_frontpage), 14 },
		{ offsetof(PlatformSettings, uefi.default_boot_always_attempt), 15 },
		{ offsetof(PlatformSettings, uefi.vpci_boot), 17 },
		{ offsetof(PlatformSettings, chipset.processor_idle), 18 },
		{ offsetof(PlatformSettings, uefi.media_present_by_default), 20 },
		{ offsetof(PlatformSettings, uefi.watchdog), 24 },
		{ offsetof(PlatformSettings, uefi.cxl_memory), 27 },
		{ offsetof(PlatformSettings, uefi.force_dma_bounce), 32 },
	};

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		bool on = true;

		memset(&settings, 0, sizeof(settings));
		memcpy((char *)&settings + rows[i].at, &on, sizeof(on));
		cr_assert_eq(flags_of(false), ALWAYS | UINT64_C(1) << rows[i].bit, "bit %d",
			rows[i].bit);
	}
}

Test(uefi_config, leaves_some_flags_alone)
{
	const uint64_t never = UINT64_C(1) << 4 | 1 << 9 | 1 << 11 | 1 << 12 | 1 << 16 |
		1 << 19 | 1 << 26 | 1 << 29 | UINT64_C(1) << 30 | UINT64_C(1) << 31;

	memset(&settings.uefi, 1, offsetof(UefiSettings, vpci_instance_filter));
	settings.uefi.secure_boot_template = SECURE_BOOT_TEMPLATE_NONE;
	settings.uefi.console = CONSOLE_NONE;
	settings.uefi.memory_protection = MEMORY_PROTECTION_STRICT;
	settings.uefi.disable_sha384_pcr = true;
	cr_assert_eq(flags_of(true) & never, 0u);
	cr_assert_eq(flags_of(true) >> 34, 0u);
}

Test(uefi_config, tells_imc_only_to_the_isolated)
{
	settings.uefi.imc = true;
	cr_assert_eq(flags_of(false) & 1 << 23, 0u);
	cr_assert_neq(flags_of(true) & 1 << 23, 0u);
}

Test(uefi_config, states_the_console)
{
	for (uint64_t mode = 0; mode < 4; mode++) {
		settings.uefi.console = (ConsoleMode)mode;
		cr_assert_eq(flags_of(false) >> 7 & 3, mode);
	}
}

/* Modes: 0 disabled, 1 default, 2 strict, 3 relaxed. */
Test(uefi_config, protects_memory_as_the_template_allows)
{
	static const struct {
		bool secure_boot;
		SecureBootTemplate template;
		bool isolated;
		int expected[4];
	} cases[] = {
		{ false, SECURE_BOOT_TEMPLATE_NONE, false, { 0, 3, 3, 3 } },
		{ true, SECURE_BOOT_TEMPLATE_MICROSOFT_UEFI_CA, false, { 0, 3, 3, 3 } },
		{ false, SECURE_BOOT_TEMPLATE_MICROSOFT_WINDOWS, false, { 0, 3, 3, 3 } },
		{ true, SECURE_BOOT_TEMPLATE_MICROSOFT_WINDOWS, false, { 0, 1, 2, 3 } },
		{ true, SECURE_BOOT_TEMPLATE_MICROSOFT_WINDOWS, true, { 1, 1, 2, 1 } },
		{ false, SECURE_BOOT_TEMPLATE_NONE, true, { 3, 3, 3, 3 } },
	};

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		settings.uefi.secure_boot = cases[i].secure_boot;
		settings.uefi.secure_boot_template = cases[i].template;
		for (int mode = 0; mode < 4; mode++) {
			settings.uefi.memory_protection = (MemoryProtection)mode;
			cr_assert_eq((int)(flags_of(cases[i].isolated) >> 21 & 3),
				cases[i].expected[mode], "case %zu, mode %d", i, mode);
		}
	}
}

Test(uefi_config, puts_its_flags_into_the_blob)
{
	settings.chipset.com1 = true;
	settings.uefi.imc = true;
	inputs.isolated = true;
	build();
	cr_assert_eq(decoded.flags, flags_of(true));
	cr_assert_neq(decoded.flags & 1 << 23, 0u);
}

Test(uefi_config, gives_equal_bytes_for_equal_inputs)
{
	const Bytes once = build();
	const Bytes again = build();

	cr_assert_eq(once.len, again.len);
	cr_assert_arr_eq(once.data, again.data, once.len);
}

Test(uefi_config, reports_the_end_of_memory)
{
	size_t refused = 0;

	say_everything();
	for (size_t limit = 0; limit < 8192; limit += 16) {
		Arena *small = arena_new(limit);
		Bytes blob;
		Error err = { 0 };

		if (!uefi_config_build(&inputs, small, &blob, &diagnostics, &err)) {
			cr_assert_eq(err.diagnostic, PVW_MEM_0001, "%s", err.text);
			refused++;
		}
		arena_free(small);
	}
	cr_assert_gt(refused, 0u);
	cr_assert_lt(refused, 8192u / 16);
}
