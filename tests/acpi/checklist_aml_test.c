/*
 * What must hold of the name space of every shape: DSDT and SSDT together, read by a decoder of
 * the tests' own.
 */
#include "checklist.h"

#include <inttypes.h>

#include "helpers/aml_decode.h"

#define FAIL(c, node, what) cr_assert_fail("%s: %s: %s", (c)->name, (node)->path, what)

/* A device and what it says of itself. */
typedef struct Device {
	const AmlNode *node;
	const AmlNode *hid, *adr, *uid, *crs;
} Device;

typedef struct NameSpace {
	AmlWalk dsdt, ssdt;
	const AmlNode **nodes; /* of both, in order */
	size_t count;
	Device *devices;
	size_t device_count;
} NameSpace;

static AmlWalk walk_table(const Checked *c, AcpiTableId id)
{
	const Bytes table = checked_table(c, id);
	AmlWalk walk = { 0 };

	if (table.len)
		walk = aml_walk((Bytes){ table.data + 36, table.len - 36 });
	cr_assert_str_empty(walk.why, "%s: %s", c->name, walk.why);
	return walk;
}

static bool is_child(const AmlNode *node, const AmlNode *parent, const char *segment)
{
	const size_t len = strlen(parent->path);

	return strncmp(node->path, parent->path, len) == 0 && node->path[len] == '.' &&
		strcmp(node->path + len + 1, segment) == 0;
}

static void read_device(NameSpace *space, size_t index)
{
	Device *device = &space->devices[space->device_count++];

	device->node = space->nodes[index];
	for (size_t i = index + 1; i < space->count; i++) {
		const AmlNode *node = space->nodes[i];

		if (node->kind == AML_NODE_DEVICE || node->kind == AML_NODE_SCOPE)
			break;
		if (is_child(node, device->node, "_HID"))
			device->hid = node;
		if (is_child(node, device->node, "_ADR"))
			device->adr = node;
		if (is_child(node, device->node, "_UID"))
			device->uid = node;
		if (is_child(node, device->node, "_CRS"))
			device->crs = node;
	}
}

static NameSpace read_space(const Checked *c)
{
	NameSpace space = { .dsdt = walk_table(c, ACPI_DSDT),
		.ssdt = walk_table(c, ACPI_SSDT) };

	space.nodes = calloc(space.dsdt.count + space.ssdt.count, sizeof(*space.nodes));
	for (size_t i = 0; i < space.dsdt.count; i++)
		space.nodes[space.count++] = &space.dsdt.nodes[i];
	for (size_t i = 0; i < space.ssdt.count; i++)
		space.nodes[space.count++] = &space.ssdt.nodes[i];
	space.devices = calloc(space.count, sizeof(*space.devices));
	for (size_t i = 0; i < space.count; i++) {
		if (space.nodes[i]->kind == AML_NODE_DEVICE)
			read_device(&space, i);
	}
	return space;
}

static void free_space(NameSpace *space)
{
	aml_walk_free(&space->dsdt);
	aml_walk_free(&space->ssdt);
	free(space->nodes);
	free(space->devices);
}

static int compare_paths(const void *a, const void *b)
{
	return strcmp((*(const AmlNode *const *)a)->path, (*(const AmlNode *const *)b)->path);
}

/* No name twice, and none whose parent is not there. */
static void check_names(const Checked *c, const NameSpace *space)
{
	const AmlNode **sorted = calloc(space->count, sizeof(*sorted));
	size_t count = 0;

	for (size_t i = 0; i < space->count; i++) {
		if (space->nodes[i]->kind != AML_NODE_SCOPE)
			sorted[count++] = space->nodes[i];
	}
	qsort(sorted, count, sizeof(*sorted), compare_paths);
	for (size_t i = 1; i < count; i++) {
		if (strcmp(sorted[i - 1]->path, sorted[i]->path) == 0)
			FAIL(c, sorted[i], "declared twice");
	}
	for (size_t i = 0; i < space->device_count; i++) {
		const AmlNode *node = space->devices[i].node;
		const char *last = strrchr(node->path, '.');
		AmlNode parent = { 0 };
		const AmlNode *key = &parent;

		if (!last || strncmp(node->path, "\\_SB_.", 6) != 0 || last == node->path + 5)
			continue;
		strncpy(parent.path, node->path, (size_t)(last - node->path));
		if (!bsearch(&key, sorted, count, sizeof(*sorted), compare_paths))
			FAIL(c, node, "its parent is not there");
	}
	free(sorted);
}

/* All of ours lies below \_SB, but for sleep states and the event method. */
static void check_places(const Checked *c, const NameSpace *space)
{
	static const char *const outside[] = { "\\_S0_", "\\_S4_", "\\_S5_", "\\_GPE._E00",
		"\\_GPE" };

	for (size_t i = 0; i < space->count; i++) {
		const AmlNode *node = space->nodes[i];
		bool known = strncmp(node->path, "\\_SB_", 5) == 0;

		for (size_t k = 0; k < ARRAY_COUNT(outside); k++)
			known |= strcmp(node->path, outside[k]) == 0;
		if (!known)
			FAIL(c, node, "outside of \\_SB");
	}
}

/* [ACPI65] 6.1.5: an EISA id, or three or four characters and four hexadecimal digits. */
static bool is_legal_hid(const AmlNode *hid, char text[16])
{
	const char *string = aml_read_string(hid->body);
	size_t len;

	if (!string)
		return aml_read_eisa(hid->body, text);
	len = strlen(string);
	if (len != 7 && len != 8)
		return false;
	strcpy(text, string);
	for (size_t i = 0; i < len; i++) {
		const bool digit = string[i] >= '0' && string[i] <= '9';
		const bool letter = string[i] >= 'A' && string[i] <= (i < len - 4 ? 'Z' : 'F');

		if (!digit && !letter)
			return false;
	}
	return true;
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* _HID or _ADR, not both; no two devices of a _HID have the same _UID. */
static void check_ids(const Checked *c, const NameSpace *space)
{
	typedef char Id[40];
	Id *ids = calloc(space->device_count, sizeof(*ids));

	for (size_t i = 0; i < space->device_count; i++) {
		const Device *device = &space->devices[i];
		char hid[16] = "";
		uint64_t uid = UINT64_MAX;

		if (!device->hid == !device->adr)
			FAIL(c, device->node, "both of _HID and _ADR, or neither");
		if (!is_legal_hid(device->hid, hid))
			FAIL(c, device->node, "not a legal _HID");
		if (device->uid && !aml_read_integer(device->uid->body, &uid))
			FAIL(c, device->node, "_UID is no integer");
		snprintf(ids[i], sizeof(ids[i]), "%s %" PRIx64, hid, uid);
	}
	qsort(ids, space->device_count, sizeof(*ids), compare_texts);
	for (size_t i = 1; i < space->device_count; i++)
		cr_assert(strcmp(ids[i - 1], ids[i]), "%s: twice %s", c->name, ids[i]);
	free(ids);
}

typedef struct Window {
	const AmlNode *owner;
	uint64_t first, last;
	bool producer;
} Window;

typedef struct Windows {
	Window items[128];
	size_t count;
} Windows;

/* [ACPI65] 6.4.3.5: both ends fixed, a length that fits, nothing translated. */
static void check_window(const Checked *c, const AmlNode *owner, const AmlResource *r)
{
	if (r->length == 0 || r->minimum > r->maximum ||
		r->maximum - r->minimum + 1 != r->length)
		FAIL(c, owner, "a range whose length does not fit");
	if ((r->flags & 0x0C) != 0x0C || r->granularity || r->translation)
		FAIL(c, owner, "a range that is not fixed");
}

/* Not the timer's line, nor the cascade's; below what the controller has. */
static void check_interrupt(const Checked *c, const AmlNode *owner, const AmlResource *r)
{
	const bool x86 = c->shape->arch == GUEST_ARCH_X86_64;

	if (x86 ? r->interrupt == 0 || r->interrupt == 2 || r->interrupt >= 24
		: r->interrupt < 16 || r->interrupt >= 1020)
		FAIL(c, owner, "an interrupt that the controller does not have");
	if (!(r->flags & 1))
		FAIL(c, owner, "an interrupt produced for others");
}

static void read_ranges(const Checked *c, const Device *device, Windows *windows)
{
	AmlResource resources[32];
	size_t count;

	if (!device->crs)
		return;
	count = aml_read_resources(device->crs->body, resources, ARRAY_COUNT(resources));
	if (count > ARRAY_COUNT(resources) || count == 0)
		FAIL(c, device->node, "_CRS is no template, or an empty one");
	for (size_t i = 0; i < count; i++) {
		const AmlResource *r = &resources[i];

		if (r->kind == AML_RESOURCE_INTERRUPT)
			check_interrupt(c, device->node, r);
		if (r->kind == AML_RESOURCE_QWORD || r->kind == AML_RESOURCE_WORD)
			check_window(c, device->node, r);
		if (r->kind == AML_RESOURCE_QWORD)
			windows->items[windows->count++] = (Window){ .owner = device->node,
				.first = r->minimum,
				.last = r->maximum,
				.producer = !(r->flags & 1) };
	}
}

/*
 * Windows lie apart from each other and from RAM; a device's own range lies inside one window
 * or apart from all.
 */
static void check_apart(const Checked *c, const Windows *windows)
{
	for (size_t i = 0; i < windows->count; i++) {
		const Window *a = &windows->items[i];

		for (size_t k = 0; k < c->in->ram.count; k++) {
			const MemoryRange ram = c->in->ram.items[k].range;

			if (a->first < ram.end && ram.start <= a->last)
				FAIL(c, a->owner, "a range in RAM");
		}
		for (size_t k = 0; k < windows->count; k++) {
			const Window *b = &windows->items[k];
			const bool apart = a->last < b->first || b->last < a->first;
			const bool inside = a->first >= b->first && a->last <= b->last;

			if (k != i && !apart && !(b->producer && !a->producer && inside) &&
				!(a->producer && !b->producer))
				FAIL(c, a->owner, "a range that overlaps another");
		}
	}
}

/* Producer for windows of module and host bridges, consumer for a device's own registers. */
static void check_use(const Checked *c, const Windows *windows)
{
	for (size_t i = 0; i < windows->count; i++) {
		const char *name = strrchr(windows->items[i].owner->path, '.') + 1;
		const bool expected = strcmp(name, "VMOD") == 0 || strncmp(name, "PC", 2) == 0;

		if (windows->items[i].producer != expected)
			FAIL(c, windows->items[i].owner, "producer and consumer mixed up");
	}
}

static uint64_t number_at(const Checked *c, const NameSpace *space, const char *path)
{
	const AmlNode *node = aml_find(&space->ssdt, path);
	uint64_t value = UINT64_MAX;

	cr_assert(node && aml_read_integer(node->body, &value), "%s: no %s", c->name, path);
	return value;
}

/* A bridge's numbers are those of MCFG and inputs; ECAM reserves its configuration space. */
static void check_bridges(const Checked *c, const NameSpace *space, const Windows *windows)
{
	static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	const Bytes mcfg = checked_table(c, ACPI_MCFG);

	for (size_t i = 0; i < c->in->bridge_count; i++) {
		const AcpiBridge *bridge = &c->in->bridges[i];
		const uint8_t *entry = mcfg.data + 44 + 16 * i;
		const uint64_t base = get_le(entry, 8) + ((uint64_t)entry[10] << 20);
		bool reserved = false;
		char path[32];

#define NUMBER(name)                                                                           \
	(snprintf(path, sizeof(path), "\\_SB_.PC%c%c." name, digits[bridge->index / 36],       \
		 digits[bridge->index % 36]),                                                  \
		number_at(c, space, path))
		cr_expect_eq(NUMBER("_UID"), bridge->index, "%s", c->name);
		cr_expect_eq(NUMBER("_SEG"), get_le(entry + 8, 2), "%s", c->name);
		cr_expect_eq(NUMBER("_BBN"), entry[10], "%s", c->name);
		cr_expect_eq(NUMBER("_CCA"), 1, "%s", c->name);
		if (bridge->has_vnode)
			cr_expect_eq(NUMBER("_PXM"), bridge->vnode, "%s", c->name);
#undef NUMBER
		for (size_t k = 0; k < windows->count; k++)
			reserved |= windows->items[k].first == base &&
				strstr(windows->items[k].owner->path, "ECAM");
		cr_expect(reserved, "%s: bridge %zu", c->name, i);
	}
}

/* A processor device for every processor of the MADT, in its order. */
static void check_processors(const Checked *c, const NameSpace *space)
{
	size_t count = 0;

	for (size_t i = 0; i < space->device_count; i++) {
		const char *hid = aml_read_string(space->devices[i].hid->body);
		uint64_t uid = 0;

		if (!hid || strcmp(hid, "ACPI0007") != 0)
			continue;
		count++;
		cr_assert(space->devices[i].uid &&
				aml_read_integer(space->devices[i].uid->body, &uid) &&
				uid == count,
			"%s: processor %zu", c->name, count);
	}
	cr_expect_eq(count, c->in->topology->count, "%s", c->name);
}

static void check_space(const Checked *c)
{
	NameSpace space = read_space(c);
	Windows windows = { .count = 0 };

	check_names(c, &space);
	check_processors(c, &space);
	if (c->in->profile == ACPI_PROFILE_REFERENCE) {
		/* What else the reference does is known and not ours to judge. */
		free_space(&space);
		return;
	}
	check_places(c, &space);
	check_ids(c, &space);
	for (size_t i = 0; i < space.device_count; i++)
		read_ranges(c, &space.devices[i], &windows);
	check_apart(c, &windows);
	check_use(c, &windows);
	check_bridges(c, &space, &windows);
	free_space(&space);
}

CHECK_SHAPES(checklist_aml, check_space)
