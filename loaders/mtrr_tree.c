/*
 * The fewest MTRR pairs for a memory layout, by dynamic programming over aligned blocks.
 *
 * A pair covers a block: a power of two of bytes at a multiple of its size. Blocks form a binary
 * tree whose root is the whole address space. Uncached wins where pairs overlap, so nothing
 * below an uncached block helps, and write-back inside write-back is idle: on each way down
 * from the root there is at most one write-back block and then at most one uncached block. So a
 * node has two prices,
 *
 *	outside  no write-back block above it:
 *		0 without RAM, 1 without MMIO,
 *		else the cheaper of both halves outside, and 1 + inside
 *	inside   under a write-back block:
 *		0 without MMIO, 1 without RAM, else both halves inside
 *
 * and the price of the root outside is the answer. Only nodes that hold both RAM and MMIO are
 * split: at most one a level for each edge of a range. Source: [SDM3] 12.11.3, 12.11.4.1
 */
#include "loaders/mtrr_internal.h"

/* No block above 8 TiB: readers with 32 bits of page count take a larger one for empty. */
#define LARGEST_BLOCK_BITS 43

/* Pairs in the upper half, uncached pairs in the lower: sums and comparisons are one operation. */
typedef uint64_t Price;
#define PRICE_WRITE_BACK (UINT64_C(1) << 32)
#define PRICE_UNCACHED (PRICE_WRITE_BACK | 1)

typedef struct Prices {
	Price inside;
	Price outside;      /* holes allowed */
	Price outside_only; /* write-back blocks alone */
} Prices;

/* A node that was split, in pre-order: its left half, if split too, is the next one. */
typedef struct TreeNode {
	uint32_t right; /* index of its right half, if that was split */
	bool hole;      /* outside: a write-back block here with holes in it is cheaper */
} TreeNode;

/* A block of 2^bits bytes and the segments that it meets. */
typedef struct Block {
	uint64_t start;
	uint32_t first, last; /* segments */
	uint8_t bits;
} Block;

struct MtrrTree {
	MtrrSpace space;
	bool strict;
	Block root;
	Prices prices; /* of the root */
	TreeNode *nodes;
	uint32_t count;
};

/* What is in a block, under the rule: strict takes all that is not RAM for MMIO. */
static inline bool block_has_ram(const MtrrTree *tree, const Block *block)
{
	return mtrr_space_ram(&tree->space, block->first, block->last) != 0;
}

static inline bool block_has_mmio(const MtrrTree *tree, const Block *block)
{
	if (tree->strict)
		return mtrr_space_ram(&tree->space, block->first, block->last) !=
			block->last - block->first + 1;
	return mtrr_space_mmio(&tree->space, block->first, block->last) != 0;
}

/* The halves of a block. The cut lies in a segment of it, or between two. */
static inline void halve(const MtrrTree *tree, const Block *block, Block *left, Block *right)
{
	const MtrrSegment *segments = tree->space.segments;
	const uint8_t bits = (uint8_t)(block->bits - 1);
	const uint64_t middle = block->start + (UINT64_C(1) << bits);
	uint32_t at = block->first, high = block->last;

	while (at < high) {
		const uint32_t probe = at + (high - at + 1) / 2;

		if (segments[probe].start <= middle)
			at = probe;
		else
			high = probe - 1;
	}
	*left = (Block){ block->start, block->first, at - (segments[at].start == middle),
		bits };
	*right = (Block){ middle, at, block->last, bits };
}

/* The prices of a block that need no split; false if it holds both RAM and MMIO. */
static inline bool price_whole(const MtrrTree *tree, const Block *block, Prices *out)
{
	const bool has_mmio = block_has_mmio(tree, block);

	if (!block_has_ram(tree, block)) {
		*out = (Prices){ .inside = has_mmio ? PRICE_UNCACHED : 0 };
		return true;
	}
	if (has_mmio || block->bits > LARGEST_BLOCK_BITS)
		return false;
	*out = (Prices){ 0, PRICE_WRITE_BACK, PRICE_WRITE_BACK };
	return true;
}

/* A block that must be split. */
static Prices price_split(MtrrTree *tree, const Block *block)
{
	TreeNode *node = &tree->nodes[tree->count++];
	Block left_half, right_half;
	Prices left, right, sum;

	halve(tree, block, &left_half, &right_half);
	if (!price_whole(tree, &left_half, &left))
		left = price_split(tree, &left_half);
	*node = (TreeNode){ .right = tree->count };
	if (!price_whole(tree, &right_half, &right))
		right = price_split(tree, &right_half);

	sum = (Prices){
		left.inside + right.inside,
		left.outside + right.outside,
		left.outside_only + right.outside_only,
	};
	if (block->bits <= LARGEST_BLOCK_BITS && PRICE_WRITE_BACK + sum.inside < sum.outside) {
		node->hole = true;
		sum.outside = PRICE_WRITE_BACK + sum.inside;
	}
	return sum;
}

/*
 * The smallest block at 0 that holds all RAM and MMIO. A larger one is never cheaper: it would
 * hold the same, and of equals the smaller one is wanted.
 */
static Block root_of(const MtrrSpace *space)
{
	const uint32_t last = space->count - 1;
	const bool unused =
		!mtrr_space_ram(space, last, last) && !mtrr_space_mmio(space, last, last);
	const uint64_t end = space->segments[unused ? last : last + 1].start;
	const uint8_t bits = (uint8_t)(64 - __builtin_clzll(end - 1));

	return (Block){ 0, 0, unused && end >> bits ? last - 1 : last, bits };
}

/*
 * How many nodes can be split: for an edge at a multiple of 2^k, one on each level above k; and
 * where blocks are limited, those that are too large although they hold nothing but RAM.
 */
static size_t most_nodes(const MtrrSpace *space, const Block *root)
{
	size_t nodes = 1;

	if (root->bits > LARGEST_BLOCK_BITS)
		nodes = (size_t)1 << (root->bits - LARGEST_BLOCK_BITS);
	for (uint32_t i = 1; i <= root->last; i++)
		nodes += root->bits - (size_t)__builtin_ctzll(space->segments[i].start);
	return nodes;
}

bool mtrr_tree_solve(
	const MtrrSpace *space, bool strict, Arena *arena, MtrrTree **out, Error *err)
{
	MtrrTree *tree = arena_array(arena, MtrrTree, 1, err);

	if (!tree)
		return false;
	*tree = (MtrrTree){ .space = *space, .strict = strict, .root = root_of(space) };
	tree->nodes = arena_reserve(arena, most_nodes(space, &tree->root) * sizeof(TreeNode),
		_Alignof(TreeNode), err);
	if (!tree->nodes)
		return false;
	if (!price_whole(tree, &tree->root, &tree->prices))
		tree->prices = price_split(tree, &tree->root);
	arena_shrink(arena, tree->nodes, tree->count * sizeof(*tree->nodes));
	*out = tree;
	return true;
}

MtrrNeed mtrr_tree_need(const MtrrTree *tree, bool holes)
{
	const Price price = holes ? tree->prices.outside : tree->prices.outside_only;

	return (MtrrNeed){ .pairs = price >> 32, .uncached = price & UINT32_MAX };
}

static void place(const MtrrTree *tree, const Block *block, MtrrType type, MtrrSet *out)
{
	const uint64_t address_mask = mtrr_address_mask(tree->space.address_bits);
	const uint64_t mask = address_mask & ~((UINT64_C(1) << block->bits) - 1);

	if (out->count == MTRR_MAX_PAIRS)
		return; /* the caller compares counts */
	out->pairs[out->count++] = (MtrrPair){
		.base = block->start | (uint64_t)type,
		.mask = mask | MTRR_MASK_VALID,
	};
}

typedef enum Walk {
	WALK_OUTSIDE,      /* no write-back block above, holes allowed */
	WALK_OUTSIDE_ONLY, /* no write-back block above, no holes */
	WALK_INSIDE        /* under a write-back block */
} Walk;

/* The choices of price_split once more, from the root on: @node is the block's, if it was split. */
static void emit(
	const MtrrTree *tree, Walk walk, const Block *block, uint32_t node, MtrrSet *out)
{
	const bool has_mmio = block_has_mmio(tree, block);
	Block left, right;

	if (!block_has_ram(tree, block)) {
		if (walk == WALK_INSIDE && has_mmio)
			place(tree, block, MTRR_UNCACHED, out);
		return;
	}
	if (!has_mmio && block->bits <= LARGEST_BLOCK_BITS) {
		if (walk != WALK_INSIDE)
			place(tree, block, MTRR_WRITE_BACK, out);
		return;
	}
	if (walk == WALK_OUTSIDE && tree->nodes[node].hole) {
		place(tree, block, MTRR_WRITE_BACK, out);
		walk = WALK_INSIDE;
	}
	halve(tree, block, &left, &right);
	emit(tree, walk, &left, node + 1, out);
	emit(tree, walk, &right, tree->nodes[node].right, out);
}

void mtrr_tree_emit(const MtrrTree *tree, bool holes, MtrrSet *out)
{
	*out = (MtrrSet){ 0 };
	emit(tree, holes ? WALK_OUTSIDE : WALK_OUTSIDE_ONLY, &tree->root, 0, out);
}
