/*
 * The text of a tag.
 */
#include "layout/layout_tag.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Room for "~4294967295". */
#define CUT_SIZE 12

static void make_printable(char *text)
{
	for (; *text; text++) {
		if (*text < ' ' || *text > '~')
			*text = '?';
	}
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
	if (len > room && room > CUT_SIZE) {
		snprintf(cut, sizeof(cut), "~%" PRIu32, tag.number);
		len = room - (int)strlen(cut);
	}
	snprintf(out, LAYOUT_TAG_SIZE, "%.*s%.*s%s%s", before, tag.text, len, name, cut, after);
	make_printable(out);
	return out;
}
