/*
 * Damaged tables through what shows them: text, findings or an error, and nothing worse.
 */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include "acpi/machine.h"
#include "host/acpi_text.h"
#include "host/aml_text.h"
#include "host/text_diff.h"
#include "host/uefi_text.h"
#include "hostile/hostile.h"

#define PARTS 10 /* processes that share the seeds */
#define MAX_TABLES 64
#define ARENA_LIMIT ((size_t)64 << 20)

/*
 * Sound tables: each kind that the builders make, and those that they do not by hand.
 */

typedef struct Sound {
	Bytes tables[MAX_TABLES];
	size_t count;
} Sound;

static const AcpiCxl cxl = { .registers = { 64 * GIB, 64 * GIB + 0x10000 },
	.hdm = { 65 * GIB, 66 * GIB },
	.restrictions = 6 };
static const AcpiBridge bridges[] = {
	{ .end_bus = 255,
		.ecam = { 0xE0000000, 0xF0000000 },
		.low = { 0xD0000000, 0xD8000000 },
		.high = { 32 * GIB, 33 * GIB },
		.cxl = &cxl,
		.has_vnode = true,
		.preserve_boot_config = true },
};
static const AcpiBridge plain_bridge = { .end_bus = 255,
	.ecam = { 0xE0000000, 0xF0000000 },
	.low = { 0xD0000000, 0xD8000000 },
	.high = { 32 * GIB, 33 * GIB } };
static const AcpiCache caches[] = {
	{ 1, ACPI_CACHE_DATA, 32768, 8, 64 },
	{ 1, ACPI_CACHE_INSTRUCTION, 32768, 8, 64 },
	{ 3, ACPI_CACHE_UNIFIED, 33554432, 0, 64 },
};
static const AcpiDistances distances = { .node_count = 2 };
static const AcpiGenericInitiator initiator = { .bus = 1, .vnode = 1 };
static const AcpiAmdViUnit amdvi = {
	.device_id = 0x10, .capability_offset = 0x40, .base = 0xFD000000, .end_bus = 255
};
static const AcpiVtdScope scope = { .devfn = 8, .is_bridge = true };
static const AcpiVtdUnit vtd = { .base = 0xFD000000, .scopes = &scope, .scope_count = 1 };
static const MemoryRange reserved = { 0x8000000, 0x8100000 };
static const AcpiSmmu smmu = {
	.base = 0xEFF00000, .event_gsiv = 64, .error_gsiv = 65, .reserved = { &reserved, 1 }
};

static void add_bytes(Sound *sound, const uint8_t *data, size_t len)
{
	uint8_t *copy = malloc(len);

	memcpy(copy, data, len);
	cr_assert(sound->count < MAX_TABLES);
	sound->tables[sound->count++] = (Bytes){ copy, len };
}

static void sound_free(Sound *sound)
{
	for (size_t i = 0; i < sound->count; i++)
		free((void *)(uintptr_t)sound->tables[i].data);
}

/* All that the machine wants, and the machine is gone. */
static void add_tables(Sound *sound, Machine *m)
{
	for (AcpiTableId id = 0; id < ACPI_TABLE_COUNT; id++) {
		Bytes table;

		if (!acpi_table_wanted(id, &m->in))
			continue;
		cr_assert(acpi_build_table(id, &m->in, m->arena, &table, &m->err), "%s",
			m->err.text);
		add_bytes(sound, table.data, table.len);
	}
	machine_free(m);
}

static void describe(Machine *m)
{
	m->in.profile = ACPI_PROFILE_DEFAULT;
	m->in.with_caches = true;
	m->in.caches = caches;
	m->in.cache_count = ARRAY_COUNT(caches);
	m->in.bridges = bridges;
	m->in.bridge_count = ARRAY_COUNT(bridges);
	m->in.distances = &distances;
}

static void add_x86(Sound *sound, AcpiIommuKind kind)
{
	Machine *m = machine_new(3);

	describe(m);
	m->in.initiators = &initiator;
	m->in.initiator_count = 1;
	m->in.with_psp = m->in.with_facs = m->in.with_waet = true;
	m->in.iommu = (AcpiIommu){ .kind = kind,
		.has_ioapic_rid = true,
		.ioapic_rid = 0xA0,
		.pa_bits = 48,
		.va_bits = 48,
		.host_address_width = 48,
		.amdvi = &amdvi,
		.vtd = &vtd,
		.unit_count = 1 };
	add_tables(sound, m);
}

static void add_arm64(Sound *sound, GicMsi msi)
{
	Machine *m = machine_new(3);

	describe(m);
	m->topology.arch = GUEST_ARCH_AARCH64;
	m->topology.arm.msi = msi;
	m->topology.arm.msi_base = 0xEFFC0000;
	m->topology.arm.msi_spi_base = 512;
	m->topology.arm.msi_spi_count = 64;
	m->in.uart_count = 0;
	m->in.with_rtc = false;
	m->in.bridges = &plain_bridge;
	if (msi == GIC_MSI_V2M)
		m->in.iommu =
			(AcpiIommu){ .kind = ACPI_IOMMU_SMMU, .smmu = &smmu, .unit_count = 1 };
	add_tables(sound, m);
}

static void add_hex(Sound *sound, const char *hex)
{
	uint8_t bytes[512];
	unsigned byte;
	size_t len = 0;

	for (; sscanf(hex, "%2x", &byte) == 1; hex += 2)
		bytes[len++] = (uint8_t)byte;
	add_bytes(sound, bytes, len);
}

#define HEX_HEAD                                                                               \
	"014f454d494420"                                                                       \
	"4f454d5441424c45"                                                                     \
	"01000000"                                                                             \
	"54455354"                                                                             \
	"01000000"

static Sound sound_tables(void)
{
	Sound sound = { .count = 0 };

	add_x86(&sound, ACPI_IOMMU_AMDVI);
	add_x86(&sound, ACPI_IOMMU_VTD);
	add_arm64(&sound, GIC_MSI_ITS);
	add_arm64(&sound, GIC_MSI_V2M);
	/* DBG2 with a port, HMAT with an attribute, GTDT with a timer block. */
	add_hex(&sound,
		"44424732"
		"54000000"
		"00" HEX_HEAD "2c000000"
		"01000000"
		"002800010200260000000000008003000000160022000020000300c0feef0000000000"
		"1000002e00");
	add_hex(&sound,
		"484d4154"
		"50000000"
		"02" HEX_HEAD "00000000"
		"0000000028000000010000000000000003000000"
		"0000000000000000000000000000000000000000");
	add_hex(&sound,
		"47544454"
		"a4000000"
		"03" HEX_HEAD
		"ffffffffffffffff00000000000000000000000000000000000000001400000002000000"
		"0000000000000000ffffffffffffffff01000000680000000000000000000000"
		"003c00000000f0ef000000000100000014000000"
		"0000000000001000000000000000000000000000000000000000000000000000"
		"0000000000000000");
	/* A UEFI configuration: count, flags, windows, a map, a table. */
	add_hex(&sound,
		"00000000"
		"10000000"
		"05000000"
		"a8000000"
		"12000000"
		"10000000"
		"8100000001000000"
		"14000000"
		"28000000"
		"00800f0000000000"
		"0080000000000000"
		"0000100000000000"
		"0000000000000000"
		"03000000"
		"38000000"
		"0000000000000000"
		"0000000008000000"
		"0000000000000000"
		"0000000001000000"
		"0000004000000000"
		"0100000000000000"
		"16000000"
		"28000000"
		"57414554"
		"28000000"
		"0100000000000000000000000000000000000000000000000000");
	return sound;
}

/*
 * Through everything that reads tables.
 */

static void check_lines(const AcpiLine *lines, size_t count, size_t len)
{
	for (size_t i = 0; i < count; i++) {
		cr_assert(lines[i].group && lines[i].name && lines[i].value && lines[i].note);
		cr_assert_leq((uint64_t)lines[i].offset + lines[i].size, len);
	}
}

/* -> it was told as a table without an error among its findings */
static bool show(Bytes bytes, Arena *arena)
{
	Diagnostics findings;
	AcpiTableList list;
	AcpiText text;
	UefiText blob;
	Bytes asl;
	Error err;
	bool sound;

	cr_assert(diagnostics_init(&findings, 16, arena, &err));
	if (uefi_text(bytes, arena, &blob, &findings, &err))
		check_lines(blob.lines, blob.count, bytes.len);
	if (acpi_text_split(bytes, 0x1000, arena, &list, &err)) {
		for (size_t i = 0; i < list.count; i++)
			cr_assert(list.items[i].bytes.data + list.items[i].bytes.len <=
				bytes.data + bytes.len);
	}
	findings.count = 0;
	sound = acpi_text(bytes, arena, &text, &findings, &err);
	if (sound) {
		check_lines(text.lines, text.count, bytes.len);
		sound = diagnostics_worst(&findings) != SEVERITY_ERROR;
	} else {
		cr_assert(err.diagnostic == PVW_TABLE_0008 || err.diagnostic == PVW_MEM_0001,
			"%s", err.text);
	}
	if (bytes.len >= 4 && aml_text_is((const char *)bytes.data) &&
		!aml_text(bytes, arena, &asl, &err)) {
		cr_assert(err.diagnostic >= PVW_AML_0001 && err.diagnostic <= PVW_AML_0004,
			"%s", err.text);
		cr_assert_leq(err.offset, bytes.len);
	}
	return sound;
}

/* Exactly as many bytes as there are: what reads beyond them is seen. */
static bool show_copy(const uint8_t *data, size_t len)
{
	Arena *arena = arena_new(ARENA_LIMIT);
	uint8_t *copy = malloc(len ? len : 1);
	bool sound;

	if (len)
		memcpy(copy, data, len);
	sound = show((Bytes){ copy, len }, arena);
	free(copy);
	arena_free(arena);
	return sound;
}

static void show_as_it_is(Bytes table)
{
	if (memcmp(table.data, "\0\0\0\0", 4) != 0)
		cr_assert(show_copy(table.data, table.len), "%.4s", (const char *)table.data);
}

static void show_cuts(Bytes table)
{
	for (size_t len = 0; len < table.len; len++)
		show_copy(table.data, len);
}

/* Every byte, one at a time. */
static void show_wrong_bytes(Bytes table)
{
	static const uint8_t values[] = { 0x00, 0x01, 0x7F, 0x80, 0xFF };
	uint8_t *copy = malloc(table.len);

	memcpy(copy, table.data, table.len);
	for (size_t at = 0; at < table.len && at < 512; at++) {
		for (size_t v = 0; v < sizeof(values); v++) {
			copy[at] = values[v];
			show_copy(copy, table.len);
		}
		copy[at] = table.data[at];
	}
	free(copy);
}

static void run_seed(const Sound *sound, uint64_t seed)
{
	Dice dice = { seed };

	for (size_t i = 0; i < sound->count; i++) {
		const Bytes table = sound->tables[i];
		Clay clay = { malloc(table.len + 1024), table.len, table.len + 1024 };
		const size_t pieces = 1 + dice_below(&dice, 4);

		memcpy(clay.data, table.data, table.len);
		for (size_t piece = 0; piece < pieces; piece++)
			clay_damage(&clay, &dice);
		/* Half of them with a length that is theirs again: what is inside is looked at. */
		if (clay.len >= 8 && dice_below(&dice, 2)) {
			const uint32_t len = (uint32_t)clay.len;

			memcpy(clay.data + 4, &len, sizeof(len));
		}
		show_copy(clay.data, clay.len);
		free(clay.data);
	}
}

/* Nesting, and names of many segments, at their worst: time is in proportion to the bytes. */
static void show_the_worst(void)
{
	static uint8_t table[AML_TEXT_MAX_TABLE];
	const uint32_t len = sizeof(table);

	memcpy(table, "SSDT", 4);
	memcpy(table + 4, &len, sizeof(len));
	/* While (One) {}, again and again */
	for (size_t at = 36; at + 3 <= sizeof(table); at += 3)
		memcpy(table + at, "\xA2\x02\x01", 3);
	show_copy(table, sizeof(table));
	/* a name that is nowhere, looked for from the depth of a scope of 250 names */
	memset(table + 36, 'B', sizeof(table) - 36);
	memset(table + 42, 'A', (size_t)4 * 250);
	memcpy(table + 36, "\x10\x8B\xFD\xFF\x2F\xFA", 6);
	show_copy(table, sizeof(table));
	/* branches that begin as those of externals do */
	for (size_t at = 36; at + 8 <= sizeof(table); at += 8)
		memcpy(table + at, "\xA0\x86\x00\x15", 4);
	show_copy(table, sizeof(table));
}

ParameterizedTestParameters(tables, are_shown_or_refused_whatever_happens_to_them)
{
	static int parts[PARTS];

	for (int i = 0; i < PARTS; i++)
		parts[i] = i;
	return cr_make_param_array(int, parts, PARTS);
}

ParameterizedTest(
	int *part, tables, are_shown_or_refused_whatever_happens_to_them, .timeout = 600)
{
	Sound sound = sound_tables();
	const uint64_t only = hostile_only_seed();

	cr_assert_gt(sound.count, 40);
	for (size_t i = (size_t)*part; i < sound.count && only == UINT64_MAX; i += PARTS) {
		show_as_it_is(sound.tables[i]);
		show_cuts(sound.tables[i]);
		show_wrong_bytes(sound.tables[i]);
	}
	for (uint64_t seed = (uint64_t)*part; seed < hostile_seeds(); seed += PARTS) {
		if (only == UINT64_MAX || only == seed)
			run_seed(&sound, seed);
	}
	if (*part == 0 && only == UINT64_MAX)
		show_the_worst();
	sound_free(&sound);
}
