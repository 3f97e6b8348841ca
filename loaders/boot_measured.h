/*
 * Boot paths and the measured pages: images that are in place already, and what must be gone from
 * memory before the guest starts.
 * Source: [OVMM] openhcl/underhill_core/src/loader/mod.rs, vtl0_config.rs
 */
#ifndef LOADERS_BOOT_MEASURED_H
#define LOADERS_BOOT_MEASURED_H

#include "loaders/boot_path.h"

/**
 * boot_measured_settings - settings with the images that the measured configuration names
 * @in:  with @in->measured
 * @out: @in->settings, with the image of their boot kind in place, and Linux's command line: the
 *       measured one, a space, and what the settings add
 *
 * Errors: PVW_MEASURED_0016 (MISSING) the image of this kind is not among the measured ones, _0017
 * (BAD_VALUE) the settings have it somewhere else.
 */
MUST_CHECK bool boot_measured_settings(
	const BootInputs *in, Arena *arena, PlatformSettings *out, Error *err);

/**
 * boot_measured_wipe - a plan that also wipes the measured pages, and images that are not chosen
 * @plan: as its path made it
 * @out:  the same, with zeros as measured.config, .vp-context, .command-line, .uefi-image,
 *        .linux-kernel, .linux-initrd where the plan itself writes nothing; pieces behind the first
 *        have .2, .3, … behind their name. Lives in @arena.
 *
 * A piece begins at a multiple of BOOT_PLAN_ALIGN: up to 7 bytes behind a write stay as they are.
 *
 * Errors: those of boot_plan_finish.
 */
MUST_CHECK bool boot_measured_wipe(
	const BootInputs *in, const BootPlan *plan, Arena *arena, BootPlan *out, Error *err);

#endif
