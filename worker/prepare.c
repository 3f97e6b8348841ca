/*
 * The pipeline: the only caller of every arrow between the folders.
 */
#include "worker/prepare.h"

#include <inttypes.h>
#include <string.h>

#include "bootinfo/boot_info_check.h"
#include "bootinfo/boot_info_parse.h"
#include "layout/shared_pool.h"
#include "loaders/igvm_context.h"
#include "vmbus/relay_aperture.h"

static bool number_processors(const FactInputs *in, const BootInfo *info, Arena *arena,
	ProcessorTopology *out, Error *err)
{
	const TopologyInputs topology = {
		.vps_per_socket = in->vps_per_socket,
		.smt = in->smt,
		.x2apic = in->x2apic ? X2APIC_SUPPORTED : X2APIC_UNSUPPORTED,
	};

	return topology_from_boot_info(info, &topology, arena, out, err);
}

/* What the host says of its processors and what the boot tree says are two witnesses. */
static bool check_stated_vps(
	const FactInputs *in, const ProcessorTopology *topology, Error *err)
{
	if (in->stated_vp_count && in->stated_vp_count != topology->count) {
		error_set(err, PVW_MSG_0006, "%u processors, expected %zu as in the boot tree",
			in->stated_vp_count, topology->count);
		return error_at(err, "host_caps.vp_count");
	}
	for (size_t i = 0; i < in->stated_vps_count; i++) {
		const StatedVp *stated = &in->stated_vps[i];
		const VirtualProcessor *vp =
			stated->index < topology->count ? &topology->vps[stated->index] : NULL;
		const uint64_t id = !vp                        ? 0
			: topology->arch == GUEST_ARCH_AARCH64 ? vp->mpidr & MPIDR_AFFINITY
							       : vp->apic_id;

		if (vp && stated->vnode == vp->vnode && stated->id == id)
			continue;
		error_set(err, PVW_MSG_0006,
			"processor %u has id 0x%" PRIx64 " and node %u, expected 0x%" PRIx64
			" and %u as in the boot tree",
			stated->index, stated->id, stated->vnode, id, vp ? vp->vnode : 0);
		return error_at(err, "host_caps.vps");
	}
	return true;
}

static bool take_measured_vtl0(
	const MeasuredPages *pages, Arena *arena, Facts *facts, Error *err)
{
	MeasuredRegisterList context = { 0 };

	if (!measured_vtl0_parse(pages->config, facts->info.arch, &facts->measured, err) ||
		!measured_vtl0_check(&facts->measured, facts->info.map, arena, err))
		return false;
	if (pages->vp_context.len &&
		(!measured_context_parse(pages->vp_context, arena, &context, err) ||
			!igvm_context_registers(context, facts->info.arch, IGVM_ANY_VTL, arena,
				&facts->vp_context, err)))
		return error_at(err, "measured:vp-context");
	return !pages->command_line.len ||
		measured_command_line_parse(pages->command_line, &facts->measured_line, err);
}

/* What the image's builder left; a host may leave it out. */
static bool take_measured(const FactInputs *in, Arena *arena, Facts *facts, Error *err)
{
	const MeasuredPages *pages = &in->measured;

	if (pages->config.len && !take_measured_vtl0(pages, arena, facts, err))
		return false;
	return !pages->vtl2.len ||
		measured_vtl2_parse(
			pages->vtl2, facts->info.isolation, &facts->measured_vtl2, err);
}

bool prepare_facts(
	const FactInputs *in, Arena *arena, Facts *out, Diagnostics *diagnostics, Error *err)
{
	Facts facts = { .inputs = *in };

	if (!boot_info_parse(in->arch, in->boot_tree, arena, &facts.info, err))
		return error_wrap(err, "boot info");
	if (!boot_info_validate(&facts.info, arena, diagnostics, err))
		return error_wrap(err, "boot info");
	if (!chipset_mmio_resolve(facts.info.mmio, facts.info.map, arena, &facts.mmio, err))
		return error_wrap(err, "chipset mmio");
	if (!number_processors(in, &facts.info, arena, &facts.topology, err))
		return error_wrap(err, "processors");
	if (!check_stated_vps(in, &facts.topology, err))
		return error_wrap(err, "processors");
	if (!take_measured(in, arena, &facts, err))
		return error_wrap(err, "measured pages");
	/* Judged, and not the state's to keep. */
	facts.inputs.stated_vps = NULL;
	facts.inputs.stated_vps_count = 0;
	*out = facts;
	return true;
}

/* The hypervisor's offer is not among what a worker without one can know. */
static bool list_fallback(const Facts *facts, Config *config, Arena *arena, Error *err)
{
	const FallbackConditions conditions = {
		.arch = facts->info.arch,
		.hardware_isolated = isolation_is_hardware(facts->info.isolation),
		.always_relay_host_mmio = config->settings.chipset.always_relay_host_mmio,
	};
	const FallbackInputs inputs = {
		.arch = facts->info.arch,
		.isolated = isolation_is_isolated(facts->info.isolation),
		.mmio = &config->mmio,
		.relay = config->relay,
		.ram = range_view(facts->info.map),
	};

	config->fallback_wanted = fallback_wanted(&conditions);
	return !config->fallback_wanted ||
		fallback_list_build(&inputs, arena, &config->fallback, err);
}

bool prepare_config(const Facts *facts, const ConfigInputs *in, Arena *arena, Config *out,
	Diagnostics *diagnostics, Error *err)
{
	Config config = { .inputs = *in };

	(void)diagnostics;
	if (!settings_apply_policy(&in->settings, facts->info.isolation, arena,
		    &config.settings, &config.clamps, err))
		return error_wrap(err, "settings");
	if (!relay_aperture_take(
		    &facts->mmio, in->relay_devices, &config.mmio, &config.relay, err))
		return error_wrap(err, "relay aperture");
	if (!channel_claims_place(
		    facts->info.arch, &config.mmio, in->channels, arena, &config.channels, err))
		return error_wrap(err, "channels");
	if (!bus_description_build(&config.mmio, config.settings.chipset.vmbus_redirection,
		    config.relay, arena, &config.bus, err))
		return error_wrap(err, "vmbus");
	if (!list_fallback(facts, &config, arena, err))
		return error_wrap(err, "fallback mmio");
	*out = config;
	return true;
}

bool prepare_plan(const Facts *facts, const Config *config, const PlanInputs *in, Arena *arena,
	Prepared *out, Diagnostics *diagnostics, Error *err)
{
	const uint64_t pool =
		shared_pool_size(facts->info.isolation, (uint32_t)facts->topology.count);
	Prepared prepared = { 0 };

	if (!vtl0_layout_build(&facts->info, &config->mmio, pool, arena, &prepared.layout, err))
		return error_wrap(err, "memory layout");

	BootInputs boot = {
		.info = &facts->info,
		.mmio = &config->mmio,
		.layout = &prepared.layout,
		.topology = &facts->topology,
		.settings = &config->settings,
		.physical_address_bits = facts->inputs.physical_address_bits,
		.slit = facts->inputs.slit,
		.pptt = facts->inputs.pptt,
		.vp_context = facts->vp_context,
		.measured = facts->measured.present ? &facts->measured : NULL,
		.measured_line = facts->measured_line,
		.request = in->request,
	};
	memcpy(boot.entropy, in->entropy, sizeof(boot.entropy));
	if (!boot_path_build(&boot, arena, &prepared.plan, diagnostics, err))
		return error_wrap(err, "%s", boot_kind_name(config->settings.firmware));
	*out = prepared;
	return true;
}
