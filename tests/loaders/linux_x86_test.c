/*
 * A whole plan: what lies where, what it points to, and which inputs have none.
 */
#include "loaders/linux_x86.h"

#include <asm/bootparam.h>
#include <criterion/criterion.h>
#include <string.h>

#include "helpers/kernel_builder.h"
#include "support/diagnostics.h"

#define MIB UINT64_C(0x100000)
#define TEXT(literal) ((Bytes){ (const uint8_t *)(literal), sizeof(literal) - 1 })

static Arena *arena;

/* Everything a plan is made from, so that a test changes what it is about. */
typedef struct Guest {
	NodeRange ram[4];
	uint16_t igvm_types[4];
	size_t ram_count;
	BootInfo info;
	ChipsetMmioRanges mmio;
	Vtl0Layout layout;
	ProcessorTopology topology;
	PlatformSettings settings;
	BootInputs inputs;
	Diagnostics diagnostics;
} Guest;

static Guest guest;

static void set_up(void)
{
	arena = arena_new(64 << 20);
	cr_assert_not_null(arena);
	guest = (Guest){
		.ram = { { { 0, 0xf8000000 }, 0 }, { { 0x100000000, 0x140000000 }, 1 } },
		.ram_count = 2,
		.info.arch = GUEST_ARCH_X86_64,
		.mmio = { .low = { 0xf8000000, 0x100000000 },
			.high = { 0x1000000000, 0x1020000000 } },
		.settings = { .firmware = BOOT_LINUX,
			.chipset = { .com1 = true },
			.linux_direct = { .command_line = TEXT("console=ttyS0"),
				.kernel = { .place = IMAGE_IN_PLACE,
					.gpa = MIB,
					.len = 32 * MIB },
				.kernel_entry = MIB + 0x200 } },
		.inputs = { .physical_address_bits = 46 },
	};
}

static void tear_down(void)
{
	arena_free(arena);
}

TestSuite(linux_x86, .init = set_up, .fini = tear_down);

static void lay_out(void)
{
	MemoryRange windows[2];
	size_t window_count = 0;
	Error err;

	if (!memory_range_is_empty(guest.mmio.low))
		windows[window_count++] = guest.mmio.low;
	if (!memory_range_is_empty(guest.mmio.high))
		windows[window_count++] = guest.mmio.high;

	const LayoutGaps gaps = { .mmio = { windows, window_count } };
	cr_assert(memory_layout_from_ranges((NodeRangeList){ guest.ram, guest.ram_count },
			  &gaps, arena, &guest.layout.vtl0, &err),
		"%s", err.text);

	/* what the host called it does not pass through that door */
	LayoutRecord *ram = arena_array(arena, LayoutRecord, guest.ram_count, &err);
	memcpy(ram, guest.layout.vtl0.ram.items, guest.ram_count * sizeof(*ram));
	for (size_t i = 0; i < guest.ram_count; i++)
		ram[i].igvm_type = guest.igvm_types[i];
	guest.layout.vtl0.ram.items = ram;
	guest.layout.complete = guest.layout.vtl0;
}

static bool build(BootPlan *plan, Error *err)
{
	const TopologyInputs sockets = { .vps_per_socket = 2 };

	cr_assert(topology_from_count(
			  GUEST_ARCH_X86_64, 4, &sockets, arena, &guest.topology, err),
		"%s", err->text);
	lay_out();
	guest.inputs.info = &guest.info;
	guest.inputs.mmio = &guest.mmio;
	guest.inputs.layout = &guest.layout;
	guest.inputs.topology = &guest.topology;
	guest.inputs.settings = &guest.settings;
	cr_assert(diagnostics_init(&guest.diagnostics, 8, arena, err));
	return linux_x86_build_plan(&guest.inputs, arena, plan, &guest.diagnostics, err);
}

static BootPlan built(void)
{
	BootPlan plan = { 0 };
	Error err = { 0 };

	cr_assert(build(&plan, &err), "%s", err.text);
	return plan;
}

static void refused(uint16_t diagnostic, const char *word, const char *source)
{
	BootPlan plan = { .write_count = 4711 };
	Error err = { 0 };

	cr_assert_not(build(&plan, &err));
	cr_assert_eq(err.diagnostic, diagnostic, "%s", err.text);
	cr_assert_not_null(strstr(err.text, word), "%s", err.text);
	if (source)
		cr_assert_str_eq(err.source, source);
	cr_assert_eq(plan.write_count, 4711u);
}

/* The guest's first megabytes after the plan was written, filled with what was there before. */
static uint8_t memory[4 * 0x100000];

static void commit(const BootPlan *plan)
{
	memset(memory, 0xcc, sizeof(memory));
	for (size_t i = 0; i < plan->write_count; i++) {
		const Artifact *a = &plan->artifacts.items[plan->writes[i]];

		if (a->measured || a->gpa >= sizeof(memory))
			continue;
		cr_assert_leq(a->gpa + a->bytes.len, sizeof(memory));
		if (a->bytes.data)
			memcpy(memory + a->gpa, a->bytes.data, a->bytes.len);
		else
			memset(memory + a->gpa, 0, a->bytes.len);
	}
}

static uint64_t number(uint64_t gpa, size_t bytes)
{
	uint64_t value = 0;

	cr_assert_leq(gpa + bytes, sizeof(memory));
	memcpy(&value, memory + gpa, bytes);
	return value;
}

static uint8_t sum(uint64_t gpa, uint64_t len)
{
	uint8_t total = 0;

	cr_assert_leq(gpa + len, sizeof(memory));
	for (uint64_t i = 0; i < len; i++)
		total = (uint8_t)(total + memory[gpa + i]);
	return total;
}

/* As the kernel does: every 16 bytes of the BIOS area. */
static uint64_t scan(const char *signature, size_t len)
{
	for (uint64_t at = 0xe0000; at < 0x100000; at += 16) {
		if (memcmp(memory + at, signature, len) == 0)
			return at;
	}
	return 0;
}

static bool tables_hold(const char *text)
{
	return memmem(memory + 0x19000, 0xe0000 - 0x19000, text, strlen(text)) != NULL;
}

/* Address of a table by its signature, through RSDP and XSDT; 0 = none. */
static uint64_t find_table(const char *signature)
{
	const uint64_t rsdp = scan("RSD PTR ", 8);
	uint64_t xsdt, found = 0;

	cr_assert_neq(rsdp, 0u);
	cr_assert_eq(sum(rsdp, 20), 0);
	cr_assert_eq(sum(rsdp, 36), 0);
	xsdt = number(rsdp + 24, 8);
	cr_assert_eq(memcmp(memory + xsdt, "XSDT", 4), 0);
	cr_assert_eq(sum(xsdt, number(xsdt + 4, 4)), 0);
	for (uint64_t at = xsdt + 36; at < xsdt + number(xsdt + 4, 4); at += 8) {
		const uint64_t table = number(at, 8);

		cr_assert_geq(table, 0x19000u);
		cr_assert_lt(table, 0xe0000u);
		cr_assert_eq(sum(table, number(table + 4, 4)), 0);
		if (memcmp(memory + table, signature, 4) == 0)
			found = table;
	}
	return found;
}

Test(linux_x86, names_what_it_places_in_the_order_of_writing)
{
	static const char *const names[] = { "linux.kernel", "linux.initrd",
		"linux.command-line", "linux.gdt", "linux.page-tables", "acpi.rsdp",
		"acpi.tables", "linux.zero-page", "smbios.anchor", "smbios.tables" };
	BootPlan plan;

	guest.settings.linux_direct.initrd =
		(Image){ .place = IMAGE_IN_PLACE, .gpa = 64 * MIB, .len = 0x1234 };
	plan = built();

	cr_assert_eq(plan.kind, BOOT_LINUX);
	cr_assert_eq(plan.artifacts.count, ARRAY_COUNT(names));
	for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
		cr_assert_str_eq(plan.artifacts.items[i].name, names[i]);
		cr_assert(plan.artifacts.items[i].placed);
		cr_assert_eq(plan.artifacts.items[i].measured, i < 2);
	}
}

Test(linux_x86, leads_a_kernel_to_its_tables)
{
	const BootPlan plan = built();
	uint64_t anchor, facp;

	commit(&plan);
	facp = find_table("FACP");
	cr_assert_neq(facp, 0u);
	cr_assert_neq(find_table("APIC"), 0u);
	cr_assert_neq(find_table("SRAT"), 0u);
	cr_assert_eq(find_table("SLIT"), 0u);
	cr_assert_eq(memcmp(memory + number(facp + 140, 8), "DSDT", 4), 0, "X_DSDT");

	anchor = scan("_SM3_", 5);
	cr_assert_eq(anchor, 0xf0000u);
	cr_assert_eq(sum(anchor, 24), 0);
	cr_assert_eq(memory[number(anchor + 16, 8)], 0, "BIOS information comes first");
}

Test(linux_x86, describes_serial_ports_that_are_there)
{
	BootPlan plan = built();

	commit(&plan);
	cr_assert(tables_hold("COM1"));
	cr_assert_not(tables_hold("COM2"));

	guest.settings.chipset.com1 = false;
	guest.settings.chipset.com2 = true;
	plan = built();
	commit(&plan);
	cr_assert_not(tables_hold("COM1"));
	cr_assert(tables_hold("COM2"));
	cr_assert(tables_hold("VMBS"));
	cr_assert(tables_hold("VMOD"));
	cr_assert(tables_hold("RTC0"));
}

/* [ACPI65] 6.4.2.5: an I/O port descriptor begins with tag, decoding, minimum, maximum */
static bool tables_hold_port(uint16_t port)
{
	const uint8_t descriptor[] = { 0x47, 0x01, (uint8_t)port, (uint8_t)(port >> 8),
		(uint8_t)port, (uint8_t)(port >> 8) };

	return memmem(memory + 0x19000, 0xe0000 - 0x19000, descriptor, sizeof(descriptor));
}

Test(linux_x86, gives_serial_ports_their_own_addresses)
{
	BootPlan plan = built();

	commit(&plan);
	cr_assert(tables_hold_port(0x3f8));
	cr_assert_not(tables_hold_port(0x2f8));

	guest.settings.chipset.com1 = false;
	guest.settings.chipset.com2 = true;
	plan = built();
	commit(&plan);
	cr_assert_not(tables_hold_port(0x3f8));
	cr_assert(tables_hold_port(0x2f8));
}

Test(linux_x86, describes_a_security_processor_that_is_there)
{
	BootPlan plan = built();

	commit(&plan);
	cr_assert_eq(find_table("ASPT"), 0u);

	guest.settings.chipset.psp = true;
	plan = built();
	commit(&plan);
	cr_assert_neq(find_table("ASPT"), 0u);
}

/* [ACPI65] 5.2.12: flags at 40; 5.2.12.5: type 2, length 10, bus 0, source 0, GSI 2 */
Test(linux_x86, describes_interrupt_controllers_and_timers_of_a_pc)
{
	static const uint8_t override[] = { 2, 10, 0, 0, 2, 0, 0, 0, 0, 0 };
	BootPlan plan = built();
	uint64_t madt;

	commit(&plan);
	madt = find_table("APIC");
	cr_assert_eq(number(madt + 40, 4), 0u);
	cr_assert_null(memmem(memory + madt, number(madt + 4, 4), override, sizeof(override)));

	guest.settings.chipset.pic = guest.settings.chipset.pit = true;
	plan = built();
	commit(&plan);
	madt = find_table("APIC");
	cr_assert_eq(number(madt + 40, 4), 1u, "PCAT_COMPAT");
	cr_assert_not_null(
		memmem(memory + madt, number(madt + 4, 4), override, sizeof(override)));
}

/* The device and its bytes come and go together, and the bytes lie in what the map reserves. */
Test(linux_x86, places_a_generation_id_that_the_settings_hold)
{
	BootPlan plan = built();
	const Artifact *id;

	commit(&plan);
	cr_assert_null(boot_plan_find(&plan, "generation-id"));
	cr_assert_not(tables_hold("GENC"));

	memset(guest.settings.chipset.generation_id, 0x5a, 16);
	plan = built();
	commit(&plan);
	id = boot_plan_find(&plan, "generation-id");
	cr_assert_not_null(id);
	cr_assert(id->placed && id->gpa == 0xe1000 && id->bytes.len == 16);
	cr_assert_eq(number(0xe1008, 8), 0x5a5a5a5a5a5a5a5a);
	cr_assert(tables_hold("GENC"));

	guest.inputs.request.has_acpi = true;
	guest.inputs.request.acpi = ACPI_PROFILE_REFERENCE;
	plan = built();
	cr_assert_null(boot_plan_find(&plan, "generation-id"));
}

Test(linux_x86, lists_every_processor_and_node_of_memory)
{
	const BootPlan plan = built();
	uint64_t srat, last_node = 0;
	size_t local_apics = 0;

	commit(&plan);
	const uint64_t madt = find_table("APIC");
	for (uint64_t at = madt + 44; at < madt + number(madt + 4, 4); at += memory[at + 1]) {
		cr_assert_gt(memory[at + 1], 1);
		local_apics += memory[at] == 0;
	}
	cr_assert_eq(local_apics, 4u);

	srat = find_table("SRAT");
	for (uint64_t at = srat + 48; at < srat + number(srat + 4, 4); at += memory[at + 1]) {
		cr_assert_gt(memory[at + 1], 1);
		if (memory[at] == 1 && number(at + 8, 8) == 0x100000000)
			last_node = number(at + 2, 4);
	}
	cr_assert_eq(last_node, 1u);
}

Test(linux_x86, starts_at_the_entry_or_at_the_kernels_start)
{
	BootPlan plan = built();
	uint64_t rip = 0;

	for (size_t i = 0; i < plan.registers.count; i++) {
		if (plan.registers.items[i].id == REGISTER_RIP)
			rip = plan.registers.items[i].low;
	}
	cr_assert_eq(rip, MIB + 0x200);

	guest.settings.linux_direct.kernel_entry = 0;
	plan = built();
	for (size_t i = 0; i < plan.registers.count; i++) {
		if (plan.registers.items[i].id == REGISTER_RIP)
			rip = plan.registers.items[i].low;
	}
	cr_assert_eq(rip, MIB);
}

/* Index of a register in the plan's list, which must have it once. */
static size_t place_of(const BootPlan *plan, RegisterId id)
{
	size_t found = SIZE_MAX;

	for (size_t i = 0; i < plan->registers.count; i++) {
		if (plan->registers.items[i].id != id)
			continue;
		cr_assert_eq(found, SIZE_MAX, "register %d twice", id);
		found = i;
	}
	cr_assert_neq(found, SIZE_MAX, "register %d is not there", id);
	return found;
}

Test(linux_x86, appends_exact_mtrrs_unless_others_are_asked_for)
{
	BootPlan plan = built();
	size_t first = place_of(&plan, REGISTER_MTRR_PHYS_BASE0);

	cr_assert_eq(plan.policy.mtrr, MTRR_POLICY_EXACT);
	cr_assert_eq(first, place_of(&plan, REGISTER_MTRR_FIX16K_80000) + 1);
	cr_assert_eq(place_of(&plan, REGISTER_MTRR_PHYS_MASK0), first + 1);
	cr_assert_gt(plan.registers.count, first + 1);

	guest.inputs.request.has_mtrr = true;
	guest.inputs.request.mtrr = MTRR_POLICY_HYPERV;
	plan = built();
	first = place_of(&plan, REGISTER_MTRR_PHYS_BASE0);
	cr_assert_eq(plan.policy.mtrr, MTRR_POLICY_HYPERV);
	cr_assert_eq(plan.registers.items[first].low, 6u);
	cr_assert_eq(plan.registers.items[first + 1].low, UINT64_C(0x3ffff8000800));
	cr_assert_eq(plan.registers.items[first + 2].low, 0x8000006u);
}

Test(linux_x86, says_which_acpi_profile_it_used)
{
	BootPlan plan = built();

	cr_assert_eq(plan.policy.acpi, ACPI_PROFILE_DEFAULT);

	guest.inputs.request.has_acpi = true;
	guest.inputs.request.acpi = ACPI_PROFILE_REFERENCE;
	plan = built();
	cr_assert_eq(plan.policy.acpi, ACPI_PROFILE_REFERENCE);
	commit(&plan);
	cr_assert_eq(memcmp(memory + find_table("APIC") + 10, "HVLITE", 6), 0);
}

Test(linux_x86, plans_the_same_twice)
{
	const BootPlan a = built(), b = built();
	BootPlan c;

	cr_assert(digest_equal(a.digest, b.digest));
	guest.settings.linux_direct.command_line = TEXT("console=ttyS1");
	c = built();
	cr_assert_not(digest_equal(a.digest, c.digest));
}

Test(linux_x86, keeps_an_initrd_in_place_where_it_is)
{
	BootPlan plan;
	const Artifact *initrd;

	guest.settings.linux_direct.initrd =
		(Image){ .place = IMAGE_IN_PLACE, .gpa = 33 * MIB, .len = 0x1235 };
	plan = built();
	initrd = boot_plan_find(&plan, "linux.initrd");

	cr_assert_eq(initrd->gpa, 33 * MIB);
	cr_assert_eq(initrd->bytes.len, 0x1235u);
	cr_assert_null(initrd->bytes.data);
	commit(&plan);
	cr_assert_eq(number(0x2218, 4), 33 * MIB);
	cr_assert_eq(number(0x221c, 4), 0x1235u);
}

/* The reference took the initrd's bytes for pages and found kernels above it in its way. */
Test(linux_x86, lets_a_kernel_lie_right_above_the_initrd)
{
	guest.settings.linux_direct.initrd =
		(Image){ .place = IMAGE_IN_PLACE, .gpa = 2 * MIB, .len = 0x1235 };
	guest.settings.linux_direct.kernel.gpa = 2 * MIB + 0x2000;
	guest.settings.linux_direct.kernel_entry = 0;
	built();

	guest.settings.linux_direct.kernel.gpa = 2 * MIB + 0x1000;
	refused(PVW_LINUX_0021, "expected them apart", "settings.linux_direct.initrd");
}

Test(linux_x86, takes_an_initrd_of_no_bytes_for_none)
{
	static const Image empty[] = { { .place = IMAGE_BYTES },
		{ .place = IMAGE_IN_PLACE, .gpa = 64 * MIB } };

	for (size_t i = 0; i < ARRAY_COUNT(empty); i++) {
		BootPlan plan;

		guest.settings.linux_direct.initrd = empty[i];
		plan = built();
		cr_assert_null(boot_plan_find(&plan, "linux.initrd"));
		commit(&plan);
		cr_assert_eq(number(0x2218, 8), 0u);
	}
}

static const Artifact *uploaded_initrd(size_t len, BootPlan *plan)
{
	static uint8_t bytes[8 * 0x100000];

	cr_assert_leq(len, sizeof(bytes));
	guest.settings.linux_direct.initrd =
		(Image){ .place = IMAGE_BYTES, .bytes = { bytes, len } };
	*plan = built();
	return boot_plan_find(plan, "linux.initrd");
}

Test(linux_x86, places_an_uploaded_initrd_as_high_as_it_may_go)
{
	BootPlan plan;
	const Artifact *initrd = uploaded_initrd(0x1001, &plan);

	cr_assert_eq(initrd->gpa, 0x80000000u - 0x2000);
	cr_assert_eq(initrd->bytes.len, 0x1001u);
	cr_assert_not(initrd->measured);
	cr_assert_not_null(initrd->bytes.data);

	guest.ram[0].range.end = 64 * MIB;
	cr_assert_eq(uploaded_initrd(0x1000, &plan)->gpa, 64 * MIB - 0x1000);
	cr_assert_eq(uploaded_initrd(1, &plan)->gpa, 64 * MIB - 0x1000);
}

Test(linux_x86, places_an_uploaded_initrd_below_a_kernel_at_the_top)
{
	BootPlan plan;

	guest.ram[0].range.end = 64 * MIB;
	guest.settings.linux_direct.kernel.gpa = 32 * MIB;
	guest.settings.linux_direct.kernel_entry = 0;
	cr_assert_eq(uploaded_initrd(0x1001, &plan)->gpa, 32 * MIB - 0x2000);

	guest.settings.linux_direct.kernel.len = 31 * MIB + 1;
	cr_assert_eq(uploaded_initrd(MIB - 0x1000, &plan)->gpa, 63 * MIB + 0x1000);
	cr_assert_eq(uploaded_initrd(MIB, &plan)->gpa, 31 * MIB);
}

Test(linux_x86, puts_an_uploaded_initrd_only_into_memory_for_use)
{
	BootPlan plan;

	guest.ram[0].range.end = 64 * MIB;
	guest.ram[1] = (NodeRange){ { 64 * MIB, 128 * MIB }, 0 };
	guest.igvm_types[1] = IGVM_PLATFORM_RESERVED;
	cr_assert_eq(uploaded_initrd(0x1000, &plan)->gpa, 64 * MIB - 0x1000);

	guest.igvm_types[1] = IGVM_VTL2_PROTECTABLE;
	cr_assert_eq(uploaded_initrd(0x1000, &plan)->gpa, 128 * MIB - 0x1000);
}

Test(linux_x86, refuses_an_uploaded_initrd_without_room)
{
	static uint8_t bytes[31 * 0x100000];

	guest.ram[0].range.end = 64 * MIB;
	guest.settings.linux_direct.initrd =
		(Image){ .place = IMAGE_BYTES, .bytes = { bytes, 31 * MIB } };
	built();
	guest.settings.linux_direct.initrd.bytes.len++;
	refused(PVW_LINUX_0018, "no room", "settings.linux_direct.initrd");
}

Test(linux_x86, gives_isolated_guests_no_initrd_that_nobody_measured)
{
	guest.info.isolation = ISOLATION_SNP;
	guest.settings.linux_direct.initrd =
		(Image){ .place = IMAGE_BYTES, .bytes = TEXT("070701") };
	refused(PVW_LINUX_0022, "isolated by snp", "settings.linux_direct.initrd");

	guest.settings.linux_direct.initrd =
		(Image){ .place = IMAGE_IN_PLACE, .gpa = 64 * MIB, .len = 6 };
	built();
}

Test(linux_x86, refuses_other_architectures)
{
	guest.info.arch = GUEST_ARCH_AARCH64;
	refused(PVW_LINUX_0013, "aarch64", NULL);
}

Test(linux_x86, refuses_a_guest_without_kernel)
{
	guest.settings.linux_direct.kernel = (Image){ 0 };
	refused(PVW_LINUX_0014, "no kernel", "settings.linux_direct.kernel");
}

static uint8_t kernel_file[BZIMAGE_FILE_SIZE];

static void use_bzimage(void)
{
	bzimage_file(kernel_file);
	guest.settings.linux_direct.kernel =
		(Image){ .place = IMAGE_BYTES, .bytes = { kernel_file, sizeof(kernel_file) } };
	guest.settings.linux_direct.kernel_entry = 0;
}

/* The zero page by the kernel's own headers, after the plan was written. */
static struct boot_params zero_page(const BootPlan *plan)
{
	struct boot_params params;

	commit(plan);
	memcpy(&params, memory + 0x2000, sizeof(params));
	return params;
}

Test(linux_x86, starts_a_kernel_from_bytes)
{
	struct boot_params params;
	BootPlan plan;

	use_bzimage();
	plan = built();
	params = zero_page(&plan);

	cr_assert_arr_eq(memory + MIB, kernel_file + 0x1000, 0x2000);
	cr_assert_eq(plan.registers.items[place_of(&plan, REGISTER_RIP)].low, MIB + 0x200);
	cr_assert_eq(params.hdr.version, 0x020f);
	cr_assert_eq(params.hdr.init_size, 0x400000u);
	cr_assert_eq(params.hdr.type_of_loader, 0xff);
	cr_assert_eq(params.hdr.cmd_line_ptr, 0x3000u);
	cr_assert_eq(params.hdr.cmdline_size, strlen("console=ttyS0"));
	cr_assert_eq(params.ext_ramdisk_image, 0u);
	cr_assert_eq(params.ext_cmd_line_ptr, 0u);
	cr_assert_eq(guest.diagnostics.count, 0u);
}

Test(linux_x86, starts_an_elf_kernel_from_bytes)
{
	static uint8_t elf[ELF_FILE_SIZE];
	BootPlan plan;

	elf_file(elf);
	kernel_put(elf, 0x58, 8, MIB);
	kernel_put(elf, 0x18, 8, MIB + 0x40);
	kernel_put(elf, 0xc8, 8, 3 * MIB);
	guest.settings.linux_direct.kernel =
		(Image){ .place = IMAGE_BYTES, .bytes = { elf, sizeof(elf) } };
	guest.settings.linux_direct.kernel_entry = 0;
	plan = built();
	commit(&plan);

	cr_assert_arr_eq(memory + MIB, elf + 0x1000, 0x1234);
	cr_assert_eq(memory[MIB + 0x1234], 0xcc, "nobody's");
	cr_assert_arr_eq(memory + 3 * MIB, elf + 0x3000, 0x800);
	for (size_t i = 0x800; i < 0x5000; i++)
		cr_assert_eq(memory[3 * MIB + i], 0);
	cr_assert_eq(memory[3 * MIB + 0x5000], 0xcc);
	cr_assert_eq(plan.registers.items[place_of(&plan, REGISTER_RIP)].low, MIB + 0x40);
	cr_assert_eq(number(0x2230, 4), 0x100000u, "kernel_alignment of who has no header");
}

Test(linux_x86, keeps_the_initrd_out_of_what_the_kernel_unpacks)
{
	BootPlan plan;

	use_bzimage();
	guest.ram[0].range.end = 21 * MIB;
	cr_assert_eq(uploaded_initrd(MIB, &plan)->gpa, 20 * MIB);
	guest.settings.linux_direct.initrd.bytes.len++;
	kernel_put(kernel_file, 0x236, 2, 1);
	refused(PVW_LINUX_0018, "no room", "settings.linux_direct.initrd");
}

Test(linux_x86, puts_the_initrd_below_what_the_kernel_takes)
{
	BootPlan plan;

	use_bzimage();
	kernel_put(kernel_file, 0x22c, 4, 0x37ffffff);
	cr_assert_eq(uploaded_initrd(0x1001, &plan)->gpa, 0x38000000u - 0x2000);
	kernel_put(kernel_file, 0x22c, 4, 0xffffffff);
	cr_assert_eq(uploaded_initrd(0x1001, &plan)->gpa, 0xf8000000u - 0x2000);
}

Test(linux_x86, puts_the_initrd_above_4_gib_where_the_kernel_takes_that)
{
	struct boot_params params;
	BootPlan plan;

	use_bzimage();
	guest.ram[0].range.end = 20 * MIB;
	cr_assert_eq(uploaded_initrd(0x1001, &plan)->gpa, UINT64_C(0x140000000) - 0x2000);
	params = zero_page(&plan);
	cr_assert_eq(params.hdr.ramdisk_image, 0x3fffe000u);
	cr_assert_eq(params.ext_ramdisk_image, 1u);
	cr_assert_eq(params.hdr.ramdisk_size, 0x1001u);
	cr_assert_eq(params.ext_ramdisk_size, 0u);

	kernel_put(kernel_file, 0x236, 2, 1);
	refused(PVW_LINUX_0018, "below 0x80000000", "settings.linux_direct.initrd");
}

Test(linux_x86, leaves_an_initrd_above_4_gib_to_kernels_that_take_it)
{
	BootPlan plan;

	use_bzimage();
	guest.settings.linux_direct.initrd =
		(Image){ .place = IMAGE_IN_PLACE, .gpa = UINT64_C(0x100000000), .len = 0x1000 };
	plan = built();
	cr_assert_eq(zero_page(&plan).ext_ramdisk_image, 1u);

	kernel_put(kernel_file, 0x236, 2, 1);
	refused(PVW_LINUX_0010, "0x100000000", NULL);
}

Test(linux_x86, holds_an_initrd_in_place_to_what_the_kernel_takes)
{
	use_bzimage();
	kernel_put(kernel_file, 0x236, 2, 1);
	guest.settings.linux_direct.initrd =
		(Image){ .place = IMAGE_IN_PLACE, .gpa = 0x7ffff000, .len = 0x1000 };
	built();
	guest.settings.linux_direct.initrd.len++;
	refused(PVW_LINUX_0010, "0x7ffff000-0x80001000", "settings.linux_direct.initrd");
	kernel_put(kernel_file, 0x22c, 4, 0xf7ffffff);
	built();
}

Test(linux_x86, holds_the_command_line_to_what_the_kernel_takes)
{
	static uint8_t line[256];

	use_bzimage();
	kernel_put(kernel_file, 0x238, 4, 255);
	memset(line, 'x', sizeof(line));
	guest.settings.linux_direct.command_line = (Bytes){ line, 255 };
	built();
	guest.settings.linux_direct.command_line.len = 256;
	refused(PVW_LINUX_0025, "at most the 255", "settings.linux_direct.command_line");
}

Test(linux_x86, refuses_kernels_that_are_none)
{
	use_bzimage();
	guest.settings.linux_direct.kernel.bytes = TEXT("MZ");
	refused(PVW_LINUX_0024, "2 bytes", "settings.linux_direct.kernel");
	guest.settings.linux_direct.kernel.bytes = (Bytes){ kernel_file, 0x2ff0 };
	refused(PVW_BZIMAGE_0005, "12272 bytes", "settings.linux_direct.kernel");
}

Test(linux_x86, gives_isolated_guests_no_kernel_that_nobody_measured)
{
	use_bzimage();
	guest.info.isolation = ISOLATION_VBS;
	refused(PVW_LINUX_0022, "linux.kernel", "settings.linux_direct.kernel");
}

Test(linux_x86, refuses_images_at_no_proper_place)
{
	static const struct {
		uint64_t gpa, len;
	} bad[] = {
		{ MIB, 0 },
		{ MIB + 0x800, 32 * MIB },
		{ MIB - 0x1000, 32 * MIB },
		{ 0, 32 * MIB },
		{ UINT64_C(0xfffffffffffff000), 0x1000 },
		{ MIB, UINT64_MAX },
		{ MIB, UINT64_MAX - MIB },
	};

	for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
		guest.settings.linux_direct.kernel.gpa = bad[i].gpa;
		guest.settings.linux_direct.kernel.len = bad[i].len;
		refused(PVW_LINUX_0016, "multiple of", "settings.linux_direct.kernel");
	}
	guest.settings.linux_direct.kernel.gpa = MIB;
	guest.settings.linux_direct.kernel.len = 32 * MIB;
	guest.settings.linux_direct.initrd =
		(Image){ .place = IMAGE_IN_PLACE, .gpa = 64 * MIB + 1, .len = 5 };
	refused(PVW_LINUX_0016, "0x4000001", "settings.linux_direct.initrd");
}

Test(linux_x86, refuses_images_outside_of_memory)
{
	guest.ram[0].range.end = 33 * MIB;
	built();
	guest.settings.linux_direct.kernel.len++;
	refused(PVW_LINUX_0020, "inside one range", "settings.linux_direct.kernel");

	/* two neighbours are not one range */
	guest.ram[0].range.end = 32 * MIB;
	guest.ram[1] = (NodeRange){ { 32 * MIB, 64 * MIB }, 1 };
	refused(PVW_LINUX_0020, "0x2101000", "settings.linux_direct.kernel");

	guest.ram[1] = (NodeRange){ { 64 * MIB, 128 * MIB }, 0 };
	guest.igvm_types[1] = IGVM_PLATFORM_RESERVED;
	guest.settings.linux_direct.kernel.gpa = 64 * MIB;
	refused(PVW_LINUX_0020, "for the guest's own use", "settings.linux_direct.kernel");
}

Test(linux_x86, refuses_an_entry_outside_of_the_kernel)
{
	static const uint64_t bad[] = { 1, MIB - 1, 33 * MIB, UINT64_MAX };

	for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
		guest.settings.linux_direct.kernel_entry = bad[i];
		refused(PVW_LINUX_0017, "entry", "settings.linux_direct.kernel");
	}
	guest.settings.linux_direct.kernel_entry = 33 * MIB - 1;
	built();

	/* the first page tables end at 4 GiB */
	guest.settings.linux_direct.kernel.gpa = 0x100000000;
	guest.settings.linux_direct.kernel_entry = 0;
	refused(PVW_LINUX_0017, "below 4 GiB", "settings.linux_direct.kernel");
}

Test(linux_x86, refuses_an_initrd_above_4_gib)
{
	guest.settings.linux_direct.initrd =
		(Image){ .place = IMAGE_IN_PLACE, .gpa = 0x100000000, .len = 0x1000 };
	refused(PVW_LINUX_0010, "0x100000000", NULL);
}

Test(linux_x86, warns_of_a_line_that_kernels_cut)
{
	static uint8_t line[2048];

	memset(line, 'x', sizeof(line));
	guest.settings.linux_direct.command_line = (Bytes){ line, 2047 };
	built();
	cr_assert_eq(guest.diagnostics.count, 0u);

	guest.settings.linux_direct.command_line.len = 2048;
	built();
	cr_assert_eq(guest.diagnostics.count, 1u);
	cr_assert_eq(guest.diagnostics.items[0].what.diagnostic, PVW_LINUX_0019);
	cr_assert_eq(guest.diagnostics.items[0].severity, SEVERITY_WARNING);
	cr_assert_not_null(strstr(guest.diagnostics.items[0].what.text, "2048 bytes"));
}

Test(linux_x86, passes_on_what_the_command_line_lacks)
{
	guest.settings.linux_direct.command_line = TEXT("a\0b");
	refused(PVW_LINUX_0008, "NUL", NULL);
}

Test(linux_x86, tells_the_guest_what_the_host_says_of_the_system)
{
	BootPlan plan = built();

	commit(&plan);
	cr_assert_not_null(memmem(memory + 0x19000, 0xc7000, "OpenVMM Virtual Machine", 23));
	cr_assert_eq(boot_plan_find(&plan, "smbios.tables")->bytes.len, 127u);

	guest.settings.smbios = (SmbiosSettings){ .system_manufacturer = TEXT("Contoso"),
		.system_product = TEXT("Machine"),
		.system_version = TEXT("v7"),
		.serial_number = TEXT("0815-4711"),
		.system_sku = TEXT("SKU-3"),
		.system_family = TEXT("Family") };
	guest.settings.bios_guid = (Guid){ { 0xab, 0xcd, 0xef, 1, 2, 3 } };
	plan = built();
	commit(&plan);
	/* type 1: its strings in the order of its fields, behind UUID, wake-up type and numbers */
	static const char strings[] = "Contoso\0Machine\0v7\0"
				      "0815-4711\0SKU-3\0Family\0";
	uint8_t expected[19 + sizeof(strings)];
	memcpy(expected, guest.settings.bios_guid.bytes, 16);
	memcpy(expected + 16, "\x06\x05\x06", 3);
	memcpy(expected + 19, strings, sizeof(strings));
	cr_assert_not_null(memmem(memory + 0x19000, 0xc7000, expected, sizeof(expected)));
}

Test(linux_x86, names_the_step_in_which_tables_or_mtrrs_fail)
{
	guest.inputs.physical_address_bits = 36;
	guest.ram[1].range = (MemoryRange){ 0x2000000000, 0x2040000000 };
	refused(PVW_MTRR_0001, "mtrrs: ", NULL);
}

Test(linux_x86, needs_no_windows)
{
	guest.ram_count = 1;
	guest.ram[0].range.end = 256 * MIB;
	guest.mmio.low = MEMORY_RANGE_EMPTY;
	guest.mmio.high = MEMORY_RANGE_EMPTY;
	built();
}

Test(linux_x86, is_a_boot_path)
{
	BootPlan direct = built(), by_path = { 0 };
	Error err = { 0 };

	cr_assert(boot_path_build(&guest.inputs, arena, &by_path, &guest.diagnostics, &err),
		"%s", err.text);
	cr_assert(digest_equal(direct.digest, by_path.digest));
}

Test(linux_x86, refuses_a_device_tree)
{
	guest.settings.linux_direct.hardware = LINUX_HARDWARE_DEVICE_TREE;
	refused(PVW_ARM64_0016, "a device tree for x86_64", "settings.linux_direct.hardware");
}
