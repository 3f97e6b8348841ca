/*
 * Area topology: processors from a count or from a list of identifiers.
 */
#include "golden_topology.h"

#include <string.h>

#include "support/diagnostics.h"

static uint32_t member_u32(const json_t *object, const char *name)
{
	const uint64_t value = golden_u64(object, name);

	if (value > UINT32_MAX)
		golden_malformed("\"%s\" is above 32 bits", name);
	return (uint32_t)value;
}

static X2ApicSetting read_x2apic(const json_t *input)
{
	const char *text = golden_string(input, "x2apic");

	if (strcmp(text, "supported") == 0)
		return X2APIC_SUPPORTED;
	if (strcmp(text, "enabled") == 0)
		return X2APIC_ENABLED;
	if (strcmp(text, "unsupported") == 0)
		return X2APIC_UNSUPPORTED;
	golden_malformed("x2apic \"%s\"", text);
}

static void read_x86(const json_t *input, TopologyInputs *in)
{
	in->smt = golden_bool(input, "smt_enabled");
	in->x2apic = read_x2apic(input);
	in->apic_id_offset = member_u32(input, "apic_id_offset");
}

static void read_msi(const json_t *msi, ArmPlatform *arm)
{
	const char *kind = golden_string(msi, "kind");

	if (strcmp(kind, "its") == 0) {
		arm->msi = GIC_MSI_ITS;
		arm->msi_base = golden_u64(msi, "its_base");
		return;
	}
	if (strcmp(kind, "v2m") != 0)
		golden_malformed("gic_msi \"%s\"", kind);
	arm->msi = GIC_MSI_V2M;
	arm->msi_base = golden_u64(msi, "frame_base");
	arm->msi_spi_base = member_u32(msi, "spi_base");
	arm->msi_spi_count = member_u32(msi, "spi_count");
}

/* A case may state interrupt 0, which is none in our inputs and no PPI in the schema. */
static bool read_pmu(const json_t *input, ArmPlatform *arm, Error *err)
{
	if (golden_is_null(input, "pmu_gsiv"))
		return true;
	arm->pmu_gsiv = member_u32(input, "pmu_gsiv");
	return arm->pmu_gsiv ||
		error_set(err, PVW_TOPOLOGY_0007, "performance monitor at INTID 0");
}

static bool read_arm64(const json_t *input, TopologyInputs *in, Error *err)
{
	ArmPlatform *arm = &in->arm;

	arm->gic_distributor = golden_u64(input, "gic_distributor_base");
	arm->gic_v2 = !golden_is_null(input, "gicv2_cpu_interface_base");
	if (arm->gic_v2)
		arm->gic_cpu_interface = golden_u64(input, "gicv2_cpu_interface_base");
	else
		arm->gic_redistributors = golden_u64(input, "gicv3_redistributors_base");
	if (!golden_is_null(input, "gic_msi"))
		read_msi(golden_member(input, "gic_msi"), arm);
	arm->virt_timer_ppi = member_u32(input, "virt_timer_ppi");
	arm->irq_count = member_u32(input, "gic_nr_irqs");
	return read_pmu(input, arm, err);
}

static void read_vnodes(const json_t *input, Arena *arena, TopologyInputs *in)
{
	const json_t *list;
	uint32_t *vnodes;

	if (golden_is_null(input, "vnodes"))
		return;
	list = golden_member(input, "vnodes");
	in->vnode_count = json_array_size(list);
	vnodes = golden_array(arena, in->vnode_count, sizeof(*vnodes));
	for (size_t i = 0; i < in->vnode_count; i++)
		vnodes[i] = (uint32_t)golden_as_u64(json_array_get(list, i));
	in->vnodes = vnodes;
}

static bool from_list(GuestArch arch, const json_t *list, const TopologyInputs *in,
	Arena *arena, ProcessorTopology *out, Error *err)
{
	const size_t count = json_array_size(list);
	VirtualProcessor *vps = golden_array(arena, count, sizeof(*vps));

	for (size_t i = 0; i < count; i++) {
		const uint64_t id = golden_as_u64(json_array_get(list, i));

		if (arch == GUEST_ARCH_X86_64)
			vps[i].apic_id = (uint32_t)id;
		else
			vps[i].mpidr = id;
	}
	return topology_from_list(arch, vps, count, in, arena, out, err);
}

bool golden_read_topology(const json_t *input, Arena *arena, ProcessorTopology *out, Error *err)
{
	const bool x86 = strcmp(golden_string(input, "arch"), "x86_64") == 0;
	const GuestArch arch = x86 ? GUEST_ARCH_X86_64 : GUEST_ARCH_AARCH64;
	const char *ids = x86 ? "apic_ids" : "mpidrs";
	TopologyInputs in = { .vps_per_socket = member_u32(input, "vps_per_socket") };

	/* Here 0 is a number out of range, which becomes 1, and not "all in one". */
	if (!in.vps_per_socket)
		in.vps_per_socket = 1;
	if (x86)
		read_x86(input, &in);
	else if (!read_arm64(input, &in, err))
		return false;
	if (!golden_is_null(input, ids))
		return from_list(arch, golden_member(input, ids), &in, arena, out, err);
	read_vnodes(input, arena, &in);
	return topology_from_count(arch, member_u32(input, "proc_count"), &in, arena, out, err);
}

/* As the schema calls them. */
static const char *const apic_mode_names[] = {
	[APIC_MODE_XAPIC] = "XApic",
	[APIC_MODE_X2APIC_SUPPORTED] = "X2ApicSupported",
	[APIC_MODE_X2APIC_ENABLED] = "X2ApicEnabled",
};
static_assert(ARRAY_COUNT(apic_mode_names) == APIC_MODE_COUNT, "one name a mode");

static void write_x86(const ProcessorTopology *topology, json_t *output)
{
	json_t *ids = json_array();

	for (size_t i = 0; i < topology->count; i++)
		json_array_append_new(ids, json_integer(topology->vps[i].apic_id));
	json_object_set_new(output, "apic_ids", ids);
	json_object_set_new(
		output, "max_apic_id", json_integer(topology_max_apic_id(topology)));
	json_object_set_new(
		output, "apic_mode", json_string(apic_mode_names[topology->apic_mode]));
}

static void write_arm64(const ProcessorTopology *topology, json_t *output)
{
	json_t *mpidr = json_array(), *gicr = json_array();

	for (size_t i = 0; i < topology->count; i++) {
		const VirtualProcessor *vp = &topology->vps[i];

		json_array_append_new(mpidr, golden_json_u64(vp->mpidr));
		json_array_append_new(
			gicr, topology->arm.gic_v2 ? json_null() : golden_json_u64(vp->gicr));
	}
	json_object_set_new(output, "mpidr", mpidr);
	json_object_set_new(output, "gicr", gicr);
}

bool golden_run_topology(const json_t *input, Arena *arena, json_t **output, Error *err)
{
	json_t *answer, *vnodes, *places;
	ProcessorTopology topology;

	if (!golden_read_topology(input, arena, &topology, err))
		return false;
	answer = json_object();
	vnodes = json_array();
	places = json_array();
	if (topology.arch == GUEST_ARCH_X86_64)
		write_x86(&topology, answer);
	else
		write_arm64(&topology, answer);
	for (size_t i = 0; i < topology.count; i++) {
		const ProcessorPlace place = topology_place(&topology, i);

		json_array_append_new(vnodes, json_integer(topology.vps[i].vnode));
		json_array_append_new(places,
			json_pack("[I, I, I]", (json_int_t)place.socket, (json_int_t)place.core,
				(json_int_t)place.thread));
	}
	json_object_set_new(answer, "vnodes", vnodes);
	json_object_set_new(answer, "smt_enabled", json_boolean(topology.smt));
	json_object_set_new(answer, "vps_per_socket", json_integer(topology.vps_per_socket));
	json_object_set_new(answer, "reserved_vps_per_socket",
		json_integer(topology.reserved_vps_per_socket));
	json_object_set_new(answer, "socket_core_thread", places);
	*output = answer;
	return true;
}
