/*
 * The whole effect of a boot path, as data: what is written where, and the first register state.
 */
#ifndef LOADERS_BOOT_PLAN_H
#define LOADERS_BOOT_PLAN_H

#include "acpi/acpi_build.h"
#include "bootinfo/platform_settings.h"
#include "layout/layout_version.h"
#include "layout/memory_layout.h"
#include "loaders/mtrr.h"
#include "loaders/registers.h"
#include "support/digest.h"

#define BOOT_PLAN_MAX_ARTIFACTS 1024
#define BOOT_PLAN_ALIGN 8 /* of a placed artifact's address, bytes */

/*
 * One named piece of a plan. Its name is API: logs, RPC and golden files use it
 * ("uefi.config", "acpi.tables", "linux.zero-page").
 */
typedef struct Artifact {
	const char *name;
	const char *media_type; /* "application/octet-stream" where nothing better is known */
	bool placed;            /* false: an answer for people, written nowhere */
	uint64_t gpa;           /* placed: multiple of BOOT_PLAN_ALIGN */
	/* May borrow from an input image. NULL data with a length: zeros, or unseen, see below. */
	Bytes bytes;
	bool sensitive; /* holds entropy or keys */
	bool measured;  /* already in place and measured: checked, not written */
} Artifact;

/* artifact_is_unseen - measured, and nothing but its length known: there is nothing to compare */
static inline bool artifact_is_unseen(const Artifact *artifact)
{
	return artifact->measured && !artifact->bytes.data;
}

typedef struct ArtifactList {
	const Artifact *items;
	size_t count;
} ArtifactList;

/* The choices a plan depends on besides facts. A saved plan keeps them. */
typedef struct PlanPolicy {
	MtrrPolicy mtrr;
	AcpiProfile acpi;
	uint32_t layout_version; /* LAYOUT_VERSION_REFERENCE, … */
} PlanPolicy;

/* The whole effect of a boot path, as data. */
typedef struct BootPlan {
	BootKind kind;
	PlanPolicy policy;      /* as decided, no "prefers" left */
	ArtifactList artifacts; /* in the order of adding; the placed ones disjoint, in RAM */
	const size_t *writes;   /* indices of the placed artifacts, ascending by gpa */
	size_t write_count;
	const Digest *digests;  /* of each artifact's bytes, by its index; zeros if not seen */
	RegisterList registers; /* emission order */
	RegisterSetList register_sets; /* the same by scope: all processors, then the first */
	Digest digest;                 /* plan_digest, docs/formats.md */
} BootPlan;

/* A plan being made; opaque. The first failed add is kept and reported by boot_plan_finish. */
typedef struct BootPlanBuilder BootPlanBuilder;

MUST_CHECK bool boot_plan_begin(
	BootKind kind, PlanPolicy policy, Arena *arena, BootPlanBuilder **out, Error *err);

/** boot_plan_place - bytes to be written at a guest address; @bytes is borrowed */
void boot_plan_place(BootPlanBuilder *plan, const char *name, uint64_t gpa, Bytes bytes);

/** boot_plan_add - any artifact, all fields said; strings and bytes are borrowed */
void boot_plan_add(BootPlanBuilder *plan, Artifact artifact);

/** boot_plan_register - one initial register; the second value for one register is an error */
void boot_plan_register(BootPlanBuilder *plan, Register value);

/**
 * boot_plan_finish - check and seal
 * @ram: what writes must stay inside of, each within one record
 *
 * Errors: PVW_PLAN_0001 (OVERLAP) two artifacts, _0002 (NO_SPACE) outside RAM,
 * _0003 (BAD_VALUE) unaligned address, a wrap, or nothing to write, _0004 (LIMIT) too many
 * artifacts, _0005 (INTERNAL) a register given twice, _0006 (INTERNAL) a name given twice.
 */
MUST_CHECK bool boot_plan_finish(
	BootPlanBuilder *plan, LayoutRecordList ram, BootPlan *out, Error *err);

/** boot_plan_find - the artifact of that name, or NULL */
const Artifact *boot_plan_find(const BootPlan *plan, const char *name);

#endif
