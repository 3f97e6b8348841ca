/*
 * A table's frame: header, length, checksum; and the pointer to the root. [ACPI65] 5.2.5, 5.2.6
 */
#include "acpi/acpi_table.h"

#include "acpi/acpi_format.h"

#define RSDP_V1_SIZE 20 /* what the first checksum covers */

/* Lanes of bytes: sums modulo 256 without carries between them. */
typedef uint8_t ByteLanes __attribute__((vector_size(16)));

static inline ByteLanes load(const uint8_t *at)
{
	ByteLanes lanes;

	memcpy(&lanes, at, sizeof(lanes));
	return lanes;
}

uint8_t acpi_checksum(const void *data, size_t len)
{
	const uint8_t *at = data;
	ByteLanes a = { 0 }, b = { 0 }, c = { 0 }, d = { 0 };
	uint8_t sum = 0;

	for (; len >= 4 * sizeof(a); len -= 4 * sizeof(a), at += 4 * sizeof(a)) {
		a += load(at);
		b += load(at + sizeof(a));
		c += load(at + 2 * sizeof(a));
		d += load(at + 3 * sizeof(a));
	}
	for (; len >= sizeof(a); len -= sizeof(a), at += sizeof(a))
		a += load(at);
	a += b + c + d;
	for (size_t i = 0; i < sizeof(a); i++)
		sum = (uint8_t)(sum + a[i]);
	for (; len > 0; len--)
		sum = (uint8_t)(sum + *at++);
	return (uint8_t)(0 - sum);
}

size_t acpi_table_begin(
	ByteWriter *w, const char *signature, uint8_t revision, const AcpiIdentity *identity)
{
	const size_t mark = w->len;
	AcpiHeader *const header = (AcpiHeader *)byte_writer_take(w, sizeof(*header));

	if (!header)
		return mark;
	memcpy(header->signature, signature, sizeof(header->signature));
	header->length = 0;
	header->revision = revision;
	header->checksum = 0;
	memcpy(header->oem_id, identity->oem_id, sizeof(header->oem_id));
	memcpy(header->oem_table_id, identity->oem_table_id, sizeof(header->oem_table_id));
	header->oem_revision = identity->oem_revision;
	memcpy(header->creator_id, identity->creator_id, sizeof(header->creator_id));
	header->creator_revision = identity->creator_revision;
	return mark;
}

void acpi_table_end(ByteWriter *w, size_t mark)
{
	const size_t len = w->len - mark;
	AcpiHeader *header;

	if (!w->base || w->overflow)
		return;
	header = (AcpiHeader *)(w->base + mark);
	header->length = (uint32_t)len;
	header->checksum = acpi_checksum(header, len);
}

void acpi_rsdp_put(ByteWriter *w, uint64_t xsdt, const AcpiIdentity *identity)
{
	AcpiRsdp rsdp = { .signature = { 'R', 'S', 'D', ' ', 'P', 'T', 'R', ' ' },
		.revision = 2,
		.length = sizeof(rsdp),
		.xsdt_address = xsdt };

	memcpy(rsdp.oem_id, identity->oem_id, sizeof(rsdp.oem_id));
	rsdp.checksum = acpi_checksum(&rsdp, RSDP_V1_SIZE);
	rsdp.extended_checksum = acpi_checksum(&rsdp, sizeof(rsdp));
	put_struct(w, rsdp);
}
