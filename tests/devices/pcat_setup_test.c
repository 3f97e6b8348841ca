/*
 * The artifact "pcat.config": what the loader writes is what the device reads, and nothing else.
 */
#include "devices/pcat_setup.h"

#include <criterion/criterion.h>

#include "devices/device.h"
#include "loaders/pcat_config.h"
#include "support/diagnostics.h"

static uint8_t artifact[DEVICE_ARTIFACT_SIZE];
static Error err;

static void setup(void)
{
	device_artifact(artifact);
}

TestSuite(pcat_setup, .init = setup);

static void refuse(size_t len, DiagnosticId diagnostic, const char *word)
{
	PcatSetup out = { .first_block_kib = 77 };

	cr_assert_not(pcat_setup_read((Bytes){ artifact, len }, &out, &err));
	cr_assert_eq(err.diagnostic, diagnostic, "%s", err.text);
	cr_assert_not_null(strstr(err.text, word), "%s", err.text);
	cr_assert_eq(out.first_block_kib, 77);
}

Test(pcat_setup, refuses_another_magic)
{
	artifact[7] = '2';
	refuse(sizeof(artifact), PVW_PCAT_0010, "magic");
}

Test(pcat_setup, refuses_lengths_that_disagree)
{
	refuse(sizeof(artifact) - 1, PVW_PCAT_0010, "head");
	device_put(artifact + 356, 1);
	refuse(sizeof(artifact), PVW_PCAT_0010, "behind");
	device_put(artifact + 356, 2);
	device_put(artifact + 352, UINT32_MAX);
	refuse(sizeof(artifact), PVW_MEM_0003, "pcat.config");
}

Test(pcat_setup, refuses_every_shorter_artifact)
{
	for (size_t len = 0; len < sizeof(artifact); len++) {
		if (len >= 12)
			device_put(artifact + 8, (uint32_t)len);
		refuse(len, len < 12 || len < sizeof(artifact) ? PVW_MEM_0003 : PVW_PCAT_0010,
			"pcat.config");
	}
}

Test(pcat_setup, reads_what_the_loader_writes)
{
	static const uint32_t ids[] = { 0, 2, 7 };
	static const PcatE820Entry e820[] = { { 0xd, 0x100, 0x2 } };
	static const uint8_t srat[] = { 1, 2, 3, 4, 5 };
	PcatConfig config = { .first_block_kib = 1,
		.num_lock = true,
		.boot_order = 3,
		.apic_ids = ids,
		.processor_count = 3,
		.above_4gib_mib = 4,
		.sleep_states = 5,
		.pci_io_gap_start = 6,
		.above_high_mib = 7,
		.high_gap_base_mib = 8,
		.high_gap_length_mib = 9,
		.below_gap_mib = 10,
		.e820 = e820,
		.e820_count = 1,
		.srat = { srat, sizeof(srat) } };
	Arena *arena = arena_new(65536);
	PcatSetup out;
	Bytes bytes;

	memset(&config.bios_guid, 0x22, sizeof(config.bios_guid));
	memset(config.strings[PCAT_STRING_BIOS_LOCK], 'L', PCAT_STRING_SIZE);
	memset(config.cpu_record, 0x33, sizeof(config.cpu_record));
	cr_assert(pcat_config_write(&config, arena, &bytes, &err));
	cr_assert(pcat_setup_read(bytes, &out, &err), "%s", err.text);

	cr_assert_eq(out.first_block_kib, 1);
	cr_assert_eq(out.num_lock, 1);
	cr_assert_eq(out.bios_guid.data[15], 0x22);
	cr_assert_eq(out.strings[4].data[31], 'L');
	cr_assert_eq(out.boot_order, 3);
	cr_assert_eq(out.above_4gib_mib, 4);
	cr_assert_eq(out.sleep_states, 5);
	cr_assert_eq(out.pci_io_gap_start, 6);
	cr_assert_eq(out.above_high_mib, 7);
	cr_assert_eq(out.high_gap_base_mib, 8);
	cr_assert_eq(out.high_gap_length_mib, 9);
	cr_assert_eq(out.below_gap_mib, 10);
	cr_assert_eq(out.cpu_record.data[122], 0x33);
	cr_assert_eq(out.processor_count, 3);
	cr_assert_eq(memcmp(out.apic_ids.data, ids, sizeof(ids)), 0);
	cr_assert_eq(out.e820_count, 1);
	cr_assert_eq(memcmp(out.e820.data, e820, sizeof(e820)), 0);
	cr_assert_eq(out.srat.len, sizeof(srat));
	cr_assert_eq(memcmp(out.srat.data, srat, sizeof(srat)), 0);
	cr_assert_eq(out.rom.len, 0);
	arena_free(arena);
}
