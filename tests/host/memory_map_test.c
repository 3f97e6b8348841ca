/*
 * The memory map as text, whole pictures.
 */
#include "host/memory_map.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/diagnostics.h"

#define RAM(first, bytes, what, node)                                                          \
	{                                                                                      \
		.base = PROTOBUF_C_MESSAGE_INIT(&pvw__v1__memory_range__descriptor),           \
		.start = (first), .size = (bytes), .role = (what), .vnode = (node)             \
	}
#define MMIO(first, bytes, what, who)                                                          \
	{                                                                                      \
		.base = PROTOBUF_C_MESSAGE_INIT(&pvw__v1__mmio_range__descriptor),             \
		.start = (first), .size = (bytes), .role = (what), .owner = (who)              \
	}

#define VTL0_RAM PVW__V1__MEMORY_ROLE__MEMORY_ROLE_VTL0_RAM
#define VTL2_RAM PVW__V1__MEMORY_ROLE__MEMORY_ROLE_VTL2_RAM
#define LOW PVW__V1__MMIO_ROLE__MMIO_ROLE_VTL0_CHIPSET_LOW

/* The picture of some ranges, to be freed. */
static char *draw(Pvw__V1__MemoryRange *ram, size_t rams, Pvw__V1__MmioRange *mmio,
	size_t mmios, MapStyle style)
{
	Pvw__V1__MemoryRange *ram_list[8];
	Pvw__V1__MmioRange *mmio_list[8];
	Pvw__V1__Layout layout;
	Arena *arena = arena_new(1 << 20);
	size_t size;
	char *text;
	FILE *out = open_memstream(&text, &size);
	Error err;

	pvw__v1__layout__init(&layout);
	for (size_t i = 0; i < rams; i++)
		ram_list[i] = &ram[i];
	for (size_t i = 0; i < mmios; i++)
		mmio_list[i] = &mmio[i];
	layout.memory = ram_list;
	layout.n_memory = rams;
	layout.mmio = mmio_list;
	layout.n_mmio = mmios;
	layout.end_of_ram = 0x140000000;
	layout.end_of_layout = 0x140000000;
	layout.physical_address_bits = 46;
	layout.layout_version = 1;
	cr_assert(memory_map_print(out, &layout, style, arena, &err));
	fclose(out);
	arena_free(arena);
	return text;
}

static void expect(char *text, const char *expected)
{
	cr_expect_str_eq(text, expected, "\n%s", text);
	free(text);
}

#define FACTS                                                                                  \
	"\nend of ram 0x140000000, end of layout 0x140000000, 46 address bits, layout "        \
	"version 1\n"

Test(memory_map, draws_ranges_gaps_and_levels)
{
	Pvw__V1__MemoryRange ram[] = {
		RAM(0x100000000, 0x40000000, VTL0_RAM, 1),
		RAM(0xb8000000, 0x8000000, VTL2_RAM, 0),
		RAM(0, 0xb8000000, VTL0_RAM, 0),
	};
	Pvw__V1__MmioRange mmio[] = { MMIO(0xc0000000, 0x3c000000, LOW, (char *)"chipset") };
	const char *expected =
		"0x0000000000000000 +---------------------------------------------------+\n"
		"                   | R0 VTL0 RAM              ##############   2.9 GiB | node "
		"0\n"
		"0x00000000b8000000 +===================================================+\n"
		"                   | R2 VTL2 RAM              ##########       128 MiB | node "
		"0\n"
		"0x00000000c0000000 +===================================================+\n"
		"                   | l0 mmio chipset low      ############     960 MiB | "
		"chipset\n"
		"0x00000000fc000000 ~        gap 64 MiB                                 ~\n"
		"0x0000000100000000 +---------------------------------------------------+\n"
		"                   | R0 VTL0 RAM              ############       1 GiB | node "
		"1\n"
		"0x0000000140000000 "
		"+---------------------------------------------------+\n" FACTS;

	expect(draw(ram, 3, mmio, 1, (MapStyle){ 0 }), expected);
	expect(draw(ram, 3, mmio, 1, (MapStyle){ .width = 80 }), expected);
}

Test(memory_map, folds_equal_neighbours_unless_verbose)
{
	Pvw__V1__MemoryRange ram[] = {
		RAM(0, 0x1000, VTL0_RAM, 0),
		RAM(0x1000, 0x1000, VTL0_RAM, 0),
		RAM(0x2000, 0x1000, VTL0_RAM, 1),
	};

	expect(draw(ram, 3, NULL, 0, (MapStyle){ .width = 72 }),
		"0x0000000000000000 +-------------------------------------------+\n"
		"                   | R0 VTL0 RAM              ######     8 KiB | node 0 (2 "
		"ranges)\n"
		"0x0000000000002000 +-------------------------------------------+\n"
		"                   | R0 VTL0 RAM              #          4 KiB | node 1\n"
		"0x0000000000003000 +-------------------------------------------+\n" FACTS);
	expect(draw(ram, 2, NULL, 0, (MapStyle){ .width = 1, .verbose = true }),
		"0x0000000000000000 +-------------------------------------------+\n"
		"                   | R0 VTL0 RAM              ######     4 KiB | node 0\n"
		"0x0000000000001000 +-------------------------------------------+\n"
		"                   | R0 VTL0 RAM              ######     4 KiB | node 0\n"
		"0x0000000000002000 +-------------------------------------------+\n" FACTS);
}

Test(memory_map, draws_a_part)
{
	Pvw__V1__MemoryRange ram[] = {
		RAM(0, 0x4000, VTL0_RAM, 0),
		RAM(0x10000, 0x4000, VTL2_RAM, 0),
	};

	expect(draw(ram, 2, NULL, 0, (MapStyle){ .width = 72, .from = 0x2000, .to = 0x11000 }),
		"0x0000000000002000 +-------------------------------------------+\n"
		"                   | R0 VTL0 RAM              ######     8 KiB | node 0\n"
		"0x0000000000004000 ~        gap 48 KiB                         ~\n"
		"0x0000000000010000 +===========================================+\n"
		"                   | R2 VTL2 RAM              #          4 KiB | node 0\n"
		"0x0000000000011000 +-------------------------------------------+\n" FACTS);
	expect(draw(ram, 2, NULL, 0, (MapStyle){ .from = 0x8000, .to = 0x9000 }),
		"nothing lies there\n" FACTS);
}

/* A worker may say anything: all of it is drawn, and none of it steers the terminal. */
Test(memory_map, draws_what_cannot_be)
{
	Pvw__V1__MemoryRange ram[] = {
		RAM(0xfffffffffffff000, 0x2000, VTL0_RAM, 0),
		RAM(0x1000, 0, VTL0_RAM, 7),
		RAM(0x1000, 0x2000, (Pvw__V1__MemoryRole)99, 0),
	};
	Pvw__V1__MmioRange mmio[] = { MMIO(0x2000, 0x1000, LOW, (char *)"\033[2Jbad\n") };

	expect(draw(ram, 3, mmio, 1, (MapStyle){ .width = 72 }),
		"0x0000000000000000 ~        gap 4 KiB                          ~\n"
		"0x0000000000001000 +-------------------------------------------+\n"
		"                   | ?- unknown               ######     8 KiB | node 0\n"
		"0x0000000000002000 +===========================================+\n"
		"                   | l0 mmio chipset low      #          4 KiB | ?[2Jbad?\n"
		"                   ! overlaps the range before\n"
		"0x0000000000003000 ~        gap 16 EiB                         ~\n"
		"0xfffffffffffff000 +-------------------------------------------+\n"
		"                   | R0 VTL0 RAM              #          4 KiB | node 0\n"
		"end of 64 bits     +-------------------------------------------+\n" FACTS);
}

Test(memory_map, colours_only_when_asked)
{
	Pvw__V1__MemoryRange ram[] = { RAM(0, 0x1000, VTL0_RAM, 0) };
	char *plain = draw(ram, 1, NULL, 0, (MapStyle){ 0 });
	char *colour = draw(ram, 1, NULL, 0, (MapStyle){ .colour = true });

	cr_expect_null(strchr(plain, '\033'));
	cr_expect_not_null(strstr(colour, "\033[32mR0 VTL0 RAM"));
	cr_expect_not_null(strstr(colour, "\033[0m"));
	free(plain);
	free(colour);
}

Test(memory_map, lists_windows_and_placements_by_address)
{
	Pvw__V1__AddrRange low = { .base = PROTOBUF_C_MESSAGE_INIT(
					   &pvw__v1__addr_range__descriptor),
		.start = 0xf8000000,
		.size = 0x8000000 };
	Pvw__V1__ChipsetMmio chipset;
	Pvw__V1__Placement placements[2], *list[] = { &placements[0], &placements[1] };
	Pvw__V1__Layout layout;
	Arena *arena = arena_new(1 << 20);
	size_t size;
	char *text;
	FILE *out = open_memstream(&text, &size);
	Error err;

	pvw__v1__chipset_mmio__init(&chipset);
	chipset.low = &low;
	chipset.low_source = PVW__V1__ROLE_SOURCE__ROLE_SOURCE_BY_ADDRESS;
	chipset.high_source = PVW__V1__ROLE_SOURCE__ROLE_SOURCE_DECLARED_ABSENT;
	pvw__v1__placement__init(&placements[0]);
	pvw__v1__placement__init(&placements[1]);
	placements[0].name = (char *)"late";
	placements[0].start = 0xf9000000;
	placements[0].size = 0x100000;
	placements[0].source = (char *)"channel:1";
	placements[1].name = (char *)"early";
	placements[1].start = 0x1000;
	placements[1].size = 0x1000;
	pvw__v1__layout__init(&layout);
	layout.chipset = &chipset;
	layout.placements = list;
	layout.n_placements = 2;
	cr_assert(memory_map_print(out, &layout, (MapStyle){ 0 }, arena, &err));
	fclose(out);

	cr_expect_str_eq(text,
		"nothing lies there\n\n"
		"chipset low   0xf8000000-0x100000000 (128 MiB), role by address\n"
		"chipset high  absent, declared absent\n"
		"end of ram 0x0, end of layout 0x0, 0 address bits, layout version 0\n\n"
		"placed at               size  what\n"
		"0x0000000000001000     4 KiB  early\n"
		"0x00000000f9000000     1 MiB  late  channel:1\n",
		"\n%s", text);
	free(text);
	arena_free(arena);
}

Test(memory_map, reports_an_exhausted_arena)
{
	Pvw__V1__MemoryRange ram = RAM(0, 0x1000, VTL0_RAM, 0), *list[] = { &ram };
	Pvw__V1__Layout layout;
	Arena *arena = arena_new(16);
	Error err;

	pvw__v1__layout__init(&layout);
	layout.memory = list;
	layout.n_memory = 1;
	cr_assert_not(memory_map_print(stdout, &layout, (MapStyle){ 0 }, arena, &err));

	cr_expect_eq(err.diagnostic, PVW_MEM_0001);
	arena_free(arena);
}

Test(memory_map, draws_the_same_in_svg)
{
	Pvw__V1__MemoryRange ram = RAM(0, 0x40000000, VTL0_RAM, 3);
	Pvw__V1__MmioRange mmio = MMIO(0xfc000000, 0x4000000, LOW, (char *)"<owner>");
	Pvw__V1__Placement placed, after;
	Pvw__V1__Placement *placements[] = { &after, &placed };
	Pvw__V1__MemoryRange *rams[] = { &ram };
	Pvw__V1__MmioRange *mmios[] = { &mmio };
	Arena *arena = arena_new(1 << 20);
	Pvw__V1__Layout layout;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	Error err;

	pvw__v1__layout__init(&layout);
	pvw__v1__placement__init(&placed);
	pvw__v1__placement__init(&after);
	placed.name = (char *)"uefi.config";
	placed.start = 0x709000;
	placed.size = 752;
	after.name = (char *)"beyond";
	after.start = 0x800000000;
	after.size = 1;
	layout.memory = rams;
	layout.n_memory = 1;
	layout.mmio = mmios;
	layout.n_mmio = 1;
	layout.placements = placements;
	layout.n_placements = 2;
	cr_assert(memory_map_draw(
		out, "a & b", &layout, (MapStyle){ .to = 0x100000000 }, arena, &err));
	fclose(out);
	arena_free(arena);
	cr_expect_not_null(strstr(text, "<title id=\"t\">a &amp; b</title>"));
	cr_expect_not_null(strstr(text, "VTL0 RAM: 0x0 to 0x3fffffff (1 GiB), node 3</title>"));
	cr_expect_not_null(strstr(text, "0xfc000000 to 0xffffffff (64 MiB), &lt;owner&gt;"));
	cr_expect_not_null(strstr(text, ">uefi.config</text>"));
	cr_expect_null(strstr(text, "beyond"));
	free(text);
}
