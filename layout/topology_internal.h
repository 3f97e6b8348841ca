/*
 * What an architecture does differently about processors: one row each.
 */
#ifndef LAYOUT_TOPOLOGY_INTERNAL_H
#define LAYOUT_TOPOLOGY_INTERNAL_H

#include "bootinfo/boot_info.h"
#include "layout/topology.h"

/*
 * Each works on a topology whose architecture, vps_per_socket and reserved_vps_per_socket are
 * set, and whose processors are @vps, as many as its count.
 */
typedef struct TopologyOps {
	/* May there be so many? */
	bool (*check_count)(size_t count, bool listed, const TopologyInputs *in, Error *err);
	/* Fills in processors that were only counted; every field. */
	bool (*number)(const TopologyInputs *in, const ProcessorTopology *topology,
		VirtualProcessor *vps, Error *err);
	/* Fills in processors of the boot tree; every field. */
	void (*identify)(CpuList cpus, VirtualProcessor *vps);
	/* What the boot tree says of the machine, into @in. */
	bool (*from_tree)(const BootInfo *info, TopologyInputs *in, Error *err);
	/* Everything that follows from the identifiers; checks what they demand. */
	bool (*finish)(const TopologyInputs *in, ProcessorTopology *topology,
		VirtualProcessor *vps, Error *err);
	/* The identifier that must be unique. */
	uint64_t (*id)(const VirtualProcessor *vp);
	ProcessorPlace (*place)(const ProcessorTopology *topology, const VirtualProcessor *vp);
	const char *id_name; /* "APIC id" */
} TopologyOps;

extern const TopologyOps topology_ops_x86;
extern const TopologyOps topology_ops_arm64;

#endif
