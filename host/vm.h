/*
 * A virtual machine as a host describes it: everything that decides its addresses and its tables,
 * before any address is known.
 *
 *	pvw.vm/1 (JSON) --vm_read--> Vm --vm_resolve--> ResolvedLayout
 *	Vm + ResolvedLayout --> topology, ACPI inputs, boot info (host/vm_machine.h)
 *
 * The document is in docs/formats.md, "VM description".
 */
#ifndef HOST_VM_H
#define HOST_VM_H

#include "acpi/acpi_inputs.h"
#include "bootinfo/host_info.h"
#include "bootinfo/platform_settings.h"
#include "layout/resolver.h"

#define VM_SCHEMA "pvw.vm/1"
#define VM_MAX_DOCUMENT ((size_t)4 * 1024 * 1024) /* bytes of JSON */
#define VM_MAX_PROCESSORS 2048
#define VM_MAX_VIRTIO_MMIO 100 /* slots: what ACPI has names for */
#define VM_MAX_INITIATORS 512
#define VM_MAX_PORTS 32 /* of a root complex */
#define VM_MAX_CACHES 16
/* What an arena needs for a description, its layout and its tables' inputs, bytes. */
#define VM_ARENA_LIMIT ((size_t)64 * 1024 * 1024)

/* Processors: numbered from 0, or listed. */
typedef struct VmProcessors {
	uint32_t count;
	uint32_t vps_per_socket; /* 0 = all in one */
	bool smt;
	X2ApicSetting x2apic; /* x86-64 */
	const uint32_t
		*vnodes; /* of each processor; NULL: @count in even runs over all nodes */
	const VirtualProcessor *list; /* with identifiers of the caller's, or NULL */
} VmProcessors;

/* A PCI Express root complex beyond its addresses. */
typedef struct VmBridge {
	bool has_vnode;
	uint32_t vnode;
	bool preserve_boot_config; /* the guest keeps bus numbers and BARs */
	uint16_t cxl_restrictions; /* as CEDT writes them */
	uint8_t ports;             /* root ports: functions 0, 1, ... of its first bus */
} VmBridge;

typedef struct Vm {
	const char *name;
	BootKind boot;      /* what the guest starts with */
	LayoutShape layout; /* all that decides addresses; its lists live in the same arena */
	const VmBridge *bridges; /* as many as layout.root_complexes */
	VmProcessors processors;
	ArmPlatform
		arm; /* aarch64: GIC, timer, PMU, MSI; the architecture's defaults filled in */
	bool with_vmbus;
	bool with_com1, with_com2;                   /* x86-64: 16550; aarch64: PL011 (SBSA) */
	bool with_pic, with_pit, with_rtc, with_psp; /* x86-64 */
	bool vtl2_redirection;                       /* VTL2 offers the bus to VTL0 */
	uint32_t pm_base;                            /* x86-64, I/O port */
	uint32_t acpi_irq;                           /* x86-64, SCI */
	AcpiDistances distances;                     /* node_count 0 = no SLIT */
	const AcpiGenericInitiator *initiators;
	size_t initiator_count;
	const AcpiCache *caches;
	size_t cache_count;
	IsolationType isolation;
} Vm;

/**
 * vm_read - a VM description from its JSON document
 * @source: what messages call the document
 * @arena:  of VM_ARENA_LIMIT
 * @out: strings and lists live in @arena; everything not said has its default
 *
 * Outputs are untouched on failure. Whether the shape can be laid out is for vm_resolve to say.
 *
 * Errors, all with the JSON path, the value found and the value expected: PVW_JSON_* for what is
 * no document of that form, PVW_VM_0001 (BAD_VALUE) another schema, _0002 (BAD_VALUE) members
 * that exclude each other or do not fit together, _0003 (UNSUPPORTED) what the architecture does
 * not have, _0004 (BAD_VALUE) a NUMA node that is not there, _0005 (OVERLAP) two root complexes
 * of one name or with a bus in common, _0006 (LIMIT) a document above VM_MAX_DOCUMENT, _0007
 * (BAD_VALUE) a device of aarch64 outside of the low chipset window or on another, _0008
 * (NO_SPACE) more interrupts than the GIC has.
 */
MUST_CHECK bool vm_read(Bytes json, const char *source, Arena *arena, Vm *out, Error *err);

/** vm_resolve - where everything is; as resolver_run */
MUST_CHECK bool vm_resolve(const Vm *vm, Arena *arena, ResolvedLayout *out, Error *err);

#endif
