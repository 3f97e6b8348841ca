/*
 * PPTT: packages, cores, threads and their caches. [ACPI65] 5.2.30
 *
 * Nodes are put while walking the processors in order: a package before its first core, a core
 * before its first thread. Which processor is the first of its package or core is found out
 * beforehand by sorting, so that a hostile topology costs no more than a tame one.
 */
#include "acpi/acpi_format.h"
#include "acpi/acpi_internal.h"
#include "acpi/acpi_table.h"
#include "support/diagnostics.h"

#define PPTT_REVISION 1
#define CACHE_TYPE_SHIFT 2
#define PROCESSOR_BOUND                                                                        \
	(4 * sizeof(PpttCache) + 3 * sizeof(PpttProcessor) + 3 * sizeof(uint32_t))

/* The caches that a processor can have; of several descriptions of one the first counts. */
typedef struct PpttCaches {
	const AcpiCache *l1_data, *l1_instruction, *l2, *l3;
} PpttCaches;

size_t acpi_bound_pptt(const AcpiInputs *in)
{
	return sizeof(AcpiHeader) + in->topology->count * PROCESSOR_BOUND;
}

static const AcpiCache *find_cache(const AcpiInputs *in, uint8_t level, AcpiCacheType type)
{
	for (size_t i = 0; i < in->cache_count; i++) {
		if (in->caches[i].level == level && in->caches[i].type == type)
			return &in->caches[i];
	}
	return NULL;
}

static bool has_threads(const ProcessorTopology *topology)
{
	if (topology->arch == GUEST_ARCH_X86_64)
		return topology->smt;
	for (size_t vp = 0; vp < topology->count; vp++) {
		if (topology->vps[vp].mpidr & MPIDR_MT)
			return true;
	}
	return false;
}

/*
 * The core's number within its package. By thread: with threads two siblings share a core, and
 * without them every processor is one. The reference counts otherwise.
 */
static uint32_t core_of(
	const ProcessorTopology *topology, ProcessorPlace place, bool threads, bool by_thread)
{
	if (!by_thread)
		return place.core;
	if (topology->arch == GUEST_ARCH_X86_64)
		return threads ? place.core / 2 : place.core;
	return threads ? place.core : place.core << 8 | place.thread;
}

static bool comes_before(const AcpiPlace *a, const AcpiPlace *b)
{
	return a->key != b->key ? a->key < b->key : a->vp < b->vp;
}

static void sift_down(AcpiPlace *heap, size_t at, size_t count)
{
	const AcpiPlace moved = heap[at];

	for (;;) {
		size_t child = 2 * at + 1;

		if (child >= count)
			break;
		if (child + 1 < count && comes_before(&heap[child], &heap[child + 1]))
			child++;
		if (!comes_before(&moved, &heap[child]))
			break;
		heap[at] = heap[child];
		at = child;
	}
	heap[at] = moved;
}

/* Heap sort: in place, and never slow. */
static void sort_places(AcpiPlace *places, size_t count)
{
	for (size_t i = count / 2; i > 0; i--)
		sift_down(places, i - 1, count);
	for (size_t end = count; end > 1; end--) {
		const AcpiPlace last = places[end - 1];

		places[end - 1] = places[0];
		places[0] = last;
		sift_down(places, 0, end - 1);
	}
}

/* Tell every processor which is the first of its core, and which of its package. */
static void group_places(const AcpiContext *c, bool threads)
{
	const ProcessorTopology *topology = c->in->topology;
	const bool by_thread = acpi_form(c->in->profile)->pptt_by_thread;
	AcpiPlace *places = c->places;
	size_t core = 0, package = 0;

	for (size_t vp = 0; vp < topology->count; vp++) {
		const ProcessorPlace place = topology_place(topology, vp);

		places[vp].vp = (uint32_t)vp;
		places[vp].key = (uint64_t)place.socket << 32 |
			core_of(topology, place, threads, by_thread);
	}
	sort_places(places, topology->count);
	for (size_t i = 0; i < topology->count; i++) {
		AcpiPlace *own = &places[places[i].vp];

		if (places[i].key != places[core].key)
			core = i;
		if (places[i].key >> 32 != places[package].key >> 32)
			package = i;
		own->core = (uint32_t)core;
		own->package = (uint32_t)package;
	}
}

/* Offset of the node, 0 if there is no such cache. */
static uint32_t put_cache(ByteWriter *w, size_t mark, const AcpiForm *form,
	const AcpiCache *cache, uint32_t next_level)
{
	const uint32_t at = (uint32_t)(w->len - mark);
	PpttCache node = {
		.type = PPTT_CACHE, .length = form->pptt_cache_length, .next_level = next_level
	};

	if (!cache)
		return 0;
	node.flags = PPTT_CACHE_SIZE_VALID | PPTT_CACHE_ASSOCIATIVITY_VALID |
		PPTT_CACHE_TYPE_VALID | PPTT_CACHE_LINE_VALID;
	/* "Fully associative" is no number of ways. */
	if (form->strict && cache->associativity == 0)
		node.flags &= ~(uint32_t)PPTT_CACHE_ASSOCIATIVITY_VALID;
	node.size = cache->size;
	node.associativity = (uint8_t)cache->associativity;
	node.attributes = (uint8_t)(cache->type << CACHE_TYPE_SHIFT);
	node.line_size = (uint16_t)cache->line_size;
	put_bytes(w, &node, form->pptt_cache_length);
	return at;
}

/* @resources: up to two offsets, 0 = none. Returns the node's offset. */
static uint32_t put_processor(ByteWriter *w, size_t mark, uint32_t flags, uint32_t parent,
	uint32_t uid, const uint32_t resources[2])
{
	const uint32_t at = (uint32_t)(w->len - mark);
	const uint32_t count = (resources[0] ? 1u : 0u) + (resources[1] ? 1u : 0u);
	const PpttProcessor node = { .type = PPTT_PROCESSOR,
		.length = (uint8_t)(sizeof(node) + count * sizeof(uint32_t)),
		.flags = flags,
		.parent = parent,
		.uid = uid,
		.resource_count = count };

	put_struct(w, node);
	for (size_t i = 0; i < 2; i++) {
		if (resources[i])
			put_u32(w, resources[i]);
	}
	return at;
}

static void put_nodes(const AcpiContext *c, ByteWriter *w, size_t mark,
	const PpttCaches *caches, bool threads)
{
	static const uint32_t none[2];
	const AcpiForm *form = acpi_form(c->in->profile);
	AcpiPlace *places = c->places;

	for (size_t vp = 0; vp < c->in->topology->count; vp++) {
		AcpiPlace *package = &places[places[vp].package],
			  *core = &places[places[vp].core];
		const uint32_t uid = acpi_processor_uid(vp);

		if (!package->package_node) {
			const uint32_t own[2] = { put_cache(w, mark, form, caches->l3, 0) };

			package->package_node =
				put_processor(w, mark, PPTT_PHYSICAL_PACKAGE, 0, 0, own);
		}
		if (!core->core_node) {
			const uint32_t l2 = put_cache(w, mark, form, caches->l2, 0);
			uint32_t own[2];

			own[0] = put_cache(w, mark, form, caches->l1_instruction, l2);
			own[1] = put_cache(w, mark, form, caches->l1_data, l2);
			core->core_node = put_processor(w, mark, threads ? 0 : PPTT_UID_VALID,
				package->package_node, threads ? 0 : uid, own);
		}
		if (threads)
			put_processor(w, mark, PPTT_UID_VALID, core->core_node, uid, none);
	}
}

static bool check(const AcpiInputs *in, Error *err)
{
	for (size_t i = 0; i < in->cache_count; i++) {
		const AcpiCache *cache = &in->caches[i];

		if (cache->associativity > UINT8_MAX || cache->line_size > UINT16_MAX)
			return error_set(err, PVW_ACPI_0021,
				"pptt: level %u cache of %u ways and lines of %u bytes, "
				"expected at most 255 and 65535",
				cache->level, cache->associativity, cache->line_size);
	}
	return true;
}

bool acpi_put_pptt(const AcpiContext *c, ByteWriter *w, Error *err)
{
	const AcpiInputs *in = c->in;
	const bool threads = has_threads(in->topology);
	const PpttCaches caches = {
		.l1_data = find_cache(in, 1, ACPI_CACHE_DATA),
		.l1_instruction = find_cache(in, 1, ACPI_CACHE_INSTRUCTION),
		.l2 = find_cache(in, 2, ACPI_CACHE_UNIFIED),
		.l3 = find_cache(in, 3, ACPI_CACHE_UNIFIED),
	};
	size_t mark;

	if (!check(in, err))
		return false;
	group_places(c, threads);
	mark = acpi_table_begin(
		w, "PPTT", PPTT_REVISION, acpi_identity(in, ACPI_IDENTITY_TABLES));
	put_nodes(c, w, mark, &caches, threads);
	acpi_table_end(w, mark);
	return true;
}
