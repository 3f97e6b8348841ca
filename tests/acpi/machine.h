/*
 * A machine for the tests of acpi/: made by hand, so that nothing but acpi/ is tested.
 */
#ifndef TESTS_ACPI_MACHINE_H
#define TESTS_ACPI_MACHINE_H

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "acpi/acpi_build.h"
#include "support/diagnostics.h"
#include "support/digest.h"

#define GIB (UINT64_C(1) << 30)

typedef struct Machine {
	VirtualProcessor *vps;
	ProcessorTopology topology;
	NodeRange ram[64];
	AcpiUart uarts[4];
	AcpiInputs in;
	Arena *arena;
	Error err;
} Machine;

/* Paravisor, x86-64: COM1 and COM2, both windows, PIC and PIT, one range of RAM. */
static inline Machine *machine_new(size_t count)
{
	static const AcpiUart uarts[4] = {
		{ "UAR1", "COM1", 1, 0x3F8, 4 },
		{ "UAR2", "COM2", 2, 0x2F8, 3 },
		{ "UAR3", "COM3", 3, 0x3E8, 4 },
		{ "UAR4", "COM4", 4, 0x2E8, 3 },
	};
	Machine *m = calloc(1, sizeof(*m));

	m->arena = arena_new((size_t)64 << 20);
	m->vps = calloc(count, sizeof(*m->vps));
	for (size_t i = 0; i < count; i++) {
		m->vps[i].apic_id = (uint32_t)i;
		m->vps[i].mpidr = UINT64_C(1) << 31 | i;
		m->vps[i].gicr = 0xEFFEE000 + i * 0x20000;
	}
	m->topology = (ProcessorTopology){ .vps = m->vps,
		.count = count,
		.vps_per_socket = 32,
		.reserved_vps_per_socket = 32,
		.arm = {
			.gic_distributor = 0xFFFF0000, .pmu_gsiv = 23, .virt_timer_ppi = 20 } };
	m->ram[0] = (NodeRange){ { 0, 0xF8000000 }, 0 };
	memcpy(m->uarts, uarts, sizeof(uarts));
	m->in = (AcpiInputs){ .profile = ACPI_PROFILE_REFERENCE,
		.topology = &m->topology,
		.ram = { m->ram, 1 },
		.mmio_low = { 0xF8000000, FOUR_GIB },
		.mmio_high = { FOUR_GIB, FOUR_GIB + 0x20000000 },
		.with_ioapic = true,
		.with_pic = true,
		.with_pit = true,
		.pm_base = 0x400,
		.acpi_irq = 9,
		.uarts = m->uarts,
		.uart_count = 2,
		.with_rtc = true,
		.with_vmbus = true,
		.with_processors = true };
	return m;
}

static inline void machine_free(Machine *m)
{
	arena_free(m->arena);
	free(m->vps);
	free(m);
}

static inline uint64_t get_le(const uint8_t *at, size_t len)
{
	uint64_t value = 0;

	for (size_t i = 0; i < len; i++)
		value |= (uint64_t)at[i] << (8 * i);
	return value;
}

/* What holds of every table. [ACPI65] 5.2.6 */
static inline void expect_table(Bytes table, const char *signature)
{
	uint8_t sum = 0;

	cr_assert_geq(table.len, 36);
	cr_expect_eq(memcmp(table.data, signature, 4), 0, "signature %.4s, expected %s",
		(const char *)table.data, signature);
	cr_expect_eq(get_le(table.data + 4, 4), table.len);
	for (size_t i = 0; i < table.len; i++)
		sum = (uint8_t)(sum + table.data[i]);
	cr_expect_eq(sum, 0, "%s: sum %u", signature, sum);
}

static inline Bytes machine_table(Machine *m, AcpiTableId id, const char *signature)
{
	Bytes table = { 0 };

	cr_assert(acpi_build_table(id, &m->in, m->arena, &table, &m->err), "%s", m->err.text);
	expect_table(table, signature);
	return table;
}

/* The table is refused with this diagnostic, the text has this word, the output is untouched. */
static inline void expect_refusal(
	Machine *m, AcpiTableId id, uint16_t diagnostic, const char *word)
{
	Bytes table = { .data = (const uint8_t *)m, .len = 77 };

	cr_assert_not(acpi_build_table(id, &m->in, m->arena, &table, &m->err));
	cr_expect_eq(m->err.diagnostic, diagnostic, "%s: %s",
		diagnostic_row(m->err.diagnostic)->name, m->err.text);
	cr_expect(strstr(m->err.text, word), "no \"%s\" in: %s", word, m->err.text);
	cr_expect_eq(table.len, 77);
	cr_expect_eq(table.data, (const uint8_t *)m);
}

/* Length, checksum byte and the first 16 digits of SHA-256 of a whole table. */
static inline void expect_digest(Bytes table, size_t len, uint8_t checksum, const char *start)
{
	char text[DIGEST_HEX_SIZE];

	digest_format(digest_of(table), text);
	cr_expect_eq(table.len, len, "%zu bytes, expected %zu", table.len, len);
	cr_expect_eq(table.data[9], checksum, "checksum %02x, expected %02x", table.data[9],
		checksum);
	cr_expect_eq(strncmp(text, start, 16), 0, "digest %.16s, expected %s", text, start);
}

#endif
