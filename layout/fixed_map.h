/*
 * Every guest address that a boot path, a device or a measured image fixes once and for all.
 *
 * Addresses are guest physical, sizes are bytes; a size stands wherever something has one. What
 * is not here is decided by the layout. Boot paths exclude each other, so their maps may share
 * addresses; inside one map neighbours are asserted to be apart.
 *
 * To add one: constant, line in the map of its architecture, static_assert against both
 * neighbours.
 */
#ifndef LAYOUT_FIXED_MAP_H
#define LAYOUT_FIXED_MAP_H

#include "support/memory_range.h"

/* start + size, for constants named NAME_GPA and NAME_SIZE */
#define FIXED_END(name) (name##_GPA + name##_SIZE)

/* @a ends at or below @b, both constants named NAME_GPA and NAME_SIZE */
#define FIXED_ASSERT_BELOW(a, b)                                                               \
	static_assert(FIXED_END(a) <= b##_GPA, #a " runs into " #b);                           \
	static_assert((a##_GPA | a##_SIZE) % PAGE_SIZE == 0, #a " is not made of pages")

/* @inner lies inside @outer */
#define FIXED_ASSERT_INSIDE(inner, outer)                                                      \
	static_assert(outer##_GPA <= inner##_GPA && FIXED_END(inner) <= FIXED_END(outer),      \
		#inner " leaves " #outer)

/*
 * x86-64, measured pages: written by whoever built the image, read once, then zeroed; free for
 * the boot path afterwards. [OVMM] vm/loader/src/paravisor.rs
 *
 *	0x0000  description of what the image holds for VTL0
 *	0x1000  VP context, if the image holds UEFI
 *	0x2000  command line (0x1000 without UEFI)
 */
#define MEASURED_X86_CONFIG_GPA UINT64_C(0x0)
#define MEASURED_X86_CONFIG_SIZE PAGE_SIZE
#define MEASURED_X86_VP_CONTEXT_GPA UINT64_C(0x1000)
#define MEASURED_X86_VP_CONTEXT_SIZE PAGE_SIZE
#define MEASURED_X86_COMMAND_LINE_GPA UINT64_C(0x2000) /* behind a VP context */
#define MEASURED_X86_COMMAND_LINE_SIZE PAGE_SIZE

FIXED_ASSERT_BELOW(MEASURED_X86_CONFIG, MEASURED_X86_VP_CONTEXT);
FIXED_ASSERT_BELOW(MEASURED_X86_VP_CONTEXT, MEASURED_X86_COMMAND_LINE);

/*
 * x86-64, Linux without firmware. [OVMM] vm/loader/src/linux.rs
 *
 *	0x0000_0000  unused
 *	0x0000_1000  GDT
 *	0x0000_2000  zero page
 *	0x0000_3000  command line
 *	0x0000_4000  page tables: 6 pages used, 20 set aside
 *	0x0001_8000  where the ACPI builder is told the RSDP is; nothing is stored here
 *	0x0001_9000  ACPI tables, then SMBIOS structures, then what SNP needs: "boot pages"
 *	0x000e_0000  RSDP, found by the legacy scan
 *	0x000f_0000  SMBIOS anchor
 *	0x0010_0000  kernel
 */
#define LINUX_X86_GDT_GPA UINT64_C(0x1000)
#define LINUX_X86_GDT_SIZE PAGE_SIZE
#define LINUX_X86_ZERO_PAGE_GPA UINT64_C(0x2000)
#define LINUX_X86_ZERO_PAGE_SIZE PAGE_SIZE
#define LINUX_X86_COMMAND_LINE_GPA UINT64_C(0x3000)
#define LINUX_X86_COMMAND_LINE_SIZE PAGE_SIZE
#define LINUX_X86_PAGE_TABLES_GPA UINT64_C(0x4000)
#define LINUX_X86_PAGE_TABLES_SIZE (20 * PAGE_SIZE)
#define LINUX_X86_PAGE_TABLES_USED (6 * PAGE_SIZE) /* PML4, PDPT, 4 page directories */
#define LINUX_X86_NOMINAL_RSDP_GPA UINT64_C(0x18000)
#define LINUX_X86_NOMINAL_RSDP_SIZE PAGE_SIZE
#define LINUX_X86_BOOT_PAGES_GPA UINT64_C(0x19000) /* ACPI tables first */
#define LINUX_X86_BOOT_PAGES_SIZE UINT64_C(0xc7000)
#define LINUX_X86_RSDP_GPA UINT64_C(0xe0000)
#define LINUX_X86_RSDP_SIZE PAGE_SIZE
#define LINUX_X86_GENERATION_ID_GPA UINT64_C(0xe1000) /* ours; reserved as its neighbours are */
#define LINUX_X86_GENERATION_ID_SIZE PAGE_SIZE
#define LINUX_X86_SMBIOS_ANCHOR_GPA UINT64_C(0xf0000)
#define LINUX_X86_SMBIOS_ANCHOR_SIZE PAGE_SIZE
#define LINUX_X86_KERNEL_GPA UINT64_C(0x100000)

FIXED_ASSERT_BELOW(LINUX_X86_GDT, LINUX_X86_ZERO_PAGE);
FIXED_ASSERT_BELOW(LINUX_X86_ZERO_PAGE, LINUX_X86_COMMAND_LINE);
FIXED_ASSERT_BELOW(LINUX_X86_COMMAND_LINE, LINUX_X86_PAGE_TABLES);
FIXED_ASSERT_BELOW(LINUX_X86_PAGE_TABLES, LINUX_X86_NOMINAL_RSDP);
FIXED_ASSERT_BELOW(LINUX_X86_NOMINAL_RSDP, LINUX_X86_BOOT_PAGES);
FIXED_ASSERT_BELOW(LINUX_X86_BOOT_PAGES, LINUX_X86_RSDP);
FIXED_ASSERT_BELOW(LINUX_X86_RSDP, LINUX_X86_GENERATION_ID);
FIXED_ASSERT_BELOW(LINUX_X86_GENERATION_ID, LINUX_X86_SMBIOS_ANCHOR);
FIXED_ASSERT_BELOW(LINUX_X86_SMBIOS_ANCHOR, LINUX_X86_KERNEL);
static_assert(LINUX_X86_PAGE_TABLES_USED <= LINUX_X86_PAGE_TABLES_SIZE, "page tables");
static_assert(FIXED_END(LINUX_X86_BOOT_PAGES) == LINUX_X86_RSDP_GPA, "no page is lost");

/*
 * x86-64, UEFI. [OVMM] vm/loader/src/uefi/mod.rs; [MU] MsvmPkg, FD base and size
 *
 *	0x0010_0000  image, exactly 6 MiB; its SEC volume at 0x006e_0000
 *	0x0070_0000  page tables, 6 pages
 *	0x0070_6000  GDT
 *	0x0070_7000  scratch for hypercalls, 2 pages
 *	0x0070_9000  configuration blob, open ended
 */
#define UEFI_X86_IMAGE_GPA UINT64_C(0x100000)
#define UEFI_X86_IMAGE_SIZE UINT64_C(0x600000)
#define UEFI_X86_SEC_VOLUME_GPA UINT64_C(0x6e0000)
#define UEFI_X86_SEC_VOLUME_SIZE UINT64_C(0x20000)
#define UEFI_X86_PAGE_TABLES_GPA UINT64_C(0x700000)
#define UEFI_X86_PAGE_TABLES_SIZE (6 * PAGE_SIZE)
#define UEFI_X86_GDT_GPA UINT64_C(0x706000)
#define UEFI_X86_GDT_SIZE PAGE_SIZE
#define UEFI_X86_SCRATCH_GPA UINT64_C(0x707000)
#define UEFI_X86_SCRATCH_SIZE (2 * PAGE_SIZE)
#define UEFI_X86_CONFIG_GPA UINT64_C(0x709000)

FIXED_ASSERT_BELOW(UEFI_X86_IMAGE, UEFI_X86_PAGE_TABLES);
FIXED_ASSERT_BELOW(UEFI_X86_PAGE_TABLES, UEFI_X86_GDT);
FIXED_ASSERT_BELOW(UEFI_X86_GDT, UEFI_X86_SCRATCH);
FIXED_ASSERT_BELOW(UEFI_X86_SCRATCH, UEFI_X86_CONFIG);
FIXED_ASSERT_INSIDE(UEFI_X86_SEC_VOLUME, UEFI_X86_IMAGE);
static_assert(FIXED_END(UEFI_X86_IMAGE) + 9 * PAGE_SIZE == UEFI_X86_CONFIG_GPA,
	"the firmware looks nine pages behind its image");

/*
 * x86-64, PCAT: the legacy BIOS. [OVMM] vm/loader/src/pcat.rs, firmware_pcat
 *
 *	0x000e_0000  last 128 KiB of the image, when the loader places it
 *	0x000f_0000  last 64 KiB of the image, as the device shows it
 *	0xfffc_0000  the image, 256 KiB, up to 4 GiB
 */
#define PCAT_IMAGE_SIZE UINT64_C(0x40000)
#define PCAT_TOP_GPA UINT64_C(0xe0000)
#define PCAT_TOP_SIZE UINT64_C(0x20000)
#define PCAT_SHADOW_GPA UINT64_C(0xf0000)
#define PCAT_SHADOW_SIZE UINT64_C(0x10000)
#define PCAT_ROM_GPA UINT64_C(0xfffc0000)
#define PCAT_ROM_SIZE PCAT_IMAGE_SIZE

FIXED_ASSERT_INSIDE(PCAT_SHADOW, PCAT_TOP);
static_assert(FIXED_END(PCAT_TOP) == 0x100000, "real mode ends here");
static_assert(FIXED_END(PCAT_SHADOW) == 0x100000, "real mode ends here");
static_assert(FIXED_END(PCAT_ROM) == FOUR_GIB, "the reset vector is below 4 GiB");

/*
 * x86-64, devices: always inside the low chipset window.
 *
 *	0xfe00_0000  architectural zone begins
 *	0xfec0_0000  I/O APIC
 *	0xfed4_0000  TPM, five localities
 *	0xfee0_0000  local APIC
 *	0xfffc_0000  PCAT ROM
 *	0x1_0000_0000
 */
#define ZONE_X86_GPA UINT64_C(0xfe000000)
#define ZONE_X86_SIZE UINT64_C(0x2000000)
#define IOAPIC_GPA UINT64_C(0xfec00000)
#define IOAPIC_SIZE PAGE_SIZE
#define TPM_GPA UINT64_C(0xfed40000)
#define TPM_SIZE (5 * PAGE_SIZE)
#define LOCAL_APIC_GPA UINT64_C(0xfee00000)
#define LOCAL_APIC_SIZE PAGE_SIZE

FIXED_ASSERT_INSIDE(IOAPIC, ZONE_X86);
FIXED_ASSERT_BELOW(IOAPIC, TPM);
FIXED_ASSERT_BELOW(TPM, LOCAL_APIC);
FIXED_ASSERT_BELOW(LOCAL_APIC, PCAT_ROM);
FIXED_ASSERT_INSIDE(PCAT_ROM, ZONE_X86);
static_assert(FIXED_END(ZONE_X86) == FOUR_GIB, "the zone ends at 4 GiB");

/* x86-64, I/O ports and their interrupts. */
#define RTC_PORT 0x70
#define RTC_IRQ 8
#define COM1_PORT 0x3f8
#define COM1_IRQ 4
#define COM2_PORT 0x2f8
#define COM2_IRQ 3
#define COM3_PORT 0x3e8
#define COM3_IRQ 4
#define COM4_PORT 0x2e8
#define COM4_IRQ 3
#define PM_BASE_PORT 0x400
#define TPM_PORT 0x1040
#define SCI_IRQ 9

/*
 * aarch64, measured pages: as above. [OVMM] vm/loader/src/paravisor.rs
 *
 *	0x0100_0000  description of what the image holds for VTL0
 *	0x0100_1000  VP context
 */
#define MEASURED_ARM64_CONFIG_GPA UINT64_C(0x1000000)
#define MEASURED_ARM64_CONFIG_SIZE PAGE_SIZE
#define MEASURED_ARM64_VP_CONTEXT_GPA UINT64_C(0x1001000)
#define MEASURED_ARM64_VP_CONTEXT_SIZE PAGE_SIZE

FIXED_ASSERT_BELOW(MEASURED_ARM64_CONFIG, MEASURED_ARM64_VP_CONTEXT);

/*
 * aarch64, Linux without firmware: distances from the start of RAM, 1 GiB by default, because
 * the kernel runs wherever RAM begins. [OVMM] vm/loader/src/linux.rs
 *
 *	+0x0080_0000  EFI memory map
 *	+0x0080_1000  EFI system table and what it points to
 *	+0x0080_2000  RSDP
 *	+0x0080_3000  ACPI tables
 *	+0x0100_0000  initrd; kernel and tree behind it
 */
#define LINUX_ARM64_RAM_START UINT64_C(0x40000000) /* default, GPA */
#define LINUX_ARM64_EFI_MAP_GPA UINT64_C(0x800000) /* all: from the start of RAM */
#define LINUX_ARM64_EFI_MAP_SIZE PAGE_SIZE
#define LINUX_ARM64_EFI_TABLES_GPA UINT64_C(0x801000)
#define LINUX_ARM64_EFI_TABLES_SIZE PAGE_SIZE
#define LINUX_ARM64_RSDP_GPA UINT64_C(0x802000)
#define LINUX_ARM64_RSDP_SIZE PAGE_SIZE
#define LINUX_ARM64_ACPI_GPA UINT64_C(0x803000)
#define LINUX_ARM64_ACPI_SIZE UINT64_C(0x7fd000) /* at most */
#define LINUX_ARM64_INITRD_GPA UINT64_C(0x1000000)

FIXED_ASSERT_BELOW(LINUX_ARM64_EFI_MAP, LINUX_ARM64_EFI_TABLES);
FIXED_ASSERT_BELOW(LINUX_ARM64_EFI_TABLES, LINUX_ARM64_RSDP);
FIXED_ASSERT_BELOW(LINUX_ARM64_RSDP, LINUX_ARM64_ACPI);
FIXED_ASSERT_BELOW(LINUX_ARM64_ACPI, LINUX_ARM64_INITRD);

/*
 * aarch64, UEFI: linked at 0. [OVMM] vm/loader/src/uefi/mod.rs; [MU] MsvmPkgAARCH64.dsc
 *
 *	0x0000_0000  image, exactly 8 MiB; page 0 branches to 0x1000
 *	0x0080_0000  stack, 32 pages; the stack pointer starts at its end
 *	0x0082_0000  page tables, 4 pages
 *	0x0082_4000  configuration blob, open ended
 */
#define UEFI_ARM64_IMAGE_GPA UINT64_C(0x0)
#define UEFI_ARM64_IMAGE_SIZE UINT64_C(0x800000)
#define UEFI_ARM64_ENTRY_GPA UINT64_C(0x1000)
#define UEFI_ARM64_STACK_GPA UINT64_C(0x800000)
#define UEFI_ARM64_STACK_SIZE (32 * PAGE_SIZE)
#define UEFI_ARM64_PAGE_TABLES_GPA UINT64_C(0x820000)
#define UEFI_ARM64_PAGE_TABLES_SIZE (4 * PAGE_SIZE)
#define UEFI_ARM64_CONFIG_GPA UINT64_C(0x824000)

FIXED_ASSERT_BELOW(UEFI_ARM64_IMAGE, UEFI_ARM64_STACK);
FIXED_ASSERT_BELOW(UEFI_ARM64_STACK, UEFI_ARM64_PAGE_TABLES);
FIXED_ASSERT_BELOW(UEFI_ARM64_PAGE_TABLES, UEFI_ARM64_CONFIG);
static_assert(UEFI_ARM64_CONFIG_GPA < MEASURED_ARM64_CONFIG_GPA,
	"the blob is written while the measured pages are still there");

/*
 * aarch64, devices: always inside the low chipset window.
 *
 *	0xef00_0000  architectural zone begins
 *	0xeffc_0000  GIC ITS
 *	0xeffe_8000  GICv2m frame
 *	0xeffe_b000  UART 1
 *	0xeffe_c000  UART 0
 *	0xeffe_d000  firmware's helper device
 *	0xeffe_e000  GIC redistributors, 128 KiB a processor, or the CPU interface of a GICv2;
 *	             from 0xefff_0000 on hosts that want 64 KiB alignment
 *	0xffff_0000  GIC distributor
 *	0x1_0000_0000
 */
#define ZONE_ARM64_GPA UINT64_C(0xef000000)
#define ZONE_ARM64_SIZE UINT64_C(0x11000000)
#define GIC_ITS_GPA UINT64_C(0xeffc0000)
#define GIC_ITS_SIZE UINT64_C(0x20000)
#define GIC_V2M_GPA UINT64_C(0xeffe8000)
#define GIC_V2M_SIZE PAGE_SIZE
#define PL011_1_GPA UINT64_C(0xeffeb000)
#define PL011_1_SIZE PAGE_SIZE
#define PL011_1_INTID 34
#define PL011_0_GPA UINT64_C(0xeffec000)
#define PL011_0_SIZE PAGE_SIZE
#define PL011_0_INTID 33
#define UEFI_DEVICE_ARM64_GPA UINT64_C(0xeffed000)
#define UEFI_DEVICE_ARM64_SIZE PAGE_SIZE
#define GIC_REDISTRIBUTORS_GPA UINT64_C(0xeffee000)
#define GIC_REDISTRIBUTORS_ALIGNED_GPA UINT64_C(0xefff0000)
#define GIC_REDISTRIBUTOR_STRIDE UINT64_C(0x20000) /* a processor's two 64 KiB frames */
#define GIC_REDISTRIBUTORS_SIZE (2048 * GIC_REDISTRIBUTOR_STRIDE) /* at most */
#define GIC_V2_CPU_INTERFACE_SIZE UINT64_C(0x2000)
#define GIC_DISTRIBUTOR_GPA UINT64_C(0xffff0000)
#define GIC_DISTRIBUTOR_SIZE UINT64_C(0x10000) /* 0x1000 of it with GICv2 */
#define VMBUS_ARM64_INTID 18

FIXED_ASSERT_INSIDE(GIC_ITS, ZONE_ARM64);
FIXED_ASSERT_BELOW(GIC_ITS, GIC_V2M);
FIXED_ASSERT_BELOW(GIC_V2M, PL011_1);
FIXED_ASSERT_BELOW(PL011_1, PL011_0);
FIXED_ASSERT_BELOW(PL011_0, UEFI_DEVICE_ARM64);
FIXED_ASSERT_BELOW(UEFI_DEVICE_ARM64, GIC_REDISTRIBUTORS);
FIXED_ASSERT_BELOW(GIC_REDISTRIBUTORS, GIC_DISTRIBUTOR);
FIXED_ASSERT_INSIDE(GIC_DISTRIBUTOR, ZONE_ARM64);
static_assert(GIC_REDISTRIBUTORS_ALIGNED_GPA + GIC_REDISTRIBUTORS_SIZE <= GIC_DISTRIBUTOR_GPA,
	"2048 processors fit on every host");
static_assert(FIXED_END(ZONE_ARM64) == FOUR_GIB, "the zone ends at 4 GiB");

#endif
