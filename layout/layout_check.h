/*
 * Rules about MMIO roles and addresses, each with a name: what chipset_mmio_resolve refuses at
 * the first piece is listed in full here, and what it takes although a look is worth it, too.
 */
#ifndef LAYOUT_LAYOUT_CHECK_H
#define LAYOUT_LAYOUT_CHECK_H

#include "bootinfo/boot_info.h"
#include "layout/chipset_mmio.h"
#include "support/diagnostics.h"

typedef struct LayoutCheckInput {
	const BootInfo *info;          /* as parsed; it need not be valid */
	const ChipsetMmioRanges *mmio; /* NULL: the roles could not be resolved */
	uint8_t physical_address_bits; /* 1 to 64 */
} LayoutCheckInput;

typedef struct LayoutCheck {
	const char *name;    /* "role-straddle", stable */
	uint16_t diagnostic; /* what it finds; severity and hint are in its row */
	bool is_off;         /* wanted only by who asks for it by name */
	void (*check)(const LayoutCheckInput *in, Arena *arena, Diagnostics *found);
} LayoutCheck;

typedef struct LayoutCheckList {
	const LayoutCheck *items;
	size_t count;
} LayoutCheckList;

/** layout_checks - the table; static */
LayoutCheckList layout_checks(void);

/** layout_check_find - the row of a name, or NULL */
const LayoutCheck *layout_check_find(const char *name);

#endif
