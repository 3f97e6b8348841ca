/*
 * UEFI on x86-64: the security phase starts in long mode, everything below 4 GiB mapped.
 * Source: [OVMM] vm/loader/src/uefi/mod.rs, load
 */
#include "layout/fixed_map.h"
#include "loaders/page_tables.h"
#include "loaders/uefi_image.h"
#include "loaders/uefi_internal.h"
#include "loaders/x86_start.h"

#define CR0_PE_MP_NE_PG UINT64_C(0x80000023)
#define CR4_PAE_MCE_OSFXSR_OSXMMEXCPT UINT64_C(0x660)
#define EFER_LME_LMA_NXE UINT64_C(0xd00)

/* Of a guest that is not isolated: nothing that the platform would have to be asked for. */
#define ISOLATION_LEAF UINT64_C(0)

static_assert(PAGE_TABLES_IDENTITY_SIZE == UEFI_X86_PAGE_TABLES_SIZE, "the fixed map's room");

static void add_registers(uint64_t entry, BootPlanBuilder *plan)
{
	const MemoryRange low_ram = MTRR_LOW_RAM;
	const Register plain[] = {
		{ .id = REGISTER_CR0, .low = CR0_PE_MP_NE_PG },
		{ .id = REGISTER_CR3, .low = UEFI_X86_PAGE_TABLES_GPA },
		{ .id = REGISTER_CR4, .low = CR4_PAE_MCE_OSFXSR_OSXMMEXCPT },
		{ .id = REGISTER_EFER, .low = EFER_LME_LMA_NXE },
		{ .id = REGISTER_PAT, .low = X86_PAT_RESET },
		{ .id = REGISTER_RBP, .low = UEFI_X86_SEC_VOLUME_GPA },
		{ .id = REGISTER_RIP, .low = UEFI_X86_IMAGE_GPA + entry },
		{ .id = REGISTER_R8, .low = ISOLATION_LEAF },
		{ .id = REGISTER_R9, .low = ISOLATION_LEAF },
		{ .id = REGISTER_R10, .low = ISOLATION_LEAF },
		{ .id = REGISTER_R11, .low = ISOLATION_LEAF },
		{ .id = REGISTER_MTRR_DEF_TYPE, .low = MTRR_DEF_TYPE_INITIAL },
	};
	Register segments[X86_START_SEGMENTS], fixed[MTRR_FIXED_COUNT];
	const size_t fixed_count = mtrr_fixed_registers(&low_ram, 1, fixed);

	x86_start_segments(UEFI_X86_GDT_GPA, segments);
	for (size_t i = 0; i < ARRAY_COUNT(segments); i++)
		boot_plan_register(plan, segments[i]);
	for (size_t i = 0; i < ARRAY_COUNT(plain); i++)
		boot_plan_register(plan, plain[i]);
	for (size_t i = 0; i < fixed_count; i++)
		boot_plan_register(plan, fixed[i]);
}

static bool start(
	Bytes image, Arena *arena, BootPlanBuilder *plan, Diagnostics *diagnostics, Error *err)
{
	uint64_t entry;
	Bytes tables;

	(void)diagnostics;
	if (!uefi_image_find_sec(image, UEFI_X86_SEC_VOLUME_GPA - UEFI_X86_IMAGE_GPA,
		    GUEST_ARCH_X86_64, &entry, err) ||
		!page_tables_build_identity(UEFI_X86_PAGE_TABLES_GPA, 0, arena, &tables, err))
		return false;
	boot_plan_place(plan, "uefi.image", UEFI_X86_IMAGE_GPA, image);
	boot_plan_place(plan, "uefi.page-tables", UEFI_X86_PAGE_TABLES_GPA, tables);
	boot_plan_place(plan, "uefi.gdt", UEFI_X86_GDT_GPA, x86_start_gdt());
	boot_plan_place(plan, "uefi.scratch", UEFI_X86_SCRATCH_GPA,
		(Bytes){ NULL, UEFI_X86_SCRATCH_SIZE });
	add_registers(entry, plan);
	return true;
}

const UefiPlatform uefi_platform_x86 = {
	.image_gpa = UEFI_X86_IMAGE_GPA,
	.image_size = UEFI_X86_IMAGE_SIZE,
	.config_gpa = UEFI_X86_CONFIG_GPA,
	.start = start,
	.with_ioapic = true,
	.pm_base = PM_BASE_PORT,
	.acpi_irq = SCI_IRQ,
	.with_mtrrs = true,
};
