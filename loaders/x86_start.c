/*
 * Four descriptors, seven registers.
 */
#include "loaders/x86_start.h"

#define SELECTOR_CODE 0x08
#define SELECTOR_DATA 0x10

/*
 * Null, 64-bit code, data, null. The limits count for nothing in 64-bit mode; what a processor
 * starts with are the cached ones, ATTRIBUTES_ and SEGMENT_LIMIT.
 */
static const uint64_t gdt[] = { 0, 0x00a09b000000ffff, 0x00c093000000ffff, 0 };

#define ATTRIBUTES_CODE 0xa09b /* present, execute/read, accessed, long, 4 KiB granules */
#define ATTRIBUTES_DATA 0xc093 /* present, read/write, accessed, 32-bit, 4 KiB granules */
#define SEGMENT_LIMIT 0xffffffff

/* In emission order, before the code segment. */
static const RegisterId data_segments[] = {
	REGISTER_DS,
	REGISTER_ES,
	REGISTER_FS,
	REGISTER_GS,
	REGISTER_SS,
};

Bytes x86_start_gdt(void)
{
	return (Bytes){ (const uint8_t *)gdt, sizeof(gdt) };
}

void x86_start_segments(uint64_t gdt_gpa, Register out[X86_START_SEGMENTS])
{
	Register *r = out;

	*r++ = register_table(REGISTER_GDTR, gdt_gpa, sizeof(gdt) - 1);
	for (size_t i = 0; i < ARRAY_COUNT(data_segments); i++)
		*r++ = register_segment(
			data_segments[i], 0, SEGMENT_LIMIT, SELECTOR_DATA, ATTRIBUTES_DATA);
	*r++ = register_segment(REGISTER_CS, 0, SEGMENT_LIMIT, SELECTOR_CODE, ATTRIBUTES_CODE);
	assert(r == out + X86_START_SEGMENTS);
}
