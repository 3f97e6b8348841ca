#include <criterion/criterion.h>
#include <string.h>

#include "loaders/pcat_config.h"
#include "support/diagnostics.h"

#define MIB UINT64_C(0x100000)
#define GIB UINT64_C(0x40000000)
#define TIB UINT64_C(0x10000000000)

static Bytes text(const char *s)
{
	return (Bytes){ (const uint8_t *)s, strlen(s) };
}

/* One guest, whose parts a test may change before it asks. */
typedef struct Guest {
	MemoryRange ram[3];
	VirtualProcessor vps[3];
	ProcessorTopology topology;
	PlatformSettings settings;
	PcatConfigInputs in;
	Arena *arena;
} Guest;

static const uint8_t srat[] = { 'S', 'R', 'A', 'T', 1 };

static Guest *guest_new(void)
{
	static Guest g;

	g = (Guest){
		.ram = { { 0, 0xf8000000 }, { 4 * GIB, 63 * GIB }, { 64 * GIB, 100 * GIB } },
		.vps = { { .apic_id = 0 }, { .apic_id = 1 }, { .apic_id = 4 } },
		.arena = arena_new(1 << 16),
	};
	g.topology = (ProcessorTopology){ .vps = g.vps, .count = 3 };
	g.settings.pcat.boot_order[0] = PCAT_BOOT_FLOPPY;
	g.settings.pcat.boot_order[1] = PCAT_BOOT_OPTICAL;
	g.settings.pcat.boot_order[2] = PCAT_BOOT_HARD_DRIVE;
	g.settings.pcat.boot_order[3] = PCAT_BOOT_NETWORK;
	g.in = (PcatConfigInputs){
		.ram = { g.ram, 3 },
		.low = { 0xf8000000, FOUR_GIB },
		.high = { 63 * GIB, 64 * GIB },
		.topology = &g.topology,
		.settings = &g.settings,
		.srat = { srat, sizeof(srat) },
	};
	return &g;
}

static PcatConfig build(Guest *g)
{
	PcatConfig config;
	Error err;

	cr_assert(pcat_config_build(&g->in, g->arena, &config, &err), "%s", err.text);
	return config;
}

static void refuse(Guest *g, uint16_t diagnostic, const char *word)
{
	PcatConfig config = { .first_block_kib = 77 };
	Error err = { 0 };

	cr_assert_not(pcat_config_build(&g->in, g->arena, &config, &err));
	cr_assert_eq(err.diagnostic, diagnostic, "%s: %s", diagnostic_row(err.diagnostic)->name,
		err.text);
	cr_assert_not_null(strstr(err.text, word), "%s", err.text);
	cr_assert_eq(config.first_block_kib, 77);
	arena_free(g->arena);
}

/* ---- memory ---- */

Test(pcat_config, tells_memory_in_the_units_of_each_register)
{
	Guest *g = guest_new();
	const PcatConfig config = build(g);

	cr_assert_eq(config.first_block_kib, 0xf8000000 / 1024);
	cr_assert_eq(config.below_gap_mib, 3968);
	cr_assert_eq(config.above_4gib_mib, (59 + 36) * 1024);
	cr_assert_eq(config.above_high_mib, 36 * 1024);
	cr_assert_eq(config.pci_io_gap_start, 0xf8000000);
	cr_assert_eq(config.high_gap_base_mib, 63 * 1024);
	cr_assert_eq(config.high_gap_length_mib, 1023);
	arena_free(g->arena);
}

/* A range that ends at 4 GiB, or lies across it, counts as above. */
Test(pcat_config, parts_memory_by_where_a_range_ends)
{
	Guest *g = guest_new();

	g->ram[0] = (MemoryRange){ 0, 2 * GIB };
	g->ram[1] = (MemoryRange){ 3 * GIB, 4 * GIB };
	g->ram[2] = (MemoryRange){ 4 * GIB, 5 * GIB };
	g->in.low = (MemoryRange){ 2 * GIB, 3 * GIB };

	const PcatConfig config = build(g);

	cr_assert_eq(config.below_gap_mib, 2048);
	cr_assert_eq(config.above_4gib_mib, 2048);
	cr_assert_eq(config.above_high_mib, 0);
	arena_free(g->arena);
}

Test(pcat_config, sums_bytes_before_it_rounds)
{
	Guest *g = guest_new();

	g->ram[0] = (MemoryRange){ 0, 0x180000 };
	g->ram[1] = (MemoryRange){ 0x200000, 0x380000 };
	g->in.ram.count = 2;

	cr_assert_eq(build(g).below_gap_mib, 3);
	cr_assert_eq(build(g).first_block_kib, 1536);
	arena_free(g->arena);
}

Test(pcat_config, lists_ram_behind_the_first_range)
{
	Guest *g = guest_new();
	const PcatConfig config = build(g);

	cr_assert_eq(config.e820_count, 2);
	cr_assert_eq(config.e820[0].head, 1 | 4 | (59 * 1024) << 3);
	cr_assert_eq(config.e820[0].base_low, 0);
	cr_assert_eq(config.e820[0].base_high, 1);
	cr_assert_eq(config.e820[1].head, 1 | (36 * 1024) << 3);
	cr_assert_eq(config.e820[1].base_high, 16);
	arena_free(g->arena);
}

Test(pcat_config, lists_nothing_behind_a_single_range)
{
	Guest *g = guest_new();

	g->in.ram.count = 1;
	cr_assert_eq(build(g).e820_count, 0);
	arena_free(g->arena);
}

Test(pcat_config, cuts_a_length_that_29_bits_cannot_hold)
{
	Guest *g = guest_new();

	g->ram[1].end = g->ram[1].start + 600 * TIB;
	g->in.high = (MemoryRange){ 1000 * TIB, 1001 * TIB };
	g->in.ram.count = 2;

	cr_assert_eq(build(g).e820[0].head, 1 | UINT32_C(0x1fffffff) << 3);
	arena_free(g->arena);
}

Test(pcat_config, refuses_a_guest_without_one_of_the_windows)
{
	Guest *g = guest_new();

	g->in.high = MEMORY_RANGE_EMPTY;
	refuse(g, PVW_PCAT_0001, "high mmio window");
	g = guest_new();
	g->in.low = MEMORY_RANGE_EMPTY;
	refuse(g, PVW_PCAT_0001, "low mmio window");
}

Test(pcat_config, refuses_values_that_no_register_holds)
{
	Guest *g = guest_new();

	g->in.ram.count = 0;
	refuse(g, PVW_PCAT_0002, "no ram");
	g = guest_new();
	g->in.low = (MemoryRange){ 4 * GIB, 5 * GIB };
	refuse(g, PVW_PCAT_0002, "low mmio window starts at 0x100000000");
	g = guest_new();
	g->in.high.end = g->in.high.start + MIB - PAGE_SIZE;
	refuse(g, PVW_PCAT_0002, "at least 1 MiB");
	g = guest_new();
	g->ram[0].end = 4 * TIB;
	refuse(g, PVW_PCAT_0002, "less than 4 TiB");
	g = guest_new();
	g->ram[1].end = g->ram[1].start + (UINT64_C(1) << 52);
	refuse(g, PVW_PCAT_0002, "ram above 4 GiB is 0x");
	g = guest_new();
	g->ram[1] = (MemoryRange){ 4 * GIB, UINT64_MAX - 4095 };
	g->ram[2] = (MemoryRange){ 4 * GIB, UINT64_MAX - 4095 };
	refuse(g, PVW_PCAT_0002, "wraps");
	g = guest_new();
	g->in.high = (MemoryRange){ UINT64_C(1) << 52, (UINT64_C(1) << 52) + GIB };
	refuse(g, PVW_PCAT_0002, "start of the high window");
	g = guest_new();
	g->in.high = (MemoryRange){ 4 * GIB, 4 * GIB + (UINT64_C(1) << 52) };
	refuse(g, PVW_PCAT_0002, "the high window is 0x10000000000000 bytes");
}

/* ---- memory maps of all sizes, counted in a wider type ---- */

__extension__ typedef unsigned __int128 Wide;

static uint64_t seed = UINT64_C(0x9e3779b97f4a7c15);

static uint64_t draw(uint64_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (seed >> 11) % below;
}

/* A page near 0, 4 GiB, the limits of the registers or the end, or anywhere. */
static uint64_t draw_page(void)
{
	static const uint64_t near[] = { 0, MIB, 4 * GIB, 4 * TIB, UINT64_C(1) << 52,
		UINT64_MAX - 0xffff };
	const uint64_t at = draw(2) ? near[draw(ARRAY_COUNT(near))] : draw(UINT64_MAX) << 11;

	return ((at >> (draw(3) ? 0 : draw(40))) & ~UINT64_C(0xfff)) + draw(9) * 0x1000;
}

static MemoryRange draw_range(void)
{
	const uint64_t a = draw_page(), b = draw_page();

	return a < b ? (MemoryRange){ a, b } : (MemoryRange){ b, a };
}

/* What a register must say, -1 if it cannot. */
static int64_t mib_or_refusal(Wide bytes)
{
	return bytes >> 52 ? -1 : (int64_t)(bytes >> 20);
}

typedef struct Sums {
	Wide below, above, behind;
} Sums;

static Sums draw_memory(Guest *g)
{
	Sums sums = { 0 };

	g->in.low = draw_range();
	g->in.high = draw_range();
	g->in.ram.count = draw(4);
	for (size_t i = 0; i < g->in.ram.count; i++) {
		const MemoryRange range = draw_range();
		const Wide len = range.end - range.start;

		g->ram[i] = range;
		sums.below += range.end < FOUR_GIB ? len : 0;
		sums.above += range.end >= FOUR_GIB ? len : 0;
		sums.behind += range.start >= g->in.high.end ? len : 0;
	}
	return sums;
}

static bool can_be_told(const Guest *g, Sums sums)
{
	const MemoryRange low = g->in.low, high = g->in.high;

	return g->in.ram.count && g->ram[0].end - g->ram[0].start < 4 * TIB &&
		low.start < low.end && low.start < FOUR_GIB && high.end - high.start >= MIB &&
		mib_or_refusal(sums.below) >= 0 && mib_or_refusal(sums.above) >= 0 &&
		mib_or_refusal(sums.behind) >= 0 && mib_or_refusal(high.start) >= 0 &&
		mib_or_refusal(high.end - high.start) >= 0;
}

Test(pcat_config, counts_every_map_or_refuses_it)
{
	unsigned answered = 0;

	for (unsigned i = 0; i < 100000; i++) {
		Guest *g = guest_new();
		const Sums sums = draw_memory(g);
		const bool fits = can_be_told(g, sums);
		PcatConfig config = { .first_block_kib = 77 };
		Error err = { 0 };

		cr_assert_eq(pcat_config_build(&g->in, g->arena, &config, &err), fits, "%s",
			err.text);
		if (!fits) {
			cr_assert(err.diagnostic == PVW_PCAT_0001 ||
				err.diagnostic == PVW_PCAT_0002);
			cr_assert_eq(config.first_block_kib, 77);
		} else {
			const uint64_t high_len = g->in.high.end - g->in.high.start;

			answered++;
			cr_assert_eq(config.below_gap_mib, mib_or_refusal(sums.below));
			cr_assert_eq(config.above_4gib_mib, mib_or_refusal(sums.above));
			cr_assert_eq(config.above_high_mib, mib_or_refusal(sums.behind));
			cr_assert_eq(config.pci_io_gap_start, g->in.low.start);
			cr_assert_eq(config.high_gap_base_mib, g->in.high.start >> 20);
			cr_assert_eq(config.high_gap_length_mib, (high_len >> 20) - 1);
			cr_assert_eq(config.e820_count, g->in.ram.count - 1);
		}
		arena_free(g->arena);
	}
	cr_assert_gt(answered, 500, "%u", answered);
}

/* ---- boot order ---- */

#define F PCAT_BOOT_FLOPPY
#define O PCAT_BOOT_OPTICAL
#define H PCAT_BOOT_HARD_DRIVE
#define N PCAT_BOOT_NETWORK

Test(pcat_config, puts_priorities_where_the_bios_looks_for_them)
{
	static const struct {
		PcatBootDevice order[4];
		bool detached[4]; /* by kind: F, O, H, N */
		uint32_t value;
	} rows[] = {
		{ { F, O, H, N }, { false }, 0x76543210 },
		{ { N, F, O, H }, { [O] = true, [H] = true }, 0x76543201 },
		{ { N, F, O, H }, { [H] = true }, 0x76543021 },
		{ { F, O, H, N }, { true, true, true, true }, 0x76543210 },
		{ { N, H, O, F }, { false }, 0x76540123 },
		{ { H, N, F, O }, { false }, 0x76541032 },
	};

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
		cr_expect_eq(pcat_boot_order(rows[i].order, rows[i].detached), rows[i].value,
			"row %zu: %08x", i, pcat_boot_order(rows[i].order, rows[i].detached));
}

Test(pcat_config, refuses_an_order_that_does_not_name_each_kind_once)
{
	Guest *g = guest_new();

	g->settings.pcat.boot_order[3] = PCAT_BOOT_FLOPPY;
	refuse(g, PVW_PCAT_0006, "boot device 3");
	g = guest_new();
	g->settings.pcat.boot_order[1] = PCAT_BOOT_DEVICE_COUNT;
	refuse(g, PVW_PCAT_0006, "kind 4");
}

/* ---- identity ---- */

Test(pcat_config, pads_strings_with_spaces_and_cuts_them_at_32)
{
	Guest *g = guest_new();

	g->settings.smbios.serial_number = text("ABC");
	g->settings.smbios.chassis_asset_tag = text("0123456789012345678901234567890123456789");
	g->settings.smbios.bios_lock = (Bytes){ (const uint8_t *)"a\0b", 3 };

	const PcatConfig config = build(g);

	cr_assert_arr_eq(config.strings[PCAT_STRING_SYSTEM_SERIAL],
		"ABC                             ", 32);
	cr_assert_arr_eq(config.strings[PCAT_STRING_BASE_BOARD_SERIAL],
		"                                ", 32);
	cr_assert_arr_eq(config.strings[PCAT_STRING_CHASSIS_ASSET_TAG],
		"01234567890123456789012345678901", 32);
	cr_assert_arr_eq(
		config.strings[PCAT_STRING_BIOS_LOCK], "a\0b                             ", 32);
	arena_free(g->arena);
}

Test(pcat_config, tells_processors_sleep_states_and_num_lock)
{
	Guest *g = guest_new();

	cr_assert_eq(build(g).sleep_states, 0);
	g->settings.uefi.hibernation = true;
	g->settings.pcat.num_lock = true;

	const PcatConfig config = build(g);

	cr_assert_eq(config.sleep_states, 8);
	cr_assert(config.num_lock);
	cr_assert_eq(config.processor_count, 3);
	cr_assert_eq(config.apic_ids[2], 4);
	arena_free(g->arena);
}

/* The fixed part and its strings, as the reference writes them. */
static const uint8_t unknown_intel[] =
	"\x04\x23\0\0\x01\x03\x02\x02\0\0\0\0\0\0\0\0\x03\x01\0\0\0\0\0\0"
	"\x41\x06\xff\xff\xff\xff\xff\xff\x01\x01\x01"
	"None\0GenuineIntel\0Intel(R) Xeon(R)\0";
static const uint8_t xeon[] =
	"\x04\x23\0\0\x01\x03\xb3\x02\0\0\0\0\0\0\0\0\x03\x8c\x64\0\xa0\x0f\x28\x0a"
	"\x41\x06\xff\xff\xff\xff\xff\xff\x01\x01\x01"
	"None\0None\0Intel(R) Xeon(R)\0";

static void expect_record(
	const SmbiosSettings *smbios, const uint8_t *start, size_t len, const char *name)
{
	uint8_t record[PCAT_CPU_RECORD_SIZE];

	pcat_cpu_record(smbios, record);
	cr_assert_arr_eq(record, start, len, "%s", name);
	for (size_t i = len; i < PCAT_CPU_RECORD_SIZE - 2; i++)
		cr_assert_eq(record[i], ' ', "%s: byte %zu", name, i);
	cr_assert_eq(record[121], 0);
	cr_assert_eq(record[122], 0);
}

Test(pcat_config, describes_the_processor)
{
	const SmbiosSettings plain = {
		.processor_manufacturer = { (const uint8_t *)"GenuineIntel", 13 },
		.processor_version = text("Intel(R) Xeon(R)"),
	};
	const SmbiosSettings full = {
		.processor_version = text("Intel(R) Xeon(R)"),
		.processor_family2 = 0x1b3,
		.voltage = 140,
		.external_clock = 100,
		.max_speed = 4000,
		.current_speed = 2600,
	};

	expect_record(&plain, unknown_intel, sizeof(unknown_intel) - 1, "plain");
	expect_record(&full, xeon, sizeof(xeon) - 1, "full");
}

Test(pcat_config, keeps_a_lone_nul_as_an_empty_string)
{
	const SmbiosSettings smbios = { .processor_manufacturer = { (const uint8_t *)"", 1 },
		.processor_version = { (const uint8_t *)"", 1 } };
	uint8_t record[PCAT_CPU_RECORD_SIZE];

	pcat_cpu_record(&smbios, record);
	cr_assert_arr_eq(&record[35], "None\0\0\0  ", 9);
}

static char letters[100];

static SmbiosSettings of_lengths(size_t manufacturer, size_t version)
{
	memset(letters, 'x', sizeof(letters));
	return (SmbiosSettings){
		.processor_manufacturer = { (const uint8_t *)letters, manufacturer },
		.processor_version = { (const uint8_t *)letters, version },
	};
}

Test(pcat_config, keeps_strings_that_fit_together_and_cuts_those_that_do_not)
{
	uint8_t record[PCAT_CPU_RECORD_SIZE];
	const uint8_t *area = &record[35];
	SmbiosSettings smbios = of_lengths(60, 20); /* 61 + 21 = 82: fits */

	pcat_cpu_record(&smbios, record);
	cr_assert_eq(area[5 + 59], 'x');
	cr_assert_eq(area[5 + 60], 0);
	cr_assert_eq(area[5 + 61 + 19], 'x');
	cr_assert_eq(area[86], 0);
	cr_assert_eq(area[87], 0);

	smbios = of_lengths(60, 21); /* 83: the manufacturer is cut to 16 */
	pcat_cpu_record(&smbios, record);
	cr_assert_eq(area[5 + 15], 'x');
	cr_assert_eq(area[5 + 16], 0);
	cr_assert_eq(area[5 + 17 + 20], 'x');
	cr_assert_eq(area[5 + 17 + 21], 0);

	smbios = of_lengths(100, 100);
	pcat_cpu_record(&smbios, record);
	cr_assert_eq(area[5 + 16], 0);
	cr_assert_eq(area[5 + 17 + 63], 'x');
	cr_assert_eq(area[86], 0);
	cr_assert_eq(area[87], 0);
}

/* ---- the artifact ---- */

static uint32_t u32_at(Bytes bytes, size_t at)
{
	return bytes.data[at] | (uint32_t)bytes.data[at + 1] << 8 |
		(uint32_t)bytes.data[at + 2] << 16 | (uint32_t)bytes.data[at + 3] << 24;
}

Test(pcat_config, writes_an_artifact_at_known_offsets)
{
	Guest *g = guest_new();
	PcatConfig config;
	Bytes out;
	Error err;

	g->settings.bios_guid.bytes[15] = 0xee;
	g->settings.smbios.bios_lock = text("LOCK");
	g->settings.pcat.num_lock = true;
	g->settings.uefi.hibernation = true;
	config = build(g);

	cr_assert(pcat_config_write(&config, g->arena, &out, &err), "%s", err.text);

	cr_assert_eq(out.len, 364 + 3 * 4 + 2 * 12 + sizeof(srat));
	cr_assert_arr_eq(out.data, "PVWPCAT1", 8);
	cr_assert_eq(u32_at(out, 8), out.len);
	cr_assert_eq(u32_at(out, 12), 0xf8000000 / 1024);
	cr_assert_eq(u32_at(out, 16), 1);
	cr_assert_eq(out.data[20 + 15], 0xee);
	cr_assert_arr_eq(&out.data[36 + 4 * 32], "LOCK ", 5);
	cr_assert_eq(u32_at(out, 196), 0x76543210);
	cr_assert_eq(u32_at(out, 200), 95 * 1024);
	cr_assert_eq(u32_at(out, 204), 8);
	cr_assert_eq(u32_at(out, 208), 0xf8000000);
	cr_assert_eq(u32_at(out, 212), 36 * 1024);
	cr_assert_eq(u32_at(out, 216), 63 * 1024);
	cr_assert_eq(u32_at(out, 220), 1023);
	cr_assert_eq(u32_at(out, 224), 3968);
	cr_assert_eq(out.data[228], 4);
	cr_assert_eq(u32_at(out, 352), 3);
	cr_assert_eq(u32_at(out, 356), 2);
	cr_assert_eq(u32_at(out, 360), sizeof(srat));
	cr_assert_eq(u32_at(out, 364 + 8), 4);
	cr_assert_eq(u32_at(out, 376), config.e820[0].head);
	cr_assert_eq(u32_at(out, 376 + 12 + 8), 16);
	cr_assert_arr_eq(&out.data[400], srat, sizeof(srat));
	arena_free(g->arena);
}

Test(pcat_config, reports_a_full_arena_at_every_step)
{
	Guest *g = guest_new();
	unsigned failures = 0;

	for (size_t limit = 1; limit < 1024; limit += 8) {
		Arena *arena = arena_new(limit);
		PcatConfig config;
		Error err = { 0 };
		Bytes out;

		if (!pcat_config_build(&g->in, arena, &config, &err) ||
			!pcat_config_write(&config, arena, &out, &err)) {
			cr_assert_eq(err.diagnostic, PVW_MEM_0001);
			failures++;
		}
		arena_free(arena);
	}
	cr_assert_gt(failures, 10);
	cr_assert_lt(failures, 128);
	arena_free(g->arena);
}
