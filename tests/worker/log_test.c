/*
 * Lines, classes, filters and rates.
 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "worker/log.h"

static uint64_t the_time = UINT64_C(1767323045678) * 1000000; /* 2026-01-02T03:04:05.678Z */

static uint64_t now(void)
{
	return the_time;
}

typedef struct Rig {
	int fd;
	Log *log;
	char text[65536];
} Rig;

static Rig *rig_new(LogOptions options)
{
	Rig *rig = calloc(1, sizeof(*rig));
	Error err;

	rig->fd = memfd_create("log", 0);
	options.fd = rig->fd;
	options.now_unix_ns = now;
	cr_assert(log_new(&options, &rig->log, &err), "%s", err.text);
	return rig;
}

static const char *rig_text(Rig *rig)
{
	const ssize_t n = pread(rig->fd, rig->text, sizeof(rig->text) - 1, 0);

	rig->text[n] = '\0';
	return rig->text;
}

static void rig_end(Rig *rig)
{
	log_free(rig->log);
	close(rig->fd);
	free(rig);
}

static const LogField fields[] = { { "ranges", "3" }, { "bytes", "0xc0000000" } };

Test(log, text_lines_have_time_level_target_and_fields)
{
	Rig *rig = rig_new((LogOptions){ 0 });

	log_fields(rig->log, LOG_LEVEL_INFO, LOG_CLASS_ALLOWED, "dt", fields, 2,
		"%d memory ranges", 3);
	log_line(rig->log, LOG_LEVEL_ERROR, LOG_CLASS_ALLOWED, "rpc", "plain");
	cr_assert_str_eq(rig_text(rig),
		"2026-01-02T03:04:05.678Z INFO dt: "
		"3 memory ranges (ranges=3 bytes=0xc0000000)\n"
		"2026-01-02T03:04:05.678Z ERROR rpc: plain\n");
	rig_end(rig);
}

Test(log, json_lines_are_objects)
{
	Rig *rig = rig_new((LogOptions){ .json = true });

	log_fields(
		rig->log, LOG_LEVEL_WARN, LOG_CLASS_ALLOWED, "dt", fields, 2, "a \"b\" \\ \n");
	cr_assert_str_eq(rig_text(rig),
		"{\"ts\":\"2026-01-02T03:04:05.678Z\",\"level\":\"warn\",\"target\":\"dt\","
		"\"class\":\"allowed\",\"msg\":\"a \\\"b\\\" \\\\ \\u000a\","
		"\"fields\":{\"ranges\":\"3\",\"bytes\":\"0xc0000000\"}}\n");
	rig_end(rig);
}

Test(log, errors_come_with_their_diagnostic)
{
	Rig *rig = rig_new((LogOptions){ 0 });
	Error err;

	error_set(&err, PVW_ROLE_0008, "overlap");
	error_at(&err, "dtb:/memory@0");
	log_error(rig->log, LOG_LEVEL_ERROR, LOG_CLASS_ALLOWED, "dt", &err);
	cr_assert_not_null(strstr(
		rig_text(rig), "ERROR dt: PVW-ROLE-0008: overlap (source=dtb:/memory@0)\n"));
	rig_end(rig);
}

Test(log, nothing_in_a_text_ends_a_line_or_moves_a_cursor)
{
	Rig *rig = rig_new((LogOptions){ 0 });

	log_line(rig->log, LOG_LEVEL_INFO, LOG_CLASS_ALLOWED, "t",
		"a\nb\x1b[2J\x7f\xc2\x9b"
		"31m \xff gr\xc3\xbc");
	cr_assert_not_null(strstr(rig_text(rig), "a\\x0ab\\x1b[2J\\x7f\\xc2\\x9b31m \\xff gr"),
		"%s", rig_text(rig));
	log_line(rig->log, LOG_LEVEL_INFO, LOG_CLASS_ALLOWED, "t", "gr\xc3\xbc\xc2\x85");
	cr_assert_not_null(strstr(rig_text(rig), "gr\xc3\xbc\\xc2\\x85"), "%s", rig_text(rig));
	rig_end(rig);
}

Test(log, long_lines_stay_whole)
{
	for (int json = 0; json < 2; json++) {
		Rig *rig = rig_new((LogOptions){ .json = json });
		char text[5000], value[3000];
		LogField many[8];

		memset(text, '\x01', sizeof(text) - 1);
		memset(value, 'v', sizeof(value) - 1);
		text[sizeof(text) - 1] = value[sizeof(value) - 1] = '\0';
		for (size_t i = 0; i < 8; i++)
			many[i] = (LogField){ "k", value };
		log_fields(
			rig->log, LOG_LEVEL_INFO, LOG_CLASS_ALLOWED, "t", many, 8, "%s", text);

		const char *line = rig_text(rig);
		const size_t len = strlen(line);

		cr_assert_gt(len, 3000);
		cr_assert_eq(line[len - 1], '\n');
		cr_assert_eq(strchr(line, '\n'), line + len - 1, "one line");
		if (json)
			cr_assert_eq(strcmp(line + len - 3, "}}\n"), 0);
		rig_end(rig);
	}
}

Test(log, levels_are_filtered_by_target)
{
	Rig *rig = rig_new((LogOptions){ .filter = "warn,uefi=debug,dt=off" });

	cr_assert_not(log_passes(rig->log, LOG_LEVEL_INFO, "rpc"));
	cr_assert(log_passes(rig->log, LOG_LEVEL_WARN, "rpc"));
	cr_assert(log_passes(rig->log, LOG_LEVEL_DEBUG, "uefi"));
	cr_assert_not(log_passes(rig->log, LOG_LEVEL_TRACE, "uefi"));
	cr_assert_not(log_passes(rig->log, LOG_LEVEL_ERROR, "dt"));
	log_line(rig->log, LOG_LEVEL_INFO, LOG_CLASS_ALLOWED, "rpc", "no");
	log_line(rig->log, LOG_LEVEL_DEBUG, LOG_CLASS_ALLOWED, "uefi", "yes");
	cr_assert_null(strstr(rig_text(rig), "no"));
	cr_assert_not_null(strstr(rig_text(rig), "DEBUG uefi: yes"));
	cr_assert_str_eq(log_filter(rig->log), "warn,uefi=debug,dt=off");
	rig_end(rig);
}

Test(log, bad_filters_are_refused_and_change_nothing)
{
	Rig *rig = rig_new((LogOptions){ 0 });
	const char *const bad[] = { "loud", "info,", ",info", "dt=", "dt=loud", "=info",
		"DT=info", "a b=info", "info;dt=debug", "dt==info",
		"a-name-that-is-much-too-long-for-a-target=info" };
	char many[1024] = "info";
	Error err;

	cr_assert(log_set_filter(rig->log, "error,dt=trace", &err));
	for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
		cr_assert_not(log_set_filter(rig->log, bad[i], &err), "%s", bad[i]);
		cr_assert_eq(err.diagnostic, PVW_LOG_0001, "%s", bad[i]);
		cr_assert_not_null(strstr(err.text, "\""), "%s", err.text);
	}
	for (int i = 0; i < 33; i++)
		sprintf(many + strlen(many), ",t%d=info", i);
	cr_assert_not(log_set_filter(rig->log, many, &err));
	cr_assert_eq(err.diagnostic, PVW_LOG_0002);
	cr_assert_not_null(strstr(err.text, "32"));
	cr_assert_str_eq(log_filter(rig->log), "error,dt=trace");
	cr_assert(log_set_filter(rig->log, "", &err));
	cr_assert_str_eq(log_filter(rig->log), "info");
	rig_end(rig);
}

Test(log, a_filtered_log_keeps_code_and_target_of_confidential_lines)
{
	Rig *rig = rig_new((LogOptions){ .filtered = true });
	Error err;

	cr_assert(log_is_filtered(rig->log));
	log_fields(rig->log, LOG_LEVEL_INFO, LOG_CLASS_CONFIDENTIAL, "uefi", fields, 2,
		"serial secret");
	error_set(&err, PVW_ROLE_0008, "secret");
	error_at(&err, "hidden");
	log_error(rig->log, LOG_LEVEL_WARN, LOG_CLASS_CONFIDENTIAL, "dt", &err);
	log_line(rig->log, LOG_LEVEL_INFO, LOG_CLASS_ALLOWED, "rpc", "public");
	cr_assert_null(strstr(rig_text(rig), "secret"));
	cr_assert_null(strstr(rig_text(rig), "0xc0000000"));
	cr_assert_null(strstr(rig_text(rig), "hidden"));
	cr_assert_not_null(strstr(rig_text(rig), "INFO uefi: (confidential)\n"));
	cr_assert_not_null(strstr(rig_text(rig), "WARN dt: PVW-ROLE-0008: (confidential)\n"));
	cr_assert_not_null(strstr(rig_text(rig), "public"));
	log_set_filtered(rig->log, false);
	log_line(rig->log, LOG_LEVEL_INFO, LOG_CLASS_CONFIDENTIAL, "uefi", "open word");
	cr_assert_not_null(strstr(rig_text(rig), "open word"));
	rig_end(rig);
}

Test(log, events_hold_what_passed_and_no_more)
{
	Events *events = events_new();
	Rig *rig = rig_new((LogOptions){ .filtered = true, .events = events });
	uint64_t dropped;

	log_line(rig->log, LOG_LEVEL_INFO, LOG_CLASS_CONFIDENTIAL, "uefi", "secret");
	log_line(rig->log, LOG_LEVEL_DEBUG, LOG_CLASS_ALLOWED, "uefi", "below the level");

	const Event *event = events_next(events, 0, &dropped);

	cr_assert_eq(events_last(events), 1);
	cr_assert_str_eq(event->text, "(confidential)");
	cr_assert_str_eq(event->target, "uefi");
	cr_assert(event->confidential && event->kind == EVENT_KIND_LOG);
	cr_assert_eq(event->value, LOG_LEVEL_INFO);
	cr_assert_eq(event->time_unix_ns, the_time);
	rig_end(rig);
	events_free(events);
}

Test(log, a_target_that_talks_too_much_is_summed_up)
{
	Rig *rig = rig_new((LogOptions){ .rate = 10 });

	for (int i = 0; i < 25; i++)
		log_line(rig->log, LOG_LEVEL_INFO, LOG_CLASS_ALLOWED, "noisy", "line %d", i);
	log_line(rig->log, LOG_LEVEL_INFO, LOG_CLASS_ALLOWED, "quiet", "still heard");
	cr_assert_not_null(strstr(rig_text(rig), "line 9"));
	cr_assert_null(strstr(rig_text(rig), "line 10"));
	cr_assert_not_null(strstr(rig_text(rig), "still heard"));
	cr_assert_eq(log_dropped(rig->log), 15);
	the_time += UINT64_C(1000000000);
	log_line(rig->log, LOG_LEVEL_INFO, LOG_CLASS_ALLOWED, "noisy", "next second");
	cr_assert_not_null(strstr(rig_text(rig), "WARN noisy: 15 lines were held back\n"));
	cr_assert_not_null(strstr(rig_text(rig), "next second"));
	rig_end(rig);
}

Test(log, many_targets_share_the_last_place)
{
	Rig *rig = rig_new((LogOptions){ .rate = 5 });
	char target[32];

	for (int i = 0; i < 60; i++) {
		snprintf(target, sizeof(target), "t%d", i);
		log_line(rig->log, LOG_LEVEL_INFO, LOG_CLASS_ALLOWED, target, "x");
	}
	cr_assert_eq(log_dropped(rig->log), 60 - LOG_MAX_TARGETS - 5);
	rig_end(rig);
}

Test(log, nobody_is_a_log_too)
{
	Error err = { 0 };

	log_line(NULL, LOG_LEVEL_ERROR, LOG_CLASS_ALLOWED, "t", "x");
	log_error(NULL, LOG_LEVEL_ERROR, LOG_CLASS_ALLOWED, "t", &err);
	log_free(NULL);
	cr_assert_not(log_is_filtered(NULL));
}

Test(log, a_file_is_opened_again_after_it_was_moved)
{
	char folder[] = "/tmp/pvw-log-XXXXXX";
	char path[64], moved[64];
	struct stat info;
	Log *log;
	Error err;

	cr_assert_not_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/log", folder);
	snprintf(moved, sizeof(moved), "%s/log.1", folder);
	cr_assert(log_new(&(LogOptions){ .fd = -1, .path = path }, &log, &err), "%s", err.text);
	log_line(log, LOG_LEVEL_INFO, LOG_CLASS_ALLOWED, "t", "one");
	cr_assert_eq(rename(path, moved), 0);
	cr_assert(log_reopen(log, &err), "%s", err.text);
	log_line(log, LOG_LEVEL_INFO, LOG_CLASS_ALLOWED, "t", "two");
	cr_assert_eq(stat(path, &info), 0);
	cr_assert_eq(info.st_mode & 0777, 0600);
	cr_assert_gt(info.st_size, 0);
	log_free(log);
	unlink(path);
	unlink(moved);
	rmdir(folder);
}

Test(log, a_file_that_cannot_be_opened_is_an_error)
{
	Log *log;
	Error err;

	cr_assert_not(
		log_new(&(LogOptions){ .fd = -1, .path = "/nonexistent/log" }, &log, &err));
	cr_assert_eq(err.diagnostic, PVW_LOG_0003);
	cr_assert_not_null(strstr(err.text, "/nonexistent/log"));
}
