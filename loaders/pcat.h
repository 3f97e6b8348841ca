/*
 * The PCAT boot path: a PC BIOS that starts in real mode.
 *
 * The image, if the settings bring one, is copied below the end of low RAM and below 1 MiB;
 * an image that the host has mapped already is left alone. Everything else the BIOS asks for
 * (pcat_config.h) or finds in CMOS (pcat_cmos.h).
 * Source: [OVMM] vm/loader/src/pcat.rs
 */
#ifndef LOADERS_PCAT_H
#define LOADERS_PCAT_H

#include "layout/fixed_map.h"
#include "loaders/boot_path.h"
#include "loaders/pcat_cmos.h"
#include "loaders/pcat_config.h"

/* Default type, fixed ranges in six registers, code segment. */
#define PCAT_START_REGISTERS 8

/** pcat_start_registers - first state, in emission order; everything else is at reset */
void pcat_start_registers(Register out[PCAT_START_REGISTERS]);

/* Where an image goes. */
typedef struct PcatImage {
	uint64_t gpa; /* of the whole */
	Bytes image;
	Bytes top; /* its end, at PCAT_TOP_GPA */
} PcatImage;

/**
 * pcat_image_place - both copies of an image
 * @image:   borrowed
 * @has_max: there is RAM that ends below 4 GiB
 * @max:     its end, GPA
 *
 * Outputs are untouched on failure.
 *
 * Errors, in this order: PVW_PCAT_0003 (BAD_VALUE) not PCAT_IMAGE_SIZE bytes; PVW_PCAT_0004
 * (BAD_VALUE) @max is absent, not at a page, 0, above 4 GiB, too low for the image, or so low
 * that both copies meet.
 */
MUST_CHECK bool pcat_image_place(
	Bytes image, bool has_max, uint64_t max, PcatImage *out, Error *err);

/**
 * pcat_build_plan - the plan of a PCAT guest
 *
 * Artifacts: "pcat.image" and "pcat.top-pages" when the settings bring an image, and, written
 * nowhere, "pcat.cmos" and "pcat.config". The first RAM range must start at 0 and end below
 * 4 GiB: the BIOS knows of it by its length alone.
 *
 * Errors: those of pcat_image_place, pcat_config_build, pcat_cmos_build, mtrr_solve,
 * acpi_build_table and boot_plan_finish; PVW_PCAT_0002 (BAD_VALUE) for the first RAM range;
 * PVW_PCAT_0007 (UNSUPPORTED) another architecture than x86-64; PVW_PCAT_0009 (UNSUPPORTED) RAM
 * that is reserved or has a purpose. Warning: PVW_PCAT_0008.
 */
MUST_CHECK bool pcat_build_plan(const BootInputs *in, Arena *arena, BootPlan *out,
	Diagnostics *diagnostics, Error *err);

#endif
