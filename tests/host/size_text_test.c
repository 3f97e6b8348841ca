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
