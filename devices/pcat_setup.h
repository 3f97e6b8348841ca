/*
 * What the PCAT helper device was told before the guest started: the artifact "pcat.config".
 *
 * The artifact is docs/formats.md's; whoever plans a PCAT guest writes it, the device and people
 * read it. Nothing is copied: the view borrows from the artifact's bytes.
 */
#ifndef DEVICES_PCAT_SETUP_H
#define DEVICES_PCAT_SETUP_H

#include "support/bytes.h"
#include "support/error.h"
#include "support/guid.h"

#define PCAT_SETUP_STRING_SIZE 32 /* bytes, padded with spaces */
#define PCAT_SETUP_STRINGS 5
#define PCAT_SETUP_CPU_RECORD_SIZE 123
#define PCAT_SETUP_E820_WORDS 3 /* head, low and high half of the base */

/* Numbers are as their registers give them. */
typedef struct PcatSetup {
	uint32_t first_block_kib;
	uint32_t num_lock;
	Bytes bios_guid; /* 16, as in memory */
	/* Serial numbers of system, base board and chassis; asset tag; lock string. */
	Bytes strings[PCAT_SETUP_STRINGS];
	uint32_t boot_order;
	uint32_t above_4gib_mib;
	uint32_t sleep_states;
	uint32_t pci_io_gap_start;
	uint32_t above_high_mib;
	uint32_t high_gap_base_mib;
	uint32_t high_gap_length_mib;
	uint32_t below_gap_mib;
	Bytes cpu_record;
	uint32_t processor_count;
	Bytes apic_ids; /* u32 each */
	uint32_t e820_count;
	Bytes e820; /* PCAT_SETUP_E820_WORDS u32 each */
	Bytes srat;
	Bytes rom; /* PCAT_IMAGE_SIZE, or empty: not ours to show; not in the artifact */
} PcatSetup;

/**
 * pcat_setup_read - a view of the artifact "pcat.config", without a ROM
 * @artifact: borrowed by @out
 *
 * Outputs are untouched on failure.
 *
 * Errors: PVW_PCAT_0010 (BAD_VALUE) another magic, or lengths that disagree; PVW_MEM_0003
 * (TRUNCATED).
 */
MUST_CHECK bool pcat_setup_read(Bytes artifact, PcatSetup *out, Error *err);

#endif
