/*
 * What the PCAT BIOS will ask of its helper device, decided before the guest starts.
 *
 * The BIOS knows no memory map: it asks for sizes and gaps, register by register. The answers
 * are a value here; the device that gives them, and whoever wants to look, read the artifact
 * "pcat.config" (docs/formats.md).
 * Source: [OVMM] vm/devices/firmware/firmware_pcat/src/lib.rs
 */
#ifndef LOADERS_PCAT_CONFIG_H
#define LOADERS_PCAT_CONFIG_H

#include "bootinfo/platform_settings.h"
#include "layout/topology.h"
#include "support/arena.h"

#define PCAT_STRING_SIZE 32      /* bytes, padded with spaces, no NUL */
#define PCAT_CPU_RECORD_SIZE 123 /* bytes */

/* Strings that the BIOS asks for, in the order of the artifact. */
typedef enum PcatString {
	PCAT_STRING_SYSTEM_SERIAL,     /* register 0x03 */
	PCAT_STRING_BASE_BOARD_SERIAL, /* 0x04 */
	PCAT_STRING_CHASSIS_SERIAL,    /* 0x05 */
	PCAT_STRING_CHASSIS_ASSET_TAG, /* 0x06 */
	PCAT_STRING_BIOS_LOCK,         /* 0x1c */
	PCAT_STRING_COUNT
} PcatString;

/* One RAM range behind the first, as register 0x22 answers. */
typedef struct PcatE820Entry {
	uint32_t head; /* bit 0: there is one; bit 2: more follow; bits 31:3 length, MiB */
	uint32_t base_low, base_high; /* GPA */
} PcatE820Entry;

typedef struct PcatConfig {
	uint32_t first_block_kib; /* 0x00: length of the first RAM range */
	bool num_lock;            /* 0x01 */
	Guid bios_guid;           /* 0x02 */
	uint8_t strings[PCAT_STRING_COUNT][PCAT_STRING_SIZE];
	uint32_t boot_order;          /* 0x07: a priority in each nibble */
	const uint32_t *apic_ids;     /* 0x09: @processor_count of them */
	size_t processor_count;       /* 0x08 */
	uint32_t above_4gib_mib;      /* 0x0d: RAM ranges that end at or above 4 GiB */
	uint32_t sleep_states;        /* 0x10: bit 3 S4 */
	uint32_t pci_io_gap_start;    /* 0x12: start of the low window, GPA */
	uint32_t above_high_mib;      /* 0x1f: RAM ranges that start behind the high window */
	uint32_t high_gap_base_mib;   /* 0x20 */
	uint32_t high_gap_length_mib; /* 0x21: less one, as the BIOS expects */
	uint32_t below_gap_mib;       /* 0x23: RAM ranges that end below 4 GiB */
	const PcatE820Entry *e820;    /* 0x22: RAM but the first range, in order */
	size_t e820_count;
	uint8_t cpu_record[PCAT_CPU_RECORD_SIZE]; /* 0x1d: SMBIOS type 4 with its strings */
	Bytes srat;                               /* 0x0a to 0x0c */
} PcatConfig;

typedef struct PcatConfigInputs {
	MemoryRangeList ram; /* ascending */
	MemoryRange low, high;
	const ProcessorTopology *topology;
	const PlatformSettings *settings;
	/* by kind; none of the host's agents leaves one out */
	bool detached[PCAT_BOOT_DEVICE_COUNT];
	Bytes srat; /* a complete table */
} PcatConfigInputs;

/**
 * pcat_config_build - decide every answer
 * @out: lists live in @arena, the SRAT is borrowed
 *
 * All sums are taken in bytes and then rounded down to MiB: what is lost is lost to the guest.
 * Outputs are untouched on failure.
 *
 * Errors: PVW_PCAT_0001 (MISSING) one of the two windows is empty; PVW_PCAT_0002 (BAD_VALUE) no
 * RAM, or a value that its register cannot hold; PVW_PCAT_0006 (BAD_VALUE) the boot order does
 * not name each kind once.
 */
MUST_CHECK bool pcat_config_build(
	const PcatConfigInputs *in, Arena *arena, PcatConfig *out, Error *err);

/**
 * pcat_boot_order - register 0x07
 * @order: kinds by falling priority, each once
 *
 * Kinds that are not attached have no nibble; the others move down. Nibbles behind the last keep
 * their places' numbers. Source: [OVMM] firmware_pcat/src/bios_boot_order.rs
 */
uint32_t pcat_boot_order(const PcatBootDevice order[PCAT_BOOT_DEVICE_COUNT],
	const bool detached[PCAT_BOOT_DEVICE_COUNT]);

/**
 * pcat_cpu_record - the processor as SMBIOS tells it, for register 0x1d
 *
 * Strings that do not fit together are cut to 16 and 64 characters.
 * Source: [OVMM] firmware_pcat/src/root_cpu_data.rs; [SMBIOS35] 7.5
 */
void pcat_cpu_record(const SmbiosSettings *smbios, uint8_t out[PCAT_CPU_RECORD_SIZE]);

/** pcat_config_write - the artifact "pcat.config", in @arena; its layout is in docs/formats.md */
MUST_CHECK bool pcat_config_write(
	const PcatConfig *config, Arena *arena, Bytes *out, Error *err);

#endif
