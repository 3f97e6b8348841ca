/*
 * From options to sources of images, and the files that they name.
 */
#include "cli/input_images.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/file.h"
#include "worker/convert.h"

typedef struct Images {
	const Invocation *invocation;
	Arena *arena;
	NamedBytes *blobs; /* INPUT_MAX_BLOBS */
	size_t count;
	Error *err;
} Images;

static bool option_fail(const Images *images, const char *option)
{
	char source[ERROR_SOURCE_SIZE];

	snprintf(source, sizeof(source), "--%s", option);
	return error_at(images->err, source);
}

/*
 * Files as blobs.
 */

static bool add_blob(Images *images, const char *option, const char *name, const char *path)
{
	Bytes bytes;

	for (size_t i = 0; i < images->count; i++) {
		if (strcmp(images->blobs[i].name, name) != 0)
			continue;
		error_set(images->err, PVW_INPUT_0006,
			"blob \"%.64s\" is there twice, expected once", name);
		return option_fail(images, option);
	}
	if (images->count == INPUT_MAX_BLOBS) {
		error_set(images->err, PVW_INPUT_0006, "more than %d blobs, expected fewer",
			INPUT_MAX_BLOBS);
		return option_fail(images, option);
	}
	if (!file_read(path, INPUT_MAX_IMAGE, images->arena, &bytes, images->err))
		return false;
	images->blobs[images->count++] = (NamedBytes){ name, bytes };
	return true;
}

/* "NAME=FILE" */
static bool add_named_blob(Images *images, const char *text)
{
	const char *equals = strchr(text, '=');
	const char *name;

	if (!equals || equals == text || !equals[1]) {
		error_set(images->err, PVW_INPUT_0004, "'%.64s', expected NAME=FILE", text);
		return option_fail(images, "blob");
	}
	name = arena_printf(images->arena, images->err, "%.*s", (int)(equals - text), text);
	return name && add_blob(images, "blob", name, equals + 1);
}

static bool add_named_blobs(Images *images)
{
	const size_t count = invocation_count(images->invocation, "blob");

	for (size_t i = 0; i < count; i++) {
		if (!add_named_blob(images, invocation_value_at(images->invocation, "blob", i)))
			return false;
	}
	return true;
}

/*
 * Sources.
 */

/* Whatever begins with a number and has a colon is meant as a place. */
static bool is_place(const char *text)
{
	return isdigit((unsigned char)text[0]) && strchr(text, ':');
}

static bool parse_place(
	Images *images, const char *option, const char *text, uint64_t *start, uint64_t *size)
{
	char *end = NULL;

	errno = 0;
	*start = strtoull(text, &end, 0);
	if (*end == ':' && isdigit((unsigned char)end[1])) {
		*size = strtoull(end + 1, &end, 0);
		if (*end == 0 && errno == 0)
			return true;
	}
	error_set(images->err, PVW_INPUT_0004,
		"'%.64s', expected a file, or GPA:SIZE as in 0x1000000:0x800000", text);
	return option_fail(images, option);
}

static bool take_source(
	Images *images, const char *option, const char *blob, Pvw__V1__Source **out)
{
	const char *text = invocation_value(images->invocation, option);
	Pvw__V1__AddrRange *range;
	Pvw__V1__Source *source;

	if (!text)
		return true;
	source = message_new(images->arena, &pvw__v1__source__descriptor, images->err);
	if (!source)
		return false;
	if (is_place(text)) {
		range = message_new(
			images->arena, &pvw__v1__addr_range__descriptor, images->err);
		if (!range || !parse_place(images, option, text, &range->start, &range->size))
			return false;
		source->kind_case = PVW__V1__SOURCE__KIND_IN_PLACE;
		source->in_place = range;
	} else {
		if (!add_blob(images, option, blob, text))
			return false;
		source->kind_case = PVW__V1__SOURCE__KIND_BLOB;
		source->blob = convert_text_out(blob);
	}
	*out = source;
	return true;
}

/*
 * Linux.
 */

/* The whole line, and what is appended to it or to the one that is there. */
static bool take_line(Images *images, Pvw__V1__LinuxDirect *linux_direct)
{
	const char *whole = invocation_value(images->invocation, "command-line");
	const char *more = invocation_value(images->invocation, "append");
	const char *line = whole ? whole : linux_direct->command_line;

	if (more)
		line = arena_printf(images->arena, images->err, "%s%s%s", line,
			*line && *more ? " " : "", more);
	if (!line)
		return false;
	linux_direct->command_line = convert_text_out(line);
	return true;
}

static bool take_linux(Images *images, Pvw__V1__DevicePlatformSettings *settings)
{
	static const char *const options[] = { "kernel", "initrd", "command-line", "append" };
	Pvw__V1__LinuxDirect *linux_direct = settings->linux_direct;
	bool given = false;

	for (size_t i = 0; i < ARRAY_COUNT(options); i++)
		given = given || invocation_has(images->invocation, options[i]);
	if (!given)
		return true;
	if (!linux_direct)
		linux_direct = message_new(
			images->arena, &pvw__v1__linux_direct__descriptor, images->err);
	if (!linux_direct || !take_source(images, "kernel", "kernel", &linux_direct->kernel) ||
		!take_source(images, "initrd", "initrd", &linux_direct->initrd) ||
		!take_line(images, linux_direct))
		return false;
	settings->linux_direct = linux_direct;
	if (invocation_has(images->invocation, "kernel") &&
		!invocation_has(images->invocation, "firmware"))
		settings->firmware = PVW__V1__FIRMWARE_KIND__FIRMWARE_LINUX_DIRECT;
	return true;
}

bool input_take_images(const Invocation *invocation, Arena *arena, Input *input, Error *err)
{
	Images images = { .invocation = invocation, .arena = arena, .err = err };

	images.blobs = arena_array(arena, NamedBytes, INPUT_MAX_BLOBS, err);
	if (!images.blobs || !add_named_blobs(&images) ||
		!take_linux(&images, input->settings) ||
		!take_source(&images, "firmware-image", "firmware",
			&input->settings->firmware_image))
		return false;
	input->blobs = (NamedBytesList){ images.blobs, images.count };
	return true;
}
