/*
 * Boot path: UEFI firmware that a measured image has put into guest memory.
 */
#ifndef LOADERS_UEFI_H
#define LOADERS_UEFI_H

#include "loaders/boot_path.h"

/**
 * uefi_build_plan - configure firmware that lies in guest memory
 * @out: lives in @arena; untouched on failure
 *
 * Only the configuration is written. Where the settings say that the image is in place, it is an
 * artifact too, marked measured; one handed over as bytes is refused, because its start state
 * would not be known.
 *
 * Artifacts, in this order: uefi.image (in place), uefi.config (sensitive: holds entropy), and
 * for people, placed nowhere, acpi.madt and acpi.srat unless the host gave them.
 *
 * Registers: those of the image's VP context, the last value of each, as they stand; PAT,
 * default type and fixed MTRRs are theirs to set. On x86-64 the variable MTRRs of the policy
 * follow, and none of the context's are kept beside them. Without a context the registers are
 * no whole start state: whoever starts the guest has the context and applies it first.
 *
 * Warnings: PVW_UEFI_0012 to _0016.
 * Errors: PVW_UEFI_0002 to _0011; those of ACPI, MTRR and PLAN.
 */
MUST_CHECK bool uefi_build_plan(const BootInputs *in, Arena *arena, BootPlan *out,
	Diagnostics *diagnostics, Error *err);

#endif
