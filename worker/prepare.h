/*
 * The pipeline: bytes -> facts -> roles -> layout -> plan, pure, in three steps that the
 * session's states follow one by one and that a command line runs in one go.
 *
 *	boot tree --prepare_facts--> Facts --prepare_config--> Config --prepare_plan--> Prepared
 *
 * Each step allocates from the arena it is given and borrows from the results of the earlier
 * ones. Equal inputs give equal bytes and equal digests.
 */
#ifndef WORKER_PREPARE_H
#define WORKER_PREPARE_H

#include "bootinfo/settings_policy.h"
#include "loaders/boot_path.h"
#include "vmbus/bus_description.h"
#include "vmbus/channel_claim.h"
#include "vmbus/fallback_list.h"

/* What one prepared guest may take, all steps together, bytes. */
#define PREPARE_ARENA_LIMIT ((size_t)64 * 1024 * 1024)

/* A processor as the host lists it; the boot tree must say the same. */
typedef struct StatedVp {
	uint32_t index, vnode;
	uint64_t id; /* APIC id, or MPIDR affinity */
} StatedVp;

/* What the boot loader and the machine said. */
typedef struct FactInputs {
	GuestArch arch;
	Bytes boot_tree;
	uint8_t physical_address_bits;
	uint32_t vps_per_socket;    /* 0 = all processors in one socket */
	bool smt;                   /* two processors a core */
	bool x2apic;                /* the processors have it; ids above 254 need it */
	Bytes slit, pptt;           /* tables from IGVM parameters; empty = none */
	MeasuredPages measured;     /* of the image; empty = none */
	uint32_t stated_vp_count;   /* 0 = the host did not say */
	const StatedVp *stated_vps; /* some or all of them, any order */
	size_t stated_vps_count;
} FactInputs;

/* What is true before anybody asked for anything. Borrows from FactInputs. */
typedef struct Facts {
	FactInputs inputs;
	BootInfo info;
	ChipsetMmioRanges mmio; /* as resolved, before the relay's piece is cut */
	ProcessorTopology topology;
	MeasuredVtl0 measured;   /* present or not */
	RegisterList vp_context; /* of its first processor, for UEFI */
	Bytes measured_line;     /* of its Linux */
	MeasuredVtl2 measured_vtl2;
} Facts;

/* What the host asks for. */
typedef struct ConfigInputs {
	PlatformSettings settings;
	uint32_t relay_devices; /* VPCI relay slots, 0 = no relay */
	ChannelDemandList channels;
} ConfigInputs;

/* What it gets, after isolation had its say. Borrows from ConfigInputs. */
typedef struct Config {
	ConfigInputs inputs;
	PlatformSettings settings;
	SettingsClampList clamps;
	ChipsetMmioRanges mmio; /* as the guest gets them */
	MemoryRange relay;      /* the relay's aperture, or empty */
	ChannelClaimList channels;
	BusDescription bus;    /* what both levels are told */
	bool fallback_wanted;  /* accesses that nobody claims may go to the host */
	FallbackList fallback; /* those that may; empty when not wanted */
} Config;

typedef struct PlanInputs {
	uint8_t entropy[ENTROPY_SIZE];
	PlanRequest request;
} PlanInputs;

typedef struct Prepared {
	Vtl0Layout layout;
	BootPlan plan;
} Prepared;

/** prepare_facts - parse and validate the boot tree, decide the roles, number the processors */
MUST_CHECK bool prepare_facts(
	const FactInputs *in, Arena *arena, Facts *out, Diagnostics *diagnostics, Error *err);

/** prepare_config - apply the isolation policy, cut the relay aperture, place the channels */
MUST_CHECK bool prepare_config(const Facts *facts, const ConfigInputs *in, Arena *arena,
	Config *out, Diagnostics *diagnostics, Error *err);

/** prepare_plan - lay out VTL0's memory and plan what is written to it; writes nothing */
MUST_CHECK bool prepare_plan(const Facts *facts, const Config *config, const PlanInputs *in,
	Arena *arena, Prepared *out, Diagnostics *diagnostics, Error *err);

#endif
