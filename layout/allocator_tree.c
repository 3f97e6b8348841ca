/*
 * Free space as a search tree by address, for many requests.
 *
 * Each node knows how many bytes an aligned request could get from its range, each subtree the
 * best of its nodes. A size fits where that figure is large enough, from above as from below:
 *
 *	range     [ start ... aligned .................... end )
 *	usable              [ <------- size fits -------> )
 *
 * so the highest or lowest fit is one way down. The figures hold for one alignment; requests
 * come in order of alignment, and there are at most 52 of them. The tree is a treap whose
 * priorities follow from the number of the node, so it is the same for the same requests.
 */
#include "layout/allocator_internal.h"

#define NO_NODE 0

typedef struct TreeNode {
	MemoryRange range;
	uint64_t usable, best;
	uint32_t left, right, priority;
} TreeNode;

typedef struct SpaceTree {
	const WindowPhase *phase;
	TreeNode *nodes; /* from 1 on */
	uint32_t count, root;
	uint64_t align;
} SpaceTree;

static uint64_t usable_bytes(const SpaceTree *tree, MemoryRange range)
{
	const WindowPhase *phase = tree->phase;
	const uint64_t low = range.start > phase->floor ? range.start : phase->floor;
	const uint64_t high = range.end < phase->ceiling ? range.end : phase->ceiling;
	uint64_t start;

	if (!checked_align_up(low, tree->align, &start) || start >= high)
		return 0;
	return high - start;
}

static void update_best(SpaceTree *tree, uint32_t at)
{
	TreeNode *node = &tree->nodes[at];
	const uint64_t left = tree->nodes[node->left].best;
	const uint64_t right = tree->nodes[node->right].best;

	node->best = node->usable > left ? node->usable : left;
	if (right > node->best)
		node->best = right;
}

static uint32_t new_node(SpaceTree *tree, MemoryRange range)
{
	const uint32_t at = ++tree->count;
	const uint64_t usable = usable_bytes(tree, range);

	tree->nodes[at] = (TreeNode){
		.range = range,
		.usable = usable,
		.best = usable,
		/* The golden ratio of 2^32: spreads consecutive numbers. */
		.priority = at * UINT32_C(2654435769),
	};
	return at;
}

static uint32_t rotate_right(SpaceTree *tree, uint32_t at)
{
	const uint32_t up = tree->nodes[at].left;

	tree->nodes[at].left = tree->nodes[up].right;
	tree->nodes[up].right = at;
	update_best(tree, at);
	update_best(tree, up);
	return up;
}

static uint32_t rotate_left(SpaceTree *tree, uint32_t at)
{
	const uint32_t up = tree->nodes[at].right;

	tree->nodes[at].right = tree->nodes[up].left;
	tree->nodes[up].left = at;
	update_best(tree, at);
	update_best(tree, up);
	return up;
}

/* Puts a node into the tree below @at; returns what now stands there. */
static uint32_t insert_node(SpaceTree *tree, uint32_t at, uint32_t node)
{
	TreeNode *nodes = tree->nodes;

	if (at == NO_NODE)
		return node;
	if (nodes[node].range.start < nodes[at].range.start) {
		nodes[at].left = insert_node(tree, nodes[at].left, node);
		if (nodes[nodes[at].left].priority > nodes[at].priority)
			return rotate_right(tree, at);
	} else {
		nodes[at].right = insert_node(tree, nodes[at].right, node);
		if (nodes[nodes[at].right].priority > nodes[at].priority)
			return rotate_left(tree, at);
	}
	update_best(tree, at);
	return at;
}

/* Computes every figure anew, for another alignment. */
static void refresh_all(SpaceTree *tree, uint32_t at)
{
	if (at == NO_NODE)
		return;
	refresh_all(tree, tree->nodes[at].left);
	refresh_all(tree, tree->nodes[at].right);
	tree->nodes[at].usable = usable_bytes(tree, tree->nodes[at].range);
	update_best(tree, at);
}

/* Computes the figures of node @changed and of everything above it anew. */
static void refresh_path(SpaceTree *tree, uint32_t at, uint32_t changed)
{
	TreeNode *nodes = tree->nodes;

	if (at == changed)
		nodes[at].usable = usable_bytes(tree, nodes[at].range);
	else if (nodes[changed].range.start < nodes[at].range.start)
		refresh_path(tree, nodes[at].left, changed);
	else
		refresh_path(tree, nodes[at].right, changed);
	update_best(tree, at);
}

/* The highest or lowest node with room for @size, or NO_NODE. */
static uint32_t find_node(const SpaceTree *tree, uint64_t size)
{
	const TreeNode *nodes = tree->nodes;
	const bool top_down = tree->phase->top_down;
	uint32_t at = tree->root;

	if (nodes[at].best < size)
		return NO_NODE;
	for (;;) {
		const uint32_t near = top_down ? nodes[at].right : nodes[at].left;

		if (nodes[near].best >= size)
			at = near;
		else if (nodes[at].usable >= size)
			return at;
		else
			at = top_down ? nodes[at].left : nodes[at].right;
	}
}

/* Removes @taken from the range of a node; an empty rest stays where the range was. */
static void take_from_node(SpaceTree *tree, uint32_t at, MemoryRange taken)
{
	const MemoryRange was = tree->nodes[at].range;

	if (was.start < taken.start)
		tree->nodes[at].range.end = taken.start;
	else
		tree->nodes[at].range.start = taken.end;
	refresh_path(tree, tree->root, at);
	if (was.start < taken.start && taken.end < was.end)
		tree->root = insert_node(
			tree, tree->root, new_node(tree, (MemoryRange){ taken.end, was.end }));
}

static void flatten(const SpaceTree *tree, uint32_t at, FreeSpace *space)
{
	if (at == NO_NODE)
		return;
	flatten(tree, tree->nodes[at].left, space);
	if (!memory_range_is_empty(tree->nodes[at].range))
		space->items[space->count++] = tree->nodes[at].range;
	flatten(tree, tree->nodes[at].right, space);
}

bool window_phase_tree(WindowPhase *phase, FreeSpace *space, Arena *arena, Error *err)
{
	const size_t left = phase->count - phase->placed;
	SpaceTree tree = { .phase = phase, .align = PAGE_SIZE };

	tree.nodes = reserve_array(arena, TreeNode, space->count + left + 1, err);
	if (!tree.nodes)
		return false;
	tree.nodes[NO_NODE] = (TreeNode){ 0 };
	for (size_t i = 0; i < space->count; i++)
		tree.root = insert_node(&tree, tree.root, new_node(&tree, space->items[i]));
	for (; phase->placed < phase->count; phase->placed++) {
		const size_t request = phase->order[phase->placed].index;
		const AllocatorRequest *asked = &phase->requests[request];
		MemoryRange *range = &phase->ranges[request];
		uint32_t at;

		if (asked->align != tree.align) {
			tree.align = asked->align;
			refresh_all(&tree, tree.root);
		}
		at = find_node(&tree, asked->size);
		if (at == NO_NODE ||
			!window_fit(phase, tree.nodes[at].range, asked->size, asked->align,
				&range->start))
			break;
		range->end = range->start + asked->size;
		phase->top = range->end > phase->top ? range->end : phase->top;
		take_from_node(&tree, at, *range);
	}
	space->count = 0;
	flatten(&tree, tree.root, space);
	return true;
}
