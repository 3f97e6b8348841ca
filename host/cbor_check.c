/*
 * One pass over the heads of CBOR bytes. [RFC8949] 3, 4.2.1
 */
#include "host/cbor_check.h"

#include <inttypes.h>
#include <string.h>

#include "bootinfo/utf8.h"
#include "support/diagnostics.h"

/* Major types: the upper three bits of a head. */
enum {
	MAJOR_UINT,
	MAJOR_NEGATIVE,
	MAJOR_BYTES,
	MAJOR_TEXT,
	MAJOR_ARRAY,
	MAJOR_MAP,
	MAJOR_TAG,
	MAJOR_SIMPLE
};

#define INFO_DIRECT 24 /* below: the argument itself; 24 to 27: 1, 2, 4, 8 bytes follow */
#define INFO_WIDEST 27
#define SIMPLE_FALSE 20
#define SIMPLE_NULL 22

/* The smallest argument that needs a head of that width; shorter ones must do for less. */
static const uint64_t least_argument[] = { INFO_DIRECT, 0x100, 0x10000, 0x100000000 };

typedef struct Head {
	unsigned major;
	uint64_t argument;
} Head;

/* An array or map whose items are being read. */
typedef struct Frame {
	uint64_t left; /* items, a pair of a map is two */
	bool is_map;
	Bytes last_key; /* encoded; NULL data before the first */
} Frame;

typedef struct Check {
	Bytes bytes;
	size_t at;
	const char *source;
	Frame frames[CBOR_CHECK_MAX_DEPTH];
	size_t depth;
	size_t items;
} Check;

static size_t bytes_left(const Check *check)
{
	return check->bytes.len - check->at;
}

static bool check_fail(const Check *check, size_t at, Error *err)
{
	return error_at_offset(err, check->source, at);
}

static bool read_argument(Check *check, unsigned info, uint64_t *out, Error *err)
{
	const size_t start = check->at - 1;
	const size_t width = (size_t)1 << (info - INFO_DIRECT);
	uint64_t argument = 0;

	if (bytes_left(check) < width) {
		error_set(err, PVW_FIXTURE_0004, "%zu bytes left, expected %zu of a head",
			bytes_left(check), width);
		return check_fail(check, start, err);
	}
	for (size_t i = 0; i < width; i++)
		argument = argument << 8 | check->bytes.data[check->at++];
	if (argument < least_argument[info - INFO_DIRECT]) {
		error_set(err, PVW_FIXTURE_0001,
			"%" PRIu64 " in %zu bytes, expected the shortest head", argument,
			width);
		return check_fail(check, start, err);
	}
	*out = argument;
	return true;
}

static bool read_head(Check *check, Head *out, Error *err)
{
	const size_t start = check->at;
	unsigned info;

	if (bytes_left(check) == 0) {
		error_set(err, PVW_FIXTURE_0004, "the bytes end, expected an item");
		return check_fail(check, start, err);
	}
	out->major = check->bytes.data[start] >> 5;
	info = check->bytes.data[start] & 0x1f;
	check->at++;
	if (out->major == MAJOR_TAG) {
		error_set(err, PVW_FIXTURE_0001, "a tag, expected none");
		return check_fail(check, start, err);
	}
	if (out->major == MAJOR_SIMPLE && (info < SIMPLE_FALSE || info > SIMPLE_NULL)) {
		error_set(err, PVW_FIXTURE_0001,
			"a float or simple value %u, expected false, true or null", info);
		return check_fail(check, start, err);
	}
	if (info > INFO_WIDEST) {
		error_set(err, PVW_FIXTURE_0001,
			"head 0x%02x, expected one with a definite length",
			check->bytes.data[start]);
		return check_fail(check, start, err);
	}
	out->argument = info;
	return info < INFO_DIRECT || out->major == MAJOR_SIMPLE ||
		read_argument(check, info, &out->argument, err);
}

static bool check_string(Check *check, const Head *head, size_t start, Error *err)
{
	Bytes content;

	if (head->argument > bytes_left(check)) {
		error_set(err, PVW_FIXTURE_0004,
			"a string of %" PRIu64 " bytes, expected at most the %zu left",
			head->argument, bytes_left(check));
		return check_fail(check, start, err);
	}
	content = (Bytes){ check->bytes.data + check->at, (size_t)head->argument };
	check->at += content.len;
	if (head->major == MAJOR_TEXT && !utf8_is_valid(content)) {
		error_set(err, PVW_FIXTURE_0001, "a text of %zu bytes, expected UTF-8",
			content.len);
		return check_fail(check, start, err);
	}
	return true;
}

static bool open_container(Check *check, const Head *head, size_t start, Error *err)
{
	const bool is_map = head->major == MAJOR_MAP;
	const size_t room = is_map ? bytes_left(check) / 2 : bytes_left(check);

	if (head->argument > room) {
		error_set(err, PVW_FIXTURE_0004,
			"%" PRIu64 " %s, expected at most %zu in the bytes left",
			head->argument, is_map ? "pairs" : "items", room);
		return check_fail(check, start, err);
	}
	if (check->depth == CBOR_CHECK_MAX_DEPTH) {
		error_set(err, PVW_FIXTURE_0003,
			"nested deeper than %d levels, expected no more", CBOR_CHECK_MAX_DEPTH);
		return check_fail(check, start, err);
	}
	check->frames[check->depth++] = (Frame){
		.left = is_map ? 2 * head->argument : head->argument,
		.is_map = is_map,
	};
	return true;
}

/* Keys ascend by their encoded bytes; a longer key with the same start comes later. */
static bool check_key(Check *check, Frame *frame, unsigned major, size_t start, Error *err)
{
	const Bytes key = { check->bytes.data + start, check->at - start };
	const Bytes last = frame->last_key;
	int order;

	if (major > MAJOR_TEXT || major == MAJOR_BYTES) {
		error_set(err, PVW_FIXTURE_0001, "a key of major type %u, expected %s", major,
			"an integer or a text");
		return check_fail(check, start, err);
	}
	frame->last_key = key;
	if (!last.data)
		return true;
	order = memcmp(last.data, key.data, last.len < key.len ? last.len : key.len);
	if (order < 0 || (order == 0 && last.len < key.len))
		return true;
	error_set(err, PVW_FIXTURE_0001, "a key %s, expected keys in ascending order",
		order == 0 && last.len == key.len ? "given twice" : "below the one before");
	return check_fail(check, start, err);
}

static bool check_item(Check *check, Error *err)
{
	Frame *frame = check->depth ? &check->frames[check->depth - 1] : NULL;
	const bool is_key = frame && frame->is_map && frame->left % 2 == 0;
	const size_t start = check->at;
	Head head = { 0 };

	if (check->items++ == CBOR_CHECK_MAX_ITEMS) {
		error_set(err, PVW_FIXTURE_0003, "more than %d items, expected fewer",
			CBOR_CHECK_MAX_ITEMS);
		return check_fail(check, start, err);
	}
	if (frame)
		frame->left--;
	if (!read_head(check, &head, err))
		return false;
	if ((head.major == MAJOR_BYTES || head.major == MAJOR_TEXT) &&
		!check_string(check, &head, start, err))
		return false;
	if (is_key)
		return check_key(check, frame, head.major, start, err);
	return (head.major != MAJOR_ARRAY && head.major != MAJOR_MAP) ||
		open_container(check, &head, start, err);
}

bool cbor_check(Bytes bytes, const char *source, Error *err)
{
	Check check = { .bytes = bytes, .source = source };

	do {
		if (!check_item(&check, err))
			return false;
		while (check.depth && check.frames[check.depth - 1].left == 0)
			check.depth--;
	} while (check.depth);
	if (bytes_left(&check) == 0)
		return true;
	error_set(err, PVW_FIXTURE_0001, "%zu bytes behind the item, expected none",
		bytes_left(&check));
	return check_fail(&check, check.at, err);
}
