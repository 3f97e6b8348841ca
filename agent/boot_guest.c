/*
 * From a request to a guest.
 */
#include "agent/boot_guest.h"

#include <inttypes.h>
#include <string.h>

#include "host/vm_boot_info.h"
#include "host/vm_machine.h"
#include "proto/worker.pb-c.h"
#include "support/checked.h"
#include "support/diagnostics.h"

#define MIB UINT64_C(0x100000)
#define NODE_STEP (2 * MIB) /* nodes begin at multiples */

/* VTL2 is where the boot tree comes from. No board has its memory: it lies above the guest's. */
#define VTL2_MEMBERS "\"vtl2\": {\"memory\": \"64MiB\", \"chipset\": \"64MiB\"}"

/* What a board has, in the words of a description and in those of the settings. */
typedef struct BootBoard {
	const char *members; /* of the description */
	void (*settings)(Pvw__V1__Chipset *chipset);
} BootBoard;

static void x86_settings(Pvw__V1__Chipset *chipset)
{
	chipset->com1 = chipset->pic = chipset->pit = true;
}

static const BootBoard boards[GUEST_ARCH_COUNT] = {
	[GUEST_ARCH_X86_64] = { "\"chipset\": {\"com1\": true, \"pic\": true, \"pit\": true}",
		x86_settings },
};

static bool check(const BootRequest *request, Error *err)
{
	if (!boards[request->arch].members)
		return error_set(err, PVW_AGENT_0009, "no board for %s, expected one of x86_64",
			guest_arch_name(request->arch));
	if (request->memory == 0 || !is_aligned(request->memory, MIB))
		return error_set(err, PVW_AGENT_0016,
			"0x%" PRIx64 " bytes of memory, expected whole MiB", request->memory);
	if (request->memory / request->nodes < NODE_STEP)
		return error_set(err, PVW_AGENT_0016,
			"%u nodes of 0x%" PRIx64 " bytes, expected 2 MiB and more in each",
			request->nodes, request->memory);
	return true;
}

/* Even shares; the last node has what is left. */
static const char *list_nodes(const BootRequest *request, Arena *arena, Error *err)
{
	const uint64_t share = align_down(request->memory / request->nodes, NODE_STEP);
	const char *list = "";

	for (uint32_t i = 0; list && i < request->nodes; i++) {
		const uint64_t size = i + 1 < request->nodes
			? share
			: request->memory - share * (request->nodes - 1);

		list = arena_printf(
			arena, err, "%s%s{\"memory\": %" PRIu64 "}", list, i ? ", " : "", size);
	}
	return list;
}

static const char *device_space(const BootRequest *request, Arena *arena, Error *err)
{
	if (!request->device_space)
		return "";
	return arena_printf(arena, err, ", \"device_space\": %" PRIu64, request->device_space);
}

static bool describe(const BootRequest *request, Arena *arena, const char **out, Error *err)
{
	const char *nodes = list_nodes(request, arena, err);
	const char *space = nodes ? device_space(request, arena, err) : NULL;

	if (!space)
		return false;
	*out = arena_printf(arena, err,
		"{\n"
		"  \"schema\": \"" VM_SCHEMA "\",\n"
		"  \"name\": \"boot\",\n"
		"  \"arch\": \"%s\",\n"
		"  \"boot\": \"linux\",\n"
		"  \"nodes\": [%s],\n"
		"  \"processors\": {\"count\": %u%s},\n"
		"  \"layout\": {\"version\": %u, \"address_bits\": %u%s},\n"
		"  %s,\n"
		"  " VTL2_MEMBERS "\n"
		"}\n",
		guest_arch_name(request->arch), nodes, request->vps,
		request->arch == GUEST_ARCH_X86_64 ? ", \"x2apic\": \"unsupported\"" : "",
		request->layout_version, request->address_bits, space,
		boards[request->arch].members);
	return *out != NULL;
}

/*
 * What the worker is told.
 */

static bool make_tree(const BootGuest *guest, Arena *arena, Bytes *out, Error *err)
{
	BootInfo info;

	return vm_boot_info(&guest->vm, &guest->layout, &guest->topology, arena, &info, err) &&
		boot_info_write(&info, NULL, arena, out, err);
}

static bool make_settings(const BootRequest *request, Arena *arena, Bytes *out, Error *err)
{
	Pvw__V1__DevicePlatformSettings settings;
	Pvw__V1__Chipset chipset;
	uint8_t *bytes;
	size_t len;

	pvw__v1__device_platform_settings__init(&settings);
	pvw__v1__chipset__init(&chipset);
	settings.firmware = PVW__V1__FIRMWARE_KIND__FIRMWARE_LINUX_DIRECT;
	settings.chipset = &chipset;
	boards[request->arch].settings(&chipset);
	len = pvw__v1__device_platform_settings__get_packed_size(&settings);
	bytes = arena_alloc(arena, len, 1, err);
	if (!bytes)
		return false;
	*out = (Bytes){ bytes, pvw__v1__device_platform_settings__pack(&settings, bytes) };
	return true;
}

static bool list_vps(
	const ProcessorTopology *topology, Arena *arena, FixtureVpList *out, Error *err)
{
	FixtureVp *items = arena_reserve_array(arena, FixtureVp, topology->count, err);

	if (!items)
		return false;
	for (size_t i = 0; i < topology->count; i++) {
		const VirtualProcessor *vp = &topology->vps[i];

		items[i] = (FixtureVp){
			.index = (uint32_t)i,
			.id = topology->arch == GUEST_ARCH_X86_64 ? vp->apic_id
								  : vp->mpidr & MPIDR_AFFINITY,
			.vnode = vp->vnode,
		};
	}
	*out = (FixtureVpList){ items, topology->count };
	return true;
}

static bool record(const BootRequest *request, const BootGuest *guest, Arena *arena,
	Fixture *out, Error *err)
{
	Fixture fixture = {
		.arch = request->arch,
		.has_host_caps = true,
		.host_caps = { .physical_address_bits = request->address_bits,
			.has_x2apic = true },
		.options = { .mtrr = request->mtrr,
			.acpi = request->acpi,
			.layout_version = request->layout_version,
			.vps_per_socket = guest->topology.vps_per_socket },
	};

	if (!make_tree(guest, arena, &fixture.boot_tree, err) ||
		!make_settings(request, arena, &fixture.settings, err) ||
		!list_vps(&guest->topology, arena, &fixture.host_caps.vps, err))
		return false;
	*out = fixture;
	return true;
}

bool boot_guest_describe(const BootRequest *request, Arena *arena, BootGuest *out, Error *err)
{
	BootGuest guest = { 0 };
	Bytes json;

	if (!check(request, err) || !describe(request, arena, &guest.description, err))
		return false;
	json = (Bytes){ (const uint8_t *)guest.description, strlen(guest.description) };
	if (!vm_read(json, "vm", arena, &guest.vm, err) ||
		!vm_resolve(&guest.vm, arena, &guest.layout, err) ||
		!vm_topology(&guest.vm, arena, &guest.topology, err) ||
		!qemu_machine_find(&guest.layout, &guest.topology, request->address_bits,
			&guest.qemu, err) ||
		!record(request, &guest, arena, &guest.fixture, err))
		return false;
	*out = guest;
	return true;
}
