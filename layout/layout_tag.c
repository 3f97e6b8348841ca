/*
 * The text of a tag.
 */
#include "layout/layout_tag.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Room for "~4294967295". */
#define CUT_SIZE 12

static bool is_printable(char c)
{
	return c >= ' ' && c <= '~';
}

static void make_printable(char *text)
{
	for (; *text; text++) {
		if (!is_printable(*text))
			*text = '?';
	}
}

/* Two names of which something is lost may look the same: then the number tells them apart. */
static bool is_lossless(const char *name, int room)
{
	for (; *name && room > 0; name++, room--) {
		if (!is_printable(*name))
			return false;
	}
	return *name == '\0';
}

const char *layout_tag_write(LayoutTag tag, char out[LAYOUT_TAG_SIZE])
{
	const char *mark = strchr(tag.text, '%');
	const int before = mark ? (int)(mark - tag.text) : (int)strlen(tag.text);
	const char *after = mark ? mark + 1 : "";
	const int room = LAYOUT_TAG_SIZE - 1 - before - (int)strlen(after);
	char cut[CUT_SIZE] = "", digits[CUT_SIZE];
	const char *name = tag.name;
	int len;

	snprintf(digits, sizeof(digits), "%" PRIu32, tag.number);
	if (!mark)
		name = "";
	else if (!name)
		name = digits;
	len = (int)strnlen(name, LAYOUT_TAG_SIZE);
	if (!is_lossless(name, room) && room > CUT_SIZE) {
		snprintf(cut, sizeof(cut), "~%" PRIu32, tag.number);
		if (len > room - (int)strlen(cut))
			len = room - (int)strlen(cut);
	}
	snprintf(out, LAYOUT_TAG_SIZE, "%.*s%.*s%s%s", before, tag.text, len, name, cut, after);
	make_printable(out);
	return out;
}
