/*
 * Names of what a boot tree states by number or word.
 */
#include "bootinfo/boot_info.h"

static const char *const memory_type_names[] = {
	[MEMORY_TYPE_VTL0] = "VTL0",
	[MEMORY_TYPE_VTL2_RAM] = "VTL2 RAM",
	[MEMORY_TYPE_VTL2_CONFIG] = "VTL2 config",
	[MEMORY_TYPE_VTL2_SIDECAR_IMAGE] = "VTL2 sidecar image",
	[MEMORY_TYPE_VTL2_SIDECAR_NODE] = "VTL2 sidecar node",
	[MEMORY_TYPE_VTL0_MMIO] = "VTL0 MMIO",
	[MEMORY_TYPE_VTL2_MMIO] = "VTL2 MMIO",
	[MEMORY_TYPE_VTL2_RESERVED] = "VTL2 reserved",
	[MEMORY_TYPE_VTL2_GPA_POOL] = "VTL2 pool",
	[MEMORY_TYPE_VTL2_TDX_PAGE_TABLES] = "VTL2 page tables",
	[MEMORY_TYPE_VTL2_LOG_BUFFER] = "VTL2 log",
	[MEMORY_TYPE_VTL2_PERSISTED_HEADER] = "VTL2 persisted header",
	[MEMORY_TYPE_VTL2_PERSISTED_PROTOBUF] = "VTL2 persisted state",
};
static_assert(ARRAY_COUNT(memory_type_names) == MEMORY_TYPE_COUNT, "one name a type");

const char *boot_info_memory_type_name(MemoryType type)
{
	return type < MEMORY_TYPE_COUNT ? memory_type_names[type] : "unknown";
}

static const char *const isolation_names[] = {
	[ISOLATION_NONE] = "none",
	[ISOLATION_VBS] = "vbs",
	[ISOLATION_SNP] = "snp",
	[ISOLATION_TDX] = "tdx",
};
static_assert(ARRAY_COUNT(isolation_names) == ISOLATION_COUNT, "one name a type");

const char *boot_info_isolation_name(IsolationType isolation)
{
	return isolation < ISOLATION_COUNT ? isolation_names[isolation] : "unknown";
}
