#include <criterion/criterion.h>
#include <string.h>

#include "bootinfo/growing_list.h"
#include "support/diagnostics.h"

Test(growing_list, keeps_the_items_when_it_grows)
{
	Arena *arena = arena_new(1 << 20);
	GrowingList list = GROWING_LIST(uint32_t, 1000, PVW_DT_0022, "numbers");
	Error err;

	for (uint32_t i = 0; i < 1000; i++) {
		uint32_t *item = growing_list_add(&list, arena, &err);

		cr_assert_not_null(item);
		*item = i * i;
	}

	for (uint32_t i = 0; i < 1000; i++)
		cr_assert_eq(((const uint32_t *)list.items)[i], i * i);
	arena_free(arena);
}

Test(growing_list, stops_at_its_limit_and_names_it)
{
	Arena *arena = arena_new(1 << 20);
	GrowingList list = GROWING_LIST(uint64_t, 17, PVW_DT_0022, "numbers");
	Error err;

	for (size_t i = 0; i < 17; i++)
		cr_assert_not_null(growing_list_add(&list, arena, &err));

	cr_assert_null(growing_list_add(&list, arena, &err));

	cr_assert_eq(err.diagnostic, PVW_DT_0022);
	cr_assert_not_null(strstr(err.text, "more than 17 numbers"));
	cr_assert_eq(list.count, 17);
	arena_free(arena);
}

Test(growing_list, tells_when_memory_is_short)
{
	Arena *arena = arena_new(16);
	GrowingList list = GROWING_LIST(uint64_t, 100, PVW_DT_0022, "numbers");
	Error err;

	cr_assert_null(growing_list_add(&list, arena, &err));

	cr_assert_eq(err.diagnostic, PVW_MEM_0001);
	cr_assert_eq(list.count, 0);
	arena_free(arena);
}
