/*
 * A plan around a kernel for aarch64: what it is told, where that lies, and how it starts.
 * Source: [LINUXARM64]; [OVMM] openvmm_core/src/worker/vm_loaders/linux.rs
 */
#include "loaders/linux_arm64.h"

#include <inttypes.h>

#include "layout/fixed_map.h"
#include "loaders/arm64_image.h"
#include "loaders/arm64_room.h"
#include "loaders/arm64_tree.h"
#include "loaders/arm64_tree_internal.h"
#include "loaders/boot_image.h"
#include "loaders/boot_machine.h"
#include "loaders/efi_tables.h"
#include "loaders/linux_arm64_machine.h"
#include "loaders/linux_format.h"
#include "support/checked.h"

#define CPSR_EL1H_MASKED UINT64_C(0x3c5)       /* EL1 with its own stack; D, A, I, F masked */
#define SCTLR_EL1_MMU_OFF UINT64_C(0x30d01804) /* MMU off, data and instruction caches on */
#define TCR_EL1_WALKS_OFF UINT64_C(0x580803591)

#define HYPERV_IDENTITY UINT64_C(0x567265707948734d) /* "MsHyperV" */

size_t linux_arm64_registers(
	uint64_t entry, const uint64_t *tree, Register out[LINUX_ARM64_REGISTERS])
{
	const Register values[LINUX_ARM64_REGISTERS] = {
		{ .id = REGISTER_PC, .low = entry },
		{ .id = REGISTER_CPSR, .low = CPSR_EL1H_MASKED },
		{ .id = REGISTER_SCTLR_EL1, .low = SCTLR_EL1_MMU_OFF },
		{ .id = REGISTER_TCR_EL1, .low = TCR_EL1_WALKS_OFF },
		{ .id = REGISTER_TTBR0_EL1 },
		{ .id = REGISTER_TTBR1_EL1 },
		{ .id = REGISTER_VBAR_EL1 },
		{ .id = REGISTER_X0, .low = tree ? *tree : 0 },
	};
	const size_t count = LINUX_ARM64_REGISTERS - (tree ? 0 : 1);

	for (size_t i = 0; i < count; i++)
		out[i] = values[i];
	return count;
}

/* EFI's tables and ACPI's, one behind the other, pages each. */
typedef struct Arm64Tables {
	Bytes map, system, acpi, rsdp;
	MemoryRange map_pages, system_pages, rsdp_pages, acpi_pages;
} Arm64Tables;

/* A plan in the making. */
typedef struct Arm64Boot {
	const BootInputs *in;
	Arena *arena;
	AcpiProfile profile;
	Arm64Machine machine;
	Arm64Room room;
	uint64_t base; /* GPA from which places are counted: the start of RAM */
	BootImage kernel, initrd;
	uint64_t entry;
	Arm64Tables tables; /* with ACPI */
	Bytes tree;
	uint64_t tree_gpa;
} Arm64Boot;

static uint64_t pages_of(uint64_t len)
{
	return align_down(len + PAGE_SIZE - 1, PAGE_SIZE);
}

/*
 * images
 */

static bool check_entry(const Arm64Boot *boot, uint64_t stated, uint64_t *entry, Error *err)
{
	const BootImage *kernel = &boot->kernel;
	const uint64_t at = stated ? stated : kernel->gpa;

	if (at < kernel->gpa || at - kernel->gpa >= kernel->len)
		return error_set(err, PVW_LINUX_0017,
			"entry 0x%" PRIx64 ", expected an address in 0x%" PRIx64 "-0x%" PRIx64,
			at, kernel->gpa, kernel->gpa + kernel->len);
	*entry = at;
	return true;
}

/* What is in place has its place before anything else looks for one. */
static bool find_in_place(
	Arm64Boot *boot, const char *name, const Image *image, BootImage *out, Error *err)
{
	if (image->place != IMAGE_IN_PLACE || !image->len)
		return true;
	if (!boot_image_in_place(name, image, boot->base, boot->in->layout->vtl0.ram, out, err))
		return false;
	arm64_room_mark(&boot->room, name, boot_image_range(out));
	return true;
}

static bool find_images_in_place(Arm64Boot *boot, Error *err)
{
	const LinuxSettings *settings = &boot->in->settings->linux_direct;

	if (settings->kernel.place == IMAGE_ABSENT) {
		error_set(err, PVW_LINUX_0014,
			"no kernel, expected one in guest memory or an Image");
		return error_at(err, "settings.linux_direct.kernel");
	}
	if (!find_in_place(boot, "linux.kernel", &settings->kernel, &boot->kernel, err))
		return error_at(err, "settings.linux_direct.kernel");
	if (!find_in_place(boot, "linux.initrd", &settings->initrd, &boot->initrd, err) ||
		!boot_image_check_apart(&boot->initrd, &boot->kernel, err))
		return error_at(err, "settings.linux_direct.initrd");
	return true;
}

/* As the reference has it, no initrd is one of no bytes where it would lie. */
static bool place_initrd(Arm64Boot *boot, Error *err)
{
	const Image *image = &boot->in->settings->linux_direct.initrd;
	const Arm64Demand demand = {
		.name = "linux.initrd",
		.from = boot->base + LINUX_ARM64_INITRD_GPA,
		.align = PAGE_SIZE,
		.len = image->bytes.len,
	};

	if (boot->initrd.len)
		return true;
	boot->initrd.name = demand.name;
	boot->initrd.gpa = demand.from;
	if (image->place != IMAGE_BYTES || !image->bytes.len)
		return true;
	if (!boot_image_allow_bytes(
		    demand.name, image->bytes, boot->in->info->isolation, err) ||
		!arm64_room_take(&boot->room, &demand, &boot->initrd.gpa, err))
		return error_at(err, "settings.linux_direct.initrd");
	boot->initrd.len = boot->initrd.room = image->bytes.len;
	boot->initrd.bytes = image->bytes;
	return true;
}

/* Behind the initrd. The kernel clears what its file does not bring. */
static bool place_kernel_bytes(Arm64Boot *boot, Bytes bytes, Error *err)
{
	Arm64Demand demand = {
		.name = "linux.kernel",
		.from = boot->base + LINUX_ARM64_INITRD_GPA,
		.align = ARM64_KERNEL_ALIGN,
	};
	Arm64Image header;
	BootImage *kernel = &boot->kernel;

	if (!boot_image_allow_bytes(demand.name, bytes, boot->in->info->isolation, err) ||
		!arm64_image_parse(bytes, &header, err))
		return false;
	demand.offset = header.text_offset;
	demand.len = header.size;
	if (!arm64_room_take(&boot->room, &demand, &kernel->gpa, err))
		return false;
	kernel->name = demand.name;
	kernel->len = bytes.len;
	kernel->room = header.size;
	kernel->bytes = bytes;
	return true;
}

static bool place_kernel(Arm64Boot *boot, Error *err)
{
	const LinuxSettings *settings = &boot->in->settings->linux_direct;

	if ((boot->kernel.len || place_kernel_bytes(boot, settings->kernel.bytes, err)) &&
		check_entry(boot, settings->kernel_entry, &boot->entry, err))
		return true;
	return error_at(err, "settings.linux_direct.kernel");
}

/*
 * ACPI
 */

static AcpiSbsaUart sbsa_uart(const ArmUart *uart, uint8_t number)
{
	return (AcpiSbsaUart){
		.name = { 'U', 'A', 'R', (char)('0' + number) },
		.uid = number,
		.base = uart->address,
		.len = PL011_0_SIZE,
		.gsiv = uart->intid,
	};
}

/* A console or debugger's port is where its UART is. */
static void move_port(AcpiPort *port, const Arm64Machine *machine)
{
	for (size_t i = 0; i < machine->uart_count; i++) {
		if (port->kind != ACPI_PORT_PL011 ||
			port->base != arm64_platform_uarts[machine->uart_numbers[i]].address)
			continue;
		port->base = machine->uarts[i].address;
		port->interrupt = machine->uarts[i].intid;
		break;
	}
}

/* By PsciConduit. */
static const AcpiPsci acpi_psci[] = {
	[PSCI_HVC] = ACPI_PSCI_HVC,
	[PSCI_SMC] = ACPI_PSCI_SMC,
	[PSCI_NONE] = ACPI_PSCI_NONE,
};
static_assert(ARRAY_COUNT(acpi_psci) == PSCI_CONDUIT_COUNT, "one row a conduit");

static bool build_acpi(Arm64Boot *boot, uint64_t gpa, AcpiSet *out, Error *err)
{
	const Arm64Machine *machine = &boot->machine;
	AcpiSbsaUart uarts[ARM64_UARTS_MAX];
	AcpiInputs acpi;

	if (!boot_machine_acpi(boot->in, boot->profile, boot->arena, &acpi, err))
		return error_wrap(err, "acpi tables");
	for (size_t i = 0; i < machine->uart_count; i++)
		uarts[i] = sbsa_uart(&machine->uarts[i], machine->uart_numbers[i]);
	move_port(&acpi.console, machine);
	move_port(&acpi.debug_port, machine);
	acpi.topology = &machine->topology;
	acpi.psci = acpi_psci[machine->psci];
	acpi.secure_timer = machine->timers.secure;
	acpi.physical_timer = machine->timers.physical;
	acpi.hypervisor_timer = machine->timers.hypervisor;
	acpi.sbsa_uarts = uarts;
	acpi.sbsa_uart_count = machine->uart_count;
	acpi.with_processors = true;
	acpi.distances = machine->has_distances ? &machine->distances : NULL;
	if (machine->with_hypervisor) {
		acpi.hypervisor_identity = HYPERV_IDENTITY;
		acpi.with_vmbus = true;
		acpi.vmbus_gsiv = VMBUS_ARM64_INTID;
	} else {
		acpi.mmio_low = acpi.mmio_high = MEMORY_RANGE_EMPTY;
	}
	if (!acpi_build_set(&acpi, gpa, boot->arena, out, err))
		return error_wrap(err, "acpi tables");
	return true;
}

/* How many bytes each takes, for whom there is no place yet. */
typedef struct TableSizes {
	uint64_t map, system, acpi; /* multiples of PAGE_SIZE */
	uint64_t all;               /* with the page of the RSDP */
} TableSizes;

static MemoryRange next_pages(uint64_t *at, uint64_t len)
{
	const MemoryRange pages = { *at, *at + len };

	*at = pages.end;
	return pages;
}

static void spread_tables(Arm64Tables *tables, uint64_t gpa, const TableSizes *sizes)
{
	tables->map_pages = next_pages(&gpa, sizes->map);
	tables->system_pages = next_pages(&gpa, sizes->system);
	tables->rsdp_pages = next_pages(&gpa, PAGE_SIZE);
	tables->acpi_pages = next_pages(&gpa, sizes->acpi);
}

/* Addresses inside of ACPI's tables are absolute, so a second place wants a second building. */
static bool place_tables(Arm64Boot *boot, size_t smbios_len, Error *err)
{
	const uint64_t best = boot->base + LINUX_ARM64_EFI_MAP_GPA;
	TableSizes sizes = {
		.map = pages_of(efi_memory_map_bound(boot->in->layout->vtl0.ram.count, 2)),
		.system = pages_of(efi_tables_len(smbios_len)),
	};
	const uint64_t acpi_offset = sizes.map + sizes.system + PAGE_SIZE;
	Arm64Demand demand = {
		.name = "efi and acpi tables", .from = best, .align = PAGE_SIZE
	};
	uint64_t gpa;
	AcpiSet set;

	if (!build_acpi(boot, best + acpi_offset, &set, err))
		return false;
	sizes.acpi = pages_of(set.tables.len);
	demand.len = acpi_offset + sizes.acpi;
	if (!arm64_room_take(&boot->room, &demand, &gpa, err))
		return false;
	if (gpa != best && !build_acpi(boot, gpa + acpi_offset, &set, err))
		return false;
	boot->tables.acpi = set.tables;
	boot->tables.rsdp = set.rsdp;
	spread_tables(&boot->tables, gpa, &sizes);
	return true;
}

static bool build_efi(Arm64Boot *boot, Bytes smbios, Error *err)
{
	Arm64Tables *tables = &boot->tables;
	/*
	 * Memory of boot services is free once the kernel runs, and would be written over while
	 * SMBIOS' structures in it are still read. [UEFI210] 2.3.6.2
	 */
	const EfiArea areas[] = {
		{ { tables->map_pages.start, tables->system_pages.end },
			EFI_RUNTIME_SERVICES_DATA },
		{ { tables->rsdp_pages.start, tables->acpi_pages.end }, EFI_ACPI_RECLAIM },
	};
	const EfiTableInputs inputs = {
		.gpa = tables->system_pages.start,
		.rsdp_gpa = tables->rsdp_pages.start,
		.smbios = smbios,
	};

	return efi_build_memory_map(boot->in->layout->vtl0.ram,
		       (EfiAreaList){ areas, ARRAY_COUNT(areas) },
		       memory_range_len(tables->map_pages), boot->arena, &tables->map, err) &&
		efi_build_tables(&inputs, boot->arena, &tables->system, err);
}

static bool build_tables(Arm64Boot *boot, Error *err)
{
	const SmbiosInputs identity = boot_machine_smbios(boot->in->settings);
	Bytes smbios;

	return smbios_build_table(&identity, boot->arena, &smbios, err) &&
		place_tables(boot, smbios.len, err) && build_efi(boot, smbios, err);
}

/*
 * the tree
 */

static Arm64TreeInputs tree_inputs(const Arm64Boot *boot)
{
	const Arm64Machine *machine = &boot->machine;

	return (Arm64TreeInputs){
		.topology = &machine->topology,
		.timers = machine->timers,
		.psci = machine->psci,
		.ram = boot->room.ram,
		.mmio_low = boot->in->mmio->low,
		.mmio_high = boot->in->mmio->high,
		.distances = machine->has_distances ? &machine->distances : NULL,
		.uarts = machine->uarts,
		.uart_count = machine->uart_count,
		.chosen = {
			.command_line = boot->in->settings->linux_direct.command_line,
			.initrd_start = boot->initrd.gpa,
			.initrd_end = boot->initrd.gpa + boot->initrd.len,
			.entropy = { boot->in->entropy, sizeof(boot->in->entropy) },
		},
	};
}

static bool build_tree(Arm64Boot *boot, const Arm64TreeInputs *inputs, Error *err)
{
	const Arm64EfiPlaces efi = {
		.system_table = boot->tables.system_pages.start,
		.memory_map = boot->tables.map_pages.start,
		.memory_map_len = boot->tables.map.len,
		.descriptor_size = sizeof(EfiMemoryDescriptor),
		.descriptor_version = EFI_DESCRIPTOR_VERSION,
	};
	const bool built = boot->tables.map.len
		? arm64_stub_tree_build(&inputs->chosen, &efi, boot->arena, &boot->tree, err)
		: arm64_tree_build(inputs, boot->arena, &boot->tree, err);
	const Arm64Demand demand = {
		.name = "linux.device-tree",
		.from = boot_image_range(&boot->kernel).end,
		.align = PAGE_SIZE,
		.len = boot->tree.len,
	};

	return built && arm64_room_take(&boot->room, &demand, &boot->tree_gpa, err);
}

/*
 * the plan
 */

static bool decide(Arm64Boot *boot, Diagnostics *diagnostics, Error *err)
{
	const LinuxHardware hardware = boot->in->settings->linux_direct.hardware;
	Arm64TreeInputs inputs;

	if (!arm64_machine_resolve(boot->in, boot->arena, &boot->machine, diagnostics, err) ||
		!arm64_room_begin(boot->in->layout->vtl0.ram, boot->arena, &boot->room, err))
		return false;
	boot->base = boot->room.ram.items[0].range.start;
	if (!find_images_in_place(boot, err))
		return false;
	inputs = tree_inputs(boot);
	if (!arm64_tree_check(&inputs, err) ||
		(hardware == LINUX_HARDWARE_ACPI && !build_tables(boot, err)) ||
		!place_initrd(boot, err) || !place_kernel(boot, err))
		return false;
	inputs = tree_inputs(boot);
	return build_tree(boot, &inputs, err);
}

static void add_artifacts(BootPlanBuilder *plan, const Arm64Boot *boot)
{
	const Arm64Tables *tables = &boot->tables;

	boot_image_add(plan, &boot->kernel);
	boot_plan_add(plan,
		(Artifact){
			.name = "linux.device-tree",
			.media_type = "application/octet-stream",
			.placed = true,
			.gpa = boot->tree_gpa,
			.bytes = boot->tree,
			.sensitive = true, /* seeds */
		});
	boot_image_add(plan, &boot->initrd);
	if (!tables->map.len)
		return;
	boot_plan_place(plan, "efi.memory-map", tables->map_pages.start, tables->map);
	boot_plan_place(plan, "efi.system-table", tables->system_pages.start, tables->system);
	boot_plan_place(plan, "acpi.rsdp", tables->rsdp_pages.start, tables->rsdp);
	boot_plan_place(plan, "acpi.tables", tables->acpi_pages.start, tables->acpi);
}

static void add_registers(BootPlanBuilder *plan, const Arm64Boot *boot)
{
	Register registers[LINUX_ARM64_REGISTERS];
	const size_t count = linux_arm64_registers(boot->entry, &boot->tree_gpa, registers);

	for (size_t i = 0; i < count; i++)
		boot_plan_register(plan, registers[i]);
}

bool linux_arm64_build_plan(
	const BootInputs *in, Arena *arena, BootPlan *out, Diagnostics *diagnostics, Error *err)
{
	const Bytes line = in->settings->linux_direct.command_line;
	Arm64Boot boot = { .in = in, .arena = arena };
	BootPlanBuilder *plan;
	PlanPolicy policy;

	if (in->info->arch != GUEST_ARCH_AARCH64)
		return error_set(err, PVW_LINUX_0013, "architecture %s, expected %s",
			guest_arch_name(in->info->arch), guest_arch_name(GUEST_ARCH_AARCH64));
	if (!boot_path_policy(BOOT_LINUX, &in->request, &policy, err))
		return false;
	boot.profile = policy.acpi;
	if (!decide(&boot, diagnostics, err) ||
		!boot_plan_begin(BOOT_LINUX, policy, arena, &plan, err))
		return false;
	if (line.len >= LINUX_KERNEL_COMMAND_LINE_MAX)
		diagnostics_add(diagnostics, PVW_LINUX_0019,
			"settings.linux_direct.command_line",
			"command line of %zu bytes, kernels take %d", line.len,
			LINUX_KERNEL_COMMAND_LINE_MAX - 1);
	add_artifacts(plan, &boot);
	add_registers(plan, &boot);
	return boot_plan_finish(plan, in->layout->vtl0.ram, out, err);
}
