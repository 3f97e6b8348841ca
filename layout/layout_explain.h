/*
 * Why each range lies where it lies, as text for people: `pvw map`, `pvw explain`.
 */
#ifndef LAYOUT_LAYOUT_EXPLAIN_H
#define LAYOUT_LAYOUT_EXPLAIN_H

#include "layout/vtl0_layout.h"

/*
 * One range and what it is, without the range itself:
 *
 *	"ram, node 0, igvm-type 0 (memory), given by the boot tree"
 *	"mmio, chipset-low, role by address: it ends at or below 4 GiB"
 *	"shared pool, node 1, taken by vtl2 from the top of ram"
 *	"mmio, vtl2-private, not shown to vtl0"
 *	"nothing that vtl0 has"
 */
typedef struct Explanation {
	MemoryRange range;
	const char *text; /* one line, stable between releases */
} Explanation;

typedef struct ExplanationList {
	const Explanation *items;
	size_t count;
} ExplanationList;

/**
 * layout_explain - the address space from end to end
 * @mmio: windows that @layout was built with
 * @out:  ascending, without holes from 0 to the last page of the address space; in @arena
 *
 * Errors: PVW_MEM_0001 (LIMIT).
 */
MUST_CHECK bool layout_explain(const Vtl0Layout *layout, const ChipsetMmioRanges *mmio,
	Arena *arena, ExplanationList *out, Error *err);

/** layout_explain_find - the line that speaks of @address; NULL in the very last page */
const Explanation *layout_explain_find(ExplanationList list, uint64_t address);

/** igvm_memory_type_name - "memory", "platform-reserved", …; "unknown" for others */
const char *igvm_memory_type_name(uint16_t type);

#endif
