/*
 * SLIT: how far it is from node to node. [ACPI65] 5.2.17
 */
#include "acpi/acpi_format.h"
#include "acpi/acpi_internal.h"
#include "acpi/acpi_table.h"
#include "support/diagnostics.h"

#define SLIT_REVISION 1
#define DISTANCE_LOCAL 10
#define DISTANCE_REMOTE 20
#define NODES_MAX 1024u /* what Linux can be built for at most; keeps the square small */

size_t acpi_bound_slit(const AcpiInputs *in)
{
	const size_t n = in->distances && in->distances->node_count <= NODES_MAX
		? in->distances->node_count
		: 0;

	return sizeof(AcpiHeader) + sizeof(SlitHead) + n * n;
}

/* Linux drops the whole table for one cell that is not so. [LINUX] drivers/acpi/numa/srat.c */
static bool is_plausible(const AcpiDistance *d)
{
	return d->from == d->to ? d->distance == DISTANCE_LOCAL : d->distance > DISTANCE_LOCAL;
}

static bool check(const AcpiDistances *distances, bool strict, Error *err)
{
	const uint32_t n = distances->node_count;

	if (n == 0 || n > NODES_MAX)
		return error_set(
			err, PVW_ACPI_0014, "slit: %u nodes, expected 1 to %u", n, NODES_MAX);
	for (size_t i = 0; i < distances->count; i++) {
		const AcpiDistance *d = &distances->items[i];

		if (d->from >= n || d->to >= n)
			return error_set(err, PVW_ACPI_0014,
				"slit: distance from node %u to node %u, expected nodes below "
				"%u",
				d->from, d->to, n);
		if (strict && !is_plausible(d))
			return error_set(err, PVW_ACPI_0022,
				"slit: distance %u from node %u to node %u, expected 10 to "
				"itself and more to others",
				d->distance, d->from, d->to);
	}
	return true;
}

static void fill(uint8_t *cells, const AcpiDistances *distances)
{
	const size_t n = distances->node_count;

	memset(cells, DISTANCE_REMOTE, n * n);
	for (size_t i = 0; i < n; i++)
		cells[i * n + i] = DISTANCE_LOCAL;
	for (size_t i = 0; i < distances->count; i++)
		cells[distances->items[i].from * n + distances->items[i].to] =
			distances->items[i].distance;
}

bool acpi_put_slit(const AcpiContext *c, ByteWriter *w, Error *err)
{
	const AcpiDistances *distances = c->in->distances;
	SlitHead head;
	uint8_t *cells;
	size_t mark;

	if (!distances)
		return error_set(err, PVW_ACPI_0014, "slit: no distances given");
	if (!check(distances, acpi_form(c->in->profile)->strict, err))
		return false;
	mark = acpi_table_begin(
		w, "SLIT", SLIT_REVISION, acpi_identity(c->in, ACPI_IDENTITY_TABLES));
	head.localities = distances->node_count;
	put_struct(w, head);
	cells = byte_writer_take(w, (size_t)head.localities * head.localities);
	if (cells)
		fill(cells, distances);
	acpi_table_end(w, mark);
	return true;
}
