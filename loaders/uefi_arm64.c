/*
 * UEFI on aarch64: the first volume's own vector is the entry; 4 GiB are mapped.
 * Source: [ARM] D8.3, D17.2; [OVMM] vm/loader/src/uefi/mod.rs, load; vm/loader/page_table/aarch64
 */
#include <inttypes.h>

#include "layout/fixed_map.h"
#include "loaders/uefi_config.h"
#include "loaders/uefi_image.h"
#include "loaders/uefi_internal.h"

static_assert(UEFI_ARM64_CONFIG_GPA + UEFI_CONFIG_MAX <= MEASURED_ARM64_CONFIG_GPA,
	"no configuration reaches the measured pages");

#define TABLE_ENTRIES 512
#define BLOCK_SHIFT 30 /* of the first level below the top: 1 GiB */
#define BLOCKS 4

/* [ARM] D8.3.1, descriptors of stage 1 with 4 KiB granules */
#define DESCRIPTOR_BLOCK UINT64_C(0x1)
#define DESCRIPTOR_TABLE UINT64_C(0x3)
#define ATTRIBUTE(n) ((uint64_t)(n) << 2) /* index into MAIR */
#define INNER_SHAREABLE (UINT64_C(3) << 8)
#define ACCESSED (UINT64_C(1) << 10)
#define EXECUTE_NEVER (UINT64_C(3) << 53)

#define NORMAL (DESCRIPTOR_BLOCK | ATTRIBUTE(0) | INNER_SHAREABLE | ACCESSED)
#define DEVICE (DESCRIPTOR_BLOCK | ATTRIBUTE(1) | ACCESSED | EXECUTE_NEVER)

/* 0 write-back, 1 device, 2 write-through, 3 uncached; twice. */
#define MAIR UINT64_C(0x44aa00ff44aa00ff)
#define CPSR_EL1H UINT64_C(0x5)
#define SCTLR_MMU_ON UINT64_C(0x30d01805) /* alignment not checked, caches on */
#define TCR_48_BITS UINT64_C(0x903510)    /* lower half alone, write-back, inner shareable */
#define PLATFORM_HYPERV UINT64_C(0)       /* what the firmware is told in X2 */

/* Two levels; the other two pages of the room are for the firmware to use. */
typedef struct Tables {
	uint64_t top[TABLE_ENTRIES];
	uint64_t blocks[TABLE_ENTRIES];
	uint64_t spare[2][TABLE_ENTRIES];
} Tables;
static_assert(sizeof(Tables) == UEFI_ARM64_PAGE_TABLES_SIZE, "the fixed map's room");

/* The first GiB is memory, where the firmware lies; the rest are devices until it maps anew. */
static bool build_tables(Arena *arena, Bytes *out, Error *err)
{
	Tables *tables = arena_array(arena, Tables, 1, err);

	if (!tables)
		return false;
	tables->top[0] =
		(UEFI_ARM64_PAGE_TABLES_GPA + offsetof(Tables, blocks)) | DESCRIPTOR_TABLE;
	for (uint64_t i = 0; i < BLOCKS; i++)
		tables->blocks[i] = i << BLOCK_SHIFT | (i == 0 ? NORMAL : DEVICE);
	*out = (Bytes){ (const uint8_t *)tables, sizeof(*tables) };
	return true;
}

static void add_registers(BootPlanBuilder *plan)
{
	const Register registers[] = {
		{ .id = REGISTER_CPSR, .low = CPSR_EL1H },
		{ .id = REGISTER_X0, .low = UEFI_ARM64_ENTRY_GPA },
		{ .id = REGISTER_PC, .low = UEFI_ARM64_ENTRY_GPA },
		{ .id = REGISTER_X0 + 1, .low = FIXED_END(UEFI_ARM64_STACK) },
		{ .id = REGISTER_X0 + 2, .low = PLATFORM_HYPERV },
		{ .id = REGISTER_TTBR0_EL1, .low = UEFI_ARM64_PAGE_TABLES_GPA },
		{ .id = REGISTER_MAIR_EL1, .low = MAIR },
		{ .id = REGISTER_SCTLR_EL1, .low = SCTLR_MMU_ON },
		{ .id = REGISTER_TCR_EL1, .low = TCR_48_BITS },
	};

	for (size_t i = 0; i < ARRAY_COUNT(registers); i++)
		boot_plan_register(plan, registers[i]);
}

/* Nothing here reads the volume, but whoever runs it will not get far without one. */
static void lint_volume(Bytes image, Diagnostics *diagnostics)
{
	const uint64_t at = UEFI_ARM64_ENTRY_GPA - UEFI_ARM64_IMAGE_GPA;

	if (!uefi_image_is_volume((Bytes){ image.data + at, image.len - at }))
		diagnostics_add(diagnostics, PVW_UEFI_0020, "settings.firmware_image",
			"no firmware volume at 0x%" PRIx64 ", expected _FVH in it", at);
}

static bool start(
	Bytes image, Arena *arena, BootPlanBuilder *plan, Diagnostics *diagnostics, Error *err)
{
	Bytes tables;

	if (!build_tables(arena, &tables, err))
		return false;
	lint_volume(image, diagnostics);
	boot_plan_place(plan, "uefi.image", UEFI_ARM64_IMAGE_GPA, image);
	boot_plan_place(plan, "uefi.stack", UEFI_ARM64_STACK_GPA,
		(Bytes){ NULL, UEFI_ARM64_STACK_SIZE });
	boot_plan_place(plan, "uefi.page-tables", UEFI_ARM64_PAGE_TABLES_GPA, tables);
	add_registers(plan);
	return true;
}

const UefiPlatform uefi_platform_arm64 = {
	.image_gpa = UEFI_ARM64_IMAGE_GPA,
	.image_size = UEFI_ARM64_IMAGE_SIZE,
	.config_gpa = UEFI_ARM64_CONFIG_GPA,
	.start = start,
};
