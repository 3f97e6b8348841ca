/*
 * One guest being prepared: states, what each owns, and what may follow what.
 */
#include "worker/session.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

/* What one state owns. */
typedef struct Stage {
	Arena *arena; /* NULL: not reached */
	union {
		Facts facts;
		Config config;
		struct {
			PlanInputs inputs;
			Prepared prepared;
		} plan;
	};
} Stage;

struct Session {
	SessionOptions options;
	SessionState state;
	uint64_t generation;
	bool boot_info_is_kept; /* Reset goes back to it */
	Stage facts, config, plan;
	BlobStore blobs;
	/* Of the last Load, for devices: the table, and what a request left of it or NULL. */
	GuestMemory *table, *narrow;
};

static const char *const state_names[SESSION_STATE_COUNT] = {
	[SESSION_EMPTY] = "EMPTY",
	[SESSION_BOOT_INFO] = "BOOT_INFO",
	[SESSION_CONFIGURED] = "CONFIGURED",
	[SESSION_PLANNED] = "PLANNED",
	[SESSION_LOADED] = "LOADED",
	[SESSION_FAILED] = "FAILED",
	[SESSION_STOPPING] = "STOPPING",
};

const char *session_state_name(SessionState state)
{
	return state < SESSION_STATE_COUNT ? state_names[state] : "?";
}

static void enter(Session *session, SessionState state)
{
	session->state = state;
	session->generation++;
}

/* Steps may run in the states from @first to @last. */
static bool require_state(const Session *session, const char *step, SessionState first,
	SessionState last, Error *err)
{
	if (session->state >= first && session->state <= last)
		return true;
	return error_set(err, PVW_SESSION_0001, "%s in state %s, expected %s%s%s", step,
		session_state_name(session->state), session_state_name(first),
		first == last ? "" : " to ", first == last ? "" : session_state_name(last));
}

/* Settings, entropy and what was made of them are not left behind. */
static void stage_drop(Stage *stage)
{
	arena_wipe(stage->arena);
	explicit_bzero(stage, sizeof(*stage));
}

static bool stage_begin(Stage *stage, Error *err)
{
	*stage = (Stage){ .arena = arena_new(PREPARE_ARENA_LIMIT) };
	if (!stage->arena)
		return error_set(err, PVW_MEM_0001, "no memory for a new state");
	return true;
}

static void memory_drop(Session *session)
{
	guest_memory_free(session->narrow);
	guest_memory_free(session->table);
	session->narrow = session->table = NULL;
}

bool session_new(const SessionOptions *options, Session **out, Error *err)
{
	Session *session = calloc(1, sizeof(*session));

	if (!session)
		return error_set(err, PVW_MEM_0001, "no memory for a session");
	session->options = *options;
	session->blobs.max_bytes = options->blob_bytes;
	*out = session;
	return true;
}

void session_free(Session *session)
{
	if (!session)
		return;
	stage_drop(&session->plan);
	stage_drop(&session->config);
	stage_drop(&session->facts);
	blob_store_clear(&session->blobs);
	memory_drop(session);
	free(session);
}

SessionState session_state(const Session *session)
{
	return session->state;
}

uint64_t session_generation(const Session *session)
{
	return session->generation;
}

const Facts *session_facts(const Session *session)
{
	return session->facts.arena ? &session->facts.facts : NULL;
}

const Config *session_config(const Session *session)
{
	return session->config.arena ? &session->config.config : NULL;
}

const PlanInputs *session_plan_inputs(const Session *session)
{
	return session->plan.arena ? &session->plan.plan.inputs : NULL;
}

const Prepared *session_prepared(const Session *session)
{
	return session->plan.arena ? &session->plan.plan.prepared : NULL;
}

GuestMemory *session_guest_memory(Session *session)
{
	return session->narrow ? session->narrow : session->table;
}

size_t session_arena_bytes(const Session *session)
{
	const Stage *stages[] = { &session->facts, &session->config, &session->plan };
	size_t sum = 0;

	for (size_t i = 0; i < ARRAY_COUNT(stages); i++)
		sum += stages[i]->arena ? arena_used(stages[i]->arena) : 0;
	return sum;
}

/*
 * Boot info.
 */

static bool bytes_copy(Bytes *bytes, Arena *arena, Error *err)
{
	if (!bytes->data)
		return true;
	return arena_copy(arena, bytes->data, bytes->len, &bytes->data, err);
}

static bool check_isolation(const Session *session, const BootInfo *info, Error *err)
{
	if (session->options.isolation_from_tree ||
		info->isolation == session->options.isolation)
		return true;
	return error_set(err, PVW_SESSION_0002,
		"isolation type %d in the boot tree, expected %d as the worker was started",
		(int)info->isolation, (int)session->options.isolation);
}

static bool build_facts(const Session *session, const FactInputs *in, Stage *stage,
	Diagnostics *findings, Error *err)
{
	FactInputs kept = *in;

	return bytes_copy(&kept.boot_tree, stage->arena, err) &&
		bytes_copy(&kept.slit, stage->arena, err) &&
		bytes_copy(&kept.pptt, stage->arena, err) &&
		bytes_copy(&kept.measured.config, stage->arena, err) &&
		bytes_copy(&kept.measured.vp_context, stage->arena, err) &&
		bytes_copy(&kept.measured.command_line, stage->arena, err) &&
		bytes_copy(&kept.measured.vtl2, stage->arena, err) &&
		prepare_facts(&kept, stage->arena, &stage->facts, findings, err) &&
		check_isolation(session, &stage->facts.info, err);
}

bool session_may_load_boot_info(const Session *session, Error *err)
{
	if (!require_state(session, "boot info", SESSION_EMPTY, SESSION_PLANNED, err))
		return false;
	return !session->boot_info_is_kept ||
		error_set(err, PVW_SESSION_0001,
			"boot info in state %s of a worker that took it from the machine, "
			"expected no other",
			session_state_name(session->state));
}

bool session_load_boot_info(
	Session *session, const FactInputs *in, Diagnostics *findings, Error *err)
{
	Stage stage;

	if (!session_may_load_boot_info(session, err) || !stage_begin(&stage, err))
		return false;
	if (!build_facts(session, in, &stage, findings, err)) {
		stage_drop(&stage);
		return false;
	}

	stage_drop(&session->plan);
	stage_drop(&session->config);
	stage_drop(&session->facts);
	session->facts = stage;
	enter(session, SESSION_BOOT_INFO);
	return true;
}

void session_keep_boot_info(Session *session)
{
	session->boot_info_is_kept = session->facts.arena != NULL;
}

/*
 * Settings.
 */

/* Every view in PlatformSettings; images are views of blobs, which live until Reset. */
static const size_t settings_views[] = {
	offsetof(PlatformSettings, smbios.serial_number),
	offsetof(PlatformSettings, smbios.base_board_serial),
	offsetof(PlatformSettings, smbios.chassis_serial),
	offsetof(PlatformSettings, smbios.chassis_asset_tag),
	offsetof(PlatformSettings, smbios.system_manufacturer),
	offsetof(PlatformSettings, smbios.system_product),
	offsetof(PlatformSettings, smbios.system_version),
	offsetof(PlatformSettings, smbios.system_sku),
	offsetof(PlatformSettings, smbios.system_family),
	offsetof(PlatformSettings, smbios.bios_lock),
	offsetof(PlatformSettings, smbios.memory_device_serial),
	offsetof(PlatformSettings, smbios.processor_manufacturer),
	offsetof(PlatformSettings, smbios.processor_version),
	offsetof(PlatformSettings, linux_direct.command_line),
	offsetof(PlatformSettings, vtl2_settings),
};

static bool settings_copy(PlatformSettings *settings, Arena *arena, Error *err)
{
	const Bytes *theirs = settings->acpi_tables;
	Bytes *tables;

	for (size_t i = 0; i < ARRAY_COUNT(settings_views); i++) {
		Bytes *view = (Bytes *)(void *)((uint8_t *)settings + settings_views[i]);

		if (!bytes_copy(view, arena, err))
			return false;
	}
	tables = arena_array(arena, Bytes, settings->acpi_table_count, err);
	if (!tables)
		return false;
	for (size_t i = 0; i < settings->acpi_table_count; i++) {
		tables[i] = theirs[i];
		if (!bytes_copy(&tables[i], arena, err))
			return false;
	}
	settings->acpi_tables = tables;
	return true;
}

static bool channels_copy(ChannelDemandList *channels, Arena *arena, Error *err)
{
	ChannelDemand *items = arena_array(arena, ChannelDemand, channels->count, err);

	if (!items)
		return false;
	if (channels->count)
		memcpy(items, channels->items, channels->count * sizeof(*items));
	channels->items = items;
	return true;
}

static bool build_config(const Session *session, const ConfigInputs *in, Arena *arena,
	Config *out, Diagnostics *findings, Error *err)
{
	ConfigInputs kept = *in;

	return settings_copy(&kept.settings, arena, err) &&
		channels_copy(&kept.channels, arena, err) &&
		prepare_config(&session->facts.facts, &kept, arena, out, findings, err);
}

bool session_configure(Session *session, const ConfigInputs *in, bool dry_run, Arena *scratch,
	SettingsClampList *clamps, Diagnostics *findings, Error *err)
{
	Stage stage;

	if (!require_state(session, "configure", SESSION_BOOT_INFO, SESSION_PLANNED, err))
		return false;
	if (dry_run) {
		Config config;

		if (!build_config(session, in, scratch, &config, findings, err))
			return false;
		*clamps = config.clamps;
		return true;
	}
	if (!stage_begin(&stage, err))
		return false;
	if (!build_config(session, in, stage.arena, &stage.config, findings, err)) {
		stage_drop(&stage);
		return false;
	}

	stage_drop(&session->plan);
	stage_drop(&session->config);
	session->config = stage;
	*clamps = session->config.config.clamps;
	enter(session, SESSION_CONFIGURED);
	return true;
}

/*
 * Plan and load.
 */

bool session_plan(Session *session, const PlanInputs *in, Diagnostics *findings, Error *err)
{
	Stage stage;

	if (!require_state(session, "plan", SESSION_CONFIGURED, SESSION_PLANNED, err))
		return false;
	if (!stage_begin(&stage, err))
		return false;
	stage.plan.inputs = *in;
	if (!prepare_plan(&session->facts.facts, &session->config.config, in, stage.arena,
		    &stage.plan.prepared, findings, err)) {
		stage_drop(&stage);
		return false;
	}

	stage_drop(&session->plan);
	session->plan = stage;
	enter(session, SESSION_PLANNED);
	return true;
}

static bool check_digest(const BootPlan *plan, Digest digest, Error *err)
{
	char given[DIGEST_HEX_SIZE], wanted[DIGEST_HEX_SIZE];

	if (digest_equal(digest, plan->digest))
		return true;
	digest_format(digest, given);
	digest_format(plan->digest, wanted);
	return error_set(err, PVW_SESSION_0003, "plan digest %s, expected %s", given, wanted);
}

/* For a host's image, which is VTL2's: all RAM at offset = guest address. */
static bool all_windows(
	const BootInfo *info, Arena *arena, GuestWindow **out, size_t *count, Error *err)
{
	GuestWindow *windows = arena_array(arena, GuestWindow, info->map.count, err);

	if (!windows)
		return false;
	for (size_t i = 0; i < info->map.count; i++) {
		const MemoryRange ram = info->map.items[i].range;

		windows[i] = (GuestWindow){ ram.start, memory_range_len(ram), ram.start };
	}
	*out = windows;
	*count = info->map.count;
	return true;
}

/* VTL0's RAM at offset = guest address: where it lies when nobody says otherwise. */
static bool ram_windows(
	const MemoryLayout *layout, Arena *arena, GuestWindow **out, size_t *count, Error *err)
{
	GuestWindow *windows = arena_array(arena, GuestWindow, layout->ram.count, err);

	if (!windows)
		return false;
	for (size_t i = 0; i < layout->ram.count; i++) {
		const MemoryRange ram = layout->ram.items[i].range;

		windows[i] = (GuestWindow){ ram.start, memory_range_len(ram), ram.start };
	}
	*out = windows;
	*count = layout->ram.count;
	return true;
}

/* The descriptor stays the worker's: each table gets one of its own. */
static bool open_windows(const Session *session, const GuestWindow *windows, size_t count,
	GuestMemory **out, Error *err)
{
	const int fd = fcntl(session->options.guest_fd, F_DUPFD_CLOEXEC, 0);

	if (fd < 0)
		return error_set(err, PVW_SESSION_0004, "guest memory: %s", strerror(errno));
	return guest_memory_new(fd, windows, count, out, err);
}

/*
 * The table that counts: the one given at start; without it the request's; without both, or when
 * a request may only narrow, VTL0's RAM.
 */
static bool open_table(const Session *session, const LoadTarget *target, Arena *scratch,
	bool *may_narrow, GuestMemory **out, Error *err)
{
	const SessionOptions *options = &session->options;
	GuestWindow *windows;
	size_t count;

	if (options->window_count) {
		*may_narrow = true;
		return open_windows(session, options->windows, options->window_count, out, err);
	}
	if (target->window_count && !options->narrow_only) {
		*may_narrow = false;
		return open_windows(session, target->windows, target->window_count, out, err);
	}
	*may_narrow = true;
	/* A worker inside VTL2 never touches its own memory. */
	if (session->plan.plan.prepared.plan.kind == BOOT_IGVM && !options->narrow_only)
		return all_windows(
			       &session->facts.facts.info, scratch, &windows, &count, err) &&
			open_windows(session, windows, count, out, err);
	return ram_windows(&session->plan.plan.prepared.layout.vtl0, scratch, &windows, &count,
		       err) &&
		open_windows(session, windows, count, out, err);
}

/* Opens the memory that the session then keeps, and writes to it. */
static bool commit(
	Session *session, const LoadTarget *target, Arena *scratch, bool *touched, Error *err)
{
	const CommitOptions options = { .verify = target->verify };
	GuestMemory *table = NULL, *narrow = NULL;
	bool may_narrow, ok;

	if (session->options.guest_fd < 0)
		return error_set(err, PVW_SESSION_0004,
			"load into guest memory, expected memory-only: the worker was started "
			"without --guest-memory");
	if (!open_table(session, target, scratch, &may_narrow, &table, err))
		return false;
	ok = (!may_narrow || !target->window_count ||
		     guest_memory_narrow(
			     table, target->windows, target->window_count, &narrow, err)) &&
		boot_plan_commit(&session->plan.plan.prepared.plan, narrow ? narrow : table,
			&options, touched, err);
	if (!ok) {
		guest_memory_free(narrow);
		guest_memory_free(table);
		return false;
	}
	memory_drop(session);
	session->table = table;
	session->narrow = narrow;
	return true;
}

/* What a commit wrote: all placed artifacts but those that were there already. */
static void count_writes(const BootPlan *plan, LoadReport *report)
{
	for (size_t i = 0; i < plan->write_count; i++) {
		const Artifact *artifact = &plan->artifacts.items[plan->writes[i]];

		if (artifact->measured)
			continue;
		report->writes++;
		report->bytes += artifact->bytes.len;
	}
}

bool session_load(Session *session, Digest digest, const LoadTarget *target, Arena *scratch,
	LoadReport *out, Error *err)
{
	const BootPlan *plan = &session->plan.plan.prepared.plan;
	LoadReport report = { 0 };
	bool touched = false;

	if (!require_state(session, "load", SESSION_PLANNED, SESSION_LOADED, err) ||
		!check_digest(plan, digest, err))
		return false;
	if (!target->memory_only) {
		if (!commit(session, target, scratch, &touched, err)) {
			if (touched)
				enter(session, SESSION_FAILED);
			return false;
		}
		count_writes(plan, &report);
	} else {
		memory_drop(session);
	}
	report.image = boot_plan_image_digest(plan);
	*out = report;
	enter(session, SESSION_LOADED);
	return true;
}

bool session_reset(Session *session, Error *err)
{
	if (!require_state(session, "reset", SESSION_EMPTY, SESSION_FAILED, err))
		return false;
	stage_drop(&session->plan);
	stage_drop(&session->config);
	blob_store_clear(&session->blobs);
	if (!session->boot_info_is_kept)
		stage_drop(&session->facts);
	memory_drop(session);
	enter(session, session->boot_info_is_kept ? SESSION_BOOT_INFO : SESSION_EMPTY);
	return true;
}

void session_stop(Session *session)
{
	enter(session, SESSION_STOPPING);
}

bool session_put_blob(Session *session, const BlobChunk *chunk, uint64_t *received, Error *err)
{
	if (!require_state(session, "a blob", SESSION_EMPTY, SESSION_PLANNED, err))
		return false;
	/* From Configure on, settings may be looking at it. */
	if (chunk->offset == 0 && session->state > SESSION_BOOT_INFO &&
		blob_store_find(&session->blobs, chunk->name))
		return error_set(err, PVW_BLOB_0006, "blob \"%s\" is there in state %s",
			chunk->name, session_state_name(session->state));
	return blob_store_put(&session->blobs, chunk, received, err);
}

const BlobStore *session_blobs(const Session *session)
{
	return &session->blobs;
}
