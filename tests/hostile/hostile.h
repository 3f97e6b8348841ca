/*
 * Damage by seed: equal seeds damage equally, on every machine.
 */
#ifndef TESTS_HOSTILE_HOSTILE_H
#define TESTS_HOSTILE_HOSTILE_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* PVW_SEED=N runs this one alone. */
static inline uint64_t hostile_only_seed(void)
{
	const char *text = getenv("PVW_SEED");

	return text ? strtoull(text, NULL, 0) : UINT64_MAX;
}

/* PVW_SEEDS=N runs more than the thousand of every day, or fewer. */
static inline uint64_t hostile_seeds(void)
{
	const char *text = getenv("PVW_SEEDS");

	return text ? strtoull(text, NULL, 0) : 1000;
}

typedef struct Dice {
	uint64_t state;
} Dice;

/* SplitMix64. */
static inline uint64_t dice_u64(Dice *dice)
{
	uint64_t z = dice->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

/* Below @bound, which is not 0. */
static inline size_t dice_below(Dice *dice, size_t bound)
{
	return (size_t)(dice_u64(dice) % bound);
}

/* Bytes that are damaged in place, or grow up to @cap. */
typedef struct Clay {
	uint8_t *data;
	size_t len, cap;
} Clay;

static inline void clay_insert(Clay *clay, size_t at, const uint8_t *data, size_t len)
{
	if (clay->len + len > clay->cap)
		return;
	memmove(clay->data + at + len, clay->data + at, clay->len - at);
	memmove(clay->data + at, data, len);
	clay->len += len;
}

static inline void clay_cut(Clay *clay, size_t at, size_t len)
{
	memmove(clay->data + at, clay->data + at + len, clay->len - at - len);
	clay->len -= len;
}

static inline void clay_flip_bit(Clay *clay, Dice *dice)
{
	clay->data[dice_below(dice, clay->len)] ^= (uint8_t)(1u << dice_below(dice, 8));
}

/* A big-endian number of 1, 2, 4 or 8 bytes that is at an edge of something. */
static inline void clay_put_edge(Clay *clay, Dice *dice, size_t align)
{
	static const uint64_t edges[] = { 0, 1, 2, 3, 7, 0x7f, 0x80, 0xff, 0xfff, 0x1000,
		0x7fff, 0xffff, 0x10000, 0x100000, 0x7fffffff, 0x80000000, 0xfffff000,
		0xffffffff, 0x100000000, 0x7fffffffffffffff, 0x8000000000000000,
		0xfffffffffffff000, 0xffffffffffffffff };
	const size_t width = (size_t)1 << dice_below(dice, 4);
	const uint64_t edge = edges[dice_below(dice, sizeof(edges) / sizeof(edges[0]))];
	const size_t at = dice_below(dice, clay->len) / align * align;

	for (size_t i = 0; i < width && at + i < clay->len; i++)
		clay->data[at + i] = (uint8_t)(edge >> 8 * (width - 1 - i));
}

static inline void clay_copy_over(Clay *clay, Dice *dice)
{
	uint8_t piece[64];
	const size_t len = 1 + dice_below(dice, sizeof(piece));

	if (clay->len <= len)
		return;
	memcpy(piece, clay->data + dice_below(dice, clay->len - len), len);
	memcpy(clay->data + dice_below(dice, clay->len - len), piece, len);
}

static inline void clay_insert_copy(Clay *clay, Dice *dice)
{
	uint8_t piece[64];
	const size_t len = 1 + dice_below(dice, sizeof(piece));

	if (clay->len <= len)
		return;
	memcpy(piece, clay->data + dice_below(dice, clay->len - len), len);
	clay_insert(clay, dice_below(dice, clay->len), piece, len);
}

static inline void clay_cut_some(Clay *clay, Dice *dice)
{
	const size_t len = 1 + dice_below(dice, 64);

	if (clay->len > len)
		clay_cut(clay, dice_below(dice, clay->len - len), len);
}

static inline void clay_truncate(Clay *clay, Dice *dice)
{
	clay->len = 1 + dice_below(dice, clay->len);
}

/* One piece of damage. */
static inline void clay_damage(Clay *clay, Dice *dice)
{
	switch (dice_below(dice, 8)) {
	case 0:
		clay_copy_over(clay, dice);
		break;
	case 1:
		clay_insert_copy(clay, dice);
		break;
	case 2:
		clay_cut_some(clay, dice);
		break;
	case 3:
		clay_put_edge(clay, dice, 1);
		break;
	case 4:
		clay_put_edge(clay, dice, 4);
		break;
	default:
		clay_flip_bit(clay, dice);
		break;
	}
}

#endif
