/*
 * VM descriptions: defaults, every member, and everything that is refused.
 */
#include "host/vm.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/vm_template.h"
#include "support/diagnostics.h"

#define DOCUMENT(members) "{\"schema\": \"pvw.vm/1\"" members "}"
#define MEMORY ", \"memory\": \"4GiB\""
#define ARM ", \"arch\": \"aarch64\"" MEMORY
#define COMPLEX(members) MEMORY ", \"pcie\": {\"root_complexes\": [" members "]}"
#define GIB UINT64_C(0x40000000)
#define MIB UINT64_C(0x100000)

static Arena *arena;
static Error err;
static Vm vm;

static void setup(void)
{
	arena = arena_new(VM_ARENA_LIMIT);
	err = (Error){ 0 };
}

static void teardown(void)
{
	arena_free(arena);
}

TestSuite(vm, .init = setup, .fini = teardown);

static bool read_text(const char *text)
{
	const Bytes bytes = { (const uint8_t *)text, strlen(text) };

	return vm_read(bytes, "vm", arena, &vm, &err);
}

static void take(const char *text)
{
	cr_assert(read_text(text), "%s: %s: %s", text, err.source, err.text);
}

/* Refused at @source, with @word in the message, and @vm is untouched. */
static void refuse(const char *text, uint16_t diagnostic, const char *source, const char *word)
{
	err = (Error){ 0 };
	memset(&vm, 0x5a, sizeof(vm));
	cr_assert_not(read_text(text), "%s", text);
	cr_expect_eq(err.diagnostic, diagnostic, "%s: %s %s", text,
		diagnostic_row(err.diagnostic)->name, err.text);
	cr_expect_str_eq(err.source, source, "%s: %s", text, err.text);
	cr_expect_not_null(strstr(err.text, word), "%s: %s", text, err.text);
	for (size_t i = 0; i < sizeof(vm); i++)
		cr_assert_eq(((const uint8_t *)&vm)[i], 0x5a, "%s", text);
}

Test(vm, needs_no_more_than_memory)
{
	ResolvedLayout layout;

	take(DOCUMENT(MEMORY));

	cr_expect_str_eq(vm.name, "vm");
	cr_expect_eq(vm.layout.arch, GUEST_ARCH_X86_64);
	cr_expect_eq(vm.layout.version, LAYOUT_VERSION_CURRENT);
	cr_expect_eq(vm.layout.node_count, 1);
	cr_expect_eq(vm.layout.node_sizes[0], 4 * GIB);
	cr_expect_eq(vm.layout.address_bits, 46);
	cr_expect_eq(vm.layout.ram_start, 0);
	cr_expect_eq(vm.layout.chipset_low_size, 128 * MIB);
	cr_expect_eq(vm.layout.chipset_high_size, 512 * MIB);
	cr_expect_eq(vm.layout.vtl2_chipset_size, 0);
	cr_expect_not(vm.layout.has_vtl2);
	cr_expect_eq(vm.processors.count, 1);
	cr_expect_null(vm.processors.vnodes);
	cr_expect_null(vm.processors.list);
	cr_expect(vm.with_vmbus && vm.with_com1 && vm.with_rtc);
	cr_expect_not(vm.with_com2 || vm.with_pic || vm.with_pit || vm.with_psp);
	cr_expect_eq(vm.pm_base, 0x400);
	cr_expect_eq(vm.acpi_irq, 9);
	cr_expect_eq(vm.isolation, ISOLATION_NONE);
	cr_expect_eq(vm.boot, BOOT_UEFI);
	cr_expect_eq(vm.arm.gic_distributor, 0);

	cr_assert(vm_resolve(&vm, arena, &layout, &err), "%s", err.text);
	cr_expect_eq(layout.chipset_low.start, 0xf8000000);
	cr_expect_eq(layout.ram.count, 2);
}

Test(vm, knows_what_aarch64_has)
{
	take(DOCUMENT(ARM));

	cr_expect_eq(vm.layout.arch, GUEST_ARCH_AARCH64);
	cr_expect_eq(vm.layout.chipset_low_size, 512 * MIB);
	cr_expect_eq(vm.layout.address_bits, 48);
	cr_expect_eq(vm.layout.ram_start, 0);
	cr_expect_not(vm.arm.gic_v2);
	cr_expect_eq(vm.arm.gic_distributor, 0xffff0000);
	cr_expect_eq(vm.arm.gic_redistributors, 0xefff0000);
	cr_expect_eq(vm.arm.gic_cpu_interface, 0);
	cr_expect_eq(vm.arm.msi, GIC_MSI_NONE);
	cr_expect_eq(vm.arm.irq_count, 992);
	cr_expect_eq(vm.arm.virt_timer_ppi, 20);
	cr_expect_eq(vm.arm.pmu_gsiv, 23);
}

Test(vm, fills_in_what_follows_from_other_members)
{
	take(DOCUMENT(ARM ", \"boot\": \"linux\""));
	cr_expect_eq(vm.layout.ram_start, GIB);

	take(DOCUMENT(MEMORY ", \"boot\": \"linux\""));
	cr_expect_eq(vm.layout.ram_start, 0);

	take(DOCUMENT(MEMORY ", \"chipset\": {\"vmbus\": false}"));
	cr_expect_eq(vm.layout.chipset_high_size, 0);

	take(DOCUMENT(MEMORY ", \"vtl2\": {\"memory\": \"128MiB\"}"));
	cr_expect(vm.layout.has_vtl2);
	cr_expect_eq(vm.layout.vtl2_align, 2 * MIB);
	cr_expect_eq(vm.layout.vtl2_chipset_size, GIB);

	take(DOCUMENT(ARM ", \"pcie\": {\"root_complexes\": [{}]}"));
	cr_expect_eq(vm.arm.msi, GIC_MSI_ITS);
	cr_expect_eq(vm.arm.msi_base, 0xeffc0000);

	take(DOCUMENT(
		ARM ", \"arm\": {\"gic\": \"v2\"}, \"pcie\": {\"root_complexes\": [{}]}"));
	cr_expect_eq(vm.arm.msi, GIC_MSI_V2M);
	cr_expect_eq(vm.arm.msi_base, 0xeffe8000);
	cr_expect_eq(vm.arm.msi_spi_base, 928);
	cr_expect_eq(vm.arm.msi_spi_count, 64);
	cr_expect_eq(vm.arm.gic_cpu_interface, 0xeffee000);
	cr_expect_eq(vm.arm.gic_redistributors, 0);
}

Test(vm, reads_every_member_of_the_layout_and_the_board)
{
	take("{\"// why\": \"a remark\", \"schema\": \"pvw.vm/1\", \"name\": \"big\","
	     "\"boot\": \"pcat\", \"isolation\": \"snp\","
	     "\"nodes\": [{\"memory\": \"1 GiB\"}, {\"memory\": 0}, {\"memory\": "
	     "\"0x200000\"}],"
	     "\"layout\": {\"version\": 1, \"address_bits\": 52, \"ram_start\": \"4KiB\","
	     "\"device_space\": \"2GiB\", \"low_window\": \"64MiB\", \"bar_align_max\": "
	     "\"1GiB\"},"
	     "\"chipset\": {\"low\": \"256MiB\", \"high\": 0, \"com1\": false, \"com2\": true,"
	     "\"pic\": true, \"pit\": true, \"rtc\": false, \"psp\": true, \"pm_base\": 1536,"
	     "\"acpi_irq\": 11, \"virtio_mmio\": 3},"
	     "\"vtl2\": {\"memory\": \"32MiB\", \"align\": \"4MiB\", \"chipset\": \"2MiB\","
	     "\"framebuffer\": \"8MiB\", \"redirection\": true}}");

	cr_expect_str_eq(vm.name, "big");
	cr_expect_eq(vm.boot, BOOT_PCAT);
	cr_expect_eq(vm.isolation, ISOLATION_SNP);
	cr_assert_eq(vm.layout.node_count, 3);
	cr_expect_eq(vm.layout.node_sizes[0], GIB);
	cr_expect_eq(vm.layout.node_sizes[1], 0);
	cr_expect_eq(vm.layout.node_sizes[2], 2 * MIB);
	cr_expect_eq(vm.layout.version, 1);
	cr_expect_eq(vm.layout.address_bits, 52);
	cr_expect_eq(vm.layout.ram_start, 4096);
	cr_expect_eq(vm.layout.device_space_size, 2 * GIB);
	cr_expect_eq(vm.layout.low_window_size, 64 * MIB);
	cr_expect_eq(vm.layout.bar_align_max, GIB);
	cr_expect_eq(vm.layout.chipset_low_size, 256 * MIB);
	cr_expect_eq(vm.layout.chipset_high_size, 0);
	cr_expect(!vm.with_com1 && vm.with_com2 && vm.with_pic && vm.with_pit);
	cr_expect(!vm.with_rtc && vm.with_psp);
	cr_expect_eq(vm.pm_base, 1536);
	cr_expect_eq(vm.acpi_irq, 11);
	cr_expect_eq(vm.layout.virtio_mmio_count, 3);
	cr_expect_eq(vm.layout.vtl2_size, 32 * MIB);
	cr_expect_eq(vm.layout.vtl2_align, 4 * MIB);
	cr_expect_eq(vm.layout.vtl2_chipset_size, 2 * MIB);
	cr_expect_eq(vm.layout.vtl2_framebuffer_size, 8 * MIB);
	cr_expect(vm.vtl2_redirection);
}

Test(vm, reads_nodes_processors_and_caches)
{
	take(DOCUMENT(
		", \"nodes\": [{\"memory\": \"1GiB\"}, {\"memory\": \"1GiB\"}],"
		"\"distances\": [[10, 20], [33, 10]],"
		"\"processors\": {\"count\": 2, \"per_socket\": 2, \"smt\": true,"
		"\"x2apic\": \"enabled\", \"nodes\": [1, 0]},"
		"\"initiators\": [{\"segment\": 1, \"bus\": 2, \"device\": 31, \"function\": 7,"
		"\"node\": 1}],"
		"\"caches\": [{\"level\": 3, \"type\": \"unified\", \"size\": \"32MiB\","
		"\"ways\": 16, \"line\": 64}, {\"level\": 1, \"type\": \"instruction\","
		"\"size\": 32768}]"));

	cr_expect_eq(vm.distances.node_count, 2);
	cr_assert_eq(vm.distances.count, 1);
	cr_expect_eq(vm.distances.items[0].from, 1);
	cr_expect_eq(vm.distances.items[0].to, 0);
	cr_expect_eq(vm.distances.items[0].distance, 33);
	cr_expect_eq(vm.processors.count, 2);
	cr_expect_eq(vm.processors.vps_per_socket, 2);
	cr_expect(vm.processors.smt);
	cr_expect_eq(vm.processors.x2apic, X2APIC_ENABLED);
	cr_expect_eq(vm.processors.vnodes[0], 1);
	cr_expect_eq(vm.processors.vnodes[1], 0);
	cr_assert_eq(vm.initiator_count, 1);
	cr_expect_eq(vm.initiators[0].segment, 1);
	cr_expect_eq(vm.initiators[0].bus, 2);
	cr_expect_eq(vm.initiators[0].device, 31);
	cr_expect_eq(vm.initiators[0].function, 7);
	cr_expect_eq(vm.initiators[0].vnode, 1);
	cr_assert_eq(vm.cache_count, 2);
	cr_expect_eq(vm.caches[0].type, ACPI_CACHE_UNIFIED);
	cr_expect_eq(vm.caches[0].size, 32 * MIB);
	cr_expect_eq(vm.caches[0].associativity, 16);
	cr_expect_eq(vm.caches[0].line_size, 64);
	cr_expect_eq(vm.caches[1].type, ACPI_CACHE_INSTRUCTION);
}

Test(vm, takes_processors_from_a_list)
{
	take(DOCUMENT(ARM
		", \"processors\": {\"list\": [{\"mpidr\": 256}, {\"mpidr\": \"0x101\"}]}"));

	cr_assert_eq(vm.processors.count, 2);
	cr_expect_eq(vm.processors.list[0].mpidr, 0x80000100);
	cr_expect_eq(vm.processors.list[1].mpidr, 0x80000101);
}

Test(vm, reads_root_complexes)
{
	take(DOCUMENT(COMPLEX(
		"{\"name\": \"a\", \"segment\": 7, \"start_bus\": 1, \"end_bus\": 2,"
		"\"low\": {\"start\": \"0xd0000000\", \"end\": \"0xd4000000\"}, \"high\": 0,"
		"\"cxl_hdm\": \"256MiB\", \"cxl_restrictions\": 6, \"ports\": 4,"
		"\"iommu\": \"amd-vi\", \"node\": 0, \"preserve_boot_config\": true}, {}")));

	cr_assert_eq(vm.layout.root_complex_count, 2);
	cr_expect_str_eq(vm.layout.root_complexes[0].name, "a");
	cr_expect_eq(vm.layout.root_complexes[0].segment, 7);
	cr_expect_eq(vm.layout.root_complexes[0].start_bus, 1);
	cr_expect_eq(vm.layout.root_complexes[0].end_bus, 2);
	cr_expect_eq(vm.layout.root_complexes[0].low.fixed.start, 0xd0000000);
	cr_expect_eq(vm.layout.root_complexes[0].low.fixed.end, 0xd4000000);
	cr_expect_eq(vm.layout.root_complexes[0].high.size, 0);
	cr_expect(vm.layout.root_complexes[0].has_cxl);
	cr_expect_eq(vm.layout.root_complexes[0].cxl_hdm_size, 256 * MIB);
	cr_expect_eq(vm.layout.root_complexes[0].iommu, IOMMU_AMD_VI);
	cr_expect(vm.bridges[0].has_vnode && vm.bridges[0].preserve_boot_config);
	cr_expect_eq(vm.bridges[0].cxl_restrictions, 6);
	cr_expect_eq(vm.bridges[0].ports, 4);
	cr_expect_str_eq(vm.layout.root_complexes[1].name, "rc1");
	cr_expect_eq(vm.layout.root_complexes[1].end_bus, 255);
	cr_expect_eq(vm.layout.root_complexes[1].low.size, 64 * MIB);
	cr_expect_eq(vm.layout.root_complexes[1].high.size, GIB);
	cr_expect_not(vm.layout.root_complexes[1].has_cxl || vm.bridges[1].has_vnode);
	cr_expect_eq(vm.bridges[1].ports, 1);
}

Test(vm, reads_reserved_ranges_by_name_and_by_hand)
{
	take(DOCUMENT(MEMORY ", \"layout\": {\"reserved_iova\": [\"arm64-msi\", {\"start\": 0,"
			     "\"end\": 4096, \"reason\": \"mine\"}]}"));

	cr_assert_eq(vm.layout.reserved_iova.count, 2);
	cr_expect_eq(vm.layout.reserved_iova.items[0].range.start, 0x8000000);
	cr_expect_str_eq(vm.layout.reserved_iova.items[0].reason, "arm64-msi");
	cr_expect_eq(vm.layout.reserved_iova.items[1].range.end, 4096);
	cr_expect_str_eq(vm.layout.reserved_iova.items[1].reason, "mine");
}

/* Every message has the path, what was found and what is expected. */
Test(vm, refuses_what_is_no_such_document)
{
	static const struct {
		const char *text;
		uint16_t diagnostic;
		const char *source, *word;
	} cases[] = {
		{ "", PVW_JSON_0001, "vm", "JSON" },
		{ "[1]", PVW_JSON_0002, "vm", "expected an object" },
		{ "{}", PVW_JSON_0003, "vm.schema", "missing" },
		{ "{\"schema\": \"pvw.vm/2\", \"memory\": 1}", PVW_VM_0001, "vm.schema",
			"expected \"pvw.vm/1\"" },
		{ "{\"schema\": \"pvw.vm/1\", \"schema\": \"pvw.vm/1\"}", PVW_JSON_0001, "vm",
			"duplicate" },
		{ DOCUMENT(MEMORY ", \"colour\": 1"), PVW_JSON_0005, "vm.colour",
			"like schema" },
		{ DOCUMENT(MEMORY ", \"layout\": {\"pages\": 1}"), PVW_JSON_0005,
			"vm.layout.pages", "like version" },
		{ DOCUMENT(", \"memory\": true"), PVW_JSON_0002, "vm.memory", "true" },
		{ DOCUMENT(", \"memory\": -1"), PVW_JSON_0002, "vm.memory", "integer -1" },
		{ DOCUMENT(", \"memory\": \"4 GB\""), PVW_JSON_0002, "vm.memory", "64MiB" },
		{ DOCUMENT(", \"memory\": \"99999999999EiB\""), PVW_JSON_0002, "vm.memory",
			"at most" },
		{ DOCUMENT(", \"nodes\": [{}]"), PVW_JSON_0003, "vm.nodes[0].memory",
			"missing" },
		{ DOCUMENT(", \"nodes\": 7"), PVW_JSON_0002, "vm.nodes", "a list" },
		{ DOCUMENT(MEMORY ", \"name\": \"\""), PVW_JSON_0002, "vm.name", "not empty" },
		{ DOCUMENT(MEMORY ", \"name\": \"a\\u0000b\""), PVW_JSON_0001, "vm", "NUL" },
		{ DOCUMENT(MEMORY ", \"arch\": \"riscv\""), PVW_JSON_0002, "vm.arch",
			"one of x86_64, aarch64" },
		{ DOCUMENT(MEMORY ", \"chipset\": {\"com1\": 1}"), PVW_JSON_0002,
			"vm.chipset.com1", "true or false" },
		{ DOCUMENT(MEMORY ", \"layout\": {\"address_bits\": 64}"), PVW_JSON_0002,
			"vm.layout.address_bits", "from 1 to 63" },
		{ DOCUMENT(MEMORY ", \"layout\": {\"version\": 3}"), PVW_JSON_0002,
			"vm.layout.version", "from 1 to 2" },
		{ DOCUMENT(MEMORY ", \"processors\": {\"count\": 0}"), PVW_JSON_0002,
			"vm.processors.count", "from 1 to 2048" },
		{ DOCUMENT(MEMORY ", \"processors\": {\"count\": 1, \"nodes\": [-1]}"),
			PVW_JSON_0002, "vm.processors.nodes[0]", "a number" },
		{ DOCUMENT(MEMORY ", \"distances\": []"), PVW_JSON_0002, "vm.distances",
			"a row" },
		{ DOCUMENT(MEMORY ", \"distances\": [[10, 20]]"), PVW_JSON_0002,
			"vm.distances[0]", "as many" },
		{ DOCUMENT(MEMORY ", \"distances\": [[11]]"), PVW_JSON_0002,
			"vm.distances[0][0]", "to itself" },
		{ DOCUMENT(", \"nodes\": [{\"memory\": 4096}, {\"memory\": 0}], \"distances\": "
			   "[[10, 10], [20, 10]]"),
			PVW_JSON_0002, "vm.distances[0][1]", "11 to 255" },
		{ DOCUMENT(MEMORY ", \"caches\": [{\"level\": 1, \"type\": \"fast\", \"size\": "
				  "1}]"),
			PVW_JSON_0002, "vm.caches[0].type", "unified" },
		{ DOCUMENT(MEMORY ", \"caches\": [{\"level\": 1, \"type\": \"data\", \"size\": "
				  "\"4GiB\"}]"),
			PVW_JSON_0002, "vm.caches[0].size", "0xffffffff" },
		{ DOCUMENT(COMPLEX("{\"low\": {\"start\": 4096}}")), PVW_JSON_0003,
			"vm.pcie.root_complexes[0].low.end", "missing" },
		{ DOCUMENT(COMPLEX("{\"low\": {\"start\": 4096, \"end\": 4096}}")),
			PVW_JSON_0002, "vm.pcie.root_complexes[0].low", "below the end" },
		{ DOCUMENT(COMPLEX("{\"high\": {\"start\": 1, \"end\": 4096}}")),
			PVW_RANGE_0001, "vm.pcie.root_complexes[0].high", "0x1" },
		{ DOCUMENT(MEMORY ", \"layout\": {\"reserved_iova\": \"amd-ht\"}"),
			PVW_JSON_0002, "vm.layout.reserved_iova", "a list" },
		{ DOCUMENT(MEMORY ", \"layout\": {\"reserved_iova\": [\"intel\"]}"),
			PVW_JSON_0002, "vm.layout.reserved_iova[0]", "amd-ht" },
	};

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
		refuse(cases[i].text, cases[i].diagnostic, cases[i].source, cases[i].word);
}

Test(vm, refuses_members_that_do_not_go_together)
{
	static const struct {
		const char *text;
		uint16_t diagnostic;
		const char *source, *word;
	} cases[] = {
		{ DOCUMENT(""), PVW_VM_0002, "vm.memory", "no memory" },
		{ DOCUMENT(", \"nodes\": []"), PVW_VM_0002, "vm.memory", "no memory" },
		{ DOCUMENT(MEMORY ", \"nodes\": [{\"memory\": 4096}]"), PVW_VM_0002,
			"vm.memory", "one of them" },
		{ DOCUMENT(MEMORY ", \"distances\": [[10, 20], [20, 10]]"), PVW_VM_0002,
			"vm.distances", "each of 1" },
		{ DOCUMENT(MEMORY ", \"processors\": {\"count\": 1, \"list\": [{}]}"),
			PVW_VM_0002, "vm.processors", "list" },
		{ DOCUMENT(MEMORY ", \"processors\": {\"nodes\": [0], \"list\": [{}]}"),
			PVW_VM_0002, "vm.processors", "list" },
		{ DOCUMENT(MEMORY ", \"processors\": {\"count\": 3, \"nodes\": [0]}"),
			PVW_VM_0002, "vm.processors", "each of 3" },
		{ DOCUMENT(MEMORY ", \"arm\": {}"), PVW_VM_0003, "vm.arm", "x86_64" },
		{ DOCUMENT(ARM ", \"processors\": {\"smt\": true}"), PVW_VM_0003,
			"vm.processors.smt", "aarch64" },
		{ DOCUMENT(ARM ", \"chipset\": {\"pic\": true}"), PVW_VM_0003, "vm.chipset.pic",
			"aarch64" },
		{ DOCUMENT(ARM ", \"boot\": \"pcat\""), PVW_VM_0003, "vm.boot", "uefi" },
		{ DOCUMENT(COMPLEX("{\"iommu\": \"smmu\"}")), PVW_VM_0003,
			"vm.pcie.root_complexes[0].iommu", "smmu" },
		{ DOCUMENT(", \"arch\": \"aarch64\"" COMPLEX("{\"iommu\": \"intel-vtd\"}")),
			PVW_VM_0003, "vm.pcie.root_complexes[0].iommu", "intel-vtd" },
		{ DOCUMENT(MEMORY ", \"processors\": {\"nodes\": [1]}"), PVW_VM_0004,
			"vm.processors.nodes[0]", "below 1" },
		{ DOCUMENT(MEMORY ", \"processors\": {\"list\": [{}, {\"node\": 9}]}"),
			PVW_VM_0004, "vm.processors.list[1].node", "node 9" },
		{ DOCUMENT(MEMORY ", \"initiators\": [{\"device\": 1, \"node\": 2}]"),
			PVW_VM_0004, "vm.initiators[0].node", "node 2" },
		{ DOCUMENT(COMPLEX("{\"node\": 3}")), PVW_VM_0004,
			"vm.pcie.root_complexes[0].node", "node 3" },
		{ DOCUMENT(COMPLEX("{\"name\": \"x\"}, {\"name\": \"x\", \"segment\": 1}")),
			PVW_VM_0005, "vm.pcie.root_complexes[1].name", "name x" },
		{ DOCUMENT(COMPLEX("{\"name\": \"rc1\", \"segment\": 1}, {}")), PVW_VM_0005,
			"vm.pcie.root_complexes[1].name", "rc1" },
		{ DOCUMENT(COMPLEX("{\"end_bus\": 9}, {\"start_bus\": 9}")), PVW_VM_0005,
			"vm.pcie.root_complexes[1].start_bus", "buses 9 to 255" },
		{ DOCUMENT(ARM ", \"arm\": {\"distributor\": \"0x80000000\"}"), PVW_VM_0007,
			"vm.arm.distributor", "0xe0000000-0x100000000" },
		{ DOCUMENT(ARM ", \"arm\": {\"distributor\": \"0xffffffffffff0000\"}"),
			PVW_VM_0007, "vm.arm.distributor", "low chipset" },
		{ DOCUMENT(ARM ", \"arm\": {\"redistributors\": \"0xefff0001\"}"), PVW_VM_0007,
			"vm.arm.redistributors", "pages" },
		{ DOCUMENT(ARM ", \"arm\": {\"redistributors\": \"0xfffd1000\"}"), PVW_VM_0007,
			"vm.arm.redistributors", "apart from arm.distributor" },
		{ DOCUMENT(ARM ", \"arm\": {\"msi\": \"v2m\", \"msi_base\": \"0xeffec000\"}"),
			PVW_VM_0007, "vm.chipset.com1", "apart from arm.msi_base" },
		{ DOCUMENT(ARM ", \"arm\": {\"msi\": \"v2m\", \"msi_base\": \"0xeffed000\"}"),
			PVW_VM_0007, "vm.arm.msi_base", "helper device" },
		{ DOCUMENT(ARM ", \"arm\": {\"msi\": \"v2m\", \"interrupts\": 64, "
			       "\"msi_spi_count\": 988}"),
			PVW_VM_0008, "vm.arm.interrupts", "988" },
		{ DOCUMENT(ARM ", \"arm\": {\"interrupts\": 64}, \"chipset\": "
			       "{\"virtio_mmio\": 1}"),
			PVW_VM_0008, "vm.arm.interrupts", "64 interrupts" },
	};

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
		refuse(cases[i].text, cases[i].diagnostic, cases[i].source, cases[i].word);
}

/* Depth, length and lists are bounded before anything is made of them. */
Test(vm, refuses_hostile_documents)
{
	const size_t size = VM_MAX_DOCUMENT + 1;
	char *text = malloc(size + 1);

	memset(text, '[', size);
	text[size] = 0;
	refuse(text, PVW_VM_0006, "vm", "4194305 bytes");
	text[100000] = 0;
	refuse(text, PVW_JSON_0001, "vm", "depth");
	strcpy(text, "{\"schema\": \"pvw.vm/1\", \"nodes\": [");
	for (size_t i = 0; i <= LAYOUT_MAX_NODES; i++)
		strcat(text, i ? ",{\"memory\":4096}" : "{\"memory\":4096}");
	strcat(text, "]}");
	refuse(text, PVW_JSON_0002, "vm.nodes", "at most 512");
	free(text);
}

/* Whatever a document says below its members, it ends in a value or in a message. */
Test(vm, survives_every_cut_and_every_changed_byte)
{
	const char *whole = DOCUMENT(COMPLEX("{\"low\": {\"start\": 4096, \"end\": 8192}}"));
	char text[256];

	strcpy(text, whole);
	for (size_t i = 0; text[i]; i++) {
		const char kept = text[i];

		for (int byte = ' '; byte < 0x7f; byte += 7) {
			text[i] = (char)byte;
			err = (Error){ 0 };
			cr_expect(read_text(text) || err.diagnostic != PVW_NONE);
		}
		text[i] = 0;
		cr_expect_not(read_text(text));
		text[i] = kept;
	}
}

/* Firmware for x86-64 is linked low; what others need is the architecture's to say. */
Test(vm, keeps_low_memory_for_firmware)
{
	static const struct {
		const char *text;
		uint64_t low_ram;
	} cases[] = {
		{ DOCUMENT(MEMORY), 128 * MIB },
		{ DOCUMENT(MEMORY ", \"boot\": \"pcat\""), 128 * MIB },
		{ DOCUMENT(MEMORY ", \"boot\": \"uefi\", \"layout\": {\"version\": 1}"),
			128 * MIB },
		{ DOCUMENT(MEMORY ", \"boot\": \"linux\""), 0 },
		{ DOCUMENT(MEMORY ", \"layout\": {\"min_low_ram\": \"1GiB\"}"), 1024 * MIB },
		{ DOCUMENT(MEMORY ", \"boot\": \"igvm\""), 0 },
		{ DOCUMENT(MEMORY ", \"boot\": \"uefi\", \"arch\": \"aarch64\""), 0 },
	};
	ResolvedLayout layout;

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		take(cases[i].text);
		cr_expect_eq(vm.layout.min_low_ram, cases[i].low_ram, "%s", cases[i].text);
	}
	/* All low RAM goes to a window of 3.5 GiB. The reference lays that out. */
#define HIGH_RAM COMPLEX("{\"low\": \"3584MiB\"}") ", \"layout\": {\"version\": 1}"
	take(DOCUMENT(HIGH_RAM ", \"boot\": \"none\""));
	cr_expect(vm_resolve(&vm, arena, &layout, &err), "%s", err.text);
	take(DOCUMENT(HIGH_RAM));
	cr_expect_not(vm_resolve(&vm, arena, &layout, &err));
	cr_expect_eq(err.diagnostic, PVW_RESOLVE_0022);
	cr_expect_not_null(strstr(err.text, "pcie-rc0-low-mmio"), "%s", err.text);
}

/* The template changes no default, but for the root complex that it shows. */
Test(vm, takes_its_template)
{
	static const char *const same[] = {
		[GUEST_ARCH_X86_64] = DOCUMENT(COMPLEX("{}")),
		[GUEST_ARCH_AARCH64] = DOCUMENT(", \"arch\": \"aarch64\"" COMPLEX("{}")),
	};

	for (GuestArch arch = 0; arch < GUEST_ARCH_COUNT; arch++) {
		char *text = NULL;
		size_t size = 0;
		FILE *out = open_memstream(&text, &size);
		LayoutShape a, b;
		Vm plain;

		vm_template_print(out, arch);
		fclose(out);
		take(text);
		free(text);
		plain = vm;
		take(same[arch]);
		a = plain.layout;
		b = vm.layout;
		cr_expect_eq(a.node_sizes[0], b.node_sizes[0]);
		cr_expect_str_eq(a.root_complexes[0].name, b.root_complexes[0].name);
		cr_expect_eq(a.root_complexes[0].low.size, b.root_complexes[0].low.size);
		cr_expect_eq(a.root_complexes[0].high.size, b.root_complexes[0].high.size);
		cr_expect_eq(a.root_complexes[0].end_bus, b.root_complexes[0].end_bus);
		cr_expect_eq(plain.bridges[0].ports, vm.bridges[0].ports);
		a.node_sizes = b.node_sizes;
		a.root_complexes = b.root_complexes;
		a.reserved_iova = b.reserved_iova;
		cr_expect_eq(memcmp(&a, &b, sizeof(a)), 0, "%s", guest_arch_name(arch));
		cr_expect_eq(memcmp(&plain.arm, &vm.arm, sizeof(vm.arm)), 0);
		cr_expect_eq(plain.processors.count, vm.processors.count);
		cr_expect_eq(plain.with_com1, vm.with_com1);
		cr_expect_eq(plain.with_com2, vm.with_com2);
		cr_expect_eq(plain.with_rtc, vm.with_rtc);
		cr_expect_eq(plain.with_vmbus, vm.with_vmbus);
		cr_expect_eq(plain.pm_base, vm.pm_base);
		cr_expect_eq(plain.acpi_irq, vm.acpi_irq);
		cr_expect_eq(plain.boot, vm.boot);
		cr_expect_eq(plain.isolation, vm.isolation);
	}
}
