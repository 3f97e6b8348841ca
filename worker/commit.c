/*
 * A plan's artifacts into guest memory: first everything is checked, then it is written.
 */
#include "worker/commit.h"

#include <inttypes.h>

#include "support/diagnostics.h"

static const Artifact *write_at(const BootPlan *plan, size_t index)
{
	return &plan->artifacts.items[plan->writes[index]];
}

static bool compare(
	const Artifact *artifact, const GuestMemory *guest, uint16_t diagnostic, Error *err)
{
	uint64_t where = 0;
	bool equal = false;

	if (artifact_is_unseen(artifact))
		return true;
	if (!guest_memory_compare(guest, artifact->gpa, artifact->bytes.data,
		    artifact->bytes.len, &equal, &where, err))
		return error_wrap(err, "%s", artifact->name);
	return equal ||
		error_set(err, diagnostic,
			"%s: guest address 0x%" PRIx64 " holds another value", artifact->name,
			where);
}

/* Nothing is written before all of this is known. */
static bool check_writes(const BootPlan *plan, const GuestMemory *guest, Error *err)
{
	for (size_t i = 0; i < plan->write_count; i++) {
		const Artifact *artifact = write_at(plan, i);

		if (!guest_memory_check(guest, artifact->gpa, artifact->bytes.len, err))
			return error_wrap(err, "%s", artifact->name);
	}
	for (size_t i = 0; i < plan->write_count; i++) {
		const Artifact *artifact = write_at(plan, i);

		if (artifact->measured && !compare(artifact, guest, PVW_GUEST_0010, err))
			return false;
	}
	return true;
}

static bool write_artifact(const Artifact *artifact, GuestMemory *guest, Error *err)
{
	const Bytes bytes = artifact->bytes;
	const bool written = bytes.data
		? guest_memory_write(guest, artifact->gpa, bytes.data, bytes.len, err)
		: guest_memory_zero(guest, artifact->gpa, bytes.len, err);

	return written || error_wrap(err, "%s", artifact->name);
}

static bool write_all(const BootPlan *plan, GuestMemory *guest, bool *touched, Error *err)
{
	for (size_t i = 0; i < plan->write_count; i++) {
		const Artifact *artifact = write_at(plan, i);

		if (artifact->measured)
			continue;
		*touched = true;
		if (!write_artifact(artifact, guest, err))
			return false;
	}
	return true;
}

static bool verify_all(const BootPlan *plan, const GuestMemory *guest, Error *err)
{
	for (size_t i = 0; i < plan->write_count; i++) {
		if (!compare(write_at(plan, i), guest, PVW_GUEST_0009, err))
			return false;
	}
	return true;
}

static bool commit(
	const BootPlan *plan, GuestMemory *guest, bool verify, bool *touched, Error *err)
{
	return check_writes(plan, guest, err) && write_all(plan, guest, touched, err) &&
		(!verify || verify_all(plan, guest, err));
}

bool boot_plan_commit(const BootPlan *plan, GuestMemory *guest, const CommitOptions *options,
	bool *touched, Error *err)
{
	GuestMemory *narrow;
	bool done;

	if (options->window_count == 0)
		return commit(plan, guest, options->verify, touched, err);
	if (!guest_memory_narrow(guest, options->windows, options->window_count, &narrow, err))
		return false;
	done = commit(plan, narrow, options->verify, touched, err);
	guest_memory_free(narrow);
	return done;
}

/* A piece may be given by its length alone: zeros. */
static void digest_artifact(DigestState *state, Bytes bytes)
{
	static const uint8_t zeros[4096];

	if (bytes.data) {
		digest_add(state, bytes.data, bytes.len);
		return;
	}
	for (size_t left = bytes.len; left > 0;) {
		const size_t n = left < sizeof(zeros) ? left : sizeof(zeros);

		digest_add(state, zeros, n);
		left -= n;
	}
}

Digest boot_plan_image_digest(const BootPlan *plan)
{
	DigestState state;

	digest_begin(&state);
	for (size_t i = 0; i < plan->write_count; i++) {
		const Artifact *artifact = write_at(plan, i);

		if (!artifact_is_unseen(artifact))
			digest_artifact(&state, artifact->bytes);
	}
	return digest_end(&state);
}
