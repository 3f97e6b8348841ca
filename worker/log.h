/*
 * What the worker says: lines with a level, a target and a class.
 *
 * The class is an argument of every line, and only what is marked allowed passes when the log is
 * filtered for a confidential guest: numbers of pages, addresses of the layout, diagnostic codes.
 * Guest data, serials, entropy and keys are confidential; of such a line the filtered log keeps
 * level, target and code.
 *
 *	2026-01-02T03:04:05.678Z INFO dt: 3 memory ranges (ranges=3 bytes=0xc0000000)
 *	{"ts":"2026-01-02T03:04:05.678Z","level":"info","target":"dt","class":"allowed",
 *	 "msg":"3 memory ranges","fields":{"ranges":"3","bytes":"0xc0000000"}}
 */
#ifndef WORKER_LOG_H
#define WORKER_LOG_H

#include "worker/events.h"

typedef enum LogLevel {
	LOG_LEVEL_OFF, /* in filters only */
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARN,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
	LOG_LEVEL_TRACE,
	LOG_LEVEL_COUNT
} LogLevel;

typedef enum LogClass { LOG_CLASS_ALLOWED, LOG_CLASS_CONFIDENTIAL } LogClass;

typedef struct LogField {
	const char *key;
	const char *value;
} LogField;

typedef struct Log Log;

typedef struct LogOptions {
	int fd;           /* where lines go; -1: nowhere; not owned */
	const char *path; /* or a file to append to, which log_reopen opens again; or NULL */
	bool json;
	bool filtered;      /* confidential lines lose their words */
	const char *filter; /* "info,dt=debug"; NULL: info */
	uint32_t rate;      /* lines a second and target; 0: 1000 */
	Events *events;     /* receives every line that passes; borrowed; may be NULL */
	uint64_t (*now_unix_ns)(void); /* NULL: the system's clock */
} LogOptions;

#define LOG_MAX_TARGETS 32
#define LOG_MAX_TARGET_NAME 31    /* bytes without NUL */
#define LOG_FILTER_TEXT_SIZE 1024 /* bytes, NUL included */

/**
 * log_new - open a log
 *
 * Errors: PVW_LOG_0001 (BAD_VALUE), _0002 (LIMIT) the filter; _0003 (IO) the file.
 */
MUST_CHECK bool log_new(const LogOptions *options, Log **out, Error *err);

/** log_free - say what was held back, close its file; NULL is fine */
void log_free(Log *log);

/** log_reopen - open the file again, after it was moved away; PVW_LOG_0003 (IO), the old stays */
MUST_CHECK bool log_reopen(Log *log, Error *err);

/**
 * log_set_filter - replace the filter
 * @filter: LEVEL[,TARGET=LEVEL]...; levels off, error, warn, info, debug, trace; "" is info
 *
 * The present filter stays when this fails.
 */
MUST_CHECK bool log_set_filter(Log *log, const char *filter, Error *err);

/** log_filter - the filter in force, as text */
const char *log_filter(const Log *log);

/** log_is_filtered - confidential lines lose their words */
bool log_is_filtered(const Log *log);

/** log_set_filtered - filter from now on, or no more: once it is known who the guest is */
void log_set_filtered(Log *log, bool filtered);

/** log_passes - whether a line of that level and target would be written */
bool log_passes(const Log *log, LogLevel level, const char *target);

/** log_level_name - "info" */
const char *log_level_name(LogLevel level);

/**
 * log_line - say something; nothing happens when @log is NULL or the filter says no
 * @target: a short static name of the part that speaks: "rpc", "dt", "session"
 */
void log_line(Log *log, LogLevel level, LogClass klass, const char *target, const char *format,
	...) PRINTF_LIKE(5, 6);

/** log_fields - the same with fields behind the text */
void log_fields(Log *log, LogLevel level, LogClass klass, const char *target,
	const LogField *fields, size_t count, const char *format, ...) PRINTF_LIKE(7, 8);

/** log_error - a failure, with its diagnostic; its text is of @klass, its code always allowed */
void log_error(Log *log, LogLevel level, LogClass klass, const char *target, const Error *err);

/** log_dropped - lines held back by the rate limit so far */
uint64_t log_dropped(const Log *log);

#endif
