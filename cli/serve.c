/*
 * pvw serve: the worker.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "host/size_text.h"
#include "worker/worker.h"

#define MAX_BLOB_BYTES (UINT64_C(1) << 40)

/* Numbers from the words of the command line. */
typedef struct ServeWords {
	StreamAddress listen[SERVER_MAX_LISTENERS];
	uint32_t users[SERVER_MAX_USERS];
	GuestWindow *windows;
} ServeWords;

static const char *const isolation_names[] = { "none", "vbs", "snp", "tdx", NULL };
static const char *const sandbox_names[] = { "require", "best-effort", "off", NULL };
static const char *const log_format_names[] = { "text", "json", NULL };

static bool option_fail(const char *option, Error *err)
{
	char source[ERROR_SOURCE_SIZE];

	snprintf(source, sizeof(source), "--%s", option);
	return error_at(err, source);
}

/* "GPA:SIZE:OFFSET", each hexadecimal or decimal; @count numbers. */
static bool parse_numbers(
	const char *option, const char *text, uint64_t *numbers, size_t count, Error *err)
{
	const char *at = text;

	for (size_t i = 0; i < count; i++) {
		char *end = NULL;

		errno = 0;
		numbers[i] = strtoull(at, &end, 0);
		if (end == at || errno || *at == '-' || *end != (i + 1 < count ? ':' : 0)) {
			error_set(err, PVW_CLI_0001,
				"'%.64s', expected %zu numbers with ':' between them", text,
				count);
			return option_fail(option, err);
		}
		at = end + 1;
	}
	return true;
}

static bool parse_listen(
	const Invocation *invocation, ServeWords *words, WorkerOptions *options, Error *err)
{
	const size_t count = invocation_count(invocation, "listen");

	if (count == 0 || count > SERVER_MAX_LISTENERS) {
		error_set(err, PVW_CLI_0001, "given %zu times, expected 1 to %d", count,
			SERVER_MAX_LISTENERS);
		return option_fail("listen", err);
	}
	for (size_t i = 0; i < count; i++) {
		if (!stream_parse_listen(invocation_value_at(invocation, "listen", i),
			    &words->listen[i], err))
			return option_fail("listen", err);
	}
	options->listen = words->listen;
	options->listen_count = count;
	return true;
}

static bool parse_users(
	const Invocation *invocation, ServeWords *words, WorkerOptions *options, Error *err)
{
	const size_t count = invocation_count(invocation, "allow-uid");

	if (count > SERVER_MAX_USERS) {
		error_set(err, PVW_CLI_0001, "given %zu times, expected at most %d", count,
			SERVER_MAX_USERS);
		return option_fail("allow-uid", err);
	}
	for (size_t i = 0; i < count; i++) {
		uint64_t uid;

		if (!parse_numbers("allow-uid", invocation_value_at(invocation, "allow-uid", i),
			    &uid, 1, err))
			return false;
		if (uid > UINT32_MAX) {
			error_set(err, PVW_CLI_0001, "0x%llx, expected a user id",
				(unsigned long long)uid);
			return option_fail("allow-uid", err);
		}
		words->users[i] = (uint32_t)uid;
	}
	options->users = words->users;
	options->user_count = count;
	return true;
}

static bool parse_windows(
	const Invocation *invocation, ServeWords *words, WorkerOptions *options, Error *err)
{
	const size_t count = invocation_count(invocation, "window");

	if (count > GUEST_MEMORY_MAX_WINDOWS) {
		error_set(err, PVW_CLI_0001, "given %zu times, expected at most %d", count,
			GUEST_MEMORY_MAX_WINDOWS);
		return option_fail("window", err);
	}
	words->windows = calloc(count + 1, sizeof(*words->windows));
	if (!words->windows)
		return error_set(err, PVW_MEM_0001, "no memory for %zu windows", count);
	for (size_t i = 0; i < count; i++) {
		uint64_t numbers[3];

		if (!parse_numbers("window", invocation_value_at(invocation, "window", i),
			    numbers, ARRAY_COUNT(numbers), err))
			return false;
		words->windows[i] = (GuestWindow){ numbers[0], numbers[1], numbers[2] };
	}
	options->windows = words->windows;
	options->window_count = count;
	return true;
}

static bool parse_parameters(const Invocation *invocation, WorkerOptions *options, Error *err)
{
	const char *text = invocation_value(invocation, "parameters");
	uint64_t numbers[2];

	if (!text)
		return true;
	options->has_parameters = true;
	if (!parse_numbers("parameters", text, numbers, ARRAY_COUNT(numbers), err))
		return false;
	return memory_range_from_base_len(numbers[0], numbers[1], &options->parameters, err) ||
		option_fail("parameters", err);
}

/* As much as an address space has room for, beside what the worker itself needs. */
static bool parse_blobs(const Invocation *invocation, WorkerOptions *options, Error *err)
{
	const char *text = invocation_value(invocation, "blobs");

	if (!text)
		return true;
	if (!size_text_parse(text, &options->blob_bytes) || options->blob_bytes == 0 ||
		options->blob_bytes > MAX_BLOB_BYTES) {
		error_set(err, PVW_CLI_0001,
			"'%.64s', expected a size like 512MiB, at most 1 TiB", text);
		return option_fail("blobs", err);
	}
	return true;
}

/* Some options belong together and some exclude each other. */
static bool check_vtl2(const Invocation *invocation, WorkerOptions *options, Error *err)
{
	const bool inside = invocation_has(invocation, "vtl2");

	options->boot_info = invocation_value(invocation, "boot-info");
	if (inside && !(options->boot_info && options->guest_memory)) {
		error_set(err, PVW_CLI_0001,
			"alone, expected --boot-info and --guest-memory too");
		return option_fail("vtl2", err);
	}
	if (!inside && (options->boot_info || options->has_parameters)) {
		error_set(err, PVW_CLI_0001, "without --vtl2, expected with it");
		return option_fail(options->boot_info ? "boot-info" : "parameters", err);
	}
	if (inside && invocation_has(invocation, "isolation")) {
		error_set(err, PVW_CLI_0001, "with --vtl2, where the boot tree says it");
		return option_fail("isolation", err);
	}
	return true;
}

static bool parse_options(
	const Invocation *invocation, ServeWords *words, WorkerOptions *options, Error *err)
{
	size_t isolation, sandbox, log_format;

	if (!invocation_choice(invocation, "isolation", isolation_names, ISOLATION_NONE,
		    &isolation, err) ||
		!invocation_choice(
			invocation, "sandbox", sandbox_names, SANDBOX_REQUIRE, &sandbox, err) ||
		!invocation_choice(
			invocation, "log-format", log_format_names, 0, &log_format, err))
		return false;
	options->isolation = (IsolationType)isolation;
	options->sandbox = (SandboxMode)sandbox;
	options->log_json = log_format == 1;
	options->log_path = invocation_value(invocation, "log-file");
	options->log_filter = invocation_value(invocation, "log");
	if (!options->log_filter)
		options->log_filter = getenv("PVW_LOG");
	options->guest_memory = invocation_value(invocation, "guest-memory");
	return parse_listen(invocation, words, options, err) &&
		parse_users(invocation, words, options, err) &&
		parse_windows(invocation, words, options, err) &&
		parse_blobs(invocation, options, err) &&
		parse_parameters(invocation, options, err) &&
		check_vtl2(invocation, options, err);
}

ExitStatus command_serve(const Invocation *invocation)
{
	WorkerOptions options = { 0 };
	ServeWords words = { 0 };
	Error err = { 0 };
	bool ok =
		parse_options(invocation, &words, &options, &err) && worker_run(&options, &err);

	free(words.windows);
	return ok ? STATUS_DONE : report_error(invocation, &err);
}
