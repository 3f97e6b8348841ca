/*
 * Boot path: an image in an IGVM file, for VTL2 or for a guest without levels.
 */
#ifndef LOADERS_IGVM_H
#define LOADERS_IGVM_H

#include "loaders/boot_path.h"
#include "loaders/igvm_contents.h"
#include "loaders/igvm_relocate.h"

/**
 * igvm_choose_move - where the relocatable region goes
 * @info: its VTL2 memory, or all of it if there is none for VTL2, is where the region should be
 * @out:  nothing moves if the region may stay where the file has it, or if there is none
 *
 * Errors: PVW_IGVM_0031 (BAD_VALUE) it fits nowhere, _0027 (MISSING) there are no page tables to
 * move with it.
 */
MUST_CHECK bool igvm_choose_move(
	const IgvmContents *contents, const BootInfo *info, IgvmMove *out, Error *err);

/**
 * igvm_build_plan - what a file puts into memory, for a guest that is not isolated
 * @in:  settings.firmware_image is the file, as bytes; settings.linux_direct.command_line its line;
 *       info says which memory there is, VTL2's too
 * @out: lives in @arena; untouched on failure. Page data is borrowed from the file.
 *
 * Artifacts: igvm.pages.GPA for each run of pages, igvm.page-tables if they moved,
 * igvm.parameters.INDEX for each area that is inserted, igvm.error-range.GPA. Registers: those of
 * processor 0's context, for the file's highest level; what moved is seen to.
 *
 * Warnings: PVW_IGVM_0033.
 * Errors: PVW_IGVM_*, see diagnostics.def; PVW_LINUX_0022 (DENIED) the guest is isolated; those of
 * ACPI, TREE and PLAN.
 */
MUST_CHECK bool igvm_build_plan(const BootInputs *in, Arena *arena, BootPlan *out,
	Diagnostics *diagnostics, Error *err);

#endif
