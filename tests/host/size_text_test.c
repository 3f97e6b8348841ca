/*
 * Sizes for people, against numbers worked out by hand.
 */
#include "host/size_text.h"

#include <criterion/criterion.h>

Test(size_text, takes_the_largest_unit_below)
{
	cr_expect_str_eq(size_text(0).text, "0 B");
	cr_expect_str_eq(size_text(1023).text, "1023 B");
	cr_expect_str_eq(size_text(1024).text, "1 KiB");
	cr_expect_str_eq(size_text(0x3c000000).text, "960 MiB");
	cr_expect_str_eq(size_text(UINT64_C(1) << 40).text, "1 TiB");
}

Test(size_text, rounds_to_a_tenth)
{
	cr_expect_str_eq(size_text(1536).text, "1.5 KiB");
	cr_expect_str_eq(size_text(0xb8000000).text, "2.9 GiB");
	cr_expect_str_eq(size_text(1075).text, "1 KiB");
	cr_expect_str_eq(size_text(1076).text, "1.1 KiB");
	cr_expect_str_eq(size_text(2047).text, "2 KiB");
	cr_expect_str_eq(size_text(UINT64_MAX).text, "16 EiB");
}

Test(size_text, reads_what_it_writes)
{
	static const uint64_t sizes[] = { 0, 1023, 1024, 0x3c000000, UINT64_C(1) << 40,
		UINT64_C(15) << 60 };
	uint64_t size;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		cr_assert(size_text_parse(size_text(sizes[i]).text, &size));
		cr_expect_eq(size, sizes[i]);
	}
	cr_assert(size_text_parse("64MiB", &size));
	cr_expect_eq(size, 0x4000000);
}

Test(size_text, refuses_what_is_no_size)
{
	static const char *const texts[] = { "", "MiB", "64", "64M", "64 mib", "64  MiB",
		"-1 B", "1.5GiB", "64MiB ", "16EiB", "18446744073709551616B",
		"99999999999999999999999KiB" };
	uint64_t size = 42;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		cr_expect_not(size_text_parse(texts[i], &size), "%s", texts[i]);
		cr_expect_eq(size, 42, "%s", texts[i]);
	}
}
