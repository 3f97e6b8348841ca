/*
 * What every boot path says of the machine in the same way: its ACPI inputs, who made it, and the
 * variable MTRRs of x86-64.
 */
#ifndef LOADERS_BOOT_MACHINE_H
#define LOADERS_BOOT_MACHINE_H

#include "loaders/boot_path.h"
#include "loaders/smbios.h"

/**
 * boot_machine_acpi - the part of the ACPI inputs that follows from the boot inputs
 * @out: profile, topology, RAM with its nodes (a list in @arena), chipset windows, PSP; in the
 *       default profile also FACS and WAET (x86-64), S4 where the settings allow hibernation,
 *       SPCR for the first port that is no debugger's and DBG2 for the first that is. The rest
 *       is 0. What a boot path adds of its own, it adds behind this.
 *
 * Errors: PVW_MEM_0001 (LIMIT).
 */
MUST_CHECK bool boot_machine_acpi(
	const BootInputs *in, AcpiProfile profile, Arena *arena, AcpiInputs *out, Error *err);

/**
 * boot_machine_add_mtrrs - the variable MTRRs of a policy, as registers of a plan
 * @diagnostics: PVW_MTRR_0006 (WARNING) for each device that best-effort left write-back
 *
 * Errors: those of mtrr_solve.
 */
MUST_CHECK bool boot_machine_add_mtrrs(const BootInputs *in, MtrrPolicy policy, Arena *arena,
	BootPlanBuilder *plan, Diagnostics *diagnostics, Error *err);

/** boot_machine_smbios - direct boot's identity, behind what the host says; borrows its texts */
SmbiosInputs boot_machine_smbios(const PlatformSettings *settings);

#endif
