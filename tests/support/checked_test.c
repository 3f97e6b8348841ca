#include <criterion/criterion.h>

#include "support/checked.h"

Test(checked, adds_and_multiplies_up_to_the_edge)
{
	uint64_t out = 7;
	size_t size = 7;

	cr_assert(checked_add_u64(UINT64_MAX, 0, &out));
	cr_assert_eq(out, UINT64_MAX);
	cr_assert(checked_add_u64(UINT64_MAX - 5, 5, &out));
	cr_assert_not(checked_add_u64(UINT64_MAX, 1, &out));
	cr_assert(checked_mul_u64(UINT64_C(1) << 32, (UINT64_C(1) << 32) - 1, &out));
	cr_assert_eq(out, UINT64_C(0xffffffff00000000));
	cr_assert_not(checked_mul_u64(UINT64_C(1) << 32, UINT64_C(1) << 32, &out));
	cr_assert(checked_mul_u64(UINT64_MAX, 0, &out));
	cr_assert_eq(out, 0);
	cr_assert(checked_add_size(SIZE_MAX - 1, 1, &size));
	cr_assert_eq(size, SIZE_MAX);
	cr_assert_not(checked_add_size(SIZE_MAX, 1, &size));
	cr_assert(checked_mul_size(3, 5, &size));
	cr_assert_eq(size, 15);
	cr_assert_not(checked_mul_size(SIZE_MAX, 2, &size));
}

/* Against plain counting, for every power of two and value that fit a byte. */
Test(checked, aligns_like_counting)
{
	for (uint64_t align = 1; align <= 64; align *= 2) {
		for (uint64_t value = 0; value < 256; value++) {
			uint64_t down = value;
			uint64_t up = value;
			uint64_t out;

			while (down % align)
				down--;
			while (up % align)
				up++;
			cr_assert_eq(align_down(value, align), down);
			cr_assert(checked_align_up(value, align, &out));
			cr_assert_eq(out, up);
			cr_assert_eq(is_aligned(value, align), value % align == 0);
		}
	}
}

Test(checked, aligning_past_the_end_is_refused)
{
	uint64_t out = 7;

	cr_assert(checked_align_up(UINT64_MAX - 4095, 4096, &out));
	cr_assert_eq(out, UINT64_MAX - 4095);
	cr_assert_not(checked_align_up(UINT64_MAX - 4094, 4096, &out));
	cr_assert_not(checked_align_up(UINT64_MAX, 2, &out));
	cr_assert_eq(out, UINT64_MAX - 4095);
	cr_assert(checked_align_up(UINT64_MAX, 1, &out));
	cr_assert_not(checked_align_up((UINT64_C(1) << 63) + 1, UINT64_C(1) << 63, &out));
}
