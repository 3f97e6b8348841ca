/*
 * Lines of log: judged, formatted in one buffer, written in one write.
 */
#include "worker/log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "proto/wire.h"
#include "support/byte_writer.h"

#define DEFAULT_RATE 1000
#define TEXT_SIZE 1024
/* Room for a text of which every byte is escaped, and for some fields. */
#define LINE_SIZE 8192
#define LINE_TAIL 16 /* what closes a line after its last field */
#define SECOND_NS UINT64_C(1000000000)

static const char *const level_names[] = {
	[LOG_LEVEL_OFF] = "off",
	[LOG_LEVEL_ERROR] = "error",
	[LOG_LEVEL_WARN] = "warn",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug",
	[LOG_LEVEL_TRACE] = "trace",
};
static_assert(ARRAY_COUNT(level_names) == LOG_LEVEL_COUNT, "one name a level");

static const char *const class_names[] = {
	[LOG_CLASS_ALLOWED] = "allowed",
	[LOG_CLASS_CONFIDENTIAL] = "confidential",
};

typedef struct FilterRule {
	char target[LOG_MAX_TARGET_NAME + 1];
	LogLevel level;
} FilterRule;

typedef struct Filter {
	LogLevel level; /* of targets without a rule */
	size_t count;
	FilterRule rules[LOG_MAX_TARGETS];
	char text[LOG_FILTER_TEXT_SIZE];
} Filter;

/* How much a target has said in the present second. */
typedef struct Rate {
	char target[LOG_MAX_TARGET_NAME + 1];
	uint64_t second;
	uint32_t lines;
	uint64_t dropped; /* in that second */
} Rate;

struct Log {
	LogOptions options;
	char *path;
	int fd;
	bool owns_fd;
	Filter filter;
	Rate rates[LOG_MAX_TARGETS + 1]; /* the last one is for all that found no place */
	size_t rate_count;
	uint64_t dropped;
};

/*
 * Filters.
 */

static bool parse_level(const char *text, size_t len, LogLevel *out, Error *err)
{
	for (size_t i = 0; i < LOG_LEVEL_COUNT; i++) {
		if (strlen(level_names[i]) == len &&
			strncasecmp(level_names[i], text, len) == 0) {
			*out = (LogLevel)i;
			return true;
		}
	}
	return error_set(err, PVW_LOG_0001,
		"level \"%.*s\", expected off, error, warn, info, debug or trace", (int)len,
		text);
}

static bool is_target(const char *text, size_t len)
{
	if (len == 0 || len > LOG_MAX_TARGET_NAME)
		return false;
	for (size_t i = 0; i < len; i++) {
		const char c = text[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '_' &&
			c != '-' && c != '.')
			return false;
	}
	return true;
}

/* One "level" or "target=level". */
static bool parse_part(const char *text, size_t len, Filter *filter, Error *err)
{
	const char *equals = memchr(text, '=', len);

	if (!equals)
		return parse_level(text, len, &filter->level, err);

	const size_t name = (size_t)(equals - text);

	if (!is_target(text, name))
		return error_set(err, PVW_LOG_0001, "target \"%.*s\", expected a-z 0-9 . _ -",
			(int)name, text);
	if (filter->count == LOG_MAX_TARGETS)
		return error_set(err, PVW_LOG_0002, "more than %d targets", LOG_MAX_TARGETS);

	FilterRule *rule = &filter->rules[filter->count];

	if (!parse_level(equals + 1, len - name - 1, &rule->level, err))
		return false;
	memcpy(rule->target, text, name);
	filter->count++;
	return true;
}

static bool parse_filter(const char *text, Filter *out, Error *err)
{
	Filter filter = { .level = LOG_LEVEL_INFO };

	if (strlen(text) >= sizeof(filter.text))
		return error_set(err, PVW_LOG_0002,
			"a filter of %zu bytes, at most %zu expected", strlen(text),
			sizeof(filter.text) - 1);
	for (const char *at = text; *at;) {
		const size_t len = strcspn(at, ",");

		if (!parse_part(at, len, &filter, err))
			return false;
		at += len;
		if (*at == ',' && *++at == '\0')
			return error_set(err, PVW_LOG_0001, "\"%s\" ends in a comma", text);
	}
	strcpy(filter.text, *text ? text : "info");
	*out = filter;
	return true;
}

bool log_set_filter(Log *log, const char *filter, Error *err)
{
	return parse_filter(filter, &log->filter, err);
}

const char *log_filter(const Log *log)
{
	return log->filter.text;
}

bool log_is_filtered(const Log *log)
{
	return log && log->options.filtered;
}

void log_set_filtered(Log *log, bool filtered)
{
	log->options.filtered = filtered;
}

/* The last rule for a target wins. */
bool log_passes(const Log *log, LogLevel level, const char *target)
{
	LogLevel most = log->filter.level;

	for (size_t i = 0; i < log->filter.count; i++) {
		if (strcmp(log->filter.rules[i].target, target) == 0)
			most = log->filter.rules[i].level;
	}
	return level != LOG_LEVEL_OFF && level <= most;
}

const char *log_level_name(LogLevel level)
{
	return (unsigned)level < LOG_LEVEL_COUNT ? level_names[level] : "off";
}

/*
 * Opening.
 */

static uint64_t system_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * SECOND_NS + (uint64_t)now.tv_nsec;
}

static bool open_file(const char *path, int *fd, Error *err)
{
	const int opened =
		open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0600);

	if (opened < 0)
		return error_set(err, PVW_LOG_0003, "%s: %s", path, strerror(errno));
	*fd = opened;
	return true;
}

/* The worker leaves its folder later; the file is opened again all the same. */
static char *absolute(const char *path)
{
	char *folder = *path == '/' ? NULL : getcwd(NULL, 0);
	char *full = NULL;

	if (!folder)
		return strdup(path);
	if (asprintf(&full, "%s/%s", folder, path) < 0)
		full = NULL;
	free(folder);
	return full;
}

static bool open_log(Log *log, Error *err)
{
	const LogOptions *options = &log->options;

	log->fd = options->fd;
	if (!parse_filter(options->filter ? options->filter : "", &log->filter, err))
		return false;
	if (!options->path)
		return true;
	log->path = absolute(options->path);
	if (!log->path)
		return error_set(err, PVW_MEM_0001, "no memory for a path");
	if (!open_file(log->path, &log->fd, err))
		return false;
	log->owns_fd = true;
	return true;
}

bool log_new(const LogOptions *options, Log **out, Error *err)
{
	Log *log = calloc(1, sizeof(*log));

	if (!log)
		return error_set(err, PVW_MEM_0001, "no memory for a log");
	log->options = *options;
	if (!log->options.rate)
		log->options.rate = DEFAULT_RATE;
	if (!log->options.now_unix_ns)
		log->options.now_unix_ns = system_clock;
	if (!open_log(log, err)) {
		log_free(log);
		return false;
	}
	*out = log;
	return true;
}

bool log_reopen(Log *log, Error *err)
{
	int fd = -1;

	if (!log->path)
		return true;
	if (!open_file(log->path, &fd, err))
		return false;
	close(log->fd);
	log->fd = fd;
	return true;
}

/*
 * Lines.
 */

typedef struct Line {
	uint64_t time_unix_ns;
	LogLevel level;
	LogClass klass;
	const char *target;
	uint16_t diagnostic; /* or PVW_NONE */
	const char *text;
	const LogField *fields;
	size_t field_count;
} Line;

static void put_text(ByteWriter *w, const char *text)
{
	put_bytes(w, text, strlen(text));
}

static void put_time(ByteWriter *w, uint64_t time_unix_ns)
{
	const time_t seconds = (time_t)(time_unix_ns / SECOND_NS);
	char text[64];
	struct tm tm;

	gmtime_r(&seconds, &tm);
	snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d.%03uZ", tm.tm_year + 1900,
		tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
		(unsigned)(time_unix_ns % SECOND_NS / 1000000));
	put_text(w, text);
}

static bool is_utf8(const char *text)
{
	return wire_is_text((Bytes){ (const uint8_t *)text, strlen(text) });
}

/* A control character: of ASCII, or one of the 32 above it, which UTF-8 spells 0xc2 and itself. */
static bool is_control(const char *at)
{
	const uint8_t c = (uint8_t)at[0], next = (uint8_t)at[1];

	return c < 0x20 || c == 0x7f || (c == 0xc2 && next >= 0x80 && next < 0xa0);
}

/* What would end a line, or turn a terminal against its reader, is spelled out. */
static void put_plain(ByteWriter *w, const char *text)
{
	const bool utf8 = is_utf8(text);

	for (; *text; text++) {
		const uint8_t c = (uint8_t)*text;
		char hex[8];

		if (!is_control(text) && (c < 0x80 || utf8)) {
			put_u8(w, c);
			continue;
		}
		snprintf(hex, sizeof(hex), "\\x%02x", c);
		put_text(w, hex);
		if (c == 0xc2 && utf8) {
			snprintf(hex, sizeof(hex), "\\x%02x", (uint8_t) * ++text);
			put_text(w, hex);
		}
	}
}

static void put_upper(ByteWriter *w, const char *text)
{
	for (; *text; text++)
		put_u8(w, (uint8_t)(*text - 'a' + 'A'));
}

/* Whether a field fits with every byte of it escaped. */
static bool has_room(const ByteWriter *w, const LogField *field)
{
	const size_t need = 6 * (strlen(field->key) + strlen(field->value)) + LINE_TAIL;

	return need <= w->cap - w->len;
}

static void put_text_line(ByteWriter *w, const Line *line)
{
	put_time(w, line->time_unix_ns);
	put_u8(w, ' ');
	put_upper(w, log_level_name(line->level));
	put_u8(w, ' ');
	put_plain(w, line->target);
	put_text(w, ": ");
	if (line->diagnostic != PVW_NONE) {
		put_text(w, diagnostic_row(line->diagnostic)->name);
		put_text(w, ": ");
	}
	put_plain(w, line->text);
	for (size_t i = 0; i < line->field_count && has_room(w, &line->fields[i]); i++) {
		put_text(w, i == 0 ? " (" : " ");
		put_plain(w, line->fields[i].key);
		put_u8(w, '=');
		put_plain(w, line->fields[i].value);
	}
	if (line->field_count)
		put_u8(w, ')');
}

/* A JSON string; what is no UTF-8 is spelled out byte by byte, so that it is valid for sure. */
static void put_json(ByteWriter *w, const char *text)
{
	const bool utf8 = is_utf8(text);

	put_u8(w, '"');
	for (; *text; text++) {
		const uint8_t c = (uint8_t)*text;
		char hex[8];

		if (c == '"' || c == '\\')
			put_u8(w, '\\');
		if (c >= 0x20 && c != 0x7f && (c < 0x80 || utf8)) {
			put_u8(w, c);
			continue;
		}
		snprintf(hex, sizeof(hex), "\\u%04x", c);
		put_text(w, hex);
	}
	put_u8(w, '"');
}

static void put_member(ByteWriter *w, const char *name, const char *value)
{
	put_text(w, w->base[w->len - 1] == '{' ? "" : ",");
	put_json(w, name);
	put_u8(w, ':');
	put_json(w, value);
}

static void put_json_line(ByteWriter *w, const Line *line)
{
	put_text(w, "{\"ts\":\"");
	put_time(w, line->time_unix_ns);
	put_u8(w, '"');
	put_member(w, "level", log_level_name(line->level));
	put_member(w, "target", line->target);
	put_member(w, "class", class_names[line->klass]);
	if (line->diagnostic != PVW_NONE)
		put_member(w, "code", diagnostic_row(line->diagnostic)->name);
	put_member(w, "msg", line->text);
	if (line->field_count) {
		put_text(w, ",\"fields\":{");
		for (size_t i = 0; i < line->field_count && has_room(w, &line->fields[i]); i++)
			put_member(w, line->fields[i].key, line->fields[i].value);
		put_u8(w, '}');
	}
	put_u8(w, '}');
}

static void write_line(const Log *log, const Line *line)
{
	char buffer[LINE_SIZE];
	ByteWriter w = byte_writer_on(buffer, sizeof(buffer) - 1);

	if (log->fd < 0)
		return;
	if (log->options.json)
		put_json_line(&w, line);
	else
		put_text_line(&w, line);
	buffer[w.len] = '\n';
	/* A log that cannot be written must not stop the work. */
	if (write(log->fd, buffer, w.len + 1) < 0)
		return;
}

static void emit(Log *log, const Line *line)
{
	write_line(log, line);
	if (log->options.events)
		events_add(log->options.events,
			&(Event){ .time_unix_ns = line->time_unix_ns,
				.kind = EVENT_KIND_LOG,
				.value = (int32_t)line->level,
				.diagnostic = line->diagnostic,
				.confidential = line->klass == LOG_CLASS_CONFIDENTIAL,
				.target = line->target,
				.text = line->text });
}

/*
 * Rates.
 */

static Rate *find_rate(Log *log, const char *target)
{
	for (size_t i = 0; i < log->rate_count; i++) {
		if (strcmp(log->rates[i].target, target) == 0)
			return &log->rates[i];
	}
	if (log->rate_count == LOG_MAX_TARGETS || strlen(target) > LOG_MAX_TARGET_NAME)
		return &log->rates[LOG_MAX_TARGETS];

	Rate *rate = &log->rates[log->rate_count++];

	strcpy(rate->target, target);
	return rate;
}

/* The line that stands for those held back. */
static void summarize(Log *log, Rate *rate, uint64_t now)
{
	char text[64];

	if (rate->dropped == 0)
		return;
	snprintf(text, sizeof(text), "%" PRIu64 " lines were held back", rate->dropped);
	rate->dropped = 0;
	emit(log,
		&(Line){ .time_unix_ns = now,
			.level = LOG_LEVEL_WARN,
			.klass = LOG_CLASS_ALLOWED,
			.target = rate->target,
			.text = text });
}

static bool takes_part(Log *log, const char *target, uint64_t now)
{
	Rate *rate = find_rate(log, target);

	if (rate->second != now / SECOND_NS) {
		summarize(log, rate, now);
		rate->second = now / SECOND_NS;
		rate->lines = 0;
	}
	if (rate->lines < log->options.rate) {
		rate->lines++;
		return true;
	}
	rate->dropped++;
	log->dropped++;
	return false;
}

uint64_t log_dropped(const Log *log)
{
	return log->dropped;
}

void log_free(Log *log)
{
	if (!log)
		return;
	for (size_t i = 0; log->options.now_unix_ns && i < ARRAY_COUNT(log->rates); i++)
		summarize(log, &log->rates[i], log->options.now_unix_ns());
	if (log->owns_fd)
		close(log->fd);
	free(log->path);
	free(log);
}

/*
 * Saying something.
 */

static void say(Log *log, Line *line)
{
	if (!log || !log_passes(log, line->level, line->target))
		return;
	line->time_unix_ns = log->options.now_unix_ns();
	if (!takes_part(log, line->target, line->time_unix_ns))
		return;
	if (log->options.filtered && line->klass != LOG_CLASS_ALLOWED) {
		line->text = "(confidential)";
		line->field_count = 0;
	}
	emit(log, line);
}

void log_line(
	Log *log, LogLevel level, LogClass klass, const char *target, const char *format, ...)
{
	char text[TEXT_SIZE];
	Line line = { .level = level, .klass = klass, .target = target, .text = text };
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	say(log, &line);
}

void log_fields(Log *log, LogLevel level, LogClass klass, const char *target,
	const LogField *fields, size_t count, const char *format, ...)
{
	char text[TEXT_SIZE];
	Line line = { .level = level,
		.klass = klass,
		.target = target,
		.text = text,
		.fields = fields,
		.field_count = count };
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	say(log, &line);
}

void log_error(Log *log, LogLevel level, LogClass klass, const char *target, const Error *err)
{
	const LogField source = { .key = "source", .value = err->source };
	Line line = { .level = level,
		.klass = klass,
		.target = target,
		.diagnostic = err->diagnostic,
		.text = err->text,
		.fields = &source,
		.field_count = err->source[0] ? 1 : 0 };

	say(log, &line);
}
