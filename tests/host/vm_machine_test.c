/*
 * What follows from a described machine: interrupts, processors, inputs of its tables.
 */
#include "host/vm_machine.h"

#include <criterion/criterion.h>
#include <string.h>

#include "acpi/acpi_build.h"
#include "support/diagnostics.h"

#define X86(members) "{\"schema\": \"pvw.vm/1\", \"memory\": \"4GiB\"" members "}"
#define ARM(members) X86(", \"arch\": \"aarch64\"" members)
#define COMPLEXES(list) ", \"pcie\": {\"root_complexes\": [" list "]}"

static Arena *arena;
static Error err;
static Vm vm;
static ResolvedLayout layout;
static ProcessorTopology topology;
static AcpiInputs inputs;

static void setup(void)
{
	arena = arena_new(VM_ARENA_LIMIT);
	err = (Error){ 0 };
}

static void teardown(void)
{
	arena_free(arena);
}

TestSuite(vm_machine, .init = setup, .fini = teardown);

static void read_vm(const char *text)
{
	cr_assert(
		vm_read((Bytes){ (const uint8_t *)text, strlen(text) }, "vm", arena, &vm, &err),
		"%s: %s", err.source, err.text);
}

/* Everything, and the tables themselves: what the inputs say can be written. */
static void make(const char *text)
{
	AcpiSet set;

	read_vm(text);
	cr_assert(vm_resolve(&vm, arena, &layout, &err), "%s", err.text);
	cr_assert(vm_topology(&vm, arena, &topology, &err), "%s", err.text);
	cr_assert(
		vm_acpi_inputs(&vm, &layout, &topology, arena, &inputs, &err), "%s", err.text);
	cr_assert(acpi_build_set(&inputs, 0x100000, arena, &set, &err), "%s", err.text);
}

Test(vm_machine, spreads_processors_over_the_nodes)
{
	read_vm("{\"schema\": \"pvw.vm/1\", \"nodes\": [{\"memory\": 4096}, {\"memory\": "
		"4096}],"
		"\"processors\": {\"count\": 5, \"per_socket\": 4}}");

	cr_assert(vm_topology(&vm, arena, &topology, &err), "%s", err.text);
	cr_assert_eq(topology.count, 5);
	cr_expect_eq(topology.vps[0].vnode, 0);
	cr_expect_eq(topology.vps[2].vnode, 0);
	cr_expect_eq(topology.vps[3].vnode, 1);
	cr_expect_eq(topology.vps[4].vnode, 1);
	cr_expect_eq(topology.vps[4].apic_id, 4);
	cr_expect_eq(topology.vps_per_socket, 4);
}

Test(vm_machine, keeps_identifiers_that_were_listed)
{
	read_vm(X86(", \"processors\": {\"list\": [{\"apic_id\": 8}, {\"apic_id\": 2}]}"));

	cr_assert(vm_topology(&vm, arena, &topology, &err), "%s", err.text);
	cr_assert_eq(topology.count, 2);
	cr_expect_eq(topology.vps[0].apic_id, 8);
	cr_expect_eq(topology.vps[1].apic_id, 2);
}

Test(vm_machine, numbers_interrupts_downwards_around_the_frame)
{
	VmInterrupts interrupts;

	read_vm(ARM(
		", \"chipset\": {\"virtio_mmio\": 2}, \"arm\": {\"msi\": \"v2m\"}" COMPLEXES(
			"{\"iommu\": \"smmu\"}, {\"segment\": 1, \"iommu\": \"smmu\"}")));
	cr_assert(vm_interrupts(&vm, &interrupts, &err), "%s", err.text);
	cr_expect_eq(interrupts.msi_first, 928); /* 928 to 991 */
	cr_expect_eq(interrupts.virtio, 927);
	cr_expect_eq(interrupts.smmu_first, 926); /* and 925; then 924 and 923 */

	read_vm(ARM(
		", \"arm\": {\"msi\": \"v2m\", \"msi_spi_base\": 900, \"msi_spi_count\": 91},"
		"\"chipset\": {\"virtio_mmio\": 1}" COMPLEXES("{\"iommu\": \"smmu\"}")));
	cr_assert(vm_interrupts(&vm, &interrupts, &err), "%s", err.text);
	cr_expect_eq(interrupts.msi_first, 900); /* to 990 */
	cr_expect_eq(interrupts.virtio, 991);
	cr_expect_eq(interrupts.smmu_first, 899);

	read_vm(ARM(""));
	cr_assert(vm_interrupts(&vm, &interrupts, &err), "%s", err.text);
	cr_expect_eq(interrupts.msi_first, 0);
	cr_expect_eq(interrupts.virtio, 0);
	cr_expect_eq(interrupts.smmu_first, 0);
}

Test(vm_machine, gives_virtio_what_the_pic_leaves)
{
	VmInterrupts interrupts;

	read_vm(X86(", \"chipset\": {\"virtio_mmio\": 1}"));
	cr_assert(vm_interrupts(&vm, &interrupts, &err));
	cr_expect_eq(interrupts.virtio, 17);

	read_vm(X86(", \"chipset\": {\"virtio_mmio\": 1, \"pic\": true}"));
	cr_assert(vm_interrupts(&vm, &interrupts, &err));
	cr_expect_eq(interrupts.virtio, 5);
}

Test(vm_machine, refuses_more_interrupts_than_there_are)
{
	VmInterrupts interrupts = { .virtio = 42 };

	read_vm(ARM(""));
	vm.arm.irq_count = 64;
	vm.layout.virtio_mmio_count = 1;

	cr_expect_not(vm_interrupts(&vm, &interrupts, &err));
	cr_expect_eq(err.diagnostic, PVW_VM_0008);
	cr_expect_not_null(strstr(err.text, "from 64 on"));
	cr_expect_eq(interrupts.virtio, 42);
}

Test(vm_machine, describes_the_board_of_x86)
{
	make(X86(
		", \"chipset\": {\"com2\": true, \"com1\": false, \"pic\": true, \"pit\": true,"
		"\"psp\": true, \"pm_base\": 1536, \"acpi_irq\": 10}"));

	cr_expect(inputs.with_ioapic && inputs.with_pic && inputs.with_pit && inputs.with_psp);
	cr_expect(inputs.with_rtc && inputs.with_vmbus && inputs.with_processors);
	cr_expect_eq(inputs.vmbus_gsiv, 0);
	cr_assert_eq(inputs.uart_count, 1);
	cr_expect_str_eq(inputs.uarts[0].name, "UAR2");
	cr_expect_eq(inputs.uarts[0].io_base, 0x2f8);
	cr_expect_eq(inputs.pm_base, 1536);
	cr_expect_eq(inputs.acpi_irq, 10);
	cr_expect_eq(inputs.mmio_low.start, 0xf8000000);
	cr_expect_eq(inputs.mmio_high.start, layout.chipset_high.start);
	cr_expect_null(inputs.devices);
	cr_expect_null(inputs.distances);
	cr_expect_not(inputs.with_caches);
}

Test(vm_machine, describes_the_board_of_aarch64)
{
	make(ARM(", \"chipset\": {\"com2\": true}"));

	cr_expect_not(inputs.with_ioapic || inputs.with_rtc);
	cr_expect_eq(inputs.uart_count, 0);
	cr_assert_eq(inputs.sbsa_uart_count, 2);
	cr_expect_eq(inputs.sbsa_uarts[0].base, 0xeffec000);
	cr_expect_eq(inputs.sbsa_uarts[0].gsiv, 33);
	cr_expect_eq(inputs.sbsa_uarts[1].base, 0xeffeb000);
	cr_expect_eq(inputs.vmbus_gsiv, 18);
	cr_expect_eq(inputs.hypervisor_identity, 0x567265707948734d);
}

Test(vm_machine, lists_devices_when_there_are_virtio_slots)
{
	static const DsdtDeviceKind x86[] = { DSDT_APIC, DSDT_UART, DSDT_VIRTIO_MMIO,
		DSDT_MODULE, DSDT_VMBUS, DSDT_RTC };
	static const DsdtDeviceKind arm[] = { DSDT_SBSA_UART, DSDT_VIRTIO_MMIO, DSDT_MODULE };

	make(X86(", \"chipset\": {\"virtio_mmio\": 3}"));
	cr_assert_eq(inputs.devices->count, ARRAY_COUNT(x86));
	for (size_t i = 0; i < ARRAY_COUNT(x86); i++)
		cr_expect_eq(inputs.devices->items[i].kind, x86[i], "%zu", i);
	cr_expect_eq(memory_range_len(inputs.devices->items[2].virtio_mmio.region), 0x3000);

	make(ARM(", \"chipset\": {\"virtio_mmio\": 1, \"vmbus\": false}"));
	cr_assert_eq(inputs.devices->count, ARRAY_COUNT(arm));
	for (size_t i = 0; i < ARRAY_COUNT(arm); i++)
		cr_expect_eq(inputs.devices->items[i].kind, arm[i], "%zu", i);
	cr_expect_eq(inputs.devices->items[1].virtio_mmio.gsi, 991);
	cr_expect_eq(inputs.hypervisor_identity, 0);
}

Test(vm_machine, makes_bridges_from_root_complexes)
{
	make(X86(
		COMPLEXES("{\"end_bus\": 15, \"cxl_hdm\": \"256MiB\", \"cxl_restrictions\": 2},"
			  "{\"start_bus\": 16, \"high\": 0, \"node\": 0}")));

	cr_assert_eq(inputs.bridge_count, 2);
	cr_expect_eq(inputs.bridges[0].ecam.start, layout.root_complexes[0].ecam.start);
	cr_assert_not_null(inputs.bridges[0].cxl);
	cr_expect_eq(inputs.bridges[0].cxl->hdm.start, layout.root_complexes[0].cxl_hdm.start);
	cr_expect_eq(inputs.bridges[0].cxl->restrictions, 2);
	cr_expect_not(inputs.bridges[0].has_vnode);
	cr_expect_eq(inputs.bridges[1].index, 1);
	cr_expect_eq(inputs.bridges[1].start_bus, 16);
	cr_expect(memory_range_is_empty(inputs.bridges[1].high));
	cr_expect_null(inputs.bridges[1].cxl);
	cr_expect(inputs.bridges[1].has_vnode);
}

Test(vm_machine, gives_each_root_complex_its_iommu)
{
	make(X86(COMPLEXES("{\"end_bus\": 15, \"iommu\": \"amd-vi\"},"
			   "{\"start_bus\": 16, \"end_bus\": 31},"
			   "{\"start_bus\": 32, \"iommu\": \"amd-vi\"}")));
	cr_expect_eq(inputs.iommu.kind, ACPI_IOMMU_AMDVI);
	cr_assert_eq(inputs.iommu.unit_count, 2);
	cr_expect_eq(inputs.iommu.amdvi[0].device_id, 0);
	cr_expect_eq(inputs.iommu.amdvi[1].device_id, 0x2000);
	cr_expect_eq(inputs.iommu.amdvi[1].base, layout.root_complexes[2].iommu.start);
	cr_expect(inputs.iommu.has_ioapic_rid);
	cr_expect_eq(inputs.iommu.ioapic_rid, 0xa0);
	cr_expect_eq(inputs.iommu.pa_bits, 46);

	make(X86(COMPLEXES("{\"segment\": 3, \"ports\": 2, \"iommu\": \"intel-vtd\"}")));
	cr_expect_eq(inputs.iommu.kind, ACPI_IOMMU_VTD);
	cr_assert_eq(inputs.iommu.vtd[0].scope_count, 2);
	cr_expect_eq(inputs.iommu.vtd[0].scopes[1].devfn, 1);
	cr_expect(inputs.iommu.vtd[0].scopes[1].is_bridge);
	cr_expect_not(inputs.iommu.has_ioapic_rid);

	make(ARM(", \"layout\": {\"reserved_iova\": [\"arm64-msi\"]}" COMPLEXES(
		"{}, {\"segment\": 1, \"iommu\": \"smmu\"}")));
	cr_expect_eq(inputs.iommu.kind, ACPI_IOMMU_SMMU);
	cr_assert_eq(inputs.iommu.unit_count, 1);
	cr_expect_eq(inputs.iommu.smmu[0].bridge_index, 1);
	cr_expect_eq(inputs.iommu.smmu[0].event_gsiv, 991);
	cr_expect_eq(inputs.iommu.smmu[0].error_gsiv, 990);
	cr_assert_eq(inputs.iommu.smmu[0].reserved.count, 1);
	cr_expect_eq(inputs.iommu.smmu[0].reserved.items[0].start, 0x8000000);
	cr_expect_not(inputs.iommu.has_ioapic_rid);
}

Test(vm_machine, hands_on_nodes_and_caches)
{
	make("{\"schema\": \"pvw.vm/1\", \"nodes\": [{\"memory\": \"1GiB\"}, {\"memory\": "
	     "\"1GiB\"}], \"distances\": [[10, 21], [21, 10]], \"initiators\": [{\"device\": 2,"
	     "\"node\": 1}], \"caches\": [{\"level\": 3, \"type\": \"unified\", \"size\": "
	     "\"1MiB\", \"ways\": 8, \"line\": 64}]}");

	cr_assert_not_null(inputs.distances);
	cr_expect_eq(inputs.distances->node_count, 2);
	cr_expect_eq(inputs.initiator_count, 1);
	cr_expect(inputs.with_caches);
	cr_expect_eq(inputs.cache_count, 1);
	cr_expect_eq(inputs.ram.count, layout.ram.count);
}
