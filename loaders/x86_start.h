/*
 * What x86-64 paths that start in long mode have in common: descriptor table and segments.
 * Source: [SDM3] 3.4.5
 */
#ifndef LOADERS_X86_START_H
#define LOADERS_X86_START_H

#include "loaders/registers.h"
#include "support/bytes.h"

#define X86_START_SEGMENTS 7 /* GDTR, DS, ES, FS, GS, SS, CS */

#define X86_PAT_RESET UINT64_C(0x0007040600070406)

/** x86_start_gdt - null, 64-bit code (selector 8), data (selector 16), null */
Bytes x86_start_gdt(void);

/** x86_start_segments - registers that go with that table, in emission order */
void x86_start_segments(uint64_t gdt_gpa, Register out[X86_START_SEGMENTS]);

#endif
