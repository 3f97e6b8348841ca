/*
 * acpi-emit: every table of many machines, for judges that are not ours.
 *
 *	acpi-emit FOLDER [SHAPE...]
 *	acpi-emit --shapes
 *
 * writes FOLDER/<machine>/<table>.aml. A machine's name says what it is, so that a judge knows
 * what to expect: profile, architecture, processors, windows, UARTs, or what else is special.
 * With shapes it writes these instead, in the default profile; --shapes names all there are.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "acpi/acpi_build.h"
#include "shapes.h"

#define TABLES_GPA 0x19000
#define GIB (UINT64_C(1) << 30)

static _Noreturn void die(const char *what, const char *why)
{
	fprintf(stderr, "acpi-emit: %s: %s\n", what, why);
	exit(1);
}

static void make_folder(const char *path)
{
	if (mkdir(path, 0777) != 0 && errno != EEXIST)
		die(path, strerror(errno));
}

static void write_file(const char *folder, const char *name, Bytes bytes)
{
	char path[512];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s.aml", folder, name);
	file = fopen(path, "wb");
	if (!file || fwrite(bytes.data, 1, bytes.len, file) != bytes.len || fclose(file) != 0)
		die(path, "cannot be written");
}

/* By its signature in lower case. */
static void write_table(const char *folder, AcpiTableId id, Bytes bytes)
{
	char name[5] = { 0 };

	for (size_t i = 0; i < 4; i++)
		name[i] = (char)tolower(acpi_table_signature(id)[i]);
	write_file(folder, name, bytes);
}

static void emit(const char *root, const char *name, const AcpiInputs *in)
{
	Arena *arena = arena_new((size_t)64 << 20);
	char folder[256];
	AcpiSet set;
	Error err;
	size_t xsdt;

	snprintf(folder, sizeof(folder), "%s/%s", root, name);
	make_folder(folder);
	if (!arena || !acpi_build_set(in, TABLES_GPA, arena, &set, &err))
		die(folder, arena ? err.text : "no memory");
	for (AcpiTableId id = 0; id < ACPI_TABLE_COUNT; id++) {
		if (set.at[id])
			write_table(folder, id,
				(Bytes){ set.tables.data + (set.at[id] - TABLES_GPA),
					set.len[id] });
	}
	memcpy(&xsdt, set.rsdp.data + 24, sizeof(xsdt));
	xsdt -= TABLES_GPA;
	write_file(folder, "xsdt",
		(Bytes){ set.tables.data + xsdt,
			(size_t)set.tables.data[xsdt + 4] +
				((size_t)set.tables.data[xsdt + 5] << 8) });
	write_file(folder, "rsdp", set.rsdp);
	arena_free(arena);
}

static const char *const profile_names[ACPI_PROFILE_COUNT] = { "default", "reference" };

static const AcpiUart uarts[] = { { "UAR1", "COM1", 1, 0x3F8, 4 },
	{ "UAR2", "COM2", 2, 0x2F8, 3 } };

static VirtualProcessor vps[2048];

static void fill_processors(size_t nodes)
{
	for (size_t i = 0; i < ARRAY_COUNT(vps); i++)
		vps[i] = (VirtualProcessor){ .vnode = (uint32_t)(i % nodes),
			.apic_id = (uint32_t)i,
			.mpidr = UINT64_C(1) << 31 | (i >> 8) << 8 | (i & 0xFF),
			.gicr = 0xEFFEE000 + i * 0x20000 };
}

static const NodeRange ram[] = { { { 0, 0xF8000000 }, 0 }, { { FOUR_GIB, 5 * GIB }, 1 } };

static AcpiInputs paravisor(AcpiProfile profile, const ProcessorTopology *topology)
{
	return (AcpiInputs){ .profile = profile,
		.topology = topology,
		.ram = { ram, 2 },
		.mmio_low = { 0xF8000000, FOUR_GIB },
		.mmio_high = { 5 * GIB, 6 * GIB },
		.with_ioapic = true,
		.pm_base = 0x400,
		.acpi_irq = 9,
		.uarts = uarts,
		.uart_count = ARRAY_COUNT(uarts),
		.with_rtc = true,
		.with_vmbus = true,
		.with_processors = true };
}

static void emit_paravisors(const char *root, AcpiProfile profile)
{
	static const size_t counts[] = { 1, 4, 64, 2048 };

	for (unsigned i = 0; i < 16; i++) {
		const bool high = i & 4, with_uarts = i & 8;
		const ProcessorTopology topology = { .vps = vps,
			.count = counts[i & 3],
			.vps_per_socket = 32,
			.reserved_vps_per_socket = 32 };
		AcpiInputs in = paravisor(profile, &topology);
		char name[64];

		if (!high)
			in.mmio_high = MEMORY_RANGE_EMPTY;
		if (!with_uarts)
			in.uart_count = 0;
		snprintf(name, sizeof(name), "%s-x86_64-%zuvp-%s-%s", profile_names[profile],
			topology.count, high ? "both" : "low", with_uarts ? "uarts" : "none");
		emit(root, name, &in);
	}
}

static const AcpiCxl cxl = { .registers = { 64 * GIB, 64 * GIB + 0x10000 },
	.hdm = { 65 * GIB, 66 * GIB },
	.restrictions = 6 };

static const AcpiBridge bridges[] = {
	{ .index = 0,
		.end_bus = 255,
		.ecam = { 0xE0000000, 0xF0000000 },
		.low = { 0xD0000000, 0xD8000000 },
		.high = { 32 * GIB, 33 * GIB } },
	{ .index = 54,
		.segment = 1,
		.start_bus = 32,
		.end_bus = 63,
		.ecam = { 40 * GIB, 40 * GIB + 0x2000000 },
		.low = { 0xD8000000, 0xDA000000 },
		.high = { 33 * GIB, 34 * GIB },
		.cxl = &cxl,
		.has_vnode = true,
		.vnode = 1,
		.preserve_boot_config = true },
};

static const AcpiCache caches[] = {
	{ 1, ACPI_CACHE_DATA, 32768, 8, 64 },
	{ 1, ACPI_CACHE_INSTRUCTION, 32768, 8, 64 },
	{ 2, ACPI_CACHE_UNIFIED, 1048576, 16, 64 },
	{ 3, ACPI_CACHE_UNIFIED, 33554432, 0, 64 },
};

static const AcpiDistances distances = { .node_count = 2 };
static const AcpiGenericInitiator initiator = { .bus = 1, .vnode = 1 };

/* A host's machine: PCI Express, caches, distances; IOMMU in turns. */
static void emit_host_x86(
	const char *root, AcpiProfile profile, AcpiIommuKind iommu, const char *what)
{
	static const AcpiAmdViUnit amdvi = { .device_id = 0x10,
		.capability_offset = 0x40,
		.base = 0xFD000000,
		.end_bus = 255,
		.features = 0x1234 };
	static const AcpiVtdScope scope = { .devfn = 8, .is_bridge = true };
	static const AcpiVtdUnit vtd = {
		.base = 0xFD000000, .scopes = &scope, .scope_count = 1
	};
	const ProcessorTopology topology = { .vps = vps,
		.count = 8,
		.vps_per_socket = 4,
		.reserved_vps_per_socket = 4,
		.smt = true };
	AcpiInputs in = paravisor(profile, &topology);
	char name[64];

	in.with_caches = true;
	in.caches = caches;
	in.cache_count = ARRAY_COUNT(caches);
	in.distances = &distances;
	in.initiators = &initiator;
	in.initiator_count = 1;
	in.bridges = bridges;
	in.bridge_count = ARRAY_COUNT(bridges);
	in.iommu = (AcpiIommu){ .kind = iommu,
		.has_ioapic_rid = true,
		.ioapic_rid = 0xA0,
		.pa_bits = 48,
		.va_bits = 48,
		.host_address_width = 48,
		.amdvi = &amdvi,
		.vtd = &vtd,
		.unit_count = 1 };
	snprintf(name, sizeof(name), "%s-x86_64-host-%s", profile_names[profile], what);
	emit(root, name, &in);
}

/* Devices that only a host's own VMM has. */
static void emit_devices(const char *root, AcpiProfile profile)
{
	static const AcpiPciInterrupt line = { 7, ACPI_ANY_FUNCTION, 11 };
	static const DsdtDevice devices[] = {
		{ .kind = DSDT_VIRTIO_MMIO,
			.virtio_mmio = { .region = { 0xF7F00000, 0xF7F12000 }, .gsi = 17 } },
		{ .kind = DSDT_PCI_ROOT,
			.windows = { .low = { 0xF8000000, FOUR_GIB },
				.high = { 5 * GIB, 6 * GIB },
				.interrupts = &line,
				.interrupt_count = 1 } },
		{ .kind = DSDT_VMBUS, .vmbus = { .in_pci = true } },
		{ .kind = DSDT_RTC },
	};
	static const DsdtDeviceList list = { devices, ARRAY_COUNT(devices) };
	const ProcessorTopology topology = {
		.vps = vps, .count = 2, .vps_per_socket = 2, .reserved_vps_per_socket = 2
	};
	AcpiInputs in = paravisor(profile, &topology);
	char name[64];

	in.devices = &list;
	snprintf(name, sizeof(name), "%s-x86_64-devices", profile_names[profile]);
	emit(root, name, &in);
}

static void emit_arm64(const char *root, AcpiProfile profile, GicMsi msi, const char *what)
{
	static const DsdtDevice devices[] = {
		{ .kind = DSDT_MODULE,
			.windows = { .low = { 0xE0000000, 0xEF000000 },
				.high = { 5 * GIB, 6 * GIB } } },
		{ .kind = DSDT_VMBUS, .vmbus = { .gsiv = 18 } },
		{ .kind = DSDT_SBSA_UART,
			.sbsa_uart = { "\\_SB.UAR0", 0, 0xEFFEC000, 0x1000, 33 } },
		{ .kind = DSDT_SBSA_UART,
			.sbsa_uart = { "\\_SB.UAR1", 1, 0xEFFEB000, 0x1000, 34 } },
	};
	static const DsdtDeviceList list = { devices, ARRAY_COUNT(devices) };
	static const MemoryRange reserved = { 0x8000000, 0x8100000 };
	static const AcpiSmmu smmu = { .base = 0xEFF00000,
		.event_gsiv = 64,
		.error_gsiv = 65,
		.reserved = { &reserved, 1 } };
	const ProcessorTopology topology = { .arch = GUEST_ARCH_AARCH64,
		.vps = vps,
		.count = 4,
		.vps_per_socket = 4,
		.arm = { .gic_distributor = 0xFFFF0000,
			.msi = msi,
			.msi_base = 0xEFFC0000,
			.msi_spi_base = 512,
			.msi_spi_count = 64,
			.pmu_gsiv = 23,
			.virt_timer_ppi = 20 } };
	AcpiInputs in = paravisor(profile, &topology);
	char name[64];

	in.hypervisor_identity = UINT64_C(0x567265707948734D);
	in.devices = &list;
	in.with_caches = true;
	in.caches = caches;
	in.cache_count = ARRAY_COUNT(caches);
	in.bridges = bridges;
	in.bridge_count = 1;
	if (msi == GIC_MSI_V2M)
		in.iommu =
			(AcpiIommu){ .kind = ACPI_IOMMU_SMMU, .smmu = &smmu, .unit_count = 1 };
	snprintf(name, sizeof(name), "%s-aarch64-%s", profile_names[profile], what);
	emit(root, name, &in);
}

static void emit_machines(const char *root)
{
	fill_processors(2);
	for (AcpiProfile profile = 0; profile < ACPI_PROFILE_COUNT; profile++) {
		emit_paravisors(root, profile);
		emit_host_x86(root, profile, ACPI_IOMMU_AMDVI, "amdvi");
		emit_host_x86(root, profile, ACPI_IOMMU_VTD, "vtd");
		emit_devices(root, profile);
		emit_arm64(root, profile, GIC_MSI_ITS, "its");
		emit_arm64(root, profile, GIC_MSI_V2M, "v2m");
	}
}

static void list_shapes(void)
{
	for (size_t i = 0; i < SHAPE_COUNT; i++) {
		const Shape shape = shape_at(i);
		char name[64];

		shape_name(&shape, name);
		puts(name);
	}
}

static void emit_shape(const char *root, const char *wanted)
{
	for (size_t i = 0; i < SHAPE_COUNT; i++) {
		const Shape shape = shape_at(i);
		ShapeMachine *machine;
		char name[64], folder[128];

		shape_name(&shape, name);
		if (strcmp(name, wanted) != 0)
			continue;
		machine = shape_machine_new(&shape, ACPI_PROFILE_DEFAULT);
		snprintf(folder, sizeof(folder), "default-shape-%s", name);
		emit(root, folder, &machine->in);
		shape_machine_free(machine);
		return;
	}
	die(wanted, "no such shape");
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--shapes") == 0) {
		list_shapes();
		return 0;
	}
	if (argc < 2)
		die("usage", "acpi-emit FOLDER [SHAPE...]");
	make_folder(argv[1]);
	if (argc == 2)
		emit_machines(argv[1]);
	for (int i = 2; i < argc; i++)
		emit_shape(argv[1], argv[i]);
	return 0;
}
