/*
 * The PCAT boot path: image, first registers, CMOS, and what the BIOS will ask.
 * Source: [OVMM] vm/loader/src/pcat.rs
 */
#include "loaders/pcat.h"

#include <inttypes.h>

#include "loaders/boot_machine.h"
#include "support/checked.h"

#define MIB UINT64_C(0x100000)

/* Real mode, entry at F000:FFF0 below 1 MiB; the instruction pointer is FFF0 at reset. */
#define BIOS_SEGMENT_BASE 0xf0000
#define BIOS_SEGMENT_LIMIT 0xffff
#define BIOS_SEGMENT_SELECTOR 0xf000
#define BIOS_SEGMENT_ATTRIBUTES 0x9b /* present, code, readable, accessed */

void pcat_start_registers(Register out[PCAT_START_REGISTERS])
{
	const MemoryRange write_back[] = { MTRR_LOW_RAM, MTRR_BIOS_SHADOW };
	Register fixed[MTRR_FIXED_COUNT];
	const size_t count = mtrr_fixed_registers(write_back, ARRAY_COUNT(write_back), fixed);
	size_t at = 0;

	assert(count == PCAT_START_REGISTERS - 2);
	out[at++] = (Register){ .id = REGISTER_MTRR_DEF_TYPE, .low = MTRR_DEF_TYPE_INITIAL };
	for (size_t i = 0; i < count; i++)
		out[at++] = fixed[i];
	out[at] = register_segment(REGISTER_CS, BIOS_SEGMENT_BASE, BIOS_SEGMENT_LIMIT,
		BIOS_SEGMENT_SELECTOR, BIOS_SEGMENT_ATTRIBUTES);
}

bool pcat_image_place(Bytes image, bool has_max, uint64_t max, PcatImage *out, Error *err)
{
	const MemoryRange top = { PCAT_TOP_GPA, FIXED_END(PCAT_TOP) };
	MemoryRange whole;

	if (image.len != PCAT_IMAGE_SIZE)
		return error_set(err, PVW_PCAT_0003,
			"the image is 0x%zx bytes long, expected 0x%" PRIx64, image.len,
			PCAT_IMAGE_SIZE);
	if (!has_max)
		return error_set(err, PVW_PCAT_0004,
			"no ram range ends below 4 GiB, expected one for the image");
	if (!is_aligned(max, PAGE_SIZE) || max < PCAT_IMAGE_SIZE || max > FOUR_GIB)
		return error_set(err, PVW_PCAT_0004,
			"ram below 4 GiB ends at 0x%" PRIx64 ", expected a page from 0x%" PRIx64
			" to 0x100000000",
			max, PCAT_IMAGE_SIZE);
	whole = (MemoryRange){ max - PCAT_IMAGE_SIZE, max };
	if (memory_range_overlaps(whole, top))
		return error_set(err, PVW_PCAT_0004,
			"the image at 0x%" PRIx64 " and its end at 0x%" PRIx64
			" meet, expected ram that ends at or above 0x%" PRIx64,
			whole.start, top.start, top.end + PCAT_IMAGE_SIZE);
	*out = (PcatImage){
		.gpa = whole.start,
		.image = image,
		.top = { image.data + PCAT_IMAGE_SIZE - PCAT_TOP_SIZE, PCAT_TOP_SIZE },
	};
	return true;
}

static bool put_image(const BootInputs *in, BootPlanBuilder *plan, Error *err)
{
	const Image *image = &in->settings->firmware_image;
	PcatImage placed;
	uint64_t max = 0;
	bool has_max;

	if (image->place != IMAGE_BYTES)
		return true;
	has_max = memory_layout_max_ram_below_4gib(&in->layout->vtl0, &max);
	if (!pcat_image_place(image->bytes, has_max, max, &placed, err))
		return error_wrap(err, "pcat image");
	boot_plan_place(plan, "pcat.image", placed.gpa, placed.image);
	boot_plan_place(plan, "pcat.top-pages", PCAT_TOP_GPA, placed.top);
	return true;
}

static bool put_registers(const BootInputs *in, MtrrPolicy policy, Arena *arena,
	BootPlanBuilder *plan, Diagnostics *diagnostics, Error *err)
{
	Register start[PCAT_START_REGISTERS];

	pcat_start_registers(start);
	for (size_t i = 0; i < PCAT_START_REGISTERS; i++)
		boot_plan_register(plan, start[i]);
	return boot_machine_add_mtrrs(in, policy, arena, plan, diagnostics, err);
}

/* Not placed: what a device answers, or what a person wants to see. */
static void put_answer(BootPlanBuilder *plan, const char *name, Bytes bytes)
{
	boot_plan_add(plan,
		(Artifact){
			.name = name,
			.media_type = "application/octet-stream",
			.bytes = bytes,
		});
}

static bool put_cmos(MemoryRange first_block, Arena *arena, BootPlanBuilder *plan, Error *err)
{
	uint8_t *cmos = arena_array(arena, uint8_t, PCAT_CMOS_SIZE, err);

	if (!cmos || !pcat_cmos_build(memory_range_len(first_block), cmos, err))
		return false;
	put_answer(plan, "pcat.cmos", (Bytes){ cmos, PCAT_CMOS_SIZE });
	return true;
}

/* The BIOS knows one kind of memory: it would hand out what is reserved. */
static bool list_ram(LayoutRecordList records, Arena *arena, MemoryRangeList *out, Error *err)
{
	MemoryRange *items = arena_reserve_array(arena, MemoryRange, records.count, err);

	if (!items)
		return false;
	for (size_t i = 0; i < records.count; i++) {
		const LayoutRecord *record = &records.items[i];

		if (!layout_record_is_ordinary(record))
			return error_set(err, PVW_PCAT_0009,
				"ram " RANGE_FORMAT
				" has igvm-type %u, expected 0 or 3: ordinary memory",
				RANGE_ARGS(record->range), record->igvm_type);
		items[i] = record->range;
	}
	*out = (MemoryRangeList){ items, records.count };
	return true;
}

/* The BIOS takes the first range for RAM from 0 on, and puts its own memory at the end of it. */
static bool check_first_block(MemoryRange first, Error *err)
{
	if (first.start != 0 || first.end >= FOUR_GIB)
		return error_set(err, PVW_PCAT_0002,
			"the first ram range is " RANGE_FORMAT
			", expected one from 0 to below 4 GiB",
			RANGE_ARGS(first));
	return true;
}

static void warn_of_lost_parts(MemoryRangeList ram, MemoryRange high, Diagnostics *diagnostics)
{
	for (size_t i = 0; i < ram.count; i++) {
		if (!is_aligned(memory_range_len(ram.items[i]), MIB))
			diagnostics_add(diagnostics, PVW_PCAT_0008, NULL,
				"ram " RANGE_FORMAT " is not a multiple of 1 MiB",
				RANGE_ARGS(ram.items[i]));
	}
	if (!is_aligned(high.start, MIB) || !is_aligned(high.end, MIB))
		diagnostics_add(diagnostics, PVW_PCAT_0008, NULL,
			"the high mmio window " RANGE_FORMAT
			" does not start and end at a multiple of 1 MiB",
			RANGE_ARGS(high));
}

static bool put_answers(const BootInputs *in, AcpiProfile profile, Arena *arena,
	BootPlanBuilder *plan, Diagnostics *diagnostics, Error *err)
{
	PcatConfigInputs inputs = { .low = in->mmio->low,
		.high = in->mmio->high,
		.topology = in->topology,
		.settings = in->settings };
	PcatConfig config;
	AcpiInputs acpi;
	Bytes bytes;

	if (!list_ram(in->layout->vtl0.ram, arena, &inputs.ram, err))
		return error_wrap(err, "pcat bios");
	if (!boot_machine_acpi(in, profile, arena, &acpi, err) ||
		!acpi_build_table(ACPI_SRAT, &acpi, arena, &inputs.srat, err))
		return error_wrap(err, "srat");
	if (!pcat_config_build(&inputs, arena, &config, err) ||
		!check_first_block(inputs.ram.items[0], err) ||
		!put_cmos(inputs.ram.items[0], arena, plan, err) ||
		!pcat_config_write(&config, arena, &bytes, err))
		return error_wrap(err, "pcat bios");
	put_answer(plan, "pcat.config", bytes);
	warn_of_lost_parts(inputs.ram, in->mmio->high, diagnostics);
	return true;
}

bool pcat_build_plan(
	const BootInputs *in, Arena *arena, BootPlan *out, Diagnostics *diagnostics, Error *err)
{
	BootPlanBuilder *plan;
	PlanPolicy policy;

	if (in->info->arch != GUEST_ARCH_X86_64)
		return error_set(err, PVW_PCAT_0007, "the guest is %s, expected x86_64",
			guest_arch_name(in->info->arch));
	return boot_path_policy(BOOT_PCAT, &in->request, &policy, err) &&
		boot_plan_begin(BOOT_PCAT, policy, arena, &plan, err) &&
		put_answers(in, policy.acpi, arena, plan, diagnostics, err) &&
		put_image(in, plan, err) &&
		put_registers(in, policy.mtrr, arena, plan, diagnostics, err) &&
		boot_plan_finish(plan, in->layout->vtl0.ram, out, err);
}
