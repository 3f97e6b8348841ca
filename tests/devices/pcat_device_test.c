/*
 * The PCAT device, register by register, and what a hostile guest may try with them.
 */
#include "devices/pcat_device.h"

#include <criterion/criterion.h>

#include "devices/pcat_sequence.h"
#include "layout/fixed_map.h"

static Device device;
static Error err;

static void setup(void)
{
	cr_assert(device_begin(&device, &err), "%s", err.text);
}

TestSuite(pcat_device, .init = setup);

/* Selects a register and reads once. */
static uint32_t reg(uint32_t address)
{
	device_select(&device, address);
	return device_get(&device);
}

static void must_be_refused(PcatResult result, uint64_t ones)
{
	cr_assert_eq(device.answer.result, result);
	cr_assert_eq(device.answer.value, ones);
	cr_assert_eq(device.answer.write.bytes.len, 0);
}

/*
 * Ports.
 */

Test(pcat_device, latches_the_address_and_counts_reads_from_it)
{
	device_select(&device, 0x09);
	cr_assert_eq(device_in(&device, 0x28, 4), 9);
	cr_assert_eq(device_get(&device), 0);
	cr_assert_eq(device_get(&device), 1);
	cr_assert_eq(device_in(&device, 0x28, 4), 9);
	cr_assert_eq(device_get(&device), 0x104);
	cr_assert_eq(device_get(&device), UINT32_MAX);
	device_select(&device, 0x09);
	cr_assert_eq(device_get(&device), 0);
}

Test(pcat_device, takes_four_bytes_at_the_ports_and_nothing_else)
{
	device_in(&device, 0x28, 1);
	must_be_refused(PCAT_BAD_WIDTH, 0xff);
	device_in(&device, 0x2c, 2);
	must_be_refused(PCAT_BAD_WIDTH, 0xffff);
	device_out(&device, 0x2c, 8, 0);
	must_be_refused(PCAT_BAD_WIDTH, UINT64_MAX);
	for (uint64_t port = 0x29; port <= 0x2f; port++) {
		if (port == 0x2c)
			continue;
		device_in(&device, port, 4);
		must_be_refused(PCAT_BAD_REGISTER, UINT32_MAX);
	}
	device_in(&device, 0x27, 4);
	must_be_refused(PCAT_NOT_CLAIMED, UINT32_MAX);
	device_in(&device, 0x30, 4);
	must_be_refused(PCAT_NOT_CLAIMED, UINT32_MAX);
}

Test(pcat_device, lets_systems_look_for_a_super_io_chip)
{
	cr_assert_eq(device_in(&device, 0x2f, 1), 0xff);
	cr_assert_eq(device.answer.result, PCAT_DONE);
	device_out(&device, 0x2e, 1, 7);
	cr_assert_eq(device.answer.result, PCAT_DONE);
	device_out(&device, 0x2f, 1, 7);
	must_be_refused(PCAT_BAD_WIDTH, 0xff);
	device_in(&device, 0x2e, 1);
	must_be_refused(PCAT_BAD_WIDTH, 0xff);
	cr_assert_eq(device_in(&device, 0x28, 4), 0);
}

Test(pcat_device, keeps_the_last_post_code)
{
	device_out(&device, 0x80, 1, 0xffffff55);
	cr_assert_eq(device_in(&device, 0x80, 1), 0x55);
	cr_assert_eq(device_in(&device, 0x80, 4), 0x55);
	device_out(&device, 0x80, 4, 0x12345678);
	cr_assert_eq(device_in(&device, 0x80, 2), 0x5678);
	device_in(&device, 0x80, 8);
	must_be_refused(PCAT_BAD_WIDTH, UINT64_MAX);
}

static const uint16_t stubs[] = { 0x279, 0xa79, 0x20b, 0x20f, 0x213, 0x217, 0x21b, 0x21f, 0x223,
	0x227, 0xeb, 0xee, 0x6f0, 0x102, 0x103, 0x46e8, 0x46e9 };

static void stubs_are(bool there)
{
	for (size_t i = 0; i < ARRAY_COUNT(stubs); i++) {
		device_in(&device, stubs[i], 1);
		cr_assert_eq(device.answer.result, there ? PCAT_DONE : PCAT_NOT_CLAIMED, "0x%x",
			stubs[i]);
		cr_assert_eq(device.answer.value, 0xff);
		device_out(&device, stubs[i], 2, 0x1234);
		cr_assert_eq(device.answer.result, there ? PCAT_DONE : PCAT_NOT_CLAIMED);
	}
	device_in(&device, 0x104, 1);
	cr_assert_eq(device.answer.result, PCAT_NOT_CLAIMED);
}

Test(pcat_device, has_stubs_until_the_end_of_post)
{
	stubs_are(true);
	device_out(&device, 0x80, 1, 0xac);
	stubs_are(true);
	device_out(&device, 0x80, 2, 0x50ac);
	stubs_are(false);
	device_out(&device, 0x80, 2, 0);
	stubs_are(false);
}

Test(pcat_device, reports_what_became_of_the_boot_and_drops_the_stubs)
{
	const struct {
		uint32_t address;
		PcatEvent event;
	} rows[] = { { 0x3a, PCAT_EVENT_BOOT_FAILURE }, { 0x3b, PCAT_EVENT_BOOT_ATTEMPT } };

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		setup();
		device_select(&device, rows[i].address);
		cr_assert_eq(device.answer.event, rows[i].event);
		stubs_are(false);
		device_select(&device, rows[i].address);
		cr_assert_eq(device.answer.event, rows[i].event);
		device_get(&device);
		cr_assert_eq(device.answer.event, PCAT_EVENT_NONE);
	}
}

/*
 * Reads.
 */

Test(pcat_device, gives_the_numbers_it_was_told)
{
	const uint8_t numbers[] = { 0x07, 0x0d, 0x10, 0x12, 0x1f, 0x20, 0x21, 0x23 };

	cr_assert_eq(reg(0x00), 0xabcd00);
	cr_assert_eq(reg(0x01), 1);
	cr_assert_eq(reg(0x08), DEVICE_PROCESSORS);
	cr_assert_eq(reg(0x0a), DEVICE_SRAT_SIZE);
	for (size_t i = 0; i < sizeof(numbers); i++) {
		cr_assert_eq(reg(numbers[i]), 0x77770000u | numbers[i]);
		cr_assert_eq(device_get(&device), 0x77770000u | numbers[i]);
	}
}

Test(pcat_device, gives_strings_and_the_guid_in_words_over_and_over)
{
	const uint32_t strings[] = { 0x03, 0x04, 0x05, 0x06, 0x1c };

	for (size_t i = 0; i < ARRAY_COUNT(strings); i++) {
		const uint32_t letter = 'A' + (uint32_t)i, word = letter * 0x01010101u;

		device_select(&device, strings[i]);
		for (size_t n = 0; n < 16; n++)
			cr_assert_eq(device_get(&device), n % 8 == 7 ? word | 32u << 24 : word,
				"register 0x%x, read %zu", strings[i], n);
	}
	device_select(&device, 0x02);
	for (size_t n = 0; n < 8; n++)
		cr_assert_eq(device_get(&device), 0xa3a2a1a0u + (n % 4) * 0x04040404u);
}

Test(pcat_device, has_nothing_where_there_is_no_register)
{
	const uint32_t none[] = { 0x0b, 0x0e, 0x0f, 0x11, 0x13, 0x14, 0x15, 0x17, 0x1a, 0x1d,
		0x1e, 0x24, 0x39, 0x3c, 0x100, 0x7fffffff, 0xffffffff };

	for (size_t i = 0; i < ARRAY_COUNT(none); i++) {
		cr_assert_eq(reg(none[i]), UINT32_MAX, "0x%x", none[i]);
		cr_assert_eq(device.answer.remark, PCAT_REMARK_UNKNOWN_REGISTER);
		cr_assert_eq(device.answer.result, PCAT_DONE);
	}
	cr_assert_null(pcat_register_name(0x11));
	cr_assert_str_eq(pcat_register_name(0x0c), "SRAT_DATA");
	device_select(&device, 0x00);
	device_set(&device, 5);
	cr_assert_eq(device.answer.remark, PCAT_REMARK_UNKNOWN_REGISTER);
	cr_assert_eq(reg(0x00), 0xabcd00);
}

Test(pcat_device, tells_which_processors_there_are)
{
	device_select(&device, 0x16);
	for (size_t i = 0; i < 5; i++)
		cr_assert_eq(device_get(&device), i < DEVICE_PROCESSORS);
	device_set(&device, 2);
	cr_assert_eq(device_get(&device), 1);
	cr_assert_eq(device_get(&device), 0);
}

/* The reference adds 1 to the count and panics, or wraps. Ours is a counter of 32 bits. */
Test(pcat_device, counts_reads_modulo_two_to_the_32)
{
	device_select(&device, 0x16);
	device_set(&device, UINT32_MAX);
	cr_assert_eq(device_get(&device), 0);
	cr_assert_eq(device_get(&device), 1);
}

/*
 * SRAT.
 */

Test(pcat_device, streams_the_srat_from_an_offset)
{
	device_select(&device, 0x0a);
	device_set(&device, DEVICE_SRAT_SIZE);
	cr_assert_eq(device.answer.remark, PCAT_REMARK_NONE);
	device_select(&device, 0x0b);
	device_set(&device, 33);
	cr_assert_eq(device.answer.remark, PCAT_REMARK_NONE);
	device_select(&device, 0x0c);
	cr_assert_eq(device_get(&device), 0x64636261);
	cr_assert_eq(device_get(&device), 0x68676665);
	cr_assert_eq(device_get(&device), 0, "one byte is left");
	cr_assert_eq(device.answer.remark, PCAT_REMARK_SRAT_END);
}

Test(pcat_device, remarks_on_an_srat_that_will_not_fit)
{
	device_select(&device, 0x0a);
	device_set(&device, DEVICE_SRAT_SIZE - 1);
	cr_assert_eq(device.answer.remark, PCAT_REMARK_SRAT_SIZE);
	cr_assert_eq(reg(0x0a), DEVICE_SRAT_SIZE);
	device_select(&device, 0x0b);
	device_set(&device, DEVICE_SRAT_SIZE - 1);
	cr_assert_eq(device.answer.remark, PCAT_REMARK_SRAT_OFFSET);
	device_select(&device, 0x0c);
	device_set(&device, 0);
	cr_assert_eq(device.answer.remark, PCAT_REMARK_SRAT_ADDRESS);
}

/* The reference computes in 32 bits: the position wraps to the start of the table. */
Test(pcat_device, does_not_wrap_around_the_srat)
{
	const uint32_t offsets[] = { UINT32_MAX, UINT32_MAX - 3, UINT32_MAX - 7, 0x80000000,
		DEVICE_SRAT_SIZE - 3, DEVICE_SRAT_SIZE };

	for (size_t i = 0; i < ARRAY_COUNT(offsets); i++) {
		device_select(&device, 0x0b);
		device_set(&device, offsets[i]);
		device_select(&device, 0x0c);
		for (size_t n = 0; n < 4; n++)
			cr_assert_eq(device_get(&device), 0, "offset 0x%x", offsets[i]);
	}
	/* The same by way of the count of reads: 4 x 0x40000000 is 2^32. */
	device_select(&device, 0x0b);
	device_set(&device, 0);
	device_select(&device, 0x16);
	device_set(&device, 0x40000000);
	device.state.address = 0x0c;
	cr_assert_eq(device_get(&device), 0);
}

Test(pcat_device, copies_the_whole_srat_wherever_it_is_told)
{
	const uint32_t gpas[] = { 0x90000, 0, UINT32_MAX };

	device_select(&device, 0x0c);
	for (size_t i = 0; i < ARRAY_COUNT(gpas); i++) {
		device_set(&device, gpas[i]);
		cr_assert_eq(device.answer.write.gpa, gpas[i]);
		cr_assert_eq(device.answer.write.bytes.len, DEVICE_SRAT_SIZE);
		cr_assert_eq(device.answer.write.bytes.data[1], 0x41);
	}
}

/*
 * E820.
 */

static void e820_is(uint32_t index, uint32_t head, uint32_t low, uint32_t high)
{
	device_select(&device, 0x22);
	device_set(&device, index);
	device_select(&device, 0x22);
	cr_assert_eq(device_get(&device), head, "index 0x%x", index);
	cr_assert_eq(device_get(&device), low, "index 0x%x", index);
	cr_assert_eq(device_get(&device), high, "index 0x%x", index);
	cr_assert_eq(device_get(&device), 0, "index 0x%x", index);
	cr_assert_neq(device.answer.remark, PCAT_REMARK_NONE);
}

/* 255 plus one is no range 0. */
Test(pcat_device, lists_ram_behind_the_first_range)
{
	e820_is(0, 0x1005, 0xc0000000, 1);
	e820_is(1, 0x2001, 0, 2);
	e820_is(2, 0, 0, 0);
	e820_is(255, 0, 0, 0);
	e820_is(0x101, 0x2001, 0, 2);
	e820_is(0xffffff00, 0x1005, 0xc0000000, 1);
}

Test(pcat_device, says_that_there_is_no_more_ram_without_a_remark)
{
	device.setup.e820_count = 0;
	device.setup.e820 = (Bytes){ 0 };
	cr_assert_eq(reg(0x22), 0);
	cr_assert_eq(device.answer.remark, PCAT_REMARK_NONE);
}

/*
 * What the device does to the guest.
 */

Test(pcat_device, gives_the_processor_record)
{
	device_select(&device, 0x1d);
	device_set(&device, 0x80000);
	cr_assert_eq(device.answer.write.gpa, 0x80000);
	cr_assert_eq(device.answer.write.bytes.len, 123);
	cr_assert_eq(device.answer.write.bytes.data[122], 123);
}

Test(pcat_device, gives_entropy_once)
{
	device_select(&device, 0x1e);
	device_set(&device, 0x1000);
	cr_assert_eq(device.answer.write.gpa, 0x1000);
	cr_assert_eq(device.answer.write.bytes.len, PCAT_ENTROPY_SIZE);
	for (size_t i = 0; i < PCAT_ENTROPY_SIZE; i++)
		cr_assert_eq(device.answer.write.bytes.data[i], DEVICE_ENTROPY);
	device_set(&device, 0x2000);
	cr_assert_eq(device.answer.write.bytes.len, 0);
	cr_assert_eq(device.answer.result, PCAT_DONE);
}

Test(pcat_device, writes_the_generation_id_once_it_knows_where)
{
	const uint8_t id[GENERATION_ID_SIZE] = { 1, 2, 3 };

	device_select(&device, 0x0f);
	device_set(&device, 9);
	cr_assert_eq(device.answer.write.bytes.len, 0);
	device_select(&device, 0x0e);
	device_set(&device, 0x12345678);
	cr_assert_eq(device.answer.write.gpa, 0x912345678);
	cr_assert_eq(device.answer.write.bytes.len, GENERATION_ID_SIZE);
	cr_assert_eq(device.answer.write.bytes.data[0], 0x6e);
	cr_assert_not(device.answer.pulse_gpe0);
	device_select(&device, 0x0f);
	device_set(&device, 0);
	cr_assert_eq(device.answer.write.gpa, 0x12345678);

	pcat_renew_generation_id(&device.state, id, &device.answer);
	cr_assert(device.answer.pulse_gpe0);
	cr_assert_eq(device.answer.write.gpa, 0x12345678);
	cr_assert_eq(device.answer.write.bytes.data[1], 2);
}

Test(pcat_device, announces_a_new_generation_id_that_has_no_place_yet)
{
	const uint8_t id[GENERATION_ID_SIZE] = { 1 };

	pcat_renew_generation_id(&device.state, id, &device.answer);
	cr_assert(device.answer.pulse_gpe0);
	cr_assert_eq(device.answer.write.bytes.len, 0);
	cr_assert_eq(device.state.generation_id.id[0], 1);
}

Test(pcat_device, waits_by_answering_later)
{
	const struct {
		uint32_t address;
		uint64_t ns;
	} waits[] = { { 0x18, 1000000 }, { 0x19, 10000000 }, { 0x1b, 2000000 }, { 0x17, 0 } };

	for (size_t i = 0; i < ARRAY_COUNT(waits); i++) {
		device_select(&device, waits[i].address);
		cr_assert_eq(device.answer.defer_ns, waits[i].ns);
	}
	device_set(&device, 12345);
	cr_assert_eq(device.answer.defer_ns, 1234500);
	device_set(&device, UINT32_MAX);
	cr_assert_eq(device.answer.defer_ns, UINT64_C(429496729500));
}

Test(pcat_device, asks_for_the_first_mtrrs_again_whatever_the_data)
{
	device_select(&device, 0x1a);
	cr_assert_not(device.answer.replay_mtrrs);
	for (uint32_t data = 0; data < 3; data++) {
		device_set(&device, data);
		cr_assert(device.answer.replay_mtrrs);
	}
}

/*
 * ROM.
 */

Test(pcat_device, shows_its_rom_twice)
{
	static uint8_t rom[PCAT_ROM_SIZE];

	for (size_t i = 0; i < sizeof(rom); i++)
		rom[i] = (uint8_t)(i >> 8 ^ i);
	device.setup.rom = (Bytes){ rom, sizeof(rom) };
	cr_assert_eq(device_do(&device, PCAT_MEMORY_READ, 0xfffc0000, 4, 0), 0x03020100);
	cr_assert_eq(device_do(&device, PCAT_MEMORY_READ, 0xfffffff8, 8, 0),
		device_do(&device, PCAT_MEMORY_READ, 0xffff8, 8, 0));
	cr_assert_eq(device.answer.value & 0xff, rom[0x3fff8]);
	cr_assert_eq(device_do(&device, PCAT_MEMORY_READ, 0xf0000, 1, 0), rom[0x30000]);
	device_do(&device, PCAT_MEMORY_READ, 0xfffffffc, 8, 0);
	must_be_refused(PCAT_NOT_CLAIMED, UINT64_MAX);
	device_do(&device, PCAT_MEMORY_READ, 0xeffff, 2, 0);
	must_be_refused(PCAT_NOT_CLAIMED, 0xffff);
	device_do(&device, PCAT_MEMORY_READ, UINT64_MAX, 8, 0);
	must_be_refused(PCAT_NOT_CLAIMED, UINT64_MAX);
}

Test(pcat_device, reads_ones_from_a_rom_that_is_mapped_elsewhere)
{
	cr_assert_eq(device_do(&device, PCAT_MEMORY_READ, 0xf1234, 2, 0), 0xffff);
	cr_assert_eq(device.answer.result, PCAT_DONE);
	cr_assert_eq(device.answer.remark, PCAT_REMARK_ROM_READ);
}

Test(pcat_device, loses_writes_to_rom_and_says_so_but_where_the_bios_errs)
{
	device_do(&device, PCAT_MEMORY_WRITE, 0xf5bea, 1, 0);
	cr_assert_eq(device.answer.remark, PCAT_REMARK_NONE);
	device_do(&device, PCAT_MEMORY_WRITE, 0xf5bfa, 1, 0);
	cr_assert_eq(device.answer.remark, PCAT_REMARK_NONE);
	device_do(&device, PCAT_MEMORY_WRITE, 0xf5beb, 1, 0);
	cr_assert_eq(device.answer.remark, PCAT_REMARK_ROM_WRITE);
	cr_assert_eq(device.answer.result, PCAT_DONE);
}

/*
 * Claims and reset.
 */

/* What is claimed is answered, what is not is not: every port, one by one. */
Test(pcat_device, answers_exactly_what_it_claims)
{
	for (int gone = 0; gone < 2; gone++) {
		PcatClaim claims[PCAT_MAX_CLAIMS];
		const size_t count = pcat_claims(&device.state, claims);

		for (uint64_t port = 0; port <= UINT16_MAX; port++) {
			bool claimed = false;

			for (size_t i = 0; i < count; i++)
				claimed |= claims[i].is_port && port >= claims[i].first &&
					port <= claims[i].last;
			device_in(&device, port, 1);
			cr_assert_eq(device.answer.result != PCAT_NOT_CLAIMED, claimed,
				"port 0x%lx", port);
		}
		cr_assert_eq(claims[count - 1].last, UINT32_MAX);
		device_out(&device, 0x80, 2, 0x50ac);
	}
}

Test(pcat_device, forgets_everything_but_the_generation_id_at_reset)
{
	uint8_t entropy[PCAT_ENTROPY_SIZE] = { 1 };
	PcatState expected = { 0 };

	device_select(&device, 0x0e);
	device_set(&device, 0x1000);
	device_select(&device, 0x1e);
	device_set(&device, 0x1000);
	device_select(&device, 0x22);
	device_set(&device, 3);
	device_out(&device, 0x80, 2, 0x50ac);
	pcat_reset(&device.state, entropy);

	expected.entropy[0] = 1;
	memset(expected.generation_id.id, 0x6e, GENERATION_ID_SIZE);
	cr_assert(pcat_sequence_same(&device.state, &expected));
	stubs_are(true);
}

Test(pcat_device, has_words_for_every_remark)
{
	for (int i = PCAT_REMARK_NONE + 1; i < PCAT_REMARK_COUNT; i++)
		cr_assert_gt(strlen(pcat_remark_text((PcatRemark)i)), 5);
	cr_assert_str_eq(pcat_remark_text(PCAT_REMARK_NONE), "");
	cr_assert_str_eq(pcat_remark_text(PCAT_REMARK_COUNT), "");
}
