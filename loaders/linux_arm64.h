/*
 * Boot path: a Linux kernel without firmware, aarch64.
 */
#ifndef LOADERS_LINUX_ARM64_H
#define LOADERS_LINUX_ARM64_H

#include "loaders/boot_path.h"

#define LINUX_ARM64_REGISTERS 8

/**
 * linux_arm64_registers - the state in which kernels are entered
 * @entry: GPA of the image
 * @tree:  GPA of the device tree, or NULL: X0 stays as it is
 * @out:   in emission order
 *
 * Returns how many there are. EL1 with interrupts masked, MMU off, caches on.
 * Source: [LINUXARM64] 4; [OVMM] vm/loader/src/linux.rs, set_linux_arm64_registers
 */
size_t linux_arm64_registers(
	uint64_t entry, const uint64_t *tree, Register out[LINUX_ARM64_REGISTERS]);

/**
 * linux_arm64_build_plan - start a kernel that lies in guest memory, or is handed over as bytes
 * @in:  settings.linux_direct says which, and whether the machine is told by a device tree or by
 *       EFI and ACPI tables
 * @out: lives in @arena; untouched on failure
 *
 * With M the start of RAM for the guest's own use: EFI's tables and ACPI's from M + 8 MiB on, the
 * initrd from M + 16 MiB on, the kernel at the next multiple of 2 MiB behind it (plus its
 * text_offset), the tree at the next page. What meets an image that is in place moves up. Bytes
 * are borrowed; what is in place is measured and not written.
 *
 * GIC, timer and performance monitor are those of the boot tree, UARTs those of the platform if
 * asked for, unless settings.linux_direct.arm says otherwise.
 *
 * Artifacts, in this order: linux.kernel, linux.device-tree, linux.initrd, and with ACPI
 * efi.memory-map, efi.system-table, acpi.rsdp, acpi.tables. Registers: the boot processor's state.
 *
 * Warnings: PVW_LINUX_0019 a command line longer than kernels take, PVW_ARM64_0019 RAM where a
 * device is.
 * Errors: PVW_ARM64_0001 to _0018, PVW_LINUX_0008, _0014, _0016, _0017, _0020 to _0022, see
 * diagnostics.def; those of ACPI, EFI, SMBIOS, TREE and PLAN.
 */
MUST_CHECK bool linux_arm64_build_plan(const BootInputs *in, Arena *arena, BootPlan *out,
	Diagnostics *diagnostics, Error *err);

#endif
