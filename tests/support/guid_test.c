#include <criterion/criterion.h>
#include <string.h>

#include "support/diagnostics.h"
#include "support/guid.h"

/* The first three groups are numbers, least byte first in memory; the rest is bytes. */
static const Guid sample = { { 0x33, 0x22, 0x11, 0x00, 0x55, 0x44, 0x77, 0x66, 0x88, 0x99, 0xaa,
	0xbb, 0xcc, 0xdd, 0xee, 0xff } };
static const char sample_text[] = "00112233-4455-6677-8899-aabbccddeeff";

Test(guid, text_is_mixed_endian)
{
	char text[GUID_TEXT_SIZE];
	Guid guid;
	Error err;

	guid_format(sample, text);
	cr_assert_str_eq(text, sample_text);
	cr_assert(guid_parse(sample_text, &guid, &err));
	cr_assert_eq(memcmp(&guid, &sample, sizeof(guid)), 0);
}

Test(guid, parse_ignores_case_and_format_writes_lower)
{
	char text[GUID_TEXT_SIZE];
	Guid guid;
	Error err;

	cr_assert(guid_parse("00112233-4455-6677-8899-AABBccDDeeFF", &guid, &err));
	guid_format(guid, text);
	cr_assert_str_eq(text, sample_text);
}

Test(guid, every_byte_has_its_place)
{
	for (size_t i = 0; i < 16; i++) {
		char text[GUID_TEXT_SIZE];
		Guid in = { 0 };
		Guid out;
		Error err;

		in.bytes[i] = 0xa5;
		guid_format(in, text);
		cr_assert(guid_parse(text, &out, &err));
		cr_assert_eq(memcmp(&in, &out, sizeof(in)), 0);
		cr_assert_not(guid_is_zero(in));
	}
	cr_assert(guid_is_zero((Guid){ 0 }));
}

Test(guid, refuses_what_is_not_one)
{
	static const char *const texts[] = { "", "00112233-4455-6677-8899-aabbccddeef",
		"00112233-4455-6677-8899-aabbccddeefff",
		"00112233-4455-6677-8899-aabbccddeeff ",
		"{00112233-4455-6677-8899-aabbccddeeff}", "001122334455-6677-8899-aabbccddeeff",
		"00112233-4455-6677-8899aabbccddeeff", "00112233445566778899aabbccddeeff",
		"0011223g-4455-6677-8899-aabbccddeeff", "00112233-4455-6677-8899-aabbccddeefg",
		"00112233-4455-6677_8899-aabbccddeeff", "-", "0" };

	for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
		Guid guid = sample;
		Error err;

		cr_assert_not(guid_parse(texts[i], &guid, &err), "%s", texts[i]);
		cr_assert_eq(err.diagnostic, PVW_GUID_0001);
		cr_assert_not_null(strstr(err.text, texts[i]));
		cr_assert_not_null(strstr(err.text, "expected"));
		cr_assert_eq(memcmp(&guid, &sample, sizeof(guid)), 0);
	}
}

/* Each place of a good text in turn takes each character: only digits and dashes fit. */
Test(guid, every_character_is_checked)
{
	for (size_t at = 0; at < sizeof(sample_text) - 1; at++) {
		const bool dash = sample_text[at] == '-';

		for (int c = 0; c < 256; c++) {
			char text[sizeof(sample_text)];
			Guid guid;
			Error err;

			memcpy(text, sample_text, sizeof(text));
			text[at] = (char)c;

			const bool hex = c && strchr("0123456789abcdefABCDEF", c);

			cr_assert_eq(guid_parse(text, &guid, &err), dash ? c == '-' : hex);
		}
	}
}
