/*
 * Checks across layers: a sound guest has no findings, and one mistake is found by one check.
 */
#include "host/checks.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <string.h>

#include "bootinfo/boot_info_check.h"
#include "helpers/tree_builder.h"
#include "layout/layout_check.h"

#define MIB UINT64_C(0x100000)

/* A guest's tree, in as few numbers as these tests turn. */
typedef struct Shape {
	bool is_arm64;
	const char *isolation;
	uint32_t second_cpu; /* its id */
	uint64_t ram_end;    /* of the second piece */
	uint64_t low_start;  /* up to 4 GiB; 0: none */
	uint64_t high_len;   /* from 64 GiB */
} Shape;

typedef struct Setup {
	Shape shape;
	FactInputs facts;
	ConfigInputs config;
	PlanInputs plan;
	Diagnostics findings;
	ChannelDemand demands[2];
	Bytes table;
} Setup;

static void add_memory(TreeBuilder *t, uint64_t start, uint64_t end, uint32_t type)
{
	const bool mmio = type == MEMORY_TYPE_VTL0_MMIO;
	char name[40];

	snprintf(name, sizeof(name), "memory@%llx", (unsigned long long)start);
	tree_node(t, name);
	tree_u64s(t, "reg", start, end - start);
	tree_u32(t, "openhcl,memory-type", type);
	if (mmio) {
		tree_u32(t, "openhcl,mmio-role", end <= FOUR_GIB ? 1 : 2);
	} else {
		tree_u32(t, "numa-node-id", 0);
		tree_u32(t, "microsoft,igvm-type", type == MEMORY_TYPE_VTL0 ? 0 : 3);
	}
	tree_end(t);
}

static void add_cpu(TreeBuilder *t, uint32_t index, uint32_t id, bool wide)
{
	char name[16];

	snprintf(name, sizeof(name), "cpu@%x", index + 1);
	tree_node(t, name);
	tree_string(t, "device_type", "cpu");
	tree_string(t, "status", "okay");
	if (wide)
		tree_u64(t, "reg", id);
	else
		tree_u32(t, "reg", id);
	tree_u32(t, "numa-node-id", 0);
	tree_end(t);
}

static void add_openhcl(TreeBuilder *t, const Shape *shape)
{
	tree_node(t, "openhcl");
	tree_string(t, "isolation-type", shape->isolation);
	tree_string(t, "memory-allocation-mode", "host");
	add_memory(t, 0, 0x10000000, MEMORY_TYPE_VTL0);
	add_memory(t, 0x10000000, 0x10001000, MEMORY_TYPE_VTL2_PERSISTED_HEADER);
	add_memory(t, 0x10001000, 0x10014000, MEMORY_TYPE_VTL2_PERSISTED_PROTOBUF);
	add_memory(t, 0x10014000, 0x1003c000, MEMORY_TYPE_VTL2_CONFIG);
	add_memory(t, 0x1003c000, 0x1003d000, MEMORY_TYPE_VTL2_LOG_BUFFER);
	add_memory(t, 0x1003d000, 0x11000000, MEMORY_TYPE_VTL2_RAM);
	add_memory(t, 0x11000000, shape->ram_end, MEMORY_TYPE_VTL0);
	if (shape->low_start)
		add_memory(t, shape->low_start, FOUR_GIB, MEMORY_TYPE_VTL0_MMIO);
	add_memory(t, 0x1000000000, 0x1000000000 + shape->high_len, MEMORY_TYPE_VTL0_MMIO);
	tree_end(t);
}

static Bytes make_tree(Arena *arena, const Shape *shape)
{
	TreeBuilder t = tree_begin(arena);

	tree_node(&t, "cpus");
	tree_u32(&t, "#address-cells", shape->is_arm64 ? 2 : 1);
	tree_u32(&t, "#size-cells", 0);
	add_cpu(&t, 0, 0, shape->is_arm64);
	add_cpu(&t, 1, shape->second_cpu, shape->is_arm64);
	tree_end(&t);
	if (shape->is_arm64) {
		tree_node(&t, "intc@ffff0000");
		tree_string(&t, "compatible", "arm,gic-v3");
		tree_u64s(&t, "reg", 0xffff0000, 0x10000, 0xeffee000, 0x40000);
		tree_u64(&t, "redistributor-stride", 0x20000);
		tree_end(&t);
	}
	tree_node(&t, "memory@10000000");
	tree_string(&t, "device_type", "memory");
	tree_u64s(&t, "reg", 0x10000000, 0x1000000);
	tree_u32(&t, "numa-node-id", 0);
	tree_end(&t);
	add_openhcl(&t, shape);
	return tree_finish(&t);
}

/* A guest that nothing is wrong with. */
static void make_sound(Setup *s, Arena *arena)
{
	Error err;

	memset(s, 0, sizeof(*s));
	s->shape = (Shape){ .isolation = "none",
		.second_cpu = 1,
		.ram_end = 0x40000000,
		.low_start = 0xe0000000,
		.high_len = 1024 * MIB };
	s->facts = (FactInputs){ .physical_address_bits = 46, .x2apic = true };
	s->config.settings = platform_settings_default();
	cr_assert(diagnostics_init(&s->findings, 8, arena, &err));
}

static void find(Setup *s, const char *name, Arena *arena, Diagnostics *found)
{
	CheckInput in;
	CheckList list;
	const Check *check;
	Error err;

	checks_all(&list);
	check = check_find(&list, name);
	cr_assert_not_null(check, "%s", name);
	s->facts.arch = s->shape.is_arm64 ? GUEST_ARCH_AARCH64 : GUEST_ARCH_X86_64;
	if (!s->facts.boot_tree.data)
		s->facts.boot_tree = make_tree(arena, &s->shape);
	cr_assert(check_input_make(
		&s->facts, &s->config, &s->plan, &s->findings, arena, &in, &err));
	cr_assert(diagnostics_init(found, 64, arena, &err));
	check_run(check, &in, arena, found);
}

/*
 * One mistake each.
 */

static void spoil_ram_alignment(Setup *s, Arena *arena)
{
	s->shape.ram_end = 0x40000800;
	(void)arena;
}

static void spoil_x2apic(Setup *s, Arena *arena)
{
	s->shape.second_cpu = 300;
	s->facts.x2apic = false;
	(void)arena;
}

static void spoil_cpu(Setup *s, Arena *arena)
{
	s->shape.second_cpu = 0;
	(void)arena;
}

static void spoil_relay(Setup *s, Arena *arena)
{
	s->shape.high_len = 0x7f000;
	s->config.relay_devices = 64;
	(void)arena;
}

static void spoil_channels(Setup *s, Arena *arena)
{
	s->demands[0].mmio_megabytes = 4096;
	s->config.channels = (ChannelDemandList){ s->demands, 1 };
	(void)arena;
}

static void spoil_unknown(Setup *s, Arena *arena)
{
	diagnostics_add(&s->findings, PVW_JSON_0004, "settings.V2.Typo", "unknown member");
	(void)arena;
}

static void spoil_unused(Setup *s, Arena *arena)
{
	diagnostics_add(&s->findings, PVW_JSON_0007, "settings.V1.Old", "has no effect");
	(void)arena;
}

/* What an isolated guest must ask for. */
static void make_isolated(Setup *s, Arena *arena)
{
	s->shape.isolation = "vbs";
	s->config.settings.uefi.measure_additional_pcrs = true;
	(void)arena;
}

static void spoil_refused(Setup *s, Arena *arena)
{
	make_isolated(s, arena);
	s->config.settings.chipset.psp = true;
	s->config.settings.servicing = true;
}

static void spoil_clamped(Setup *s, Arena *arena)
{
	make_isolated(s, arena);
	s->table = (Bytes){ (const uint8_t *)"TEST\x24\0\0\0", 8 };
	s->config.settings.acpi_tables = &s->table;
	s->config.settings.acpi_table_count = 1;
}

/* 40 bytes whose header says 36. */
static void spoil_table(Setup *s, Arena *arena)
{
	Error err;
	uint8_t *table = arena_array(arena, uint8_t, 40, &err);

	memcpy(table, "TEST\x24\0\0\0\1", 9);
	s->table = (Bytes){ table, 40 };
	s->config.settings.acpi_tables = &s->table;
	s->config.settings.acpi_table_count = 1;
}

static void spoil_table_head(Setup *s, Arena *arena)
{
	spoil_table(s, arena);
	s->table.len = 35;
}

static void spoil_table_length(Setup *s, Arena *arena)
{
	spoil_table(s, arena);
	s->facts.slit = (Bytes){ s->table.data, 37 };
	s->config.settings.acpi_table_count = 0;
	s->facts.pptt = s->facts.slit;
}

static void spoil_mtrrs(Setup *s, Arena *arena)
{
	s->shape.low_start = 0;
	s->plan.request = (PlanRequest){ .has_mtrr = true, .mtrr = MTRR_POLICY_HYPERV };
	(void)arena;
}

static void spoil_uefi_window(Setup *s, Arena *arena)
{
	s->shape.low_start = 0xfffff000;
	(void)arena;
}

static void make_arm64(Setup *s, Arena *arena)
{
	s->shape.is_arm64 = true;
	(void)arena;
}

static void spoil_device_page(Setup *s, Arena *arena)
{
	s->shape.is_arm64 = true;
	s->shape.low_start = 0xf8000000;
	(void)arena;
}

static void spoil_plan(Setup *s, Arena *arena)
{
	s->config.settings.firmware = BOOT_IGVM;
	(void)arena;
}

static void spoil_tree(Setup *s, Arena *arena)
{
	s->facts.boot_tree = (Bytes){ (const uint8_t *)"not a tree", 10 };
	(void)arena;
}

static void spoil_straddle(Setup *s, Arena *arena)
{
	s->shape.ram_end = 0xe8000000;
	(void)arena;
}

typedef struct Case {
	const char *name;
	void (*spoil)(Setup *s, Arena *arena);
	uint16_t diagnostic;
	const char *word; /* of the first finding's text or source */
	size_t findings;
	void (*accept)(Setup *s, Arena *arena); /* NULL: the sound guest */
} Case;

static const Case cases[] = {
	{ "ram-alignment", spoil_ram_alignment, PVW_RANGE_0001, "0x2f000800", 1, NULL },
	{ "cpu-x2apic", spoil_x2apic, PVW_TOPOLOGY_0004, "300", 1, NULL },
	{ "cpu-duplicate", spoil_cpu, PVW_BOOTINFO_0007, "reg 0x0", 1, NULL },
	{ "ram-overlap", spoil_straddle, PVW_ROLE_0008, "RAM", 1, NULL },
	{ "relay-room", spoil_relay, PVW_VMBUS_0002, "0x7f000", 1, NULL },
	{ "channel-room", spoil_channels, PVW_VMBUS_0006, "4096", 1, NULL },
	{ "settings-unknown", spoil_unknown, PVW_JSON_0004, "settings.V2.Typo", 1, NULL },
	{ "settings-unused", spoil_unused, PVW_JSON_0007, "settings.V1.Old", 1, NULL },
	{ "settings-refused", spoil_refused, PVW_SETTINGS_0001, "settings.chipset.psp", 2,
		make_isolated },
	{ "settings-clamped", spoil_clamped, PVW_CHECK_0010, "settings.acpi_tables", 1,
		make_isolated },
	{ "acpi-table-length", spoil_table, PVW_CHECK_0011, "0x28", 1, NULL },
	{ "acpi-table-length", spoil_table_head, PVW_UEFI_0006, "35 bytes", 1, NULL },
	{ "acpi-table-length", spoil_table_length, PVW_CHECK_0011, "slit", 2, NULL },
	{ "mtrr-pairs", spoil_mtrrs, PVW_MTRR_0004, "low", 1, NULL },
	{ "uefi-window", spoil_uefi_window, PVW_UEFI_0012, "8 MiB", 1, NULL },
	{ "uefi-device-page", spoil_device_page, PVW_UEFI_0014, "0xeffed000", 1, make_arm64 },
	{ "plan", spoil_plan, PVW_IGVM_0032, "igvm", 1, NULL },
	{ "plan", spoil_tree, PVW_DT_0001, "40", 1, make_arm64 },
};

ParameterizedTestParameters(checks, each_mistake_is_found_by_its_check)
{
	static size_t indices[ARRAY_COUNT(cases)];

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
		indices[i] = i;
	return cr_make_param_array(size_t, indices, ARRAY_COUNT(cases));
}

ParameterizedTest(size_t *index, checks, each_mistake_is_found_by_its_check)
{
	const Case *c = &cases[*index];
	Arena *arena = arena_new(PREPARE_ARENA_LIMIT);
	Diagnostics accepted, refused;
	Setup sound, spoilt;

	make_sound(&sound, arena);
	if (c->accept)
		c->accept(&sound, arena);
	make_sound(&spoilt, arena);
	c->spoil(&spoilt, arena);
	find(&sound, c->name, arena, &accepted);
	find(&spoilt, c->name, arena, &refused);

	cr_assert_eq(accepted.count, 0, "%s: %s", c->name,
		accepted.count ? accepted.items[0].what.text : "");
	cr_assert_eq(refused.count, c->findings, "%s: %zu findings", c->name, refused.count);
	cr_expect_eq(refused.items[0].what.diagnostic, c->diagnostic, "%s: %s", c->name,
		diagnostic_row(refused.items[0].what.diagnostic)->name);
	cr_expect(strstr(refused.items[0].what.text, c->word) ||
			strstr(refused.items[0].what.source, c->word),
		"%s: no '%s' in '%s'", c->name, c->word, refused.items[0].what.text);
	arena_free(arena);
}

Test(checks, finds_nothing_in_a_sound_guest)
{
	Arena *arena = arena_new(PREPARE_ARENA_LIMIT);
	CheckList list;

	checks_all(&list);
	for (size_t i = 0; i < list.count; i++) {
		Diagnostics found;
		Setup sound;

		make_sound(&sound, arena);
		find(&sound, list.items[i].name, arena, &found);
		cr_expect_eq(found.count, 0, "%s: %s", list.items[i].name,
			found.count ? found.items[0].what.text : "");
	}
	arena_free(arena);
}

Test(checks, names_every_check_once_and_tests_it)
{
	CheckList list;

	checks_all(&list);
	cr_expect_geq(list.count, 35);
	for (size_t i = 0; i < list.count; i++) {
		const Check *check = &list.items[i];
		bool tested = check->boot_info || check->layout;

		cr_expect_eq(check_find(&list, check->name), check, "%s twice", check->name);
		for (size_t k = 0; k < ARRAY_COUNT(cases); k++)
			tested = tested || strcmp(cases[k].name, check->name) == 0;
		cr_expect(tested, "%s", check->name);
	}
	cr_expect_null(check_find(&list, "no-such-check"));
}

/* What one fault hides is not guessed at; what it does not hide is found in the same run. */
Test(checks, lists_two_faults_of_one_input)
{
	Arena *arena = arena_new(PREPARE_ARENA_LIMIT);
	Diagnostics first, second;
	Setup s;

	make_sound(&s, arena);
	spoil_cpu(&s, arena);
	spoil_straddle(&s, arena);
	find(&s, "cpu-duplicate", arena, &first);
	find(&s, "ram-overlap", arena, &second);

	cr_expect_eq(first.count, 1);
	cr_expect_eq(second.count, 1);
	arena_free(arena);
}

Test(checks, reports_an_exhausted_arena)
{
	Arena *arena = arena_new(256), *room = arena_new(1 << 20);
	CheckInput in;
	Setup s;
	Error err;

	make_sound(&s, room);
	cr_assert_not(
		check_input_make(&s.facts, &s.config, &s.plan, &s.findings, arena, &in, &err));

	cr_expect_eq(err.diagnostic, PVW_MEM_0001);
	arena_free(arena);
	arena_free(room);
}
