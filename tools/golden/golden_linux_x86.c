/*
 * linux_x86: what a directly booted kernel finds around itself, page by page in the order of
 * writing, and the first register state.
 */
#include "golden.h"

#include <string.h>

#include "acpi/acpi_build.h"
#include "golden_acpi.h"
#include "golden_smbios.h"
#include "layout/fixed_map.h"
#include "loaders/linux_x86_config.h"

/* What the reference calls a piece, and how a measured launch takes it. */
typedef struct PieceRow {
	const char *tag, *acceptance;
	bool no_data; /* filled by the platform */
} PieceRow;

static const PieceRow pieces[] = {
	[LINUX_PIECE_COMMAND_LINE] = { "linux-commandline", "Exclusive", false },
	[LINUX_PIECE_GDT] = { "default-gdt", "Exclusive", false },
	[LINUX_PIECE_PAGE_TABLES] = { "linux-pagetables", "Exclusive", false },
	[LINUX_PIECE_RSDP] = { "linux-rsdp", "Exclusive", false },
	[LINUX_PIECE_ACPI_TABLES] = { "linux-acpi-tables", "Exclusive", false },
	[LINUX_PIECE_SNP_SECRETS] = { "linux-snp-secrets", "SecretsPage", true },
	[LINUX_PIECE_SNP_CPUID] = { "linux-snp-cpuid", "CpuidPage", true },
	[LINUX_PIECE_SNP_CC_BLOB] = { "linux-snp-cc-blob", "Exclusive", false },
	[LINUX_PIECE_SNP_SETUP_DATA] = { "linux-snp-cc-setup-data", "Exclusive", false },
	[LINUX_PIECE_ZERO_PAGE] = { "linux-zeropage", "Exclusive", false },
	[LINUX_PIECE_SMBIOS_ANCHOR] = { "linux-smbios-anchor", "Exclusive", false },
	[LINUX_PIECE_SMBIOS_TABLES] = { "linux-smbios-tables", "Exclusive", false },
};
static_assert(ARRAY_COUNT(pieces) == LINUX_PIECE_COUNT, "one row a piece");

/* Tables that are not tables: "byte i = i", "byte i = (i mod 255)+1". */
static void pattern_tables(const json_t *acpi, Arena *arena, AcpiSet *out)
{
	const size_t len = (size_t)golden_u64(acpi, "len");
	uint8_t *tables = golden_array(arena, len, 1);
	uint8_t *rsdp = golden_array(arena, 36, 1);

	for (size_t i = 0; i < len; i++)
		tables[i] = (uint8_t)(i % 255 + 1);
	for (size_t i = 0; i < 36; i++)
		rsdp[i] = (uint8_t)i;
	*out = (AcpiSet){ .tables = { tables, len }, .rsdp = { rsdp, 36 } };
}

static bool real_tables(const json_t *input, Arena *arena, AcpiSet *out, Error *err)
{
	const json_t *acpi = golden_member(input, "acpi");
	const uint32_t count = (uint32_t)golden_u64(acpi, "proc_count");
	const TopologyInputs sockets = { .vps_per_socket = count };
	const DsdtDeviceList devices =
		golden_dsdt_devices(golden_member(acpi, "dsdt_ops"), arena);
	ProcessorTopology topology;
	AcpiInputs in = {
		.profile = ACPI_PROFILE_REFERENCE,
		.topology = &topology,
		.ram = golden_node_ranges(golden_member(input, "ram"), arena),
		.with_ioapic = true,
		.pm_base = PM_BASE_PORT,
		.acpi_irq = SCI_IRQ,
		.devices = &devices,
		.with_processors = true,
	};

	return topology_from_count(GUEST_ARCH_X86_64, count, &sockets, arena, &topology, err) &&
		acpi_build_set(&in, LINUX_X86_BOOT_PAGES_GPA, arena, out, err);
}

static bool read_tables(const json_t *input, Arena *arena, AcpiSet *out, Error *err)
{
	const json_t *acpi = golden_member(input, "acpi");
	const char *kind = golden_string(acpi, "kind");

	if (strcmp(kind, "acpi_tables") == 0)
		return real_tables(input, arena, out, err);
	if (strcmp(kind, "pattern") != 0)
		golden_malformed("unknown tables \"%s\"", kind);
	pattern_tables(acpi, arena, out);
	return true;
}

static LayoutRecordList read_ram(const json_t *input, Arena *arena)
{
	const NodeRangeList ram = golden_node_ranges(golden_member(input, "ram"), arena);
	LayoutRecord *items = golden_array(arena, ram.count, sizeof(*items));

	for (size_t i = 0; i < ram.count; i++)
		items[i] = (LayoutRecord){ .kind = LAYOUT_RAM,
			.range = ram.items[i].range,
			.vnode = ram.items[i].vnode,
			.tag = "ram" };
	return (LayoutRecordList){ items, ram.count };
}

static json_t *page_to_json(const PieceRow *row, const LinuxPiece *piece)
{
	const uint64_t count = (piece->bytes.len + PAGE_SIZE - 1) / PAGE_SIZE;
	const size_t len = row->no_data ? 0 : piece->bytes.len;
	size_t trimmed = len;

	while (trimmed && piece->bytes.data[trimmed - 1] == 0)
		trimmed--;
	return json_pack("{s: o, s: I, s: s, s: s, s: I, s: o}", "page_base",
		golden_json_u64(piece->gpa / PAGE_SIZE), "page_count", (json_int_t)count, "tag",
		row->tag, "acceptance", row->acceptance, "data_len", (json_int_t)len,
		"data_trimmed", golden_json_hex((Bytes){ piece->bytes.data, trimmed }));
}

/* Segments are {base, limit, selector, attributes}, tables {base, limit}, the rest numbers. */
static json_t *register_to_json(const Register *r)
{
	const RegisterRow *row = register_row(r->id);
	json_t *value = json_pack("{s: s}", "reg", row->name);

	if (r->id >= REGISTER_ES && r->id <= REGISTER_TR) {
		json_object_set_new(value, "base", golden_json_u64(r->low));
		json_object_set_new(value, "limit", golden_json_u64(r->high & UINT32_MAX));
		json_object_set_new(
			value, "selector", golden_json_u64(r->high >> 32 & UINT16_MAX));
		json_object_set_new(value, "attributes", golden_json_u64(r->high >> 48));
	} else if (r->id == REGISTER_GDTR || r->id == REGISTER_IDTR) {
		json_object_set_new(value, "base", golden_json_u64(r->high));
		json_object_set_new(value, "limit", golden_json_u64(r->low >> 48));
	} else {
		json_object_set_new(value, "value", golden_json_u64(r->low));
	}
	return value;
}

static json_t *config_to_json(const LinuxX86Config *config)
{
	json_t *pages = json_array(), *registers = json_array();

	for (size_t i = 0; i < LINUX_PIECE_COUNT; i++) {
		if (config->pieces[i].bytes.len)
			json_array_append_new(
				pages, page_to_json(&pieces[i], &config->pieces[i]));
	}
	for (size_t i = 0; i < LINUX_X86_REGISTERS; i++)
		json_array_append_new(registers, register_to_json(&config->registers[i]));
	return json_pack("{s: o, s: o, s: o}", "pages", pages, "registers", registers,
		"vp_context_page",
		config->vmsa_gpa ? golden_json_u64(config->vmsa_gpa / PAGE_SIZE) : json_null());
}

bool golden_run_linux_x86(const json_t *input, Arena *arena, json_t **output, Error *err)
{
	LinuxX86Config config;
	SmbiosInputs smbios;
	AcpiSet acpi;
	LinuxX86Inputs in = {
		.ram = read_ram(input, arena),
		.command_line = golden_hex(input, "cmdline", arena),
		.entry = golden_u64(golden_member(input, "kernel"), "entrypoint"),
		.snp = !golden_is_null(input, "snp_c_bit"),
	};

	if (in.snp)
		in.snp_c_bit = (uint8_t)golden_u64(input, "snp_c_bit");
	if (!golden_is_null(input, "initrd")) {
		in.initrd_gpa = golden_u64(golden_member(input, "initrd"), "gpa");
		in.initrd_len = golden_u64(golden_member(input, "initrd"), "size");
	}
	if (!golden_is_null(input, "smbios")) {
		smbios = golden_smbios_inputs(golden_member(input, "smbios"), arena);
		in.smbios = &smbios;
	}
	if (!golden_is_null(input, "bzimage_setup_header"))
		in.setup_header = golden_hex(input, "bzimage_setup_header", arena);
	if (!read_tables(input, arena, &acpi, err))
		return false;
	in.acpi_tables = acpi.tables;
	in.rsdp = acpi.rsdp;
	if (!linux_x86_build_config(&in, arena, &config, err))
		return false;
	*output = config_to_json(&config);
	return true;
}
