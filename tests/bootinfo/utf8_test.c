#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <string.h>

#include "bootinfo/utf8.h"

static bool valid(const char *text)
{
	return utf8_is_valid((Bytes){ (const uint8_t *)text, strlen(text) });
}

Test(utf8, takes_nothing_and_ascii_of_every_length)
{
	char text[32] = "";

	for (size_t len = 0; len < sizeof(text) - 1; len++) {
		cr_assert(valid(text), "%zu", len);
		text[len] = 'a';
	}
}

Test(utf8, takes_the_ends_of_each_length)
{
	cr_assert(valid("\xc2\x80") && valid("\xdf\xbf"));
	cr_assert(valid("\xe0\xa0\x80") && valid("\xef\xbf\xbf"));
	cr_assert(valid("\xed\x9f\xbf") && valid("\xee\x80\x80"));
	cr_assert(valid("\xf0\x90\x80\x80") && valid("\xf4\x8f\xbf\xbf"));
}

Test(utf8, takes_them_behind_eight_characters)
{
	cr_assert(valid("12345678\xc3\xa9z"));
	cr_assert(valid("1234567\xc3\xa9"
			"89"));
}

Test(utf8, refuses_overlong_forms)
{
	cr_assert_not(valid("\xc0\x80"));
	cr_assert_not(valid("\xc1\xbf"));
	cr_assert_not(valid("\xe0\x9f\xbf"));
	cr_assert_not(valid("\xf0\x8f\xbf\xbf"));
}

Test(utf8, refuses_surrogates_and_what_is_beyond_the_last_plane)
{
	cr_assert_not(valid("\xed\xa0\x80"));
	cr_assert_not(valid("\xed\xbf\xbf"));
	cr_assert_not(valid("\xf4\x90\x80\x80"));
	cr_assert_not(valid("\xf5\x80\x80\x80"));
	cr_assert_not(valid("\xff"));
}

Test(utf8, refuses_lonely_and_missing_continuations_wherever_they_stand)
{
	cr_assert_not(valid("\x80"));
	cr_assert_not(valid("a\xc3"));
	cr_assert_not(valid("12345678\xe2\x82"));
	cr_assert_not(valid("\xe2\x82z"));
	cr_assert_not(valid("1234567\xc3"
			    "123456789"));
}

/* Straight from the bit patterns of the RFC, slow and different. */
static bool decodes(const uint8_t *s, size_t len)
{
	static const uint32_t least[] = { 0, 0x80, 0x800, 0x10000 };

	for (size_t i = 0; i < len;) {
		const unsigned more = s[i] < 0x80 ? 0
			: s[i] >> 5 == 6          ? 1
			: s[i] >> 4 == 14         ? 2
			: s[i] >> 3 == 30         ? 3
						  : 9;
		uint32_t code = more ? s[i] & (0x3fu >> more) : s[i];

		if (more == 9 || i + more >= len)
			return false;
		for (unsigned k = 1; k <= more; k++) {
			if (s[i + k] >> 6 != 2)
				return false;
			code = code << 6 | (s[i + k] & 0x3f);
		}
		if (code < least[more] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
			return false;
		i += more + 1;
	}
	return true;
}

Test(utf8, agrees_with_a_decoder_on_all_beginnings)
{
	for (uint32_t n = 0; n < 0x1000000; n += 3) {
		const uint8_t s[4] = { (uint8_t)(n >> 16 | 0x80), (uint8_t)(n >> 8), (uint8_t)n,
			0x80 };

		for (size_t len = 1; len <= 4; len++) {
			if (utf8_is_valid((Bytes){ s, len }) != decodes(s, len))
				cr_assert_fail("%02x %02x %02x %02x, %zu bytes", s[0], s[1],
					s[2], s[3], len);
		}
	}
}
