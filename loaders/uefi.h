/*
 * Boot path: UEFI firmware, put into guest memory by a measured image, or brought as bytes.
 */
#ifndef LOADERS_UEFI_H
#define LOADERS_UEFI_H

#include "loaders/boot_path.h"

/**
 * uefi_build_plan - place firmware that is not there yet, and configure it
 * @out: lives in @arena; untouched on failure
 *
 * An image in place is not written: where the settings say that it is there, it is an artifact,
 * marked measured. An image of bytes is written, and everything that it starts with.
 *
 * Artifacts, in this order: uefi.image; of an image of bytes uefi.page-tables, uefi.gdt and
 * uefi.scratch (x86-64) or uefi.stack and uefi.page-tables (aarch64); uefi.config (sensitive:
 * holds entropy); and for people, placed nowhere, acpi.madt and acpi.srat unless the host gave
 * them, with bridges acpi.mcfg, acpi.ssdt and acpi.cedt.
 *
 * Registers of an image in place: those of its VP context, the last value of each, as they stand;
 * PAT, default type and fixed MTRRs are theirs to set. Without a context the registers are no
 * whole start state: whoever starts the guest has the context and applies it first. Of an image of
 * bytes: its whole start state; there is no context then. On x86-64 the variable MTRRs of the
 * policy follow, and none of the context's are kept beside them.
 *
 * Warnings: PVW_UEFI_0012 to _0016, _0020.
 * Errors: PVW_UEFI_0002 to _0011, _0017 to _0019; those of ACPI, MTRR and PLAN.
 */
MUST_CHECK bool uefi_build_plan(const BootInputs *in, Arena *arena, BootPlan *out,
	Diagnostics *diagnostics, Error *err);

#endif
