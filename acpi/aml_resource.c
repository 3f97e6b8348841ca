/*
 * Resource templates. [ACPI65] 6.4
 */
#include "acpi/aml_resource.h"

#include <inttypes.h>

#include "acpi/acpi_format.h"
#include "support/diagnostics.h"

enum {
	TAG_IRQ = 0x23,
	TAG_IO = 0x47,
	TAG_MEMORY32_FIXED = 0x86,
	TAG_DWORD = 0x87,
	TAG_WORD = 0x88,
	TAG_INTERRUPT = 0x89,
	TAG_QWORD = 0x8A,
	SPACE_MEMORY = 0,
	SPACE_BUS_NUMBERS = 2,
	FIXED_BOTH = 0x0C, /* minimum and maximum fixed, positive decode */
	MEMORY_CACHEABLE_RW = 0x03,
	DECODE16 = 1,
	IRQ_EDGE = 1,
};

/* What stands behind the tag and the length itself. */
#define BODY_LENGTH(record) ((uint16_t)(sizeof(record) - 3))

/* Inclusive maximum of @len units from @base, not above @limit. */
static bool last_of(Aml *aml, uint64_t base, uint64_t len, uint64_t limit, uint64_t *last)
{
	if (len == 0 || base > limit || len - 1 > limit - base) {
		aml_fail(aml, PVW_ACPI_0006,
			"a resource of length 0x%" PRIx64 " at 0x%" PRIx64
			", expected at least 1 and none beyond 0x%" PRIx64,
			len, base, limit);
		return false;
	}
	*last = base + (len - 1);
	return true;
}

void resource_window(Aml *aml, ResourceUse use, uint64_t base, uint64_t len)
{
	ResourceQword window = { .tag = TAG_QWORD,
		.length = BODY_LENGTH(window),
		.type = SPACE_MEMORY,
		.flags = (uint8_t)(FIXED_BOTH | use),
		.type_flags = MEMORY_CACHEABLE_RW,
		.minimum = base,
		.len = len };
	uint64_t last;

	if (!last_of(aml, base, len, UINT64_MAX, &last))
		return;
	window.maximum = last;
	put_struct(aml->out, window);
}

void resource_window32(Aml *aml, ResourceUse use, uint32_t base, uint32_t len)
{
	ResourceDword window = { .tag = TAG_DWORD,
		.length = BODY_LENGTH(window),
		.type = SPACE_MEMORY,
		.flags = (uint8_t)(FIXED_BOTH | use),
		.type_flags = MEMORY_CACHEABLE_RW,
		.minimum = base,
		.len = len };
	uint64_t last;

	if (!last_of(aml, base, len, UINT32_MAX, &last))
		return;
	window.maximum = (uint32_t)last;
	put_struct(aml->out, window);
}

void resource_window_of(Aml *aml, ResourceUse use, MemoryRange range)
{
	if (!memory_range_is_empty(range))
		resource_window(aml, use, range.start, memory_range_len(range));
}

void resource_memory32(Aml *aml, uint32_t base, uint32_t len)
{
	const ResourceMemory32Fixed memory = { .tag = TAG_MEMORY32_FIXED,
		.length = BODY_LENGTH(memory),
		.writable = 1,
		.base = base,
		.len = len };
	uint64_t last;

	if (last_of(aml, base, len, UINT32_MAX, &last))
		put_struct(aml->out, memory);
}

void resource_bus_numbers(Aml *aml, uint32_t first, uint32_t count)
{
	ResourceWord buses = { .tag = TAG_WORD,
		.length = BODY_LENGTH(buses),
		.type = SPACE_BUS_NUMBERS,
		.flags = FIXED_BOTH,
		.minimum = (uint16_t)first,
		.len = (uint16_t)count };
	uint64_t last;

	/* The length is a word as well: all 65536 numbers cannot be said. */
	if (!last_of(aml, first, count, UINT16_MAX, &last) ||
		!last_of(aml, 0, count, UINT16_MAX - 1, &(uint64_t){ 0 }))
		return;
	buses.maximum = (uint16_t)last;
	put_struct(aml->out, buses);
}

void resource_io(Aml *aml, uint16_t base, uint8_t align, uint8_t ports)
{
	const ResourceIo io = { .tag = TAG_IO,
		.decode = DECODE16,
		.minimum = base,
		.maximum = base,
		.align = align,
		.len = ports };
	uint64_t last;

	if (last_of(aml, base, ports, UINT16_MAX, &last))
		put_struct(aml->out, io);
}

void resource_interrupt(Aml *aml, ResourceTrigger trigger, uint32_t gsi)
{
	const ResourceInterrupt interrupt = { .tag = TAG_INTERRUPT,
		.length = BODY_LENGTH(interrupt),
		.flags = (uint8_t)trigger,
		.count = 1,
		.gsi = gsi };

	put_struct(aml->out, interrupt);
}

void resource_irq(Aml *aml, unsigned irq)
{
	ResourceIrq record = { .tag = TAG_IRQ, .flags = IRQ_EDGE };

	assert(irq < 16);
	record.mask = (uint16_t)(1u << irq);
	put_struct(aml->out, record);
}
