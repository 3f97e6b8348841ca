/*
 * Where images may lie, and what is said of those that may not.
 */
#include "loaders/boot_image.h"

#include <criterion/criterion.h>
#include <string.h>

#include "support/diagnostics.h"

#define MIB UINT64_C(0x100000)

static const uint8_t content[0x3001];
static const Bytes bytes = { content, sizeof(content) };

/* 0-64 MiB, then reserved up to 128 MiB, then 128-256 MiB */
static const LayoutRecord records[] = {
	{ .kind = LAYOUT_RAM, .range = { 0, 64 * MIB } },
	{ .kind = LAYOUT_RAM,
		.range = { 64 * MIB, 128 * MIB },
		.igvm_type = IGVM_PLATFORM_RESERVED },
	{ .kind = LAYOUT_RAM, .range = { 128 * MIB, 256 * MIB } },
};
static const LayoutRecordList ram = { records, ARRAY_COUNT(records) };

static void assert_refused(const Error *err, uint16_t diagnostic, const char *word)
{
	cr_assert_eq(err->diagnostic, diagnostic, "%s", err->text);
	cr_assert_not_null(strstr(err->text, word), "%s", err->text);
}

Test(boot_image, counts_whole_pages_of_its_room)
{
	const BootImage image = { .gpa = 0x10000, .len = 1, .room = 0x1001 };
	const BootImage odd = { .gpa = 0x10ff8, .len = 9, .room = 9 };
	const BootImage none = { .gpa = 0x10000 };

	cr_assert(memory_range_equal(
		boot_image_range(&image), (MemoryRange){ 0x10000, 0x12000 }));
	cr_assert(
		memory_range_equal(boot_image_range(&odd), (MemoryRange){ 0x10000, 0x12000 }));
	cr_assert(memory_range_is_empty(boot_image_range(&none)));
}

Test(boot_image, takes_bytes_of_hosts_for_open_guests_only)
{
	Error err = { 0 };

	cr_assert(boot_image_allow_bytes("linux.kernel", bytes, ISOLATION_NONE, &err));
	cr_assert_not(boot_image_allow_bytes("linux.kernel", bytes, ISOLATION_TDX, &err));
	assert_refused(&err, PVW_LINUX_0022, "isolated by tdx");
}

Test(boot_image, knows_an_image_in_place_by_length_and_address)
{
	const Image image = { .place = IMAGE_IN_PLACE, .gpa = 2 * MIB, .len = 0x1234 };
	BootImage placed;
	Error err = { 0 };

	cr_assert(boot_image_in_place("linux.kernel", &image, MIB, ram, &placed, &err));
	cr_assert(placed.in_place);
	cr_assert_eq(placed.gpa, 2 * MIB);
	cr_assert_eq(placed.len, 0x1234u);
	cr_assert_eq(placed.room, 0x1234u);
	cr_assert_null(placed.bytes.data);
}

Test(boot_image, refuses_images_in_place_where_none_can_be)
{
	static const struct {
		uint64_t gpa, len;
		uint16_t diagnostic;
		const char *word;
	} rows[] = {
		{ 2 * MIB, 0, PVW_LINUX_0016, "0x0 bytes" },
		{ 2 * MIB + 8, 8, PVW_LINUX_0016, "multiple" },
		{ MIB - 0x1000, 8, PVW_LINUX_0016, "from 0x100000" },
		{ MIB, UINT64_MAX, PVW_LINUX_0016, "0xffffffffffffffff bytes" },
		{ UINT64_MAX - 0xfff, 8, PVW_LINUX_0016, "0xfffffffffffff000" },
		{ 63 * MIB, 2 * MIB, PVW_LINUX_0020, "0x3f00000-0x4100000" },
		{ 64 * MIB, 8, PVW_LINUX_0020, "own use" },
		{ 256 * MIB, 8, PVW_LINUX_0020, "RAM" },
	};

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		const Image image = {
			.place = IMAGE_IN_PLACE, .gpa = rows[i].gpa, .len = rows[i].len
		};
		BootImage placed = { .len = 4711 };
		Error err = { 0 };

		cr_assert_not(
			boot_image_in_place("linux.kernel", &image, MIB, ram, &placed, &err));
		assert_refused(&err, rows[i].diagnostic, rows[i].word);
		cr_assert_eq(placed.len, 4711u);
	}
}

Test(boot_image, stands_at_the_address_it_is_given_with_its_room)
{
	BootImage placed;
	Error err = { 0 };

	cr_assert(boot_image_at("linux.kernel", bytes, MIB, 63 * MIB, ram, &placed, &err));
	cr_assert_eq(placed.room, 63 * MIB);
	cr_assert_eq(placed.bytes.data, content, "the bytes are borrowed, not copied");
	cr_assert(boot_image_at("linux.kernel", bytes, MIB, 0, ram, &placed, &err));
	cr_assert_eq(placed.room, sizeof(content), "no less than the bytes");
}

Test(boot_image, refuses_room_outside_of_ram)
{
	static const struct {
		uint64_t gpa, room;
	} rows[] = {
		{ MIB, 63 * MIB + 1 },
		{ 65 * MIB, 1 },
		{ 256 * MIB - 0x3000, 1 },
		{ UINT64_MAX - 7, 1 },
		{ MIB, UINT64_MAX },
	};

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		BootImage placed = { .len = 4711 };
		Error err = { 0 };

		cr_assert_not(boot_image_at(
			"linux.kernel", bytes, rows[i].gpa, rows[i].room, ram, &placed, &err));
		assert_refused(&err, PVW_LINUX_0023, "linux.kernel");
		cr_assert_eq(placed.len, 4711u);
	}
}

typedef struct Place {
	uint64_t lowest, limit;
	MemoryRange avoid[3];
	size_t avoid_count;
	uint64_t gpa; /* 0: none */
} Place;

static const Place places[] = {
	/* nothing in the way: the last page from which 0x3001 bytes fit */
	{ MIB, UINT64_MAX, { { 0 } }, 0, 256 * MIB - 0x4000 },
	{ MIB, 200 * MIB, { { 0 } }, 0, 200 * MIB - 0x4000 },
	{ MIB, 200 * MIB + 1, { { 0 } }, 0, 200 * MIB - 0x3000 },
	/* reserved memory is not looked at */
	{ MIB, 128 * MIB, { { 0 } }, 0, 64 * MIB - 0x4000 },
	/* below what is in the way, or above it */
	{ MIB, UINT64_MAX, { { 129 * MIB, 256 * MIB } }, 1, 129 * MIB - 0x4000 },
	{ MIB, UINT64_MAX, { { 129 * MIB, 256 * MIB - 0x4000 } }, 1, 256 * MIB - 0x4000 },
	{ MIB, UINT64_MAX, { { 129 * MIB, 256 * MIB - 0x3000 } }, 1, 129 * MIB - 0x4000 },
	/* between two */
	{ 128 * MIB, UINT64_MAX,
		{ { 128 * MIB, 130 * MIB }, { 130 * MIB + 0x4000, 256 * MIB } }, 2, 130 * MIB },
	/* across both ranges, and past all of the second */
	{ MIB, UINT64_MAX, { { 60 * MIB, 256 * MIB } }, 1, 60 * MIB - 0x4000 },
	{ MIB, UINT64_MAX, { { 0, 2 * MIB }, { 3 * MIB, 61 * MIB }, { 62 * MIB, 512 * MIB } },
		3, 62 * MIB - 0x4000 },
	/* too narrow everywhere */
	{ 64 * MIB - 0x3000, 128 * MIB, { { 0 } }, 0, 0 },
	{ MIB, UINT64_MAX, { { 0, 512 * MIB } }, 1, 0 },
	{ 300 * MIB, UINT64_MAX, { { 0 } }, 0, 0 },
	{ MIB, 0, { { 0 } }, 0, 0 },
};

Test(boot_image, goes_as_high_as_it_can)
{
	for (size_t i = 0; i < ARRAY_COUNT(places); i++) {
		const BootImageRoom room = { ram, places[i].lowest, places[i].limit,
			{ places[i].avoid, places[i].avoid_count } };
		BootImage placed = { .len = 4711 };
		Error err = { 0 };

		if (places[i].gpa) {
			cr_assert(boot_image_high("linux.initrd", bytes, &room, &placed, &err),
				"row %zu: %s", i, err.text);
			cr_assert_eq(placed.gpa, places[i].gpa, "row %zu: 0x%llx", i,
				(unsigned long long)placed.gpa);
		} else {
			cr_assert_not(
				boot_image_high("linux.initrd", bytes, &room, &placed, &err),
				"row %zu", i);
			assert_refused(&err, PVW_LINUX_0018, "12289 bytes");
			cr_assert_eq(placed.len, 4711u);
		}
	}
}

Test(boot_image, names_both_images_that_share_a_page)
{
	const BootImage kernel = {
		.name = "linux.kernel", .gpa = MIB, .len = 8, .room = 0x2001
	};
	const BootImage initrd = {
		.name = "linux.initrd", .gpa = MIB + 0x2000, .len = 8, .room = 8
	};
	const BootImage apart = {
		.name = "linux.initrd", .gpa = MIB + 0x3000, .len = 8, .room = 8
	};
	const BootImage none = { .name = "linux.initrd", .gpa = MIB };
	Error err = { 0 };

	cr_assert_not(boot_image_check_apart(&initrd, &kernel, &err));
	assert_refused(&err, PVW_LINUX_0021, "linux.initrd at 0x102000-0x103000");
	assert_refused(&err, PVW_LINUX_0021, "linux.kernel at 0x100000-0x103000");
	cr_assert(boot_image_check_apart(&apart, &kernel, &err));
	cr_assert(boot_image_check_apart(&none, &kernel, &err));
}

Test(boot_image, becomes_an_artifact_that_is_written_or_measured)
{
	const BootImage kernel = { .name = "linux.kernel",
		.gpa = MIB,
		.len = 0x1000,
		.room = 0x1000,
		.in_place = true };
	const BootImage initrd = { .name = "linux.initrd",
		.gpa = 2 * MIB,
		.len = bytes.len,
		.room = bytes.len,
		.bytes = bytes };
	const BootImage none = { .name = "none" };
	Arena *arena = arena_new(1 << 20);
	BootPlanBuilder *builder;
	BootPlan plan;
	Error err = { 0 };

	cr_assert(boot_plan_begin(BOOT_LINUX, (PlanPolicy){ 0 }, arena, &builder, &err));
	boot_image_add(builder, &kernel);
	boot_image_add(builder, &initrd);
	boot_image_add(builder, &none);
	cr_assert(boot_plan_finish(builder, ram, &plan, &err), "%s", err.text);

	cr_assert_eq(plan.artifacts.count, 2u);
	cr_assert(artifact_is_unseen(boot_plan_find(&plan, "linux.kernel")));
	cr_assert_eq(boot_plan_find(&plan, "linux.kernel")->bytes.len, 0x1000u);
	cr_assert_not(boot_plan_find(&plan, "linux.initrd")->measured);
	cr_assert_eq(boot_plan_find(&plan, "linux.initrd")->bytes.data, content);
	arena_free(arena);
}
