/*
 * RAM and the fixed map below 1 MiB -> memory map entries. Source: [LINUXBOOT] e820_table.
 */
#include "loaders/linux_e820.h"

#include <inttypes.h>
#include <string.h>

#include "bootinfo/boot_info.h"
#include "layout/fixed_map.h"
#include "support/diagnostics.h"

/* Entries that the first record may need. */
#define LOW_ENTRIES_MAX 7

/* What becomes of RAM by what the host calls it, index IgvmMemoryType. */
static const uint32_t e820_type_of_igvm[] = {
	[IGVM_MEMORY] = LINUX_E820_RAM,
	[IGVM_PLATFORM_RESERVED] = LINUX_E820_RESERVED,
	[IGVM_PERSISTENT] = LINUX_E820_RESERVED,
	[IGVM_VTL2_PROTECTABLE] = LINUX_E820_RAM,
	[IGVM_SPECIFIC_PURPOSE] = LINUX_E820_SOFT_RESERVED,
	[IGVM_HIDDEN] = LINUX_E820_RESERVED,
};

/* Types that we do not know are not ours to hand out. */
static uint32_t e820_type(uint16_t igvm_type)
{
	if (igvm_type >= ARRAY_COUNT(e820_type_of_igvm))
		return LINUX_E820_RESERVED;
	return e820_type_of_igvm[igvm_type];
}

static bool check_first(LayoutRecordList ram, Error *err)
{
	const LayoutRecord *first = ram.items;

	if (!ram.count)
		return error_set(err, PVW_LINUX_0003,
			"no RAM, expected some from 0 to 0x%" PRIx64, LINUX_X86_KERNEL_GPA);
	if (first->range.start != 0 || first->range.end < LINUX_X86_KERNEL_GPA)
		return error_set(err, PVW_LINUX_0003,
			"first RAM is " RANGE_FORMAT
			", expected it to start at 0 and reach 0x%" PRIx64,
			RANGE_ARGS(first->range), LINUX_X86_KERNEL_GPA);
	if (e820_type(first->igvm_type) != LINUX_E820_RAM)
		return error_set(err, PVW_LINUX_0003,
			"first RAM is of type %u, expected memory for the guest's use",
			first->igvm_type);
	return true;
}

static bool check_low(const LinuxLowMap *low, Error *err)
{
	assert(low->acpi_end >= LINUX_X86_BOOT_PAGES_GPA && low->smbios_end >= low->acpi_end &&
		low->boot_pages_end >= low->smbios_end);
	if (low->boot_pages_end > LINUX_X86_RSDP_GPA)
		return error_set(err, PVW_LINUX_0004,
			"tables and boot pages end at 0x%" PRIx64
			", expected at most 0x%" PRIx64,
			low->boot_pages_end, LINUX_X86_RSDP_GPA);
	return true;
}

/* One entry up to @end, unless there is nothing between; moves on in both. */
static LinuxE820Entry *put_entry(
	LinuxE820Entry *at, uint64_t *start, uint64_t end, uint32_t type)
{
	if (*start == end)
		return at;
	*at = (LinuxE820Entry){ .address = *start, .size = end - *start, .type = type };
	*start = end;
	return at + 1;
}

static LinuxE820Entry *put_first(LinuxE820Entry *at, uint64_t end, const LinuxLowMap *low)
{
	uint64_t start = 0;

	at = put_entry(at, &start, LINUX_X86_BOOT_PAGES_GPA, LINUX_E820_RAM);
	at = put_entry(at, &start, low->acpi_end, LINUX_E820_ACPI);
	at = put_entry(at, &start, low->smbios_end, LINUX_E820_RESERVED);
	at = put_entry(at, &start, low->boot_pages_end, LINUX_E820_RESERVED);
	at = put_entry(at, &start, LINUX_X86_RSDP_GPA, LINUX_E820_RAM);
	at = put_entry(at, &start, LINUX_X86_KERNEL_GPA, LINUX_E820_RESERVED);
	return put_entry(at, &start, end, LINUX_E820_RAM);
}

static bool check_ascending(LayoutRecordList ram, Error *err)
{
	for (size_t i = 1; i < ram.count; i++) {
		const MemoryRange a = ram.items[i - 1].range, b = ram.items[i].range;

		if (b.start < a.end || b.end < b.start)
			return error_set(err, PVW_LINUX_0006,
				"RAM " RANGE_FORMAT " stands behind " RANGE_FORMAT
				", expected ascending ranges that do not overlap",
				RANGE_ARGS(b), RANGE_ARGS(a));
	}
	return true;
}

bool linux_e820_build(LayoutRecordList ram, const LinuxLowMap *low,
	LinuxE820Entry entries[LINUX_E820_MAX_ENTRIES], size_t *count, Error *err)
{
	LinuxE820Entry first[LOW_ENTRIES_MAX];
	LinuxE820Entry *at;
	size_t first_count, total;

	if (!check_first(ram, err) || !check_low(low, err) || !check_ascending(ram, err))
		return false;
	first_count = (size_t)(put_first(first, ram.items[0].range.end, low) - first);
	total = first_count;
	for (size_t i = 1; i < ram.count; i++)
		total += !memory_range_is_empty(ram.items[i].range);
	if (total > LINUX_E820_MAX_ENTRIES)
		return error_set(err, PVW_LINUX_0005,
			"the memory map has %zu entries, expected at most %d", total,
			LINUX_E820_MAX_ENTRIES);

	memcpy(entries, first, first_count * sizeof(*first));
	at = entries + first_count;
	for (size_t i = 1; i < ram.count; i++) {
		uint64_t start = ram.items[i].range.start;

		at = put_entry(
			at, &start, ram.items[i].range.end, e820_type(ram.items[i].igvm_type));
	}
	*count = total;
	return true;
}
