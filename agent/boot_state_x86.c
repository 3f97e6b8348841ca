/*
 * A processor in long mode: control registers, page tables, descriptors.
 * Source: [SDM3] 3.4.5 segment descriptors, 4.5 4-level paging, 10.8.5 IA-32e mode
 */
#include "agent/boot_state.h"

#include <inttypes.h>
#include <string.h>

#include "agent/state_rom.h"
#include "loaders/linux_format.h"
#include "support/diagnostics.h"
#include "support/memory_range.h"

#define CR0_PE_PG UINT64_C(0x80000001)
#define CR4_PAE UINT64_C(0x20)
#define EFER_LME UINT64_C(0x100)

#define ENTRY_PRESENT UINT64_C(0x1)
#define ENTRY_LARGE UINT64_C(0x80)
#define ENTRY_ADDRESS UINT64_C(0x000ffffffffff000)

#define SELECTOR_LDT 0x4
#define DESCRIPTOR_LONG 0x2000    /* in attributes: L */
#define DESCRIPTOR_DEFAULT 0x4000 /* D */
#define DESCRIPTOR_CODE 0x0018    /* S, and the type's highest bit */

static bool check_mode(RegisterList registers, Error *err)
{
	static const struct {
		RegisterId id;
		uint64_t bits;
		const char *what;
	} rows[] = {
		{ REGISTER_CR0, CR0_PE_PG, "protected mode and paging" },
		{ REGISTER_CR4, CR4_PAE, "physical address extension" },
		{ REGISTER_EFER, EFER_LME, "long mode" },
	};

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		const uint64_t value = boot_state_value(registers, rows[i].id);

		if ((value & rows[i].bits) != rows[i].bits)
			return error_set(err, PVW_AGENT_0010,
				"%s 0x%" PRIx64 ", expected 0x%" PRIx64 " to be set: %s",
				register_row(rows[i].id)->name, value, rows[i].bits,
				rows[i].what);
	}
	return true;
}

/*
 * Page tables.
 */

/* Where an address leads, by four levels or, with larger pages, fewer. */
static bool walk(
	const Machine *machine, uint64_t cr3, uint64_t address, uint64_t *out, Error *err)
{
	uint64_t table = cr3 & ENTRY_ADDRESS;

	for (int shift = 39;; shift -= 9) {
		const uint64_t at = table + (address >> shift & 0x1ff) * sizeof(uint64_t);
		const uint64_t below = (UINT64_C(1) << shift) - 1;
		uint64_t entry;

		if (!machine_read(machine, "page tables", at, &entry, sizeof(entry), err))
			return false;
		if (!(entry & ENTRY_PRESENT))
			return error_set(err, PVW_AGENT_0010,
				"no page for 0x%" PRIx64 ": the entry at 0x%" PRIx64
				" is 0x%" PRIx64 ", expected one that is present",
				address, at, entry);
		table = entry & ENTRY_ADDRESS;
		if (shift == 12 || (shift < 39 && entry & ENTRY_LARGE)) {
			*out = (table & ~below) | (address & below);
			return true;
		}
	}
}

static bool check_identity(const Machine *machine, RegisterList registers, const char *what,
	uint64_t address, Error *err)
{
	uint64_t found = 0;

	if (!walk(machine, boot_state_value(registers, REGISTER_CR3), address, &found, err))
		return error_wrap(err, "%s", what);
	if (found != address)
		return error_set(err, PVW_AGENT_0010,
			"%s: page tables lead from 0x%" PRIx64 " to 0x%" PRIx64
			", expected the same address",
			what, address, found);
	return true;
}

/* [LINUXBOOT] 64-bit boot protocol: kernel, zero page and command line are mapped to themselves */
static bool check_pages(const Machine *machine, RegisterList registers, Error *err)
{
	const uint64_t zero_page = boot_state_value(registers, REGISTER_RSI);
	LinuxBootParams params;
	uint64_t line;

	if (!check_identity(machine, registers, "the rom", STATE_ROM_X86_GPA, err) ||
		!check_identity(
			machine, registers, "the rom's end", FOUR_GIB - PAGE_SIZE, err) ||
		!check_identity(machine, registers, "the entry",
			boot_state_value(registers, REGISTER_RIP), err) ||
		!check_identity(machine, registers, "the zero page", zero_page, err) ||
		!machine_read(
			machine, "the zero page", zero_page, &params, sizeof(params), err))
		return false;
	line = params.header.cmd_line_ptr | (uint64_t)params.ext_cmd_line_ptr << 32;
	return check_identity(machine, registers, "the command line", line, err);
}

/*
 * Descriptors.
 */

/* Bits 40-47 and 52-55 of a descriptor: access rights as segment registers have them. */
static uint16_t descriptor_attributes(uint64_t descriptor)
{
	return (uint16_t)((descriptor >> 40 & 0xff) | (descriptor >> 40 & 0xf000));
}

static uint64_t descriptor_base(uint64_t descriptor)
{
	return (descriptor >> 16 & 0xffffff) | (descriptor >> 32 & 0xff000000);
}

/*
 * Loading a selector gives what the descriptor says; limits count for nothing in 64-bit mode, nor
 * does the base of these.
 */
static bool check_segment(
	const Machine *machine, RegisterList registers, RegisterId id, Error *err)
{
	const BootSegment segment = boot_state_segment(registers, id);
	const BootTable gdt = boot_state_table(registers, REGISTER_GDTR);
	const char *name = register_row(id)->name;
	uint64_t descriptor;

	if (segment.selector & SELECTOR_LDT || (segment.selector & ~7) + 7 > gdt.limit)
		return error_set(err, PVW_AGENT_0010,
			"%s has selector 0x%x, expected one inside of a GDT of limit 0x%x",
			name, segment.selector, gdt.limit);
	if (!machine_read(machine, "gdt", gdt.base + (segment.selector & ~7u), &descriptor,
		    sizeof(descriptor), err))
		return false;
	if (descriptor_base(descriptor) != segment.base ||
		descriptor_attributes(descriptor) != segment.attributes)
		return error_set(err, PVW_AGENT_0010,
			"%s: descriptor 0x%x has base 0x%" PRIx64
			" and attributes 0x%x, expected 0x%" PRIx64 " and 0x%x",
			name, segment.selector, descriptor_base(descriptor),
			descriptor_attributes(descriptor), segment.base, segment.attributes);
	return true;
}

static bool check_segments(const Machine *machine, RegisterList registers, Error *err)
{
	static const RegisterId ids[] = { REGISTER_CS, REGISTER_DS, REGISTER_ES, REGISTER_FS,
		REGISTER_GS, REGISTER_SS, REGISTER_TR };
	const uint16_t code = boot_state_segment(registers, REGISTER_CS).attributes;

	for (size_t i = 0; i < ARRAY_COUNT(ids); i++) {
		if (boot_state_segment(registers, ids[i]).selector == 0 &&
			ids[i] != REGISTER_CS)
			continue;
		if (!check_segment(machine, registers, ids[i], err))
			return false;
	}
	if ((code & DESCRIPTOR_CODE) != DESCRIPTOR_CODE || !(code & DESCRIPTOR_LONG) ||
		code & DESCRIPTOR_DEFAULT)
		return error_set(err, PVW_AGENT_0010,
			"Cs has attributes 0x%x, expected 64-bit code", code);
	return true;
}

bool boot_state_check_x86(RegisterList registers, const Machine *machine, Error *err)
{
	return check_mode(registers, err) && check_pages(machine, registers, err) &&
		check_segments(machine, registers, err);
}
