/*
 * An IGVM file: whatever it says, what is read lies inside it, and what is planned inside RAM. The
 * first byte says for whom: bit 0 aarch64, bit 1 a guest where the image must move.
 */
#include <string.h>

#include "fuzz/fuzz.h"
#include "loaders/igvm.h"

#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)
#define MOST ((size_t)256 * 1024)

static uint32_t get_u32_at(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

/* The checksum is no riddle for a fuzzer to solve. */
static void seal(uint8_t *file, size_t len)
{
	const size_t fixed = len >= 32 && get_u32_at(file + 4) == 2 ? 32 : 24;
	uint32_t at, size, sum;

	if (len < 32)
		return;
	at = get_u32_at(file + 8);
	size = get_u32_at(file + 12);
	if (at > len || size > len - at)
		return;
	sum = igvm_checksum((Bytes){ file, len }, at, (size_t)at + size, fixed);
	memcpy(file + 20, &sum, sizeof(sum));
	sum = (uint32_t)len;
	memcpy(file + 16, &sum, sizeof(sum));
	sum = igvm_checksum((Bytes){ file, len }, at, (size_t)at + size, fixed);
	memcpy(file + 20, &sum, sizeof(sum));
}

static void look_at_plan(const BootPlan *plan)
{
	uint64_t end = 0;

	for (size_t i = 0; i < plan->write_count; i++) {
		const Artifact *artifact = &plan->artifacts.items[plan->writes[i]];

		FUZZ_ASSERT(artifact->gpa >= end);
		end = artifact->gpa + artifact->bytes.len;
		FUZZ_ASSERT(end <= 3 * GIB);
		/* Every byte is there. */
		if (artifact->bytes.data)
			(void)digest_of(artifact->bytes);
	}
	FUZZ_ASSERT(plan->registers.count <= REGISTER_COUNT);
}

static void plan_file(Bytes file, bool arm, bool move, Arena *arena)
{
	const BootCpu cpu = { 0, 0 };
	const VirtualProcessor vp = { .mpidr = 0x80000000, .gicr = 0xeffee000 };
	const uint64_t vtl2 = move ? 512 * MIB : 128 * MIB;
	const MapEntry map[] = { { .range = { 0, vtl2 } },
		{ .range = { vtl2, vtl2 + 64 * MIB }, .type = MEMORY_TYPE_VTL2_RAM },
		{ .range = { vtl2 + 64 * MIB, 3 * GIB } } };
	const BootInfo info = { .arch = arm ? GUEST_ARCH_AARCH64 : GUEST_ARCH_X86_64,
		.map = { map, 3 },
		.cpus = { &cpu, 1 },
		.gic = { .present = arm,
			.distributor_base = 0xffff0000,
			.distributor_size = 0x10000,
			.redistributor_base = 0xeffee000,
			.redistributor_size = 0x20000,
			.redistributor_stride = 0x20000,
			.pmu_gsiv = 23,
			.virt_timer_ppi = 20 } };
	const ChipsetMmioRanges mmio = { .low = { 0xf8000000, 0xfa000000 } };
	const ProcessorTopology topology = { .arch = info.arch,
		.vps = &vp,
		.count = 1,
		.vps_per_socket = 1,
		.reserved_vps_per_socket = 1,
		.arm = { .gic_distributor = 0xffff0000,
			.gic_redistributors = 0xeffee000,
			.virt_timer_ppi = 20,
			.irq_count = 992 } };
	const PlatformSettings settings = { .firmware = BOOT_IGVM,
		.firmware_image = { .place = IMAGE_BYTES, .bytes = file } };
	Vtl0Layout layout;
	const BootInputs in = { .info = &info,
		.mmio = &mmio,
		.layout = &layout,
		.topology = &topology,
		.settings = &settings,
		.physical_address_bits = 46 };
	Diagnostics findings;
	BootPlan plan;
	Error err = { 0 };

	FUZZ_ASSERT(vtl0_layout_build(&info, &mmio, 0, arena, &layout, &err));
	FUZZ_ASSERT(diagnostics_init(&findings, 16, arena, &err));
	if (igvm_build_plan(&in, arena, &plan, &findings, &err))
		look_at_plan(&plan);
	else
		fuzz_failed(&err);
}

/* Listing what is wrong comes to the same verdict as stopping at the first. */
static void compare_verdicts(Bytes bytes, Arena *arena)
{
	IgvmContents contents;
	IgvmSelection selection;
	Diagnostics findings;
	IgvmFile file;
	Error err = { 0 }, all = { 0 };
	bool first, listed;

	if (!igvm_open(bytes, &file, &err) ||
		!igvm_select(&file, IGVM_PLATFORM_VSM, &selection, &err)) {
		fuzz_failed(&err);
		return;
	}
	FUZZ_ASSERT(diagnostics_init(&findings, 64, arena, &err));
	first = igvm_read(&file, &selection, arena, &contents, NULL, &err);
	listed = igvm_read(&file, &selection, arena, &contents, &findings, &all);
	FUZZ_ASSERT(first == listed || err.diagnostic == PVW_MEM_0001 ||
		all.diagnostic == PVW_MEM_0001);
	FUZZ_ASSERT(!listed || findings.count == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t file[MOST];
	Arena *arena = fuzz_arena((size_t)128 * 1024 * 1024);
	const size_t len = size ? size - 1 : 0;

	if (size == 0 || len > MOST)
		return 0;
	memcpy(file, data + 1, len);
	seal(file, len);
	compare_verdicts((Bytes){ file, len }, arena);
	plan_file((Bytes){ file, len }, data[0] & 1, data[0] & 2, arena);
	return 0;
}
