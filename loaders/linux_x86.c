/*
 * A plan around a kernel, wherever it comes from.
 * Source: [OVMM] openhcl/underhill_core/src/loader/mod.rs, load_linux; vm/loader/src/linux.rs
 */
#include "loaders/linux_x86.h"

#include <inttypes.h>
#include <string.h>

#include "bootinfo/boot_info.h"
#include "layout/fixed_map.h"
#include "loaders/boot_machine.h"
#include "loaders/linux_format.h"
#include "loaders/linux_x86_config.h"
#include "loaders/linux_x86_kernel.h"
#include "support/checked.h"

/* Names are API; index LinuxPieceId. */
static const char *const piece_names[] = {
	[LINUX_PIECE_COMMAND_LINE] = "linux.command-line",
	[LINUX_PIECE_GDT] = "linux.gdt",
	[LINUX_PIECE_PAGE_TABLES] = "linux.page-tables",
	[LINUX_PIECE_RSDP] = "acpi.rsdp",
	[LINUX_PIECE_ACPI_TABLES] = "acpi.tables",
	[LINUX_PIECE_SNP_SECRETS] = "linux.snp-secrets",
	[LINUX_PIECE_SNP_CPUID] = "linux.snp-cpuid",
	[LINUX_PIECE_SNP_CC_BLOB] = "linux.snp-cc-blob",
	[LINUX_PIECE_SNP_SETUP_DATA] = "linux.snp-setup-data",
	[LINUX_PIECE_ZERO_PAGE] = "linux.zero-page",
	[LINUX_PIECE_SMBIOS_ANCHOR] = "smbios.anchor",
	[LINUX_PIECE_SMBIOS_TABLES] = "smbios.tables",
};
static_assert(ARRAY_COUNT(piece_names) == LINUX_PIECE_COUNT, "one name a piece");

/*
 * As high as possible below what the kernel takes; above 4 GiB if it takes that and there is no
 * other room. What the kernel unpacks itself into is left alone.
 */
static bool place_initrd(Bytes bytes, LayoutRecordList ram, const LinuxX86Kernel *kernel,
	BootImage *out, Error *err)
{
	const MemoryRange pages = boot_image_range(&kernel->image);
	BootImageRoom room = {
		.ram = ram,
		.lowest = LINUX_X86_KERNEL_GPA,
		.limit = kernel->initrd_limit < FOUR_GIB ? kernel->initrd_limit : FOUR_GIB,
		.avoid = { &pages, 1 },
	};
	Error above;

	if (boot_image_high("linux.initrd", bytes, &room, out, err))
		return true;
	room.lowest = FOUR_GIB;
	room.limit = MEMORY_RANGE_LIMIT;
	return kernel->above_4gib && boot_image_high("linux.initrd", bytes, &room, out, &above);
}

/* A kernel that says how high it takes one is believed; others are asked by nobody. */
static bool check_initrd_end(const BootImage *initrd, const LinuxX86Kernel *kernel, Error *err)
{
	const MemoryRange pages = boot_image_range(initrd);

	return !kernel->setup_header.len || kernel->above_4gib ||
		pages.end <= kernel->initrd_limit ||
		error_set(err, PVW_LINUX_0010,
			"linux.initrd at " RANGE_FORMAT
			", expected an end at or below 0x%" PRIx64 ", as this kernel takes it",
			RANGE_ARGS(pages), kernel->initrd_limit);
}

/* An initrd of no bytes is none. */
static bool find_initrd(const Image *initrd, IsolationType isolation, LayoutRecordList ram,
	const LinuxX86Kernel *kernel, BootImage *out, Error *err)
{
	BootImage placed = { 0 };

	if (initrd->place == IMAGE_BYTES && initrd->bytes.len) {
		if (!boot_image_allow_bytes("linux.initrd", initrd->bytes, isolation, err) ||
			!place_initrd(initrd->bytes, ram, kernel, &placed, err))
			return false;
	} else if (initrd->place == IMAGE_IN_PLACE && initrd->len) {
		if (!boot_image_in_place(
			    "linux.initrd", initrd, LINUX_X86_KERNEL_GPA, ram, &placed, err) ||
			!boot_image_check_apart(&placed, &kernel->image, err) ||
			!check_initrd_end(&placed, kernel, err))
			return false;
	}
	*out = placed;
	return true;
}

static bool has_generation_id(const ChipsetSettings *chipset)
{
	static const uint8_t none[sizeof(chipset->generation_id)];

	return memcmp(chipset->generation_id, none, sizeof(none)) != 0;
}

/* The machine as a guest without firmware is told of it. */
static bool build_acpi(
	const BootInputs *in, AcpiProfile profile, Arena *arena, AcpiSet *out, Error *err)
{
	const ChipsetSettings *chipset = &in->settings->chipset;
	AcpiUart uarts[2];
	AcpiInputs acpi;

	if (!boot_machine_acpi(in, profile, arena, &acpi, err))
		return error_wrap(err, "acpi tables");
	acpi.with_ioapic = true;
	acpi.pm_base = PM_BASE_PORT;
	acpi.acpi_irq = SCI_IRQ;
	acpi.uarts = uarts;
	acpi.with_pic = chipset->pic;
	acpi.with_pit = chipset->pit;
	acpi.with_rtc = true;
	acpi.with_vmbus = true;
	acpi.with_processors = true;
	/* The reference has no such device. */
	if (profile == ACPI_PROFILE_DEFAULT && has_generation_id(chipset))
		acpi.generation_id_gpa = LINUX_X86_GENERATION_ID_GPA;
	if (chipset->com1)
		uarts[acpi.uart_count++] = (AcpiUart){ "UAR1", "COM1", 1, COM1_PORT, COM1_IRQ };
	if (chipset->com2)
		uarts[acpi.uart_count++] = (AcpiUart){ "UAR2", "COM2", 2, COM2_PORT, COM2_IRQ };
	if (!acpi_build_set(&acpi, LINUX_X86_BOOT_PAGES_GPA, arena, out, err))
		return error_wrap(err, "acpi tables");
	return true;
}

static void add_config(BootPlanBuilder *plan, const LinuxX86Config *config)
{
	for (size_t i = 0; i < LINUX_PIECE_COUNT; i++) {
		if (config->pieces[i].bytes.len)
			boot_plan_place(plan, piece_names[i], config->pieces[i].gpa,
				config->pieces[i].bytes);
	}
	for (size_t i = 0; i < LINUX_X86_REGISTERS; i++)
		boot_plan_register(plan, config->registers[i]);
}

static bool find_images(const BootInputs *in, Arena *arena, LinuxX86Kernel *kernel,
	BootImage *initrd, Error *err)
{
	const LinuxSettings *settings = &in->settings->linux_direct;
	const LayoutRecordList ram = in->layout->vtl0.ram;

	if (!linux_x86_find_kernel(settings, in->info->isolation, ram, arena, kernel, err))
		return error_at(err, "settings.linux_direct.kernel");
	if (!find_initrd(&settings->initrd, in->info->isolation, ram, kernel, initrd, err))
		return error_at(err, "settings.linux_direct.initrd");
	return true;
}

/* A kernel that says how much it takes is believed; others take what all take. */
static bool check_command_line(
	Bytes line, const LinuxX86Kernel *kernel, Diagnostics *diagnostics, Error *err)
{
	static const char source[] = "settings.linux_direct.command_line";

	if (kernel->max_line && line.len > kernel->max_line) {
		error_set(err, PVW_LINUX_0025,
			"command line of %zu bytes, expected at most the %u that this kernel "
			"takes",
			line.len, kernel->max_line);
		return error_at(err, source);
	}
	if (!kernel->max_line && line.len >= LINUX_KERNEL_COMMAND_LINE_MAX)
		diagnostics_add(diagnostics, PVW_LINUX_0019, source,
			"command line of %zu bytes, kernels take %d", line.len,
			LINUX_KERNEL_COMMAND_LINE_MAX - 1);
	return true;
}

bool linux_x86_build_plan(
	const BootInputs *in, Arena *arena, BootPlan *out, Diagnostics *diagnostics, Error *err)
{
	const ChipsetSettings *chipset = &in->settings->chipset;
	const SmbiosInputs smbios = boot_machine_smbios(in->settings);
	LinuxX86Kernel kernel = { 0 };
	BootImage initrd = { 0 };
	BootPlanBuilder *plan;
	LinuxX86Config config;
	PlanPolicy policy;
	AcpiSet acpi;

	if (in->info->arch != GUEST_ARCH_X86_64)
		return error_set(err, PVW_LINUX_0013, "architecture %s, expected %s",
			guest_arch_name(in->info->arch), guest_arch_name(GUEST_ARCH_X86_64));
	if (in->settings->linux_direct.hardware != LINUX_HARDWARE_ACPI) {
		error_set(err, PVW_ARM64_0016, "a device tree for %s, expected acpi",
			guest_arch_name(in->info->arch));
		return error_at(err, "settings.linux_direct.hardware");
	}
	if (!boot_path_policy(BOOT_LINUX, &in->request, &policy, err) ||
		!find_images(in, arena, &kernel, &initrd, err) ||
		!build_acpi(in, policy.acpi, arena, &acpi, err))
		return false;

	const LinuxX86Inputs inputs = {
		.ram = in->layout->vtl0.ram,
		.command_line = in->settings->linux_direct.command_line,
		.entry = kernel.entry,
		.setup_header = kernel.setup_header,
		.initrd_gpa = initrd.gpa,
		.initrd_len = initrd.len,
		.acpi_tables = acpi.tables,
		.rsdp = acpi.rsdp,
		.smbios = &smbios,
	};
	if (!check_command_line(inputs.command_line, &kernel, diagnostics, err) ||
		!linux_x86_build_config(&inputs, arena, &config, err) ||
		!boot_plan_begin(BOOT_LINUX, policy, arena, &plan, err))
		return false;
	for (size_t i = 0; i < kernel.artifact_count; i++)
		boot_plan_add(plan, kernel.artifacts[i]);
	boot_image_add(plan, &initrd);
	add_config(plan, &config);
	if (policy.acpi == ACPI_PROFILE_DEFAULT && has_generation_id(chipset))
		boot_plan_place(plan, "generation-id", LINUX_X86_GENERATION_ID_GPA,
			(Bytes){ chipset->generation_id, sizeof(chipset->generation_id) });
	/* Variable MTRRs come behind the loader's registers. */
	return boot_machine_add_mtrrs(in, policy.mtrr, arena, plan, diagnostics, err) &&
		boot_plan_finish(plan, in->layout->vtl0.ram, out, err);
}
