/*
 * Command line, tables, zero page and registers of a directly booted kernel, x86-64.
 * Source: [LINUXBOOT] 64-bit boot protocol; [OVMM] vm/loader/src/linux.rs
 */
#include "loaders/linux_x86_config.h"

#include <inttypes.h>
#include <string.h>

#include "layout/fixed_map.h"
#include "loaders/linux_e820.h"
#include "loaders/linux_format.h"
#include "loaders/mtrr.h"
#include "loaders/page_tables.h"
#include "loaders/x86_start.h"
#include "support/checked.h"
#include "support/diagnostics.h"

#define CR0_PE_PG UINT64_C(0x80000001)
#define CR4_PAE UINT64_C(0x20)
#define EFER_SCE_LME_LMA_NXE UINT64_C(0xd01)

/* Of a kernel without a setup header. */
#define KERNEL_ALIGNMENT 0x100000

static_assert(PAGE_TABLES_IDENTITY_SIZE == LINUX_X86_PAGE_TABLES_USED, "the fixed map's room");

/* Where the pages behind the ACPI tables lie. */
typedef struct BootPages {
	LinuxLowMap low;
	uint64_t secrets, cpuid, cc_blob, setup_data, vmsa; /* GPA; 0 without SNP */
} BootPages;

static bool check_command_line(Bytes line, Error *err)
{
	const uint8_t *nul;

	if (line.len >= LINUX_X86_COMMAND_LINE_SIZE)
		return error_set(err, PVW_LINUX_0007,
			"command line of %zu bytes and a NUL, expected at most %" PRIu64
			" in all",
			line.len, LINUX_X86_COMMAND_LINE_SIZE);
	nul = line.len ? memchr(line.data, 0, line.len) : NULL;
	if (nul)
		return error_set(err, PVW_LINUX_0008,
			"NUL at byte %td of a command line of %zu, expected none",
			nul - line.data, line.len);
	return true;
}

static bool check_tables(const LinuxX86Inputs *in, Error *err)
{
	if (!in->acpi_tables.len)
		return error_set(err, PVW_LINUX_0009, "acpi tables are empty, expected some");
	if (!in->rsdp.len || in->rsdp.len > LINUX_X86_RSDP_SIZE)
		return error_set(err, PVW_LINUX_0009,
			"rsdp of %zu bytes, expected 1 to %" PRIu64, in->rsdp.len,
			LINUX_X86_RSDP_SIZE);
	return true;
}

static bool reads_high_halves(Bytes setup_header)
{
	LinuxSetupHeader header;

	if (setup_header.len != sizeof(header))
		return false;
	memcpy(&header, setup_header.data, sizeof(header));
	return header.xloadflags & LINUX_XLOAD_ABOVE_4GIB;
}

/* The header's fields of 32 bits are the only ones that every kernel reads. */
static bool check_initrd(const LinuxX86Inputs *in, Error *err)
{
	if ((in->initrd_gpa >= FOUR_GIB || in->initrd_len >= FOUR_GIB) &&
		!reads_high_halves(in->setup_header))
		return error_set(err, PVW_LINUX_0010,
			"initrd at 0x%" PRIx64 ", 0x%" PRIx64
			" bytes, expected both numbers below 0x%" PRIx64,
			in->initrd_gpa, in->initrd_len, FOUR_GIB);
	return true;
}

static bool check_setup_header(Bytes header, Error *err)
{
	if (header.len && header.len != sizeof(LinuxSetupHeader))
		return error_set(err, PVW_LINUX_0011, "setup header of %zu bytes, expected %zu",
			header.len, sizeof(LinuxSetupHeader));
	return true;
}

static bool check_snp(const LinuxX86Inputs *in, Error *err)
{
	if (in->snp && !in->snp_c_bit)
		return error_set(err, PVW_LINUX_0012,
			"no encryption bit for a guest under SNP, expected address bit 32 to "
			"51");
	return true;
}

static bool check_inputs(const LinuxX86Inputs *in, Error *err)
{
	return check_command_line(in->command_line, err) && check_tables(in, err) &&
		check_initrd(in, err) && check_setup_header(in->setup_header, err) &&
		check_snp(in, err);
}

/* No object is so large that this could wrap. */
static uint64_t end_in_pages(uint64_t start, size_t len)
{
	return align_down(start + len + PAGE_SIZE - 1, PAGE_SIZE);
}

static BootPages place_boot_pages(size_t acpi_len, size_t smbios_len, bool snp)
{
	BootPages pages = { 0 };
	uint64_t at;

	pages.low.acpi_end = end_in_pages(LINUX_X86_BOOT_PAGES_GPA, acpi_len);
	pages.low.smbios_end = end_in_pages(pages.low.acpi_end, smbios_len);
	at = pages.low.smbios_end;
	if (snp) {
		pages.secrets = at;
		pages.cpuid = at + PAGE_SIZE;
		pages.cc_blob = at + 2 * PAGE_SIZE;
		pages.setup_data = at + 3 * PAGE_SIZE;
		pages.vmsa = at + 4 * PAGE_SIZE;
		at += LINUX_CC_PAGES * PAGE_SIZE;
	}
	pages.low.boot_pages_end = at;
	return pages;
}

static LinuxSetupHeader make_header(const LinuxX86Inputs *in, const BootPages *pages)
{
	LinuxSetupHeader header = {
		.boot_flag = LINUX_BOOT_FLAG,
		.header = LINUX_HEADER_MAGIC,
		.kernel_alignment = KERNEL_ALIGNMENT,
	};

	if (in->setup_header.len)
		memcpy(&header, in->setup_header.data, sizeof(header));
	header.type_of_loader = LINUX_LOADER_UNDEFINED;
	header.cmd_line_ptr = LINUX_X86_COMMAND_LINE_GPA;
	header.cmdline_size = (uint32_t)in->command_line.len;
	header.ramdisk_image = (uint32_t)in->initrd_gpa;
	header.ramdisk_size = (uint32_t)in->initrd_len;
	if (in->snp)
		header.setup_data = pages->setup_data;
	return header;
}

static bool build_zero_page(const LinuxX86Inputs *in, const BootPages *pages, Arena *arena,
	LinuxPiece *out, Error *err)
{
	LinuxBootParams *params = arena_array(arena, LinuxBootParams, 1, err);
	size_t entries;

	if (!params || !linux_e820_build(in->ram, &pages->low, params->e820, &entries, err))
		return false;
	params->e820_entries = (uint8_t)entries;
	params->header = make_header(in, pages);
	params->ext_ramdisk_image = (uint32_t)(in->initrd_gpa >> 32);
	params->ext_ramdisk_size = (uint32_t)(in->initrd_len >> 32);
	*out = (LinuxPiece){ LINUX_X86_ZERO_PAGE_GPA,
		{ (const uint8_t *)params, sizeof(*params) } };
	return true;
}

/* The line and its NUL; nothing at all for an empty line. */
static bool build_command_line(Bytes line, Arena *arena, LinuxPiece *out, Error *err)
{
	uint8_t *text;

	if (!line.len)
		return true;
	text = arena_alloc(arena, line.len + 1, 1, err);
	if (!text)
		return false;
	memcpy(text, line.data, line.len);
	*out = (LinuxPiece){ LINUX_X86_COMMAND_LINE_GPA, { text, line.len + 1 } };
	return true;
}

static bool build_smbios(const SmbiosInputs *in, Arena *arena, Bytes *out, Error *err)
{
	*out = (Bytes){ 0 };
	return !in || smbios_build_table(in, arena, out, err);
}

static bool place_smbios(Bytes table, uint64_t gpa, Arena *arena,
	LinuxPiece pieces[LINUX_PIECE_COUNT], Error *err)
{
	SmbiosAnchor anchor;
	const uint8_t *copy;

	if (!table.len)
		return true;
	anchor = smbios_anchor(gpa, table.len);
	if (!arena_copy(arena, &anchor, sizeof(anchor), &copy, err))
		return false;
	pieces[LINUX_PIECE_SMBIOS_ANCHOR] =
		(LinuxPiece){ LINUX_X86_SMBIOS_ANCHOR_GPA, { copy, sizeof(anchor) } };
	pieces[LINUX_PIECE_SMBIOS_TABLES] = (LinuxPiece){ gpa, table };
	return true;
}

/* What tells the kernel where the platform put its secrets and the processor's features. */
static bool build_snp(
	const BootPages *pages, Arena *arena, LinuxPiece pieces[LINUX_PIECE_COUNT], Error *err)
{
	const LinuxCcBlob blob = {
		.magic = LINUX_CC_BLOB_MAGIC,
		.secrets_address = pages->secrets,
		.secrets_len = PAGE_SIZE,
		.cpuid_address = pages->cpuid,
		.cpuid_len = PAGE_SIZE,
	};
	const LinuxCcSetupData setup_data = {
		.type = LINUX_SETUP_CC_BLOB,
		.len = sizeof(setup_data) - offsetof(LinuxCcSetupData, cc_blob_address),
		.cc_blob_address = (uint32_t)pages->cc_blob,
	};
	const uint8_t *blob_copy, *setup_data_copy;

	if (!arena_copy(arena, &blob, sizeof(blob), &blob_copy, err) ||
		!arena_copy(arena, &setup_data, sizeof(setup_data), &setup_data_copy, err))
		return false;
	pieces[LINUX_PIECE_SNP_SECRETS] = (LinuxPiece){ pages->secrets, { NULL, PAGE_SIZE } };
	pieces[LINUX_PIECE_SNP_CPUID] = (LinuxPiece){ pages->cpuid, { NULL, PAGE_SIZE } };
	pieces[LINUX_PIECE_SNP_CC_BLOB] =
		(LinuxPiece){ pages->cc_blob, { blob_copy, sizeof(blob) } };
	pieces[LINUX_PIECE_SNP_SETUP_DATA] =
		(LinuxPiece){ pages->setup_data, { setup_data_copy, sizeof(setup_data) } };
	return true;
}

static Register plain(RegisterId id, uint64_t value)
{
	return (Register){ .id = id, .low = value };
}

/* The first 640 KiB write-back, as every PC has them; the variable ones are the caller's. */
static Register *put_fixed_mtrrs(Register *r)
{
	const MemoryRange low_ram = MTRR_LOW_RAM;
	Register fixed[MTRR_FIXED_COUNT];
	const size_t count = mtrr_fixed_registers(&low_ram, 1, fixed);

	assert(count == LINUX_X86_FIXED_MTRRS);
	memcpy(r, fixed, count * sizeof(*r));
	return r + count;
}

/* [LINUXBOOT] 64-bit boot protocol: long mode, identity map, zero page in RSI. */
static void make_registers(uint64_t entry, Register registers[LINUX_X86_REGISTERS])
{
	Register *r = registers;

	x86_start_segments(LINUX_X86_GDT_GPA, r);
	r += X86_START_SEGMENTS;
	*r++ = plain(REGISTER_CR0, CR0_PE_PG);
	*r++ = plain(REGISTER_CR3, LINUX_X86_PAGE_TABLES_GPA);
	*r++ = plain(REGISTER_CR4, CR4_PAE);
	*r++ = plain(REGISTER_EFER, EFER_SCE_LME_LMA_NXE);
	*r++ = plain(REGISTER_PAT, X86_PAT_RESET);
	*r++ = plain(REGISTER_RIP, entry);
	*r++ = plain(REGISTER_RSI, LINUX_X86_ZERO_PAGE_GPA);
	*r++ = plain(REGISTER_MTRR_DEF_TYPE, MTRR_DEF_TYPE_INITIAL);
	r = put_fixed_mtrrs(r);
	assert(r == registers + LINUX_X86_REGISTERS);
}

bool linux_x86_build_config(
	const LinuxX86Inputs *in, Arena *arena, LinuxX86Config *out, Error *err)
{
	LinuxX86Config config = { 0 };
	LinuxPiece *pieces = config.pieces;
	BootPages pages;
	Bytes smbios;

	if (!check_inputs(in, err) || !build_smbios(in->smbios, arena, &smbios, err))
		return false;
	pages = place_boot_pages(in->acpi_tables.len, smbios.len, in->snp);
	if (!build_zero_page(in, &pages, arena, &pieces[LINUX_PIECE_ZERO_PAGE], err) ||
		!build_command_line(
			in->command_line, arena, &pieces[LINUX_PIECE_COMMAND_LINE], err) ||
		!page_tables_build_identity(LINUX_X86_PAGE_TABLES_GPA,
			in->snp ? in->snp_c_bit : 0, arena,
			&pieces[LINUX_PIECE_PAGE_TABLES].bytes, err) ||
		!place_smbios(smbios, pages.low.acpi_end, arena, pieces, err))
		return false;
	if (in->snp && !build_snp(&pages, arena, pieces, err))
		return false;

	pieces[LINUX_PIECE_PAGE_TABLES].gpa = LINUX_X86_PAGE_TABLES_GPA;
	pieces[LINUX_PIECE_GDT] = (LinuxPiece){ LINUX_X86_GDT_GPA, x86_start_gdt() };
	pieces[LINUX_PIECE_RSDP] = (LinuxPiece){ LINUX_X86_RSDP_GPA, in->rsdp };
	pieces[LINUX_PIECE_ACPI_TABLES] =
		(LinuxPiece){ LINUX_X86_BOOT_PAGES_GPA, in->acpi_tables };
	config.vmsa_gpa = pages.vmsa;
	make_registers(in->entry, config.registers);
	*out = config;
	return true;
}
