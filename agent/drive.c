/*
 * The conversation of a host with a worker.
 */
#include "agent/drive.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "proto/rpc_status.h"
#include "support/diagnostics.h"
#include "support/version.h"

#define DRAIN_MS 1000

static ProtobufCBinaryData binary(const void *data, size_t len)
{
	return (ProtobufCBinaryData){ len, (uint8_t *)(uintptr_t)data };
}

static char *words(const char *text)
{
	return (char *)(uintptr_t)text;
}

static void progress(const Drive *drive, const char *step, const char *outcome)
{
	if (!drive->quiet)
		fprintf(stderr, "%-14s %s\n", step, outcome);
}

static bool call(Drive *drive, const char *method, const ProtobufCMessage *request,
	ProtobufCMessage **response, Error *err)
{
	if (!client_call(drive->client, method, request, 0, drive->arena, response, err)) {
		progress(drive, method, "refused");
		return false;
	}
	return true;
}

/* The answer's type is the method's: one cast for all of them. */
#define CALL(drive, method, request, response, err)                                            \
	call((drive), (method), &(request)->base, (ProtobufCMessage **)(void *)(response),     \
		(err))

static bool say_hello(Drive *drive, Error *err)
{
	Pvw__V1__HelloRequest request;
	char text[128];

	pvw__v1__hello_request__init(&request);
	request.major_min = request.major_max = 1;
	request.client_name = words("pvw-agent");
	request.client_version = words(PVW_VERSION);
	if (!CALL(drive, "Hello", &request, &drive->hello, err))
		return false;
	snprintf(text, sizeof(text), "worker %s (%s), service %u.%u",
		drive->hello->worker_version, drive->hello->git_revision, drive->hello->major,
		drive->hello->minor);
	progress(drive, "Hello", text);
	return true;
}

/* One request with all that the fixture recorded of tree and machine. */
static bool load_boot_info(Drive *drive, Error *err)
{
	const Fixture *fixture = drive->fixture;
	const size_t count = fixture->has_host_caps ? fixture->host_caps.vps.count : 0;
	Pvw__V1__LoadBootInfoRequest request;
	Pvw__V1__HostCaps caps;
	Pvw__V1__Vp *vps = arena_array(drive->arena, Pvw__V1__Vp, count, err);
	Pvw__V1__Vp **list = vps ? arena_array(drive->arena, Pvw__V1__Vp *, count, err) : NULL;
	char text[128];

	pvw__v1__load_boot_info_request__init(&request);
	pvw__v1__host_caps__init(&caps);
	if (!list)
		return false;
	for (size_t i = 0; i < count; i++) {
		const FixtureVp *vp = &fixture->host_caps.vps.items[i];

		pvw__v1__vp__init(&vps[i]);
		vps[i].index = vp->index;
		vps[i].vnode = vp->vnode;
		vps[i].apic_id = fixture->arch == GUEST_ARCH_X86_64 ? (uint32_t)vp->id : 0;
		vps[i].mpidr = fixture->arch == GUEST_ARCH_X86_64 ? 0 : vp->id;
		list[i] = &vps[i];
	}
	caps.physical_address_bits = fixture->has_host_caps
		? fixture->host_caps.physical_address_bits
		: FIXTURE_ADDRESS_BITS;
	caps.x2apic = fixture->host_caps.x2apic;
	caps.n_vps = count;
	caps.vps = list;
	caps.vps_per_socket = fixture->options.vps_per_socket;
	caps.smt = fixture->options.smt;
	request.arch = fixture->arch == GUEST_ARCH_AARCH64 ? PVW__V1__ARCH__ARCH_AARCH64
							   : PVW__V1__ARCH__ARCH_X86_64;
	request.isolation = (Pvw__V1__Isolation)(PVW__V1__ISOLATION__ISOLATION_NONE +
		(int)fixture->isolation);
	request.dtb = binary(fixture->boot_tree.data, fixture->boot_tree.len);
	request.host_caps = &caps;
	if (!CALL(drive, "LoadBootInfo", &request, &drive->boot_info, err))
		return false;
	if (!drive->boot_info->summary)
		return error_set(err, PVW_AGENT_0006, "LoadBootInfo: no summary, expected one");
	snprintf(text, sizeof(text), "%u processors, %u nodes, 0x%" PRIx64 " bytes of RAM",
		drive->boot_info->summary->vp_count, drive->boot_info->summary->vnode_count,
		drive->boot_info->summary->ram_bytes);
	progress(drive, "LoadBootInfo", text);
	return true;
}

/* Without windows, which come with a size, guest memory is from 0 to the end of the guest's RAM. */
static bool size_memory(const Drive *drive, Error *err)
{
	const Pvw__V1__BootSummary *summary = drive->boot_info->summary;
	uint64_t end = 0;

	if (drive->machine->memory_fd < 0 || drive->machine->windows.count)
		return true;
	for (size_t i = 0; i < summary->n_memory; i++) {
		const Pvw__V1__MemoryRange *ram = summary->memory[i];

		if (ram->start + ram->size > end)
			end = ram->start + ram->size;
	}
	return machine_size_memory(drive->machine, end, err);
}

static bool upload(Drive *drive, Error *err)
{
	const Pvw__V1__Limits *limits = drive->hello->limits;
	uint64_t sent;
	char text[64];

	if (!images_upload(
		    &drive->images, drive->client, limits ? limits->max_chunk : 0, &sent, err))
		return false;
	if (sent) {
		snprintf(text, sizeof(text), "%" PRIu64 " bytes", sent);
		progress(drive, "PutBlob", text);
	}
	return true;
}

static bool configure(Drive *drive, Error *err)
{
	Pvw__V1__ConfigureRequest request;
	Pvw__V1__DevicePlatformSettings none;
	ProtobufCMessage *settings = &none.base;
	char text[128];

	pvw__v1__configure_request__init(&request);
	pvw__v1__device_platform_settings__init(&none);
	if (drive->fixture->settings.len &&
		!message_unpack(&pvw__v1__device_platform_settings__descriptor,
			drive->fixture->settings, drive->arena, &settings, err))
		return error_wrap(err, "settings");
	request.settings = (Pvw__V1__DevicePlatformSettings *)settings;
	if (!images_name(&drive->images, drive->arena, request.settings, err))
		return false;
	request.relay_devices = drive->fixture->options.relay_devices;
	if (!CALL(drive, "Configure", &request, &drive->configured, err))
		return false;
	snprintf(text, sizeof(text), "%zu settings changed by isolation",
		drive->configured->n_clamps);
	progress(drive, "Configure", text);
	return true;
}

static bool plan(Drive *drive, Error *err)
{
	const FixtureOptions *options = &drive->fixture->options;
	Pvw__V1__PlanRequest request;
	Digest digest = { 0 };
	char text[DIGEST_HEX_SIZE];

	pvw__v1__plan_request__init(&request);
	/* An isolated guest's entropy comes from nowhere but the worker. */
	if (!isolation_is_isolated(drive->fixture->isolation))
		request.entropy = binary(options->entropy, sizeof(options->entropy));
	request.explain = true;
	request.mtrr = (Pvw__V1__MtrrPolicy)(PVW__V1__MTRR_POLICY__MTRR_POLICY_EXACT +
		(int)options->mtrr);
	request.acpi = options->acpi == ACPI_PROFILE_REFERENCE
		? PVW__V1__ACPI_PROFILE__ACPI_PROFILE_REFERENCE
		: PVW__V1__ACPI_PROFILE__ACPI_PROFILE_DEFAULT;
	request.layout_version = options->layout_version;
	if (!CALL(drive, "Plan", &request, &drive->plan, err))
		return false;
	if (drive->plan->plan_digest.len != DIGEST_SIZE)
		return error_set(err, PVW_AGENT_0006,
			"Plan: a digest of %zu bytes, expected %d",
			drive->plan->plan_digest.len, DIGEST_SIZE);
	memcpy(digest.bytes, drive->plan->plan_digest.data, DIGEST_SIZE);
	digest_format(digest, text);
	progress(drive, "Plan", text);
	return true;
}

static bool load(Drive *drive, Error *err)
{
	Pvw__V1__LoadRequest request;
	Pvw__V1__Target target;
	char text[128];

	pvw__v1__load_request__init(&request);
	pvw__v1__target__init(&target);
	if (drive->machine->memory_fd >= 0) {
		target.kind_case = PVW__V1__TARGET__KIND_GUEST_MEMORY;
		target.guest_memory = true;
	} else {
		target.kind_case = PVW__V1__TARGET__KIND_MEMORY_ONLY;
		target.memory_only = true;
	}
	request.plan_digest = drive->plan->plan_digest;
	request.target = &target;
	request.verify_after = true;
	if (!CALL(drive, "Load", &request, &drive->loaded, err))
		return false;
	snprintf(text, sizeof(text), "%u writes, %" PRIu64 " bytes, %" PRIu64 " us",
		drive->loaded->writes, drive->loaded->bytes, drive->loaded->elapsed_ns / 1000);
	progress(drive, "Load", text);
	return true;
}

static bool ask_for_results(Drive *drive, Error *err)
{
	Pvw__V1__GetLayoutRequest layout;
	Pvw__V1__ListArtifactsRequest artifacts;
	Pvw__V1__HealthRequest health;

	pvw__v1__get_layout_request__init(&layout);
	pvw__v1__list_artifacts_request__init(&artifacts);
	pvw__v1__health_request__init(&health);
	layout.with_provenance = true;
	return CALL(drive, "GetLayout", &layout, &drive->layout, err) &&
		CALL(drive, "ListArtifacts", &artifacts, &drive->artifacts, err) &&
		CALL(drive, "Health", &health, &drive->health, err);
}

bool drive_prepare(Drive *drive, Error *err)
{
	return say_hello(drive, err) && load_boot_info(drive, err) && size_memory(drive, err) &&
		upload(drive, err) && configure(drive, err) && plan(drive, err) &&
		load(drive, err) && ask_for_results(drive, err);
}

/*
 * Comparing.
 */

/* One artifact in as many chunks as it takes; @denied: the worker may not hand it out. */
static bool compare_by_bytes(
	Drive *drive, const Pvw__V1__PlannedWrite *write, bool *denied, Error *err)
{
	Pvw__V1__GetArtifactRequest request;
	Pvw__V1__GetArtifactResponse *answer;

	pvw__v1__get_artifact_request__init(&request);
	*denied = false;
	request.name = write->artifact;
	request.expect_sha256 = write->sha256;
	do {
		if (!client_call(drive->client, "GetArtifact", &request.base, 0, drive->arena,
			    (ProtobufCMessage **)(void *)&answer, err)) {
			*denied = err->diagnostic == PVW_SERVICE_0005;
			return false;
		}
		if (!answer->chunk || answer->chunk->offset != request.offset ||
			(answer->chunk->data.len == 0 && !answer->chunk->last) ||
			answer->chunk->data.len > write->size - request.offset)
			return error_set(err, PVW_AGENT_0006,
				"GetArtifact %s: a chunk that does not fit at 0x%" PRIx64,
				write->artifact, request.offset);
		if (!machine_compare(drive->machine, write->artifact,
			    write->gpa + request.offset, answer->chunk->data.data,
			    answer->chunk->data.len, err))
			return false;
		request.offset += answer->chunk->data.len;
	} while (!answer->chunk->last);
	if (request.offset != write->size)
		return error_set(err, PVW_AGENT_0006,
			"GetArtifact %s: 0x%" PRIx64 " bytes, expected 0x%" PRIx64,
			write->artifact, request.offset, write->size);
	return true;
}

static bool compare_write(Drive *drive, const Pvw__V1__PlannedWrite *write, Error *err)
{
	bool denied;

	if (compare_by_bytes(drive, write, &denied, err))
		return true;
	if (!denied)
		return false;
	progress(drive, write->artifact, "not handed out; compared by digest");
	return machine_compare_digest(drive->machine, write->artifact, write->gpa, write->size,
		write->sha256.data, err);
}

bool drive_verify(Drive *drive, Error *err)
{
	uint64_t at = 0, end;

	/* Writes are ascending and disjoint: what lies between them must be untouched. */
	for (size_t i = 0; i < drive->plan->n_writes; i++) {
		const Pvw__V1__PlannedWrite *write = drive->plan->writes[i];

		if (write->gpa < at || write->sha256.len != DIGEST_SIZE)
			return error_set(err, PVW_AGENT_0006,
				"Plan: write %zu at 0x%" PRIx64
				", expected one at or above 0x%" PRIx64 " with a digest",
				i, write->gpa, at);
		if (!machine_check_untouched(drive->machine, at, write->gpa, err))
			return false;
		if (!write->measured && !compare_write(drive, write, err))
			return false;
		at = write->gpa + write->size;
	}
	return machine_memory_size(drive->machine, &end, err) &&
		machine_check_untouched(drive->machine, at, end, err);
}

bool drive_shutdown(Drive *drive, Error *err)
{
	Pvw__V1__ShutdownRequest request;
	Pvw__V1__ShutdownResponse *response;

	pvw__v1__shutdown_request__init(&request);
	request.drain_ms = DRAIN_MS;
	request.why = words("the agent is done");
	return CALL(drive, "Shutdown", &request, &response, err);
}
