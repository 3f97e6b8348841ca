/*
 * A plan is collected piece by piece, then checked and sealed: order, room, digests.
 * Source: docs/formats.md, "Plan digest"
 */
#include "loaders/boot_plan.h"

#include <inttypes.h>
#include <string.h>

#include "support/checked.h"
#include "support/diagnostics.h"

/* The plan digest tells addresses from scopes by it. */
static_assert(BOOT_PLAN_ALIGN > REGISTER_SCOPE_BSP, "no address is a scope");

/* Most paths need no more. */
#define FIRST_ROOM 64

struct BootPlanBuilder {
	BootKind kind;
	PlanPolicy policy;
	Arena *arena;
	Artifact *artifacts; /* grows up to BOOT_PLAN_MAX_ARTIFACTS */
	size_t artifact_count, artifact_room;
	Register *registers; /* REGISTER_COUNT: each at most once */
	size_t register_count;
	bool has_register[REGISTER_COUNT];
	bool failed;
	Error first; /* what went wrong first */
};

/* Numbers on the wire: 0 is never in effect. */
static const uint64_t mtrr_numbers[] = {
	[MTRR_POLICY_EXACT] = 1,
	[MTRR_POLICY_HYPERV] = 2,
	[MTRR_POLICY_BEST_EFFORT] = 3,
};
static_assert(ARRAY_COUNT(mtrr_numbers) == MTRR_POLICY_COUNT, "one number a policy");

static const uint64_t acpi_numbers[] = {
	[ACPI_PROFILE_DEFAULT] = 1,
	[ACPI_PROFILE_REFERENCE] = 2,
};
static_assert(ARRAY_COUNT(acpi_numbers) == ACPI_PROFILE_COUNT, "one number a profile");

bool boot_plan_begin(
	BootKind kind, PlanPolicy policy, Arena *arena, BootPlanBuilder **out, Error *err)
{
	BootPlanBuilder *plan =
		arena_alloc(arena, sizeof(*plan), _Alignof(BootPlanBuilder), err);

	if (!plan)
		return false;
	plan->kind = kind;
	plan->policy = policy;
	plan->arena = arena;
	plan->artifact_room = FIRST_ROOM;
	plan->artifacts = arena_array(arena, Artifact, FIRST_ROOM, err);
	plan->registers = arena_array(arena, Register, REGISTER_COUNT, err);
	if (!plan->artifacts || !plan->registers)
		return false;
	*out = plan;
	return true;
}

void boot_plan_place(BootPlanBuilder *plan, const char *name, uint64_t gpa, Bytes bytes)
{
	boot_plan_add(plan,
		(Artifact){
			.name = name,
			.media_type = "application/octet-stream",
			.placed = true,
			.gpa = gpa,
			.bytes = bytes,
		});
}

/* Twice the room; the old one stays in the arena. */
static bool make_room(BootPlanBuilder *plan)
{
	const size_t room = 2 * plan->artifact_room;
	Artifact *artifacts = arena_array(plan->arena, Artifact, room, &plan->first);

	if (!artifacts)
		return false;
	memcpy(artifacts, plan->artifacts, plan->artifact_count * sizeof(*artifacts));
	plan->artifacts = artifacts;
	plan->artifact_room = room;
	return true;
}

void boot_plan_add(BootPlanBuilder *plan, Artifact artifact)
{
	if (plan->failed)
		return;
	if (plan->artifact_count == BOOT_PLAN_MAX_ARTIFACTS) {
		plan->failed = true;
		error_set(&plan->first, PVW_PLAN_0004,
			"%s is artifact %zu, expected at most %d", artifact.name,
			plan->artifact_count + 1, BOOT_PLAN_MAX_ARTIFACTS);
		return;
	}
	if (plan->artifact_count == plan->artifact_room && !make_room(plan)) {
		plan->failed = true;
		return;
	}
	plan->artifacts[plan->artifact_count++] = artifact;
}

void boot_plan_register(BootPlanBuilder *plan, Register value)
{
	assert(value.id < REGISTER_COUNT);
	if (plan->failed)
		return;
	if (plan->has_register[value.id]) {
		plan->failed = true;
		error_set(&plan->first, PVW_PLAN_0005, "%s has two values, expected one",
			register_row(value.id)->name);
		return;
	}
	plan->has_register[value.id] = true;
	plan->registers[plan->register_count++] = value;
}

static bool check_names(const BootPlanBuilder *plan, Error *err)
{
	for (size_t i = 0; i < plan->artifact_count; i++) {
		for (size_t j = 0; j < i; j++) {
			if (strcmp(plan->artifacts[i].name, plan->artifacts[j].name) == 0)
				return error_set(err, PVW_PLAN_0006,
					"two artifacts are named %s, expected one",
					plan->artifacts[i].name);
		}
	}
	return true;
}

/* @end: receives the address behind the artifact's last byte */
static bool artifact_end(const Artifact *artifact, uint64_t *end, Error *err)
{
	if (artifact->bytes.len == 0)
		return error_set(err, PVW_PLAN_0003,
			"%s: nothing to write at 0x%" PRIx64 ", expected at least one byte",
			artifact->name, artifact->gpa);
	if (!is_aligned(artifact->gpa, BOOT_PLAN_ALIGN))
		return error_set(err, PVW_PLAN_0003,
			"%s: address 0x%" PRIx64 ", expected a multiple of %d", artifact->name,
			artifact->gpa, BOOT_PLAN_ALIGN);
	if (!checked_add_u64(artifact->gpa, artifact->bytes.len, end))
		return error_set(err, PVW_PLAN_0003,
			"%s: %zu bytes at 0x%" PRIx64 " wrap, expected an end below 2^64",
			artifact->name, artifact->bytes.len, artifact->gpa);
	return true;
}

/* Few and almost in order: insertion. */
static size_t sort_writes(const BootPlanBuilder *plan, size_t *writes)
{
	size_t count = 0;

	for (size_t i = 0; i < plan->artifact_count; i++) {
		size_t at = count;

		if (!plan->artifacts[i].placed)
			continue;
		for (; at > 0 && plan->artifacts[writes[at - 1]].gpa > plan->artifacts[i].gpa;
			at--)
			writes[at] = writes[at - 1];
		writes[at] = i;
		count++;
	}
	return count;
}

/* The record of RAM that holds @gpa; *@at moves on, so ascending questions cost one pass. */
static const LayoutRecord *ram_at(LayoutRecordList ram, uint64_t gpa, size_t *at)
{
	while (*at < ram.count && ram.items[*at].range.end <= gpa)
		(*at)++;
	if (*at < ram.count && ram.items[*at].range.start <= gpa)
		return &ram.items[*at];
	return NULL;
}

static bool check_room(
	const Artifact *artifact, uint64_t end, const LayoutRecord *record, Error *err)
{
	if (!record)
		return error_set(err, PVW_PLAN_0002,
			"%s: " RANGE_FORMAT " is not in the guest's RAM", artifact->name,
			artifact->gpa, end);
	if (end > record->range.end)
		return error_set(err, PVW_PLAN_0002,
			"%s: " RANGE_FORMAT " leaves RAM at " RANGE_FORMAT, artifact->name,
			artifact->gpa, end, RANGE_ARGS(record->range));
	return true;
}

/* Writes are disjoint, and each inside one record of @ram. */
static bool check_writes(const BootPlanBuilder *plan, const size_t *writes, size_t count,
	LayoutRecordList ram, Error *err)
{
	uint64_t previous_end = 0;
	size_t at = 0;

	for (size_t i = 0; i < count; i++) {
		const Artifact *artifact = &plan->artifacts[writes[i]];
		uint64_t end = 0;

		if (!artifact_end(artifact, &end, err))
			return false;
		if (i > 0 && artifact->gpa < previous_end)
			return error_set(err, PVW_PLAN_0001,
				"%s at 0x%" PRIx64
				" begins inside of %s, which ends at 0x%" PRIx64,
				artifact->name, artifact->gpa,
				plan->artifacts[writes[i - 1]].name, previous_end);
		if (!check_room(artifact, end, ram_at(ram, artifact->gpa, &at), err))
			return false;
		previous_end = end;
	}
	return true;
}

static Digest digest_of_zeros(size_t len)
{
	static const uint8_t zeros[4096];
	DigestState state;

	digest_begin(&state);
	for (; len > sizeof(zeros); len -= sizeof(zeros))
		digest_add(&state, zeros, sizeof(zeros));
	digest_add(&state, zeros, len);
	return digest_end(&state);
}

static Digest artifact_digest(const Artifact *artifact)
{
	if (artifact_is_unseen(artifact))
		return (Digest){ 0 };
	if (artifact->bytes.data || artifact->bytes.len == 0)
		return digest_of(artifact->bytes);
	return digest_of_zeros(artifact->bytes.len);
}

static bool add_digests(BootPlanBuilder *plan, BootPlan *out, Error *err)
{
	Digest *digests = arena_array(plan->arena, Digest, plan->artifact_count, err);

	if (!digests)
		return false;
	for (size_t i = 0; i < plan->artifact_count; i++)
		digests[i] = artifact_digest(&plan->artifacts[i]);
	out->digests = digests;
	return true;
}

/* The registers of one scope, in emission order; none: no set. */
static size_t pick_registers(
	RegisterList all, RegisterScope scope, Register *picked, RegisterSet *out)
{
	size_t count = 0;

	for (size_t i = 0; i < all.count; i++) {
		if (register_row(all.items[i].id)->scope == scope)
			picked[count++] = all.items[i];
	}
	if (count)
		*out = (RegisterSet){ scope, { picked, count } };
	return count;
}

static bool add_register_sets(Arena *arena, BootPlan *out, Error *err)
{
	static const RegisterScope order[] = { REGISTER_SCOPE_ALL_VPS, REGISTER_SCOPE_BSP };
	RegisterSet *sets = arena_array(arena, RegisterSet, ARRAY_COUNT(order), err);
	Register *picked = arena_array(arena, Register, out->registers.count, err);
	size_t count = 0;

	if (!sets || !picked)
		return false;
	for (size_t i = 0; i < ARRAY_COUNT(order); i++) {
		const size_t n = pick_registers(out->registers, order[i], picked, &sets[count]);

		picked += n;
		count += n > 0;
	}
	out->register_sets = (RegisterSetList){ sets, count };
	return true;
}

static void digest_add_registers(DigestState *state, const RegisterSet *set)
{
	digest_add_u64(state, set->scope);
	for (size_t i = 0; i < set->registers.count; i++) {
		const Register *value = &set->registers.items[i];

		digest_add_u64(state, register_row(value->id)->hypervisor);
		digest_add_u64(state, value->low);
		digest_add_u64(state, value->high);
	}
}

static Digest plan_digest(const BootPlan *plan)
{
	DigestState state;

	digest_begin(&state);
	digest_add(&state, "PVWPLAN1", 8);
	for (size_t i = 0; i < plan->write_count; i++) {
		const Artifact *artifact = &plan->artifacts.items[plan->writes[i]];

		digest_add_u64(&state, artifact->gpa);
		digest_add_u64(&state, artifact->bytes.len);
		digest_add(&state, plan->digests[plan->writes[i]].bytes, DIGEST_SIZE);
	}
	for (size_t i = 0; i < plan->register_sets.count; i++)
		digest_add_registers(&state, &plan->register_sets.items[i]);
	digest_add_u64(&state, plan->policy.layout_version);
	digest_add_u64(&state, mtrr_numbers[plan->policy.mtrr]);
	digest_add_u64(&state, acpi_numbers[plan->policy.acpi]);
	return digest_end(&state);
}

bool boot_plan_finish(BootPlanBuilder *plan, LayoutRecordList ram, BootPlan *out, Error *err)
{
	BootPlan sealed = {
		.kind = plan->kind,
		.policy = plan->policy,
		.artifacts = { plan->artifacts, plan->artifact_count },
		.registers = { plan->registers, plan->register_count },
	};
	size_t *writes;

	if (plan->failed) {
		*err = plan->first;
		return false;
	}
	writes = arena_array(plan->arena, size_t, plan->artifact_count, err);
	if (!writes)
		return false;
	sealed.writes = writes;
	sealed.write_count = sort_writes(plan, writes);
	if (!check_names(plan, err) ||
		!check_writes(plan, writes, sealed.write_count, ram, err) ||
		!add_digests(plan, &sealed, err) ||
		!add_register_sets(plan->arena, &sealed, err))
		return false;
	sealed.digest = plan_digest(&sealed);
	*out = sealed;
	return true;
}

const Artifact *boot_plan_find(const BootPlan *plan, const char *name)
{
	for (size_t i = 0; i < plan->artifacts.count; i++) {
		if (strcmp(plan->artifacts.items[i].name, name) == 0)
			return &plan->artifacts.items[i];
	}
	return NULL;
}
