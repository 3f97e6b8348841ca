#include "machine.h"

#include "acpi/acpi_format.h"
#include "acpi/acpi_table.h"

Test(acpi_table, checksum_makes_any_length_sum_to_zero)
{
	uint8_t bytes[300];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 37 + 11);
	for (size_t start = 0; start < 17; start++) {
		for (size_t len = 0; start + len <= sizeof(bytes); len++) {
			uint8_t sum = acpi_checksum(bytes + start, len);

			for (size_t i = 0; i < len; i++)
				sum = (uint8_t)(sum + bytes[start + i]);
			cr_assert_eq(sum, 0, "%zu bytes from %zu", len, start);
		}
	}
}

Test(acpi_table, frame_has_length_identity_and_checksum)
{
	static const AcpiIdentity identity = { "ABCDEF", "GHIJKLMN", 0x11223344, "OPQR",
		0x55667788 };
	uint8_t room[64];
	ByteWriter w = byte_writer_on(room, sizeof(room));
	size_t mark;

	put_u32(&w, 0xFFFFFFFF); /* a table need not start the block */
	mark = acpi_table_begin(&w, "TEST", 7, &identity);
	put_u64(&w, 0x0102030405060708);
	acpi_table_end(&w, mark);

	cr_expect_eq(mark, 4);
	expect_table((Bytes){ room + 4, w.len - 4 }, "TEST");
	cr_expect_eq(w.len - 4, 44);
	cr_expect_eq(room[4 + 8], 7);
	cr_expect_arr_eq(room + 4 + 10, "ABCDEFGHIJKLMN", 14);
	cr_expect_eq(get_le(room + 4 + 24, 4), 0x11223344);
	cr_expect_arr_eq(room + 4 + 28, "OPQR", 4);
	cr_expect_eq(get_le(room + 4 + 32, 4), 0x55667788);
}

Test(acpi_table, frame_measures_without_a_buffer)
{
	static const AcpiIdentity identity = { 0 };
	ByteWriter w = byte_writer_measure();
	const size_t mark = acpi_table_begin(&w, "TEST", 1, &identity);

	put_u32(&w, 0);
	acpi_table_end(&w, mark);
	cr_expect_eq(w.len, 40);
}

Test(acpi_table, rsdp_has_both_checksums)
{
	static const AcpiIdentity identity = { .oem_id = "ABCDEF" };
	uint8_t room[36], first = 0, all = 0;
	ByteWriter w = byte_writer_on(room, sizeof(room));

	acpi_rsdp_put(&w, UINT64_C(0x123456789ABCDEF0), &identity);
	for (size_t i = 0; i < 36; i++) {
		all = (uint8_t)(all + room[i]);
		if (i < 20)
			first = (uint8_t)(first + room[i]);
	}

	cr_expect_eq(w.len, 36);
	cr_expect_eq(first, 0);
	cr_expect_eq(all, 0);
	cr_expect_arr_eq(room, "RSD PTR ", 8);
	cr_expect_arr_eq(room + 9, "ABCDEF", 6);
	cr_expect_eq(room[15], 2);
	cr_expect_eq(get_le(room + 16, 4), 0);
	cr_expect_eq(get_le(room + 20, 4), 36);
	cr_expect_eq(get_le(room + 24, 8), UINT64_C(0x123456789ABCDEF0));
}
