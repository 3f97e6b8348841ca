/*
 * Boot path: a Linux kernel without firmware, x86-64.
 */
#ifndef LOADERS_LINUX_X86_H
#define LOADERS_LINUX_X86_H

#include "loaders/boot_path.h"

/**
 * linux_x86_build_plan - start a kernel that lies in guest memory
 * @in:  settings.linux_direct says which; its bytes are borrowed by @out
 * @out: lives in @arena; untouched on failure
 *
 * The kernel must be in place, as measured images bring it; kernels handed over as bytes are
 * refused. An initrd may be in place, or bytes if the guest is not isolated: these go as high
 * below 2 GiB as RAM and kernel allow. Either way kernel and initrd are artifacts of the plan,
 * so nothing else can be written over them; those in place are marked measured and are not
 * written.
 *
 * Artifacts, in this order: linux.kernel, linux.initrd, linux.command-line, linux.gdt,
 * linux.page-tables, acpi.rsdp, acpi.tables, linux.zero-page, smbios.anchor, smbios.tables.
 * Registers: the boot processor's state, then the variable MTRRs of the policy, exact unless
 * another one was asked for. ACPI profile: default unless another one was asked for.
 *
 * Warnings: PVW_LINUX_0019 a command line longer than kernels take.
 * Errors: PVW_LINUX_0003 to _0022, see diagnostics.def; those of ACPI, MTRR, SMBIOS and PLAN.
 */
MUST_CHECK bool linux_x86_build_plan(const BootInputs *in, Arena *arena, BootPlan *out,
	Diagnostics *diagnostics, Error *err);

#endif
