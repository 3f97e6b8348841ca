/*
 * A VM description between its document and what follows from it.
 */
#ifndef HOST_VM_INTERNAL_H
#define HOST_VM_INTERNAL_H

#include "host/json_rows.h"
#include "host/vm_machine.h"

typedef struct RootComplex {
	RootComplexShape shape;
	VmBridge bridge;
} RootComplex;

/* What the rows fill. */
typedef struct Parts {
	Vm vm;
	const char *schema;
	GuestArch arch;
	uint64_t memory; /* of a single node */
	bool has_memory;
	bool has_nodes;
	bool has_count; /* of processors */
	bool has_arm;
	bool has_distances;
	size_t vnode_count; /* of processors.nodes */
	VirtualProcessor *listed;
	size_t listed_count;
	uint32_t gic; /* 0 = v3, 1 = v2 */
	uint32_t msi; /* GicMsi; GIC_MSI_COUNT = not said */
	RootComplex *root_complexes;
	size_t root_complex_count;
} Parts;

/* The rows of the document, in the order of the template. */
extern const JsonRow vm_document_rows[];

/* The example of a row that a template writes itself: the name of its architecture. */
#define VM_TEMPLATE_ARCH ""

/** vm_check_said - do the members of the document go together? */
MUST_CHECK bool vm_check_said(const Parts *parts, const char *source, Error *err);

/** vm_check - does everything that a complete description names exist, and once? */
MUST_CHECK bool vm_check(const Vm *vm, const char *source, Error *err);

/** vm_default_frame - the first interrupt of an MSI frame: the last that the GIC has are its */
uint32_t vm_default_frame(const ArmPlatform *arm);

/** vm_iommu_units - the IOMMUs; lists live in @arena */
MUST_CHECK bool vm_iommu_units(const Vm *vm, const ResolvedLayout *layout,
	const VmInterrupts *interrupts, Arena *arena, AcpiIommu *out, Error *err);

#endif
