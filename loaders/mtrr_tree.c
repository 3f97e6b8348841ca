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

struct MtrrTree {
	MtrrSpace space;
	bool strict;
	Prices prices; /* of the root */
	TreeNode *nodes;
	uint32_t count;
};

/* A block of 2^bits bytes and the segments that it meets. */
typedef struct Block {
	uint64_t start;
	uint32_t first, last; /* segments */
	uint8_t bits;
} Block;

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

/* The segment that holds @address, among those of the block. */
static uint32_t find_segment(const MtrrSpace *space, const Block *block, uint64_t address)
{
	uint32_t low = block->first, high = block->last;

	while (low < high) {
		const uint32_t middle = low + (high - low + 1) / 2;

		if (space->segments[middle].start <= address)
			low = middle;
		else
			high = middle - 1;
	}
	return low;
}

static void halve(const MtrrTree *tree, const Block *block, Block *left, Block *right)
{
	const uint8_t bits = (uint8_t)(block->bits - 1);
	const uint64_t middle = block->start + (UINT64_C(1) << bits);
	const uint32_t at = find_segment(&tree->space, block, middle);
	const bool cut_there = tree->space.segments[at].start == middle;

	*left = (Block){ block->start, block->first, cut_there ? at - 1 : at, bits };
	*right = (Block){ middle, at, block->last, bits };
}

static Prices solve(MtrrTree *tree, const Block *block)
{
	const bool may_place = block->bits <= LARGEST_BLOCK_BITS;
	Block left_half, right_half;
	Prices left, right, sum;
	TreeNode *node;

	if (!block_has_ram(tree, block))
		return (Prices){ .inside = block_has_mmio(tree, block) ? PRICE_UNCACHED : 0 };
	if (may_place && !block_has_mmio(tree, block))
		return (Prices){ 0, PRICE_WRITE_BACK, PRICE_WRITE_BACK };

	node = &tree->nodes[tree->count++];
	halve(tree, block, &left_half, &right_half);
	left = solve(tree, &left_half);
	node->right = tree->count;
	right = solve(tree, &right_half);

	sum = (Prices){
		left.inside + right.inside,
		left.outside + right.outside,
		left.outside_only + right.outside_only,
	};
	if (may_place && PRICE_WRITE_BACK + sum.inside < sum.outside) {
		node->hole = true;
		sum.outside = PRICE_WRITE_BACK + sum.inside;
	}
	return sum;
}

static Block root_of(const MtrrTree *tree)
{
	return (Block){ 0, 0, tree->space.count - 1, tree->space.address_bits };
}

/*
 * How many nodes can be split: for an edge at a multiple of 2^k, one on each level above k; and
 * where blocks are limited, those that are too large although they hold nothing but RAM.
 */
static size_t most_nodes(const MtrrSpace *space)
{
	const uint32_t last = space->count - 1;
	const uint64_t end =
		space->segments[mtrr_space_ram(space, last, last) ? last + 1 : last].start;
	size_t nodes = (size_t)(end >> LARGEST_BLOCK_BITS) + 1 + MTRR_MAX_ADDRESS_BITS -
		LARGEST_BLOCK_BITS;

	for (uint32_t i = 1; i < space->count; i++)
		nodes +=
			space->address_bits - (size_t)__builtin_ctzll(space->segments[i].start);
	return nodes;
}

bool mtrr_tree_solve(
	const MtrrSpace *space, bool strict, Arena *arena, MtrrTree **out, Error *err)
{
	MtrrTree *tree = arena_array(arena, MtrrTree, 1, err);
	Block root;

	if (!tree)
		return false;
	*tree = (MtrrTree){ .space = *space, .strict = strict };
	tree->nodes = arena_array(arena, TreeNode, most_nodes(space), err);
	if (!tree->nodes)
		return false;
	root = root_of(tree);
	tree->prices = solve(tree, &root);
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

/* The choices that solve made, once more, from the root: @node is the block's, if it was split. */
static void emit(
	const MtrrTree *tree, Walk walk, const Block *block, uint32_t node, MtrrSet *out)
{
	const bool may_place = block->bits <= LARGEST_BLOCK_BITS;
	const bool has_ram = block_has_ram(tree, block);
	const bool has_mmio = block_has_mmio(tree, block);
	Block left, right;

	if (walk == WALK_INSIDE && has_mmio && !has_ram)
		place(tree, block, MTRR_UNCACHED, out);
	if (walk != WALK_INSIDE && has_ram && !has_mmio && may_place)
		place(tree, block, MTRR_WRITE_BACK, out);
	if (!has_ram || (!has_mmio && may_place))
		return;

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
	const Block root = root_of(tree);

	*out = (MtrrSet){ 0 };
	emit(tree, holes ? WALK_OUTSIDE : WALK_OUTSIDE_ONLY, &root, 0, out);
}
