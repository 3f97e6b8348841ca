/*
 * What a kernel finds, read as the kernel reads it: by its own header and by the processor's
 * rules. [LINUXBOOT], [LINUXUAPI] asm/bootparam.h, [SDM3] 3.4.5
 */
#include "loaders/linux_x86_config.h"

#include <asm/bootparam.h>
#include <criterion/criterion.h>
#include <string.h>

#include "loaders/linux_format.h"
#include "support/diagnostics.h"

#define MIB UINT64_C(0x100000)
#define TEXT(literal) ((Bytes){ (const uint8_t *)(literal), sizeof(literal) - 1 })

static Arena *arena;
static uint8_t tables[0xc8000];

static void make_arena(void)
{
	arena = arena_new(16 << 20);
	cr_assert_not_null(arena);
	memset(tables, 'T', sizeof(tables));
}

static void drop_arena(void)
{
	arena_free(arena);
}

TestSuite(linux_x86_config, .init = make_arena, .fini = drop_arena);

static const LayoutRecord records[] = {
	{ .kind = LAYOUT_RAM, .range = { 0, 3072 * MIB }, .tag = "ram" },
	{ .kind = LAYOUT_RAM, .range = { 4096 * MIB, 5120 * MIB }, .tag = "ram" },
};

static const SmbiosInputs smbios = { .manufacturer = { (const uint8_t *)"maker", 5 } };

static LinuxX86Inputs typical(void)
{
	return (LinuxX86Inputs){
		.ram = { records, 2 },
		.command_line = TEXT("console=ttyS0"),
		.entry = 0x1000200,
		.acpi_tables = { tables, 0x1234 },
		.rsdp = { tables, 36 },
		.smbios = &smbios,
	};
}

static LinuxX86Config build(const LinuxX86Inputs *in)
{
	LinuxX86Config config;
	Error err;

	cr_assert(linux_x86_build_config(in, arena, &config, &err), "%s", err.text);
	return config;
}

static const struct boot_params *zero_page(const LinuxX86Config *config)
{
	const LinuxPiece *piece = &config->pieces[LINUX_PIECE_ZERO_PAGE];
	static struct boot_params copy;

	cr_assert_eq(piece->gpa, 0x2000u);
	cr_assert_eq(piece->bytes.len, sizeof(struct boot_params));
	memcpy(&copy, piece->bytes.data, sizeof(copy));
	return &copy;
}

/* Our record and the kernel's own, field by field. */
#define SAME(ours, theirs)                                                                     \
	cr_assert_eq(offsetof(LinuxBootParams, ours), offsetof(struct boot_params, theirs))

Test(linux_x86_config, agrees_with_the_kernels_header)
{
	cr_assert_eq(sizeof(LinuxBootParams), sizeof(struct boot_params));
	cr_assert_eq(sizeof(LinuxE820Entry), sizeof(struct boot_e820_entry));
	cr_assert_eq(LINUX_E820_MAX_ENTRIES, E820_MAX_ENTRIES_ZEROPAGE);
	cr_assert_eq(LINUX_SETUP_CC_BLOB, SETUP_CC_BLOB);
	SAME(e820_entries, e820_entries);
	SAME(e820, e820_table);
	SAME(header, hdr);
	SAME(header.setup_sects, hdr.setup_sects);
	SAME(header.root_flags, hdr.root_flags);
	SAME(header.syssize, hdr.syssize);
	SAME(header.ram_size, hdr.ram_size);
	SAME(header.vid_mode, hdr.vid_mode);
	SAME(header.root_dev, hdr.root_dev);
	SAME(header.boot_flag, hdr.boot_flag);
	SAME(header.jump, hdr.jump);
	SAME(header.header, hdr.header);
	SAME(header.version, hdr.version);
	SAME(header.realmode_swtch, hdr.realmode_swtch);
	SAME(header.start_sys_seg, hdr.start_sys_seg);
	SAME(header.kernel_version, hdr.kernel_version);
	SAME(header.type_of_loader, hdr.type_of_loader);
	SAME(header.loadflags, hdr.loadflags);
	SAME(header.setup_move_size, hdr.setup_move_size);
	SAME(header.code32_start, hdr.code32_start);
	SAME(header.ramdisk_image, hdr.ramdisk_image);
	SAME(header.ramdisk_size, hdr.ramdisk_size);
	SAME(header.bootsect_kludge, hdr.bootsect_kludge);
	SAME(header.heap_end_ptr, hdr.heap_end_ptr);
	SAME(header.ext_loader_ver, hdr.ext_loader_ver);
	SAME(header.ext_loader_type, hdr.ext_loader_type);
	SAME(header.cmd_line_ptr, hdr.cmd_line_ptr);
	SAME(header.initrd_addr_max, hdr.initrd_addr_max);
	SAME(header.kernel_alignment, hdr.kernel_alignment);
	SAME(header.relocatable_kernel, hdr.relocatable_kernel);
	SAME(header.min_alignment, hdr.min_alignment);
	SAME(header.xloadflags, hdr.xloadflags);
	SAME(header.cmdline_size, hdr.cmdline_size);
	SAME(header.hardware_subarch, hdr.hardware_subarch);
	SAME(header.hardware_subarch_data, hdr.hardware_subarch_data);
	SAME(header.payload_offset, hdr.payload_offset);
	SAME(header.payload_length, hdr.payload_length);
	SAME(header.setup_data, hdr.setup_data);
	SAME(header.pref_address, hdr.pref_address);
	SAME(header.init_size, hdr.init_size);
	SAME(header.handover_offset, hdr.handover_offset);
}

Test(linux_x86_config, tells_a_kernel_without_header_of_line_and_initrd)
{
	LinuxX86Inputs in = typical();
	const struct boot_params *params;
	struct boot_params rest;

	in.initrd_gpa = 0x7ff00000;
	in.initrd_len = 0x123456;
	const LinuxX86Config config = build(&in);
	params = zero_page(&config);

	cr_assert_eq(params->hdr.boot_flag, 0xaa55);
	cr_assert_eq(memcmp(&params->hdr.header, "HdrS", 4), 0);
	cr_assert_eq(params->hdr.kernel_alignment, MIB);
	cr_assert_eq(params->hdr.type_of_loader, 0xff);
	cr_assert_eq(params->hdr.cmd_line_ptr, 0x3000u);
	cr_assert_eq(params->hdr.cmdline_size, 13u);
	cr_assert_eq(params->hdr.ramdisk_image, 0x7ff00000u);
	cr_assert_eq(params->hdr.ramdisk_size, 0x123456u);
	cr_assert_eq(params->e820_entries, 7);
	cr_assert_eq(params->e820_table[6].addr, 4096 * MIB);

	/* everything else is zero: what stands there would mean something to the kernel */
	rest = *params;
	rest.hdr.boot_flag = 0;
	rest.hdr.header = 0;
	rest.hdr.kernel_alignment = 0;
	rest.hdr.type_of_loader = 0;
	rest.hdr.cmd_line_ptr = 0;
	rest.hdr.cmdline_size = 0;
	rest.hdr.ramdisk_image = 0;
	rest.hdr.ramdisk_size = 0;
	rest.e820_entries = 0;
	memset(rest.e820_table, 0, 7 * sizeof(rest.e820_table[0]));
	for (size_t i = 0; i < sizeof(rest); i++)
		cr_assert_eq(((const uint8_t *)&rest)[i], 0, "byte 0x%zx", i);
}

Test(linux_x86_config, keeps_a_setup_header_but_for_the_loaders_fields)
{
	uint8_t header[0x77];
	LinuxX86Inputs in = typical();
	const struct boot_params *params;

	for (size_t i = 0; i < sizeof(header); i++)
		header[i] = (uint8_t)(0x80 + i);
	in.setup_header = (Bytes){ header, sizeof(header) };
	const LinuxX86Config config = build(&in);
	params = zero_page(&config);

	for (size_t at = 0x1f1; at < 0x268; at++) {
		const bool ours = at == 0x210 || (at >= 0x218 && at < 0x220) ||
			(at >= 0x228 && at < 0x22c) || (at >= 0x238 && at < 0x23c);

		if (!ours)
			cr_assert_eq(((const uint8_t *)params)[at], header[at - 0x1f1],
				"byte 0x%zx", at);
	}
	cr_assert_eq(params->hdr.type_of_loader, 0xff);
	cr_assert_eq(params->hdr.ramdisk_image, 0u);
	cr_assert_eq(params->hdr.ramdisk_size, 0u);
	cr_assert_eq(params->hdr.cmd_line_ptr, 0x3000u);
	cr_assert_eq(params->hdr.cmdline_size, 13u);
	cr_assert_eq(params->hdr.kernel_info_offset, 0u);
}

Test(linux_x86_config, places_its_pieces_apart_below_1_mib)
{
	LinuxX86Inputs in = typical();

	in.snp = true;
	in.snp_c_bit = 51;
	const LinuxX86Config config = build(&in);

	for (size_t i = 0; i < LINUX_PIECE_COUNT; i++) {
		const LinuxPiece *a = &config.pieces[i];

		cr_assert_gt(a->bytes.len, 0u, "piece %zu", i);
		cr_assert_eq(a->gpa % 4096, 0u);
		cr_assert_geq(a->gpa, 0x1000u);
		cr_assert_leq(a->gpa + a->bytes.len, MIB);
		for (size_t j = 0; j < i; j++) {
			const LinuxPiece *b = &config.pieces[j];

			cr_assert(a->gpa + a->bytes.len <= b->gpa ||
					b->gpa + b->bytes.len <= a->gpa,
				"pieces %zu and %zu", i, j);
		}
	}
}

/* Type of memory in which an address lies, as the zero page tells it. */
static uint32_t type_at(const struct boot_params *params, uint64_t address)
{
	for (size_t i = 0; i < params->e820_entries; i++) {
		const struct boot_e820_entry *e = &params->e820_table[i];

		if (address >= e->addr && address - e->addr < e->size)
			return e->type;
	}
	return 0;
}

Test(linux_x86_config, keeps_the_kernel_off_what_must_outlive_its_start)
{
	LinuxX86Inputs in = typical();
	const struct boot_params *params;

	in.snp = true;
	in.snp_c_bit = 47;
	const LinuxX86Config config = build(&in);
	params = zero_page(&config);

	for (size_t i = 0; i < LINUX_PIECE_COUNT; i++) {
		const LinuxPiece *piece = &config.pieces[i];
		const bool used_up = i == LINUX_PIECE_COMMAND_LINE || i == LINUX_PIECE_GDT ||
			i == LINUX_PIECE_PAGE_TABLES || i == LINUX_PIECE_ZERO_PAGE;
		const uint32_t expected = used_up ? 1 : i == LINUX_PIECE_ACPI_TABLES ? 3 : 2;

		cr_assert_eq(type_at(params, piece->gpa), expected, "piece %zu", i);
		cr_assert_eq(type_at(params, piece->gpa + piece->bytes.len - 1), expected);
	}
	cr_assert_eq(type_at(params, config.vmsa_gpa), 2u);
	cr_assert_eq(type_at(params, config.vmsa_gpa + 4096), 1u);
	cr_assert_eq(type_at(params, MIB), 1u);
}

Test(linux_x86_config, ends_the_line_in_a_nul)
{
	const LinuxX86Inputs in = typical();
	const LinuxX86Config config = build(&in);
	const LinuxPiece *line = &config.pieces[LINUX_PIECE_COMMAND_LINE];

	cr_assert_eq(line->gpa, 0x3000u);
	cr_assert_eq(line->bytes.len, 14u);
	cr_assert_str_eq((const char *)line->bytes.data, "console=ttyS0");
}

Test(linux_x86_config, writes_no_line_when_it_is_empty)
{
	LinuxX86Inputs in = typical();

	in.command_line = (Bytes){ 0 };
	const LinuxX86Config config = build(&in);

	cr_assert_eq(config.pieces[LINUX_PIECE_COMMAND_LINE].bytes.len, 0u);
	cr_assert_eq(zero_page(&config)->hdr.cmd_line_ptr, 0x3000u);
	cr_assert_eq(zero_page(&config)->hdr.cmdline_size, 0u);
}

Test(linux_x86_config, has_no_smbios_and_no_boot_pages_unless_asked)
{
	LinuxX86Inputs in = typical();

	in.smbios = NULL;
	const LinuxX86Config config = build(&in);

	for (size_t i = LINUX_PIECE_SNP_SECRETS; i <= LINUX_PIECE_SNP_SETUP_DATA; i++)
		cr_assert_eq(config.pieces[i].bytes.len, 0u);
	cr_assert_eq(config.pieces[LINUX_PIECE_SMBIOS_ANCHOR].bytes.len, 0u);
	cr_assert_eq(config.pieces[LINUX_PIECE_SMBIOS_TABLES].bytes.len, 0u);
	cr_assert_eq(config.vmsa_gpa, 0u);
	cr_assert_eq(zero_page(&config)->hdr.setup_data, 0u);
	cr_assert_eq(type_at(zero_page(&config), 0x1a000), 3u);
	cr_assert_eq(type_at(zero_page(&config), 0x1b000), 1u);
}

Test(linux_x86_config, anchors_smbios_behind_the_acpi_tables)
{
	const LinuxX86Inputs in = typical();
	const LinuxX86Config config = build(&in);
	const LinuxPiece *anchor = &config.pieces[LINUX_PIECE_SMBIOS_ANCHOR];
	const LinuxPiece *table = &config.pieces[LINUX_PIECE_SMBIOS_TABLES];
	uint64_t address;
	uint32_t len;

	memcpy(&len, anchor->bytes.data + 12, 4);
	memcpy(&address, anchor->bytes.data + 16, 8);
	cr_assert_eq(anchor->gpa, 0xf0000u);
	cr_assert_eq(address, table->gpa);
	cr_assert_eq(address, 0x1b000u);
	cr_assert_eq(len, table->bytes.len);
}

Test(linux_x86_config, leads_from_setup_data_to_the_pages_of_snp)
{
	LinuxX86Inputs in = typical();
	const LinuxPiece *pieces;
	struct setup_data head;
	uint64_t secrets, cpuid;
	uint32_t blob, magic, len, cpuid_len;

	in.snp = true;
	in.snp_c_bit = 51;
	const LinuxX86Config config = build(&in);
	pieces = config.pieces;

	cr_assert_eq(
		zero_page(&config)->hdr.setup_data, pieces[LINUX_PIECE_SNP_SETUP_DATA].gpa);
	memcpy(&head, pieces[LINUX_PIECE_SNP_SETUP_DATA].bytes.data, sizeof(head));
	memcpy(&blob, pieces[LINUX_PIECE_SNP_SETUP_DATA].bytes.data + sizeof(head), 4);
	cr_assert_eq(head.next, 0u);
	cr_assert_eq(head.type, 7u);
	cr_assert_eq(head.len, 16u);
	cr_assert_eq(sizeof(head) + head.len, pieces[LINUX_PIECE_SNP_SETUP_DATA].bytes.len);
	cr_assert_eq(blob, pieces[LINUX_PIECE_SNP_CC_BLOB].gpa);

	memcpy(&magic, pieces[LINUX_PIECE_SNP_CC_BLOB].bytes.data, 4);
	memcpy(&secrets, pieces[LINUX_PIECE_SNP_CC_BLOB].bytes.data + 8, 8);
	memcpy(&len, pieces[LINUX_PIECE_SNP_CC_BLOB].bytes.data + 16, 4);
	memcpy(&cpuid, pieces[LINUX_PIECE_SNP_CC_BLOB].bytes.data + 24, 8);
	memcpy(&cpuid_len, pieces[LINUX_PIECE_SNP_CC_BLOB].bytes.data + 32, 4);
	cr_assert_eq(magic, 0x45444d41u);
	cr_assert_eq(len, 4096u);
	cr_assert_eq(cpuid_len, 4096u);
	cr_assert_eq(secrets, pieces[LINUX_PIECE_SNP_SECRETS].gpa);
	cr_assert_eq(cpuid, pieces[LINUX_PIECE_SNP_CPUID].gpa);
	cr_assert_eq(config.vmsa_gpa, pieces[LINUX_PIECE_SNP_SETUP_DATA].gpa + 4096);
	cr_assert_eq(pieces[LINUX_PIECE_PAGE_TABLES].bytes.data[6] & 0x08, 0x08,
		"the first entry has bit 51");
}

static const Register *find(const LinuxX86Config *config, RegisterId id)
{
	for (size_t i = 0; i < LINUX_X86_REGISTERS; i++) {
		if (config->registers[i].id == id)
			return &config->registers[i];
	}
	cr_assert_fail("register %d is not set", id);
	return NULL;
}

Test(linux_x86_config, gives_registers_in_their_order)
{
	static const RegisterId order[] = { REGISTER_GDTR, REGISTER_DS, REGISTER_ES,
		REGISTER_FS, REGISTER_GS, REGISTER_SS, REGISTER_CS, REGISTER_CR0, REGISTER_CR3,
		REGISTER_CR4, REGISTER_EFER, REGISTER_PAT, REGISTER_RIP, REGISTER_RSI,
		REGISTER_MTRR_DEF_TYPE, REGISTER_MTRR_FIX64K_00000,
		REGISTER_MTRR_FIX16K_80000 };
	const LinuxX86Inputs in = typical();
	const LinuxX86Config config = build(&in);

	cr_assert_eq(ARRAY_COUNT(order), (size_t)LINUX_X86_REGISTERS);
	for (size_t i = 0; i < ARRAY_COUNT(order); i++)
		cr_assert_eq(config.registers[i].id, order[i], "register %zu", i);
}

Test(linux_x86_config, starts_in_long_mode_at_the_entry)
{
	const LinuxX86Inputs in = typical();
	const LinuxX86Config config = build(&in);
	const uint64_t efer = find(&config, REGISTER_EFER)->low;

	cr_assert_eq(find(&config, REGISTER_RIP)->low, 0x1000200u);
	cr_assert_eq(find(&config, REGISTER_RSI)->low, 0x2000u);
	cr_assert_eq(
		find(&config, REGISTER_CR3)->low, config.pieces[LINUX_PIECE_PAGE_TABLES].gpa);
	cr_assert_eq(find(&config, REGISTER_CR0)->low, 1u | 1u << 31);
	cr_assert_eq(find(&config, REGISTER_CR4)->low, 1u << 5);
	cr_assert_eq(efer, 1u | 1u << 8 | 1u << 10 | 1u << 11);
	cr_assert_eq(find(&config, REGISTER_PAT)->low, UINT64_C(0x0007040600070406));
	cr_assert_eq(find(&config, REGISTER_MTRR_DEF_TYPE)->low, 0xc00u);
	cr_assert_eq(
		find(&config, REGISTER_MTRR_FIX64K_00000)->low, UINT64_C(0x0606060606060606));
	cr_assert_eq(
		find(&config, REGISTER_MTRR_FIX16K_80000)->low, UINT64_C(0x0606060606060606));
}

/* Access rights as a processor would cache them from a descriptor; [SDM3] figure 3-8 */
static uint16_t attributes_of(uint64_t descriptor)
{
	return (uint16_t)(descriptor >> 40 & 0xf0ff);
}

Test(linux_x86_config, caches_in_segments_what_the_table_says)
{
	static const RegisterId segments[] = { REGISTER_CS, REGISTER_DS, REGISTER_ES,
		REGISTER_FS, REGISTER_GS, REGISTER_SS };
	const LinuxX86Inputs in = typical();
	const LinuxX86Config config = build(&in);
	const LinuxPiece *table = &config.pieces[LINUX_PIECE_GDT];
	const Register *gdtr = find(&config, REGISTER_GDTR);

	cr_assert_eq(gdtr->high, table->gpa);
	cr_assert_eq(gdtr->low >> 48, table->bytes.len - 1);
	for (size_t i = 0; i < ARRAY_COUNT(segments); i++) {
		const Register *r = find(&config, segments[i]);
		const uint16_t selector = (uint16_t)(r->high >> 32);
		uint64_t descriptor;

		cr_assert_leq(selector + 8u, table->bytes.len);
		memcpy(&descriptor, table->bytes.data + selector, 8);
		cr_assert_eq(r->low, 0u);
		cr_assert_eq(r->high & UINT32_MAX, UINT32_MAX);
		cr_assert_eq((uint16_t)(r->high >> 48), attributes_of(descriptor));
		cr_assert(descriptor >> 47 & 1, "present");
		cr_assert_eq(descriptor >> 43 & 1, segments[i] == REGISTER_CS);
		cr_assert_eq(descriptor >> 53 & 1, segments[i] == REGISTER_CS, "long");
	}
}

static void check_refused(const LinuxX86Inputs *in, uint16_t diagnostic, const char *word)
{
	LinuxX86Config config = { .vmsa_gpa = 4711 };
	Error err = { 0 };

	cr_assert_not(linux_x86_build_config(in, arena, &config, &err));
	cr_assert_eq(err.diagnostic, diagnostic, "%s", err.text);
	cr_assert_not_null(strstr(err.text, word), "%s", err.text);
	cr_assert_eq(config.vmsa_gpa, 4711u);
}

Test(linux_x86_config, takes_4095_bytes_of_line_and_not_one_more)
{
	static uint8_t line[4097];
	LinuxX86Inputs in = typical();

	memset(line, 'x', sizeof(line));
	in.command_line = (Bytes){ line, 4095 };
	const LinuxX86Config config = build(&in);
	cr_assert_eq(config.pieces[LINUX_PIECE_COMMAND_LINE].bytes.len, 4096u);
	cr_assert_eq(zero_page(&config)->hdr.cmdline_size, 4095u);

	in.command_line.len = 4096;
	check_refused(&in, PVW_LINUX_0007, "4096 bytes and a NUL");
	in.command_line.len = SIZE_MAX;
	check_refused(&in, PVW_LINUX_0007, "4096 in all");
}

Test(linux_x86_config, refuses_a_nul_inside_of_the_line)
{
	LinuxX86Inputs in = typical();

	in.command_line = TEXT("quiet\0debug");
	check_refused(&in, PVW_LINUX_0008, "NUL at byte 5");
	in.command_line = TEXT("quiet\0");
	check_refused(&in, PVW_LINUX_0008, "NUL at byte 5");
}

Test(linux_x86_config, refuses_a_guest_without_acpi)
{
	LinuxX86Inputs in = typical();

	in.acpi_tables.len = 0;
	check_refused(&in, PVW_LINUX_0009, "empty");
	in = typical();
	in.rsdp.len = 0;
	check_refused(&in, PVW_LINUX_0009, "rsdp of 0");
	in.rsdp.len = 4097;
	check_refused(&in, PVW_LINUX_0009, "rsdp of 4097");
}

Test(linux_x86_config, fills_the_space_below_the_bios_area_and_not_more)
{
	LinuxX86Inputs in = typical();

	in.smbios = NULL;
	in.acpi_tables.len = 0xc7000;
	const LinuxX86Config config = build(&in);
	cr_assert_eq(type_at(zero_page(&config), 0xdffff), 3u);
	in.acpi_tables.len++;
	check_refused(&in, PVW_LINUX_0004, "0xe1000");

	in.smbios = &smbios;
	in.acpi_tables.len = 0xc6000;
	build(&in);
	in.acpi_tables.len++;
	check_refused(&in, PVW_LINUX_0004, "0xe1000");

	in.snp = true;
	in.snp_c_bit = 51;
	in.acpi_tables.len = 0xc1000;
	build(&in);
	in.acpi_tables.len++;
	check_refused(&in, PVW_LINUX_0004, "0xe1000");
}

Test(linux_x86_config, takes_an_initrd_that_32_bits_can_name)
{
	static const struct {
		uint64_t gpa, len;
		bool fits;
	} rows[] = {
		{ 0xfffff000, 0x1000, true },
		{ 0xfffff000, 0x1001, true },
		{ UINT64_C(0x100000000), 1, false },
		{ 0, UINT64_C(0x100000000), false },
		{ 0, 0xffffffff, true },
		{ UINT64_C(0xfffffffffffff000), 0x2000, false },
		{ 0x1000, UINT64_MAX, false },
	};

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		LinuxX86Inputs in = typical();

		in.initrd_gpa = rows[i].gpa;
		in.initrd_len = rows[i].len;
		if (!rows[i].fits) {
			check_refused(&in, PVW_LINUX_0010, "initrd at");
			continue;
		}
		const LinuxX86Config config = build(&in);
		cr_assert_eq(zero_page(&config)->hdr.ramdisk_image, rows[i].gpa);
		cr_assert_eq(zero_page(&config)->hdr.ramdisk_size, rows[i].len);
	}
}

Test(linux_x86_config, refuses_a_setup_header_of_another_size)
{
	LinuxX86Inputs in = typical();

	in.setup_header = (Bytes){ tables, 0x76 };
	check_refused(&in, PVW_LINUX_0011, "118 bytes");
	in.setup_header = (Bytes){ tables, 0x78 };
	check_refused(&in, PVW_LINUX_0011, "expected 119");
}

Test(linux_x86_config, refuses_snp_without_its_encryption_bit)
{
	LinuxX86Inputs in = typical();

	in.snp = true;
	check_refused(&in, PVW_LINUX_0012, "no encryption bit");
	in.snp_c_bit = 12;
	check_refused(&in, PVW_LINUX_0001, "bit 12");
}

Test(linux_x86_config, refuses_ram_that_a_pc_would_not_have)
{
	const LayoutRecord late = { .kind = LAYOUT_RAM, .range = { 0x1000, 64 * MIB } };
	LinuxX86Inputs in = typical();

	in.ram = (LayoutRecordList){ &late, 1 };
	check_refused(&in, PVW_LINUX_0003, "start at 0");
}

Test(linux_x86_config, says_when_the_smbios_strings_are_too_long)
{
	const SmbiosInputs large = { .product = { tables, sizeof(tables) } };
	LinuxX86Inputs in = typical();

	in.smbios = &large;
	check_refused(&in, PVW_SMBIOS_0001, "structures take");
}

/* However little memory there is, there is a plan or an error, and never half of one. */
Test(linux_x86_config, says_when_the_arena_is_full)
{
	LinuxX86Inputs in = typical();
	size_t limit = 0;
	bool built = false;

	in.snp = true;
	in.snp_c_bit = 51;
	for (; !built; limit += 512) {
		LinuxX86Config config = { .vmsa_gpa = 4711 };
		Arena *small = arena_new(limit);
		Error err = { 0 };

		cr_assert_lt(limit, (size_t)1 << 20);
		built = linux_x86_build_config(&in, small, &config, &err);
		if (!built) {
			cr_assert_eq(err.diagnostic, PVW_MEM_0001, "%s", err.text);
			cr_assert_eq(config.vmsa_gpa, 4711u);
		}
		arena_free(small);
	}
	cr_assert_gt(limit, (size_t)24576);
}
