/*
 * Devices of a guest: steps, and the effects of their answers.
 */
#include "worker/intercept.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "proto/worker.pb-c.h"
#include "worker/entropy.h"
#include "worker/process.h"

#define TARGET "pcat"
#define PAT_RESET UINT64_C(0x0007040600070406) /* [SDM3] 12.12.4 */

struct Intercepts {
	InterceptsOptions options;
	bool has_pcat;
	PcatSetup setup; /* borrows from the plan */
	PcatState state;
};

static const InterceptVerdict verdicts[PCAT_RESULT_COUNT] = {
	[PCAT_DONE] = INTERCEPT_VERDICT_DONE,
	[PCAT_NOT_CLAIMED] = INTERCEPT_VERDICT_NOT_CLAIMED,
	[PCAT_BAD_WIDTH] = INTERCEPT_VERDICT_BAD_WIDTH,
	[PCAT_BAD_REGISTER] = INTERCEPT_VERDICT_DEVICE_ERROR,
};

/*
 * Life.
 */

bool intercepts_new(const InterceptsOptions *options, Intercepts **out, Error *err)
{
	Intercepts *intercepts = calloc(1, sizeof(*intercepts));

	if (!intercepts)
		return error_set(err, PVW_MEM_0001, "no memory for devices");
	intercepts->options = *options;
	*out = intercepts;
	return true;
}

void intercepts_drop(Intercepts *intercepts)
{
	const InterceptsOptions options = intercepts->options;

	explicit_bzero(intercepts, sizeof(*intercepts));
	intercepts->options = options;
}

void intercepts_free(Intercepts *intercepts)
{
	if (!intercepts)
		return;
	intercepts_drop(intercepts);
	free(intercepts);
}

static void reset(Intercepts *intercepts, const uint8_t entropy[ENTROPY_SIZE])
{
	static_assert(ENTROPY_SIZE == PCAT_ENTROPY_SIZE, "one draw");
	pcat_reset(&intercepts->state, entropy);
}

bool intercepts_plan(Intercepts *intercepts, Error *err)
{
	const Session *session = intercepts->options.session;
	const BootPlan *plan = &session_prepared(session)->plan;
	const Artifact *config = boot_plan_find(plan, "pcat.config");
	const Artifact *image = boot_plan_find(plan, "pcat.image");
	PcatSetup setup;

	intercepts_drop(intercepts);
	if (plan->kind != BOOT_PCAT || !config)
		return true;
	if (!pcat_setup_read(config->bytes, &setup, err))
		return false;
	if (image)
		setup.rom = image->bytes;
	intercepts->has_pcat = true;
	intercepts->setup = setup;
	memcpy(intercepts->state.generation_id.id,
		session_config(session)->settings.chipset.generation_id, GENERATION_ID_SIZE);
	reset(intercepts, session_plan_inputs(session)->entropy);
	return true;
}

bool intercepts_load(Intercepts *intercepts, Error *err)
{
	uint8_t entropy[ENTROPY_SIZE];

	if (!intercepts->has_pcat)
		return true;
	memcpy(entropy, intercepts->state.entropy, sizeof(entropy));
	if (intercepts->state.entropy_placed && !entropy_draw(entropy, sizeof(entropy), err))
		return false;
	reset(intercepts, entropy);
	explicit_bzero(entropy, sizeof(entropy));
	return true;
}

size_t intercepts_claims(const Intercepts *intercepts, PcatClaim out[PCAT_MAX_CLAIMS])
{
	return intercepts->has_pcat ? pcat_claims(&intercepts->state, out) : 0;
}

/*
 * What nobody claims.
 */

static bool is_isolated(const Session *session)
{
	const Facts *facts = session_facts(session);

	return facts && isolation_is_isolated(facts->info.isolation);
}

static bool is_memory(const Intercept *access)
{
	return access->kind == PCAT_MEMORY_READ || access->kind == PCAT_MEMORY_WRITE;
}

/*
 * May the host be asked? Of memory, what the list of the bus says, where there is one; else, and
 * for ports, whether the host is trusted with the guest at all.
 */
static bool may_forward(const Session *session, const Intercept *access)
{
	const Config *config = session_config(session);

	if (config && config->fallback_wanted && is_memory(access))
		return fallback_list_allows(&config->fallback, access->address,
			(uint64_t)access->width * access->count);
	return !is_isolated(session);
}

/*
 * Effects.
 */

/* All of [gpa, gpa + len) is RAM of the guest's own, in one range or in ranges that touch. */
static bool is_vtl0_ram(LayoutRecordList ram, uint64_t gpa, uint64_t len)
{
	uint64_t at = gpa, end;

	if (__builtin_add_overflow(gpa, len, &end))
		return false;
	for (size_t i = 0; i < ram.count && at < end; i++) {
		const MemoryRange range = ram.items[i].range;

		if (at >= range.start && at < range.end)
			at = range.end < end ? range.end : end;
	}
	return at == end;
}

static bool write_guest(const Intercepts *intercepts, const GuestWrite *write, Error *err)
{
	Session *session = intercepts->options.session;
	GuestMemory *memory = session_guest_memory(session);

	if (!is_vtl0_ram(
		    session_prepared(session)->layout.vtl0.ram, write->gpa, write->bytes.len))
		return error_set(err, PVW_INTERCEPT_0004,
			"0x%zx bytes at guest address 0x%" PRIx64 ", expected RAM of VTL0",
			write->bytes.len, write->gpa);
	if (!memory)
		return error_set(err, PVW_INTERCEPT_0005,
			"0x%zx bytes at guest address 0x%" PRIx64 ", expected a load into it",
			write->bytes.len, write->gpa);
	return guest_memory_write(memory, write->gpa, write->bytes.data, write->bytes.len, err);
}

/* The port write is done either way: the guest's firmware has no way to be told. */
static void try_write(const Intercepts *intercepts, const GuestWrite *write)
{
	Error err;

	if (!write_guest(intercepts, write, &err))
		log_error(intercepts->options.log, LOG_LEVEL_WARN, LOG_CLASS_CONFIDENTIAL,
			TARGET, &err);
}

static void tell_event(const Intercepts *intercepts, PcatEvent event)
{
	const bool failed = event == PCAT_EVENT_BOOT_FAILURE;
	const char *text =
		failed ? "the BIOS found nothing to boot" : "the BIOS starts a boot device";

	events_add(intercepts->options.events,
		&(Event){
			.time_unix_ns = process_unix_ns(),
			.kind = EVENT_KIND_BOOT,
			.value = failed ? PVW__V1__BOOT_EVENT_KIND__BOOT_EVENT_FAILURE
					: PVW__V1__BOOT_EVENT_KIND__BOOT_EVENT_ATTEMPT,
			.text = text,
		});
	log_line(
		intercepts->options.log, LOG_LEVEL_INFO, LOG_CLASS_ALLOWED, TARGET, "%s", text);
}

static void tell_remark(const Intercepts *intercepts, PcatRemark remark)
{
	const char *name = pcat_register_name(intercepts->state.address);

	log_line(intercepts->options.log, LOG_LEVEL_WARN, LOG_CLASS_CONFIDENTIAL, TARGET,
		"%s: %s (register 0x%x)", name ? name : "?", pcat_remark_text(remark),
		intercepts->state.address);
}

static void take_effect(
	const Intercepts *intercepts, const PcatAnswer *answer, InterceptOutcome *out)
{
	out->defer_ns += answer->defer_ns;
	out->replay_mtrrs |= answer->replay_mtrrs;
	out->pulse_gpe0 |= answer->pulse_gpe0;
	if (answer->event != PCAT_EVENT_NONE)
		tell_event(intercepts, answer->event);
	if (answer->remark != PCAT_REMARK_NONE)
		tell_remark(intercepts, answer->remark);
	if (answer->write.bytes.len)
		try_write(intercepts, &answer->write);
}

/*
 * Accesses.
 */

static bool is_read(const Intercept *access)
{
	return access->kind == PCAT_PORT_READ || access->kind == PCAT_MEMORY_READ;
}

static void take_all(
	Intercepts *intercepts, const Intercept *access, uint8_t *data, InterceptOutcome *out)
{
	PcatOperation operation = {
		.kind = access->kind,
		.address = access->address,
		.width = access->width,
	};
	PcatAnswer answer;

	for (uint32_t i = 0; i < access->count; i++) {
		if (!is_read(access))
			memcpy(&operation.value, access->data + (size_t)i * access->width,
				access->width);
		pcat_step(&intercepts->setup, &intercepts->state, &operation, &answer);
		if (answer.result != PCAT_DONE) {
			out->verdict = verdicts[answer.result];
			return;
		}
		take_effect(intercepts, &answer, out);
		if (is_read(access))
			memcpy(data + (size_t)i * access->width, &answer.value, access->width);
		operation.address += is_memory(access) ? access->width : 0;
	}
}

void intercepts_take(
	Intercepts *intercepts, const Intercept *access, uint8_t *data, InterceptOutcome *out)
{
	*out = (InterceptOutcome){ .verdict = INTERCEPT_VERDICT_NOT_CLAIMED };
	if (intercepts->has_pcat) {
		out->verdict = INTERCEPT_VERDICT_DONE;
		take_all(intercepts, access, data, out);
	}
	if (out->verdict == INTERCEPT_VERDICT_NOT_CLAIMED &&
		!may_forward(intercepts->options.session, access))
		out->verdict = INTERCEPT_VERDICT_FILTERED;
	if (is_read(access) && out->verdict != INTERCEPT_VERDICT_DONE)
		memset(data, 0xff, (size_t)access->count * access->width);
}

void intercepts_renew_generation_id(
	Intercepts *intercepts, const uint8_t id[GENERATION_ID_SIZE], InterceptOutcome *out)
{
	PcatAnswer answer;

	*out = (InterceptOutcome){ .verdict = INTERCEPT_VERDICT_NOT_CLAIMED };
	if (!intercepts->has_pcat)
		return;
	out->verdict = INTERCEPT_VERDICT_DONE;
	pcat_renew_generation_id(&intercepts->state, id, &answer);
	take_effect(intercepts, &answer, out);
}

/* What the plan sets on all processors, and PAT at its reset value where it sets none. */
bool intercepts_replayed(
	const Intercepts *intercepts, Arena *arena, RegisterSet *out, Error *err)
{
	const RegisterSetList sets =
		session_prepared(intercepts->options.session)->plan.register_sets;
	RegisterList planned = { 0 };
	Register *items;
	size_t count = 0;
	bool has_pat = false;

	for (size_t i = 0; i < sets.count; i++) {
		if (sets.items[i].scope == REGISTER_SCOPE_ALL_VPS)
			planned = sets.items[i].registers;
	}
	items = arena_array(arena, Register, planned.count + 1, err);
	if (!items)
		return false;
	for (size_t i = 0; i < planned.count; i++)
		has_pat |= planned.items[i].id == REGISTER_PAT;
	if (!has_pat)
		items[count++] = (Register){ .id = REGISTER_PAT, .low = PAT_RESET };
	for (size_t i = 0; i < planned.count; i++)
		items[count++] = planned.items[i];
	*out = (RegisterSet){ REGISTER_SCOPE_ALL_VPS, { items, count } };
	return true;
}
