/*
 * Boot paths: from what was decided to a plan, one row a kind.
 */
#ifndef LOADERS_BOOT_PATH_H
#define LOADERS_BOOT_PATH_H

#include "bootinfo/measured.h"
#include "layout/vtl0_layout.h"
#include "loaders/boot_plan.h"
#include "support/diagnostics.h"

#define ENTROPY_SIZE 64 /* bytes */

/* Policies as asked for; unset ones become what the boot path prefers. */
typedef struct PlanRequest {
	bool has_mtrr, has_acpi;
	MtrrPolicy mtrr;
	AcpiProfile acpi;
	uint32_t layout_version; /* 0 = newest */
} PlanRequest;

/* Everything a boot path may look at. */
typedef struct BootInputs {
	const BootInfo *info;
	const ChipsetMmioRanges *mmio; /* as the guest gets them */
	const Vtl0Layout *layout;
	const ProcessorTopology *topology;
	const PlatformSettings *settings;
	uint8_t physical_address_bits;
	uint8_t entropy[ENTROPY_SIZE];
	Bytes slit, pptt;          /* from IGVM parameters, empty if there is none */
	const AcpiBridge *bridges; /* PCI Express; what a boot tree does not tell of */
	size_t bridge_count;
	/* Of the first processor, as an image's VP context page has them; empty: not known. */
	RegisterList vp_context;
	/* Of the image that VTL0 came with; NULL: it has no measured configuration. */
	const MeasuredVtl0 *measured;
	Bytes measured_line; /* its command line for Linux, or empty */
	PlanRequest request;
} BootInputs;

/** boot_kind_name - "uefi", "pcat", "linux", "none", "igvm" */
const char *boot_kind_name(BootKind kind);

/** boot_kind_find - by that name; BOOT_KIND_COUNT if there is none */
BootKind boot_kind_find(const char *name);

/**
 * boot_path_policy - the policies in effect: what was asked for, else what the path prefers
 *
 * Errors: PVW_BOOT_0002 (UNSUPPORTED) a layout version above LAYOUT_VERSION_CURRENT.
 */
MUST_CHECK bool boot_path_policy(
	BootKind kind, const PlanRequest *request, PlanPolicy *out, Error *err);

/**
 * boot_path_build - the plan of the boot kind that the settings name
 *
 * The path sees a request with nothing left open. Outputs are untouched on failure.
 *
 * With measured pages the settings name their images, and the plan wipes what must not stay:
 * boot_measured.h.
 *
 * Errors: PVW_BOOT_0001 (UNSUPPORTED) no such path for this architecture, those of
 * boot_path_policy, of the measured images and of the path.
 */
MUST_CHECK bool boot_path_build(const BootInputs *in, Arena *arena, BootPlan *out,
	Diagnostics *diagnostics, Error *err);

#endif
