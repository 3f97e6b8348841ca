/*
 * The PCAT device's state as bytes: everything comes back, and damage is refused.
 */
#include "devices/pcat_saved.h"

#include <criterion/criterion.h>

#include "devices/pcat_sequence.h"
#include "support/diagnostics.h"

static Device device;
static Error err;
static uint8_t saved[PCAT_SAVED_SIZE];

/* Every member has a value that it does not start with. */
static void setup(void)
{
	cr_assert(device_begin(&device, &err));
	device_select(&device, 0x0a);
	device_set(&device, 0x1234);
	device_select(&device, 0x0b);
	device_set(&device, 0x567);
	device_select(&device, 0x0f);
	device_set(&device, 0x89);
	device_select(&device, 0x1e);
	device_set(&device, 0x1000);
	device_select(&device, 0x22);
	device_set(&device, 0xab);
	device_out(&device, 0x80, 2, 0x50ac);
	device_select(&device, 0x09);
	device_get(&device);
	pcat_save(&device.state, saved);
}

TestSuite(pcat_saved, .init = setup);

Test(pcat_saved, goes_on_where_it_was)
{
	Device other;

	cr_assert(device_begin(&other, &err));
	cr_assert(pcat_restore((Bytes){ saved, sizeof(saved) }, &other.state, &err), "%s",
		err.text);

	cr_assert(pcat_sequence_same(&other.state, &device.state));
	cr_assert_eq(device_get(&other), 1);
	device_in(&other, 0x279, 1);
	cr_assert_eq(other.answer.result, PCAT_NOT_CLAIMED);
	device_select(&other, 0x0e);
	device_set(&other, 0x10);
	cr_assert_eq(other.answer.write.gpa, 0x8900000010);
}

/* A version that is out there is read for ever: the bytes of today, written down. */
Test(pcat_saved, has_the_layout_of_the_document)
{
	static const uint8_t head[] = { 'P', 'V', 'W', 'P', 'C', 'S', 'T', '1', 9, 0, 0, 0, 1,
		0, 0, 0, 0x67, 5, 0, 0, 0x34, 0x12, 0, 0, 0xac, 0x50, 0, 0, 0xab, 1, 1, 2, 0, 0,
		0, 0, 0x89, 0, 0, 0, 0x6e };

	cr_assert_eq(memcmp(saved, head, sizeof(head)), 0);
	cr_assert_eq(saved[55], 0x6e);
	cr_assert_eq(saved[56], DEVICE_ENTROPY);
	cr_assert_eq(saved[119], DEVICE_ENTROPY);
}

static void refuse(size_t len, const char *word)
{
	PcatState state = { .port80 = 77 };

	cr_assert_not(pcat_restore((Bytes){ saved, len }, &state, &err));
	cr_assert_eq(err.diagnostic, PVW_PCAT_0011);
	cr_assert_not_null(strstr(err.text, word), "%s", err.text);
	cr_assert_eq(state.port80, 77);
}

Test(pcat_saved, refuses_another_length)
{
	refuse(0, "bytes");
	refuse(sizeof(saved) - 1, "119 bytes");
}

Test(pcat_saved, refuses_another_magic)
{
	saved[7] = '2';
	refuse(sizeof(saved), "magic");
}

Test(pcat_saved, refuses_flags_that_are_none)
{
	saved[29] = 2;
	refuse(sizeof(saved), "flags");
	saved[29] = 1;
	saved[30] = 0xff;
	refuse(sizeof(saved), "flags");
	saved[30] = 0;
	saved[31] = 6;
	refuse(sizeof(saved), "halves");
}

Test(pcat_saved, refuses_half_an_address_that_nobody_gave)
{
	saved[31] = 0;
	refuse(sizeof(saved), "unknown");
}
