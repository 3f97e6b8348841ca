/*
 * Damaged trees, thousands of them, the same in every run: each gives an error that says where,
 * or a value that can be checked and printed.
 */
#include <criterion/criterion.h>
#include <libfdt.h>
#include <string.h>

#include "bootinfo/boot_info_check.h"
#include "bootinfo/boot_info_parse.h"
#include "bootinfo/boot_info_print.h"
#include "bootinfo/host_info_parse.h"
#include "helpers/tree_builder.h"
#include "tests/bootinfo/example_trees.h"

#define ROUNDS 3000

static uint32_t next_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

static const Bytes trees[] = {
	{ x64_numa_roles_boot_dtb, sizeof(x64_numa_roles_boot_dtb) },
	{ x64_numa_roles_host_dtb, sizeof(x64_numa_roles_host_dtb) },
	{ a64_address_host_dtb, sizeof(a64_address_host_dtb) },
	{ x64_low_only_host_dtb, sizeof(x64_low_only_host_dtb) },
};

static void flip_bit(uint8_t *bytes, size_t *len, uint32_t *seed)
{
	const uint32_t at = next_random(seed);

	bytes[at % *len] ^= (uint8_t)(1u << (at >> 29));
}

/* One cell, of the header or anywhere, becomes a number that likes to break things. */
static void change_cell(uint8_t *bytes, size_t *len, uint32_t *seed)
{
	static const uint32_t values[] = { 0, 1, 2, 3, 4, 9, 13, 16, 0xfff, 0x1000, 0x7fffffff,
		0x80000000, 0xfffffff0, 0xfffff000, 0xffffffff };
	const size_t cells = next_random(seed) % 4 == 0 ? 10 : *len / 4;

	fdt32_st(bytes + 4 * (next_random(seed) % cells),
		values[next_random(seed) % ARRAY_COUNT(values)]);
}

/* A length or a token moves a little. */
static void nudge_cell(uint8_t *bytes, size_t *len, uint32_t *seed)
{
	uint8_t *at = bytes + 4 * (next_random(seed) % (*len / 4));

	fdt32_st(at, fdt32_ld((const fdt32_t *)(const void *)at) + next_random(seed) % 9 - 4);
}

static void swap_cells(uint8_t *bytes, size_t *len, uint32_t *seed)
{
	uint8_t *a = bytes + 4 * (next_random(seed) % (*len / 4));
	uint8_t *b = bytes + 4 * (next_random(seed) % (*len / 4));
	uint8_t kept[4];

	memcpy(kept, a, 4);
	memmove(a, b, 4);
	memcpy(b, kept, 4);
}

static void swap_tokens(uint8_t *bytes, size_t *len, uint32_t *seed)
{
	for (size_t tries = 0; tries < 64; tries++) {
		uint8_t *at = bytes + 4 * (next_random(seed) % (*len / 4));
		const uint32_t token = fdt32_ld((const fdt32_t *)(const void *)at);

		if (token >= FDT_BEGIN_NODE && token <= FDT_NOP) {
			fdt32_st(at, 1 + next_random(seed) % 5);
			return;
		}
	}
}

static void cut_off(uint8_t *bytes, size_t *len, uint32_t *seed)
{
	*len = next_random(seed) % *len;
	if (*len >= 8 && next_random(seed) % 2)
		fdt32_st(bytes + 4, (uint32_t)*len);
}

static void (*const mutations[])(uint8_t *, size_t *, uint32_t *) = { flip_bit, change_cell,
	nudge_cell, swap_cells, swap_tokens, cut_off };

/* The damaged tree, alone in its allocation; some lie at an odd address. */
static Bytes damage(Bytes tree, Arena *arena, uint32_t *seed)
{
	uint8_t *bytes = tree_copy(arena, tree);
	const unsigned count = 1 + next_random(seed) % 3;
	const size_t shift = next_random(seed) % 8 == 0 ? 1 : 0;
	size_t len = tree.len;
	Error err;

	for (unsigned i = 0; i < count && len >= 40; i++)
		mutations[next_random(seed) % ARRAY_COUNT(mutations)](bytes, &len, seed);

	uint8_t *exact = arena_alloc(arena, len + shift, 8, &err);

	memcpy(exact + shift, bytes, len);
	return (Bytes){ exact + shift, len };
}

static void assert_told(const Error *err, size_t len)
{
	cr_assert_neq(err->diagnostic, PVW_NONE);
	cr_assert_str_not_empty(err->text);
	cr_assert_str_not_empty(err->source);
	if (err->has_offset)
		cr_assert_leq(err->offset, len);
}

static bool try_boot(Bytes blob, GuestArch arch, Arena *arena)
{
	Error err = { 0 };
	BootInfo info;
	Bytes text;

	if (!boot_info_parse(arch, blob, arena, &info, &err)) {
		assert_told(&err, blob.len);
		return false;
	}
	cr_assert(boot_info_print(&info, arena, &text, &err), "%s", err.text);
	for (size_t i = 1; i < info.map.count; i++)
		cr_assert_leq(info.map.items[i - 1].range.start, info.map.items[i].range.start);
	for (size_t i = 0; i < info.map.count; i++)
		cr_assert_lt(info.map.items[i].range.start, info.map.items[i].range.end);
	if (!boot_info_validate(&info, arena, NULL, &err))
		assert_told(&err, blob.len);
	return true;
}

static bool try_host(Bytes blob, GuestArch arch, Arena *arena)
{
	Error err = { 0 };
	HostInfo info;

	if (!host_info_parse(arch, blob, arena, &info, &err)) {
		assert_told(&err, blob.len);
		return false;
	}
	cr_assert_gt(info.cpus.count, 0);
	for (size_t i = 1; i < info.memory.count; i++)
		cr_assert_leq(
			info.memory.items[i - 1].range.end, info.memory.items[i].range.start);
	return true;
}

/* Returns how many damaged trees were taken, and mixes what happened into @trace. */
static size_t run(uint32_t seed, uint32_t *trace)
{
	Arena *arena = arena_new(8 << 20);
	size_t taken = 0;

	for (unsigned i = 0; i < ROUNDS; i++) {
		const Bytes blob = damage(trees[i % ARRAY_COUNT(trees)], arena, &seed);
		const GuestArch arch = (GuestArch)(i / 2 % GUEST_ARCH_COUNT);
		const bool boot = try_boot(blob, arch, arena);
		const bool host = try_host(blob, arch, arena);

		taken += boot || host;
		*trace = *trace * 31 + (uint32_t)(2 * boot + host);
		arena_reset(arena);
	}
	arena_free(arena);
	return taken;
}

Test(mutation, damaged_trees_give_errors_or_values)
{
	uint32_t trace = 0;
	const size_t taken = run(12345, &trace);

	/* Both happen: else the damage would be too great, or none. */
	cr_assert_gt(taken, ROUNDS / 20, "%zu taken", taken);
	cr_assert_lt(taken, ROUNDS - ROUNDS / 4, "%zu taken", taken);
}

Test(mutation, every_run_is_the_same)
{
	uint32_t first = 0, second = 0;

	run(99, &first);
	run(99, &second);

	cr_assert_eq(first, second);
}

Test(mutation, every_prefix_of_a_tree_is_refused)
{
	Arena *arena = arena_new(8 << 20);

	for (size_t len = 0; len < trees[0].len; len++) {
		cr_assert_not(
			try_boot((Bytes){ trees[0].data, len }, GUEST_ARCH_X86_64, arena));
		arena_reset(arena);
	}
	arena_free(arena);
}
