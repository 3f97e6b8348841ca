/*
 * The artifact "pcat.config", read in the order of docs/formats.md.
 */
#include "devices/pcat_setup.h"

#include <string.h>

#include "support/byte_reader.h"
#include "support/diagnostics.h"

static const char magic[8] = "PVWPCAT1";

static bool check_head(ByteReader *r, Error *err)
{
	const Bytes found = get_bytes(r, sizeof(magic));
	const uint32_t total = get_u32(r);

	if (r->short_read)
		return byte_reader_finish(r, "pcat.config", err);
	if (memcmp(found.data, magic, sizeof(magic)) != 0)
		return error_set(err, PVW_PCAT_0010, "no magic, expected \"%.8s\"", magic);
	return total == r->bytes.len ||
		error_set(err, PVW_PCAT_0010, "%zu bytes, expected %u as its head says",
			r->bytes.len, total);
}

static void get_fixed(ByteReader *r, PcatSetup *out)
{
	out->first_block_kib = get_u32(r);
	out->num_lock = get_u32(r);
	out->bios_guid = get_bytes(r, sizeof(Guid));
	for (size_t i = 0; i < PCAT_SETUP_STRINGS; i++)
		out->strings[i] = get_bytes(r, PCAT_SETUP_STRING_SIZE);
	out->boot_order = get_u32(r);
	out->above_4gib_mib = get_u32(r);
	out->sleep_states = get_u32(r);
	out->pci_io_gap_start = get_u32(r);
	out->above_high_mib = get_u32(r);
	out->high_gap_base_mib = get_u32(r);
	out->high_gap_length_mib = get_u32(r);
	out->below_gap_mib = get_u32(r);
	out->cpu_record = get_bytes(r, PCAT_SETUP_CPU_RECORD_SIZE);
	get_u8(r);
}

/* Counts are 32 bits wide and lengths 64: nothing here wraps. */
static void get_lists(ByteReader *r, PcatSetup *out)
{
	const size_t word = sizeof(uint32_t);
	uint32_t srat_len;

	out->processor_count = get_u32(r);
	out->e820_count = get_u32(r);
	srat_len = get_u32(r);
	static_assert(sizeof(size_t) == 8, "lengths");
	out->apic_ids = get_bytes(r, word * out->processor_count);
	out->e820 = get_bytes(r, word * PCAT_SETUP_E820_WORDS * out->e820_count);
	out->srat = get_bytes(r, srat_len);
}

bool pcat_setup_read(Bytes artifact, PcatSetup *out, Error *err)
{
	ByteReader r = byte_reader_on(artifact);
	PcatSetup setup = { 0 };

	if (!check_head(&r, err))
		return false;
	get_fixed(&r, &setup);
	get_lists(&r, &setup);
	if (!byte_reader_finish(&r, "pcat.config", err))
		return false;
	if (byte_reader_left(&r))
		return error_set(err, PVW_PCAT_0010,
			"%zu bytes behind the SRAT, expected the end", byte_reader_left(&r));
	*out = setup;
	return true;
}
