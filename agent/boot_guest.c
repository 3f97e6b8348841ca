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

/* A board as settings tell of it. */
typedef struct BoardSettings {
	Pvw__V1__Chipset chipset;
	Pvw__V1__LinuxDirect linux_direct;
	Pvw__V1__ArmMachine arm;
	Pvw__V1__ArmUart com1;
	Pvw__V1__ArmTimers timers;
	Pvw__V1__ArmGic gic;
} BoardSettings;

/* What a board has, in the words of a description and in those of the settings. */
typedef struct BootBoard {
	const char *members; /* of the description */
	void (*settings)(const BootRequest *request, BoardSettings *settings);
} BootBoard;

static void x86_settings(const BootRequest *request, BoardSettings *settings)
{
	(void)request;
	settings->chipset.com1 = settings->chipset.pic = settings->chipset.pit = true;
}

/*
 * The board's devices lie below 1 GiB, where Hyper-V has none and so no description has them: what
 * the kernel is told of them comes from the settings. [QEMU] hw/arm/virt.c
 */
static void arm64_settings(const BootRequest *request, BoardSettings *settings)
{
	Pvw__V1__ArmMachine *arm = &settings->arm;

	settings->chipset.com1 = true;
	settings->com1.address = 0x09000000;
	settings->com1.intid = 33;
	settings->timers.secure = 29;
	settings->timers.physical = 30;
	settings->timers.virt = 27;
	settings->timers.hypervisor = 26;
	settings->gic.distributor = 0x08000000;
	settings->gic.redistributors = 0x080a0000;
	arm->psci = PVW__V1__PSCI_CONDUIT__PSCI_HVC;
	arm->com1 = &settings->com1;
	arm->timers = &settings->timers;
	arm->gic = &settings->gic;
	arm->no_hypervisor = true;
	settings->linux_direct.arm = arm;
	settings->linux_direct.hardware = request->hardware == LINUX_HARDWARE_ACPI
		? PVW__V1__LINUX_HARDWARE__LINUX_HARDWARE_ACPI
		: PVW__V1__LINUX_HARDWARE__LINUX_HARDWARE_DEVICE_TREE;
}

static const BootBoard boards[GUEST_ARCH_COUNT] = {
	[GUEST_ARCH_X86_64] = { "\"chipset\": {\"com1\": true, \"pic\": true, \"pit\": true}",
		x86_settings },
	[GUEST_ARCH_AARCH64] = { "\"chipset\": {\"com1\": true}", arm64_settings },
};

static bool check(const BootRequest *request, Error *err)
{
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
	BoardSettings board;
	uint8_t *bytes;
	size_t len;

	pvw__v1__device_platform_settings__init(&settings);
	pvw__v1__chipset__init(&board.chipset);
	pvw__v1__linux_direct__init(&board.linux_direct);
	pvw__v1__arm_machine__init(&board.arm);
	pvw__v1__arm_uart__init(&board.com1);
	pvw__v1__arm_timers__init(&board.timers);
	pvw__v1__arm_gic__init(&board.gic);
	boards[request->arch].settings(request, &board);
	settings.firmware = PVW__V1__FIRMWARE_KIND__FIRMWARE_LINUX_DIRECT;
	settings.chipset = &board.chipset;
	settings.linux_direct = &board.linux_direct;
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
