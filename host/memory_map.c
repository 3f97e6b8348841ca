/*
 * Ranges of a layout, sorted, folded and drawn one below the other.
 *
 *	0x0000000000000000 +--------------------------------------------------+
 *	                   | R0 VTL0 RAM             ##############   2.9 GiB | node 0
 *	0x00000000b8000000 ~        gap 64 MiB                                ~
 *	0x00000000bc000000 +--------------------------------------------------+
 *
 * The bar grows with the logarithm of the size: 4 KiB and 4 TiB share a page.
 */
#include "host/memory_map.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "host/size_text.h"
#include "support/memory_range.h"

#define DEFAULT_WIDTH 80
#define MIN_WIDTH 72
#define MAX_WIDTH 400
#define ADDRESS_WIDTH 19 /* "0x" and 16 digits, a blank */
#define NODE_WIDTH 8     /* what stands behind the box; an owner makes a row longer */
#define NAME_WIDTH 21
#define HUMAN_WIDTH 9
#define TAKEN_WIDTH (NAME_WIDTH + HUMAN_WIDTH + 7) /* of a row without its bar */

/* How a role is drawn. The letter is there so that the colour is never the only sign. */
typedef struct RoleLook {
	const char *name;
	char letter;
	char vtl; /* whose it is: '0', '2' or '-' */
	const char *colour;
} RoleLook;

#define GREEN "\033[32m"
#define YELLOW "\033[33m"
#define BLUE "\033[34m"
#define MAGENTA "\033[35m"
#define CYAN "\033[36m"
#define PLAIN "\033[0m"

static const RoleLook unknown_look = { "unknown", '?', '-', PLAIN };

/* By the wire's MemoryRole. */
static const RoleLook memory_looks[] = {
	[PVW__V1__MEMORY_ROLE__MEMORY_ROLE_UNSPECIFIED] = { "unspecified RAM", '?', '-',
		PLAIN },
	[PVW__V1__MEMORY_ROLE__MEMORY_ROLE_VTL0_RAM] = { "VTL0 RAM", 'R', '0', GREEN },
	[PVW__V1__MEMORY_ROLE__MEMORY_ROLE_VTL2_RAM] = { "VTL2 RAM", 'R', '2', MAGENTA },
	[PVW__V1__MEMORY_ROLE__MEMORY_ROLE_VTL2_CONFIG] = { "VTL2 config", 'C', '2', MAGENTA },
	[PVW__V1__MEMORY_ROLE__MEMORY_ROLE_VTL2_RESERVED] = { "VTL2 reserved", 'X', '2',
		MAGENTA },
	[PVW__V1__MEMORY_ROLE__MEMORY_ROLE_VTL2_GPA_POOL] = { "VTL2 pool", 'P', '2', MAGENTA },
	[PVW__V1__MEMORY_ROLE__MEMORY_ROLE_VTL2_SIDECAR_IMAGE] = { "VTL2 sidecar image", 'S',
		'2', MAGENTA },
	[PVW__V1__MEMORY_ROLE__MEMORY_ROLE_VTL2_SIDECAR_NODE] = { "VTL2 sidecar node", 'S', '2',
		MAGENTA },
	[PVW__V1__MEMORY_ROLE__MEMORY_ROLE_VTL2_PERSISTED_STATE] = { "VTL2 persisted state",
		'K', '2', MAGENTA },
	[PVW__V1__MEMORY_ROLE__MEMORY_ROLE_VTL2_LOG] = { "VTL2 log", 'L', '2', MAGENTA },
	[PVW__V1__MEMORY_ROLE__MEMORY_ROLE_PERSISTENT] = { "persistent memory", 'N', '0',
		CYAN },
	[PVW__V1__MEMORY_ROLE__MEMORY_ROLE_PLATFORM_RESERVED] = { "platform reserved", 'X', '0',
		CYAN },
	[PVW__V1__MEMORY_ROLE__MEMORY_ROLE_VTL2_PROTECTABLE] = { "VTL2 protectable", 'R', '0',
		CYAN },
	[PVW__V1__MEMORY_ROLE__MEMORY_ROLE_VTL2_PAGE_TABLES] = { "VTL2 page tables", 'T', '2',
		MAGENTA },
};

/* By the wire's MmioRole. */
static const RoleLook mmio_looks[] = {
	[PVW__V1__MMIO_ROLE__MMIO_ROLE_UNSPECIFIED] = { "unspecified MMIO", '?', '-', PLAIN },
	[PVW__V1__MMIO_ROLE__MMIO_ROLE_VTL0_CHIPSET_LOW] = { "mmio chipset low", 'l', '0',
		YELLOW },
	[PVW__V1__MMIO_ROLE__MMIO_ROLE_VTL0_CHIPSET_HIGH] = { "mmio chipset high", 'h', '0',
		YELLOW },
	[PVW__V1__MMIO_ROLE__MMIO_ROLE_VTL0_VMBUS] = { "mmio vmbus", 'v', '0', YELLOW },
	[PVW__V1__MMIO_ROLE__MMIO_ROLE_VTL2_VMBUS] = { "mmio VTL2 private", 'p', '2', MAGENTA },
	[PVW__V1__MMIO_ROLE__MMIO_ROLE_LOCAL_APIC] = { "mmio local APIC", 'a', '0', BLUE },
	[PVW__V1__MMIO_ROLE__MMIO_ROLE_IO_APIC] = { "mmio I/O APIC", 'a', '0', BLUE },
	[PVW__V1__MMIO_ROLE__MMIO_ROLE_GIC_DISTRIBUTOR] = { "mmio GIC distributor", 'g', '0',
		BLUE },
	[PVW__V1__MMIO_ROLE__MMIO_ROLE_GIC_REDISTRIBUTOR] = { "mmio GIC redistrib.", 'g', '0',
		BLUE },
	[PVW__V1__MMIO_ROLE__MMIO_ROLE_GIC_MSI] = { "mmio GIC MSI", 'g', '0', BLUE },
	[PVW__V1__MMIO_ROLE__MMIO_ROLE_TPM] = { "mmio TPM", 't', '0', BLUE },
	[PVW__V1__MMIO_ROLE__MMIO_ROLE_BATTERY] = { "mmio battery", 'b', '0', BLUE },
	[PVW__V1__MMIO_ROLE__MMIO_ROLE_UEFI_DEVICE] = { "mmio UEFI device", 'u', '0', BLUE },
	[PVW__V1__MMIO_ROLE__MMIO_ROLE_UART] = { "mmio UART", 's', '0', BLUE },
	[PVW__V1__MMIO_ROLE__MMIO_ROLE_PCIE_ECAM] = { "mmio PCIe ECAM", 'e', '0', CYAN },
	[PVW__V1__MMIO_ROLE__MMIO_ROLE_PCIE_LOW] = { "mmio PCIe low", 'e', '0', CYAN },
	[PVW__V1__MMIO_ROLE__MMIO_ROLE_PCIE_HIGH] = { "mmio PCIe high", 'e', '0', CYAN },
	[PVW__V1__MMIO_ROLE__MMIO_ROLE_FRAMEBUFFER] = { "mmio framebuffer", 'f', '0', CYAN },
	[PVW__V1__MMIO_ROLE__MMIO_ROLE_HOST_RESERVED] = { "mmio reserved", 'x', '0', BLUE },
};

/* By the wire's RoleSource. */
static const char *const source_texts[] = { "", "not given", "role declared", "role by address",
	"declared absent" };

static const RoleLook *look_of(const RoleLook *looks, size_t count, unsigned role)
{
	return role < count && looks[role].name ? &looks[role] : &unknown_look;
}

/* One row of the picture before it is drawn. The end is inclusive: a range may reach 2^64. */
typedef struct Row {
	uint64_t start, last;
	const RoleLook *look;
	bool is_ram;
	uint32_t vnode;
	const char *owner; /* "" = nobody named */
	size_t folded;     /* neighbours that became part of it */
	size_t index;      /* of the input, to sort stably */
} Row;

typedef struct Canvas {
	FILE *out;
	MapStyle style;
	unsigned box;       /* columns between the box's sides */
	unsigned doublings; /* of the largest row: its bar fills the room */
	uint64_t from, last;
} Canvas;

/*
 * Rows.
 */

static void add_row(
	Row *rows, size_t *count, const Canvas *canvas, uint64_t start, uint64_t size, Row row)
{
	uint64_t last = start + (size - 1);

	if (size == 0)
		return;
	if (last < start)
		last = UINT64_MAX;
	if (last < canvas->from || start > canvas->last)
		return;
	row.start = start < canvas->from ? canvas->from : start;
	row.last = last > canvas->last ? canvas->last : last;
	row.index = *count;
	rows[(*count)++] = row;
}

static size_t gather_rows(const Canvas *canvas, const Pvw__V1__Layout *layout, Row *rows)
{
	size_t count = 0;

	for (size_t i = 0; i < layout->n_memory; i++) {
		const Pvw__V1__MemoryRange *ram = layout->memory[i];

		add_row(rows, &count, canvas, ram->start, ram->size,
			(Row){ .look = look_of(memory_looks, ARRAY_COUNT(memory_looks),
				       (unsigned)ram->role),
				.is_ram = true,
				.vnode = ram->vnode,
				.owner = "" });
	}
	for (size_t i = 0; i < layout->n_mmio; i++) {
		const Pvw__V1__MmioRange *mmio = layout->mmio[i];

		add_row(rows, &count, canvas, mmio->start, mmio->size,
			(Row){ .look = look_of(mmio_looks, ARRAY_COUNT(mmio_looks),
				       (unsigned)mmio->role),
				.owner = mmio->owner ? mmio->owner : "" });
	}
	return count;
}

static int compare_rows(const void *left, const void *right)
{
	const Row *a = left, *b = right;

	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	if (a->last != b->last)
		return a->last < b->last ? -1 : 1;
	return a->index < b->index ? -1 : a->index > b->index;
}

/* Neighbours that touch and differ in nothing become one. */
static size_t fold_rows(Row *rows, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		Row *before = kept ? &rows[kept - 1] : NULL;

		if (before && before->last != UINT64_MAX && before->last + 1 == rows[i].start &&
			before->look == rows[i].look && before->vnode == rows[i].vnode &&
			strcmp(before->owner, rows[i].owner) == 0) {
			before->last = rows[i].last;
			before->folded++;
		} else {
			rows[kept++] = rows[i];
		}
	}
	return kept;
}

/*
 * Drawing.
 */

/* Names come from a worker: nothing in them may steer a terminal. */
static void print_text(FILE *out, const char *text)
{
	for (; *text; text++)
		fputc((unsigned char)*text < ' ' || *text == 0x7f ? '?' : *text, out);
}

static void print_repeated(FILE *out, char what, unsigned count)
{
	while (count-- > 0)
		fputc(what, out);
}

static void draw_line(const Canvas *canvas, uint64_t address, char what)
{
	fprintf(canvas->out, "0x%016" PRIx64 " +", address);
	print_repeated(canvas->out, what, canvas->box);
	fputs("+\n", canvas->out);
}

/* The size of [start, last]; the whole of 2^64 is said to be a byte less. */
static uint64_t span(uint64_t start, uint64_t last)
{
	return last - start == UINT64_MAX ? UINT64_MAX : last - start + 1;
}

static void draw_gap(const Canvas *canvas, uint64_t start, uint64_t last)
{
	char text[64];
	int len = snprintf(
		text, sizeof(text), "        gap %s", size_text(span(start, last)).text);

	fprintf(canvas->out, "0x%016" PRIx64 " ~%s", start, text);
	print_repeated(canvas->out, ' ', canvas->box - (unsigned)len);
	fputs("~\n", canvas->out);
}

/* How often a page doubles up to @size. */
static unsigned doublings_of(uint64_t size)
{
	unsigned doublings = 0;

	for (; size > PAGE_SIZE; size = size / 2 + size % 2)
		doublings++;
	return doublings;
}

static void draw_bar(const Canvas *canvas, uint64_t size)
{
	const unsigned room = canvas->box - TAKEN_WIDTH;
	const unsigned length = canvas->doublings
		? 1 + (room - 1) * doublings_of(size) / canvas->doublings
		: room;

	print_repeated(canvas->out, '#', length);
	print_repeated(canvas->out, ' ', room - length);
}

static void draw_row(const Canvas *canvas, const Row *row)
{
	FILE *out = canvas->out;
	const uint64_t size = span(row->start, row->last);

	print_repeated(out, ' ', ADDRESS_WIDTH);
	fprintf(out, "| %s%c%c %-*s ", canvas->style.colour ? row->look->colour : "",
		row->look->letter, row->look->vtl, NAME_WIDTH, row->look->name);
	draw_bar(canvas, size);
	fprintf(out, "%s %*s |", canvas->style.colour ? PLAIN : "", HUMAN_WIDTH,
		size_text(size).text);
	if (row->is_ram)
		fprintf(out, " node %" PRIu32, row->vnode);
	if (row->owner[0]) {
		fputc(' ', out);
		print_text(out, row->owner);
	}
	if (row->folded)
		fprintf(out, " (%zu ranges)", row->folded + 1);
	fputc('\n', out);
}

/* A double line where the owner changes from one privilege level to another. */
static char boundary(const Row *before, const Row *row)
{
	return before && before->look->vtl != row->look->vtl ? '=' : '-';
}

static void draw_rows(const Canvas *canvas, const Row *rows, size_t count)
{
	uint64_t next = canvas->from; /* the first address not drawn yet */

	for (size_t i = 0; i < count; i++) {
		const Row *row = &rows[i], *before = i ? &rows[i - 1] : NULL;

		if (row->start > next)
			draw_gap(canvas, next, row->start - 1);
		draw_line(canvas, row->start, boundary(before, row));
		draw_row(canvas, row);
		if (row->start < next && before)
			fprintf(canvas->out, "%*s! overlaps the range before\n", ADDRESS_WIDTH,
				"");
		if (row->last == UINT64_MAX) {
			fprintf(canvas->out, "%-*s+", ADDRESS_WIDTH, "end of 64 bits");
			print_repeated(canvas->out, '-', canvas->box);
			fputs("+\n", canvas->out);
			return;
		}
		if (row->last >= next)
			next = row->last + 1;
	}
	draw_line(canvas, next, '-');
}

/*
 * What stands below the picture.
 */

static void print_window(const Canvas *canvas, const char *name,
	const Pvw__V1__AddrRange *range, Pvw__V1__RoleSource source)
{
	const char *why =
		(unsigned)source < ARRAY_COUNT(source_texts) ? source_texts[source] : "";

	if (!range || range->size == 0)
		fprintf(canvas->out, "chipset %-5s absent, %s\n", name, why);
	else
		fprintf(canvas->out, "chipset %-5s 0x%" PRIx64 "-0x%" PRIx64 " (%s), %s\n",
			name, range->start, range->start + range->size,
			size_text(range->size).text, why);
}

static void print_placement(const Canvas *canvas, const Pvw__V1__Placement *placement)
{
	const uint64_t last = placement->start + (placement->size ? placement->size - 1 : 0);

	if (last < canvas->from || placement->start > canvas->last)
		return;
	fprintf(canvas->out, "0x%016" PRIx64 " %9s  ", placement->start,
		size_text(placement->size).text);
	print_text(canvas->out, placement->name);
	if (placement->source && placement->source[0]) {
		fputs("  ", canvas->out);
		print_text(canvas->out, placement->source);
	}
	fputc('\n', canvas->out);
}

static int compare_placements(const void *left, const void *right)
{
	const Pvw__V1__Placement *a = *(Pvw__V1__Placement *const *)left;
	const Pvw__V1__Placement *b = *(Pvw__V1__Placement *const *)right;

	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	if (a->size != b->size)
		return a->size < b->size ? -1 : 1;
	return strcmp(a->name, b->name);
}

static bool print_placements(
	const Canvas *canvas, const Pvw__V1__Layout *layout, Arena *arena, Error *err)
{
	const size_t count = layout->n_placements;
	Pvw__V1__Placement **list = arena_array(arena, Pvw__V1__Placement *, count, err);

	if (!list)
		return false;
	if (count == 0)
		return true;
	memcpy(list, layout->placements, count * sizeof(*list));
	qsort(list, count, sizeof(*list), compare_placements);
	fprintf(canvas->out, "\n%-18s %9s  %s\n", "placed at", "size", "what");
	for (size_t i = 0; i < count; i++)
		print_placement(canvas, list[i]);
	return true;
}

static void print_facts(const Canvas *canvas, const Pvw__V1__Layout *layout)
{
	const Pvw__V1__ChipsetMmio *chipset = layout->chipset;

	fputc('\n', canvas->out);
	if (chipset) {
		print_window(canvas, "low", chipset->low, chipset->low_source);
		print_window(canvas, "high", chipset->high, chipset->high_source);
	}
	fprintf(canvas->out,
		"end of ram 0x%" PRIx64 ", end of layout 0x%" PRIx64 ", %" PRIu32
		" address bits, layout version %" PRIu32 "\n",
		layout->end_of_ram, layout->end_of_layout, layout->physical_address_bits,
		layout->layout_version);
}

static Canvas canvas_new(FILE *out, MapStyle style)
{
	unsigned width = style.width ? style.width : DEFAULT_WIDTH;

	if (width < MIN_WIDTH)
		width = MIN_WIDTH;
	if (width > MAX_WIDTH)
		width = MAX_WIDTH;
	return (Canvas){
		.out = out,
		.style = style,
		.box = width - ADDRESS_WIDTH - 2 - NODE_WIDTH,
		.from = style.from,
		.last = style.to ? style.to - 1 : UINT64_MAX,
	};
}

bool memory_map_print(
	FILE *out, const Pvw__V1__Layout *layout, MapStyle style, Arena *arena, Error *err)
{
	Canvas canvas = canvas_new(out, style);
	Row *rows = arena_array(arena, Row, layout->n_memory + layout->n_mmio, err);
	size_t count;

	if (!rows)
		return false;
	count = gather_rows(&canvas, layout, rows);
	if (count)
		qsort(rows, count, sizeof(*rows), compare_rows);
	if (!style.verbose)
		count = fold_rows(rows, count);
	for (size_t i = 0; i < count; i++) {
		const unsigned doublings = doublings_of(span(rows[i].start, rows[i].last));

		if (doublings > canvas.doublings)
			canvas.doublings = doublings;
	}
	if (count)
		draw_rows(&canvas, rows, count);
	else
		fputs("nothing lies there\n", out);
	print_facts(&canvas, layout);
	return print_placements(&canvas, layout, arena, err);
}
