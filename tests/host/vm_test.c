/*
 * VM descriptions: defaults, every member, and everything that is refused.
 */
#include "host/vm.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/diagnostics.h"

#define DOCUMENT(members) "{\"schema\": \"pvw.vm/1\"" members "}"
#define MEMORY ", \"memory\": \"4GiB\""
#define ARM ", \"arch\": \"aarch64\"" MEMORY
#define COMPLEX(members) MEMORY ", \"pcie\": {\"root_complexes\": [" members "]}"
#define GIB UINT64_C(0x40000000)
#define MIB UINT64_C(0x100000)

static Arena *arena;
static Error err;
static Vm vm;

static void setup(void)
{
	arena = arena_new(VM_ARENA_LIMIT);
	err = (Error){ 0 };
}

static void teardown(void)
{
	arena_free(arena);
}

TestSuite(vm, .init = setup, .fini = teardown);

static bool read_text(const char *text)
{
	const Bytes bytes = { (const uint8_t *)text, strlen(text) };

	return vm_read(bytes, "vm", arena, &vm, &err);
}

static void take(const char *text)
{
	cr_assert(read_text(text), "%s: %s: %s", text, err.source, err.text);
}

/* Refused at @source, with @word in the message, and @vm is untouched. */
static void refuse(const char *text, uint16_t diagnostic, const char *source, const char *word)
{
	err = (Error){ 0 };
	memset(&vm, 0x5a, sizeof(vm));
	cr_assert_not(read_text(text), "%s", text);
	cr_expect_eq(err.diagnostic, diagnostic, "%s: %s %s", text,
		diagnostic_row(err.diagnostic)->name, err.text);
	cr_expect_str_eq(err.source, source, "%s: %s", text, err.text);
	cr_expect_not_null(strstr(err.text, word), "%s: %s", text, err.text);
	for (size_t i = 0; i < sizeof(vm); i++)
		cr_assert_eq(((const uint8_t *)&vm)[i], 0x5a, "%s", text);
}

Test(vm, needs_no_more_than_memory)
{
	ResolvedLayout layout;

	take(DOCUMENT(MEMORY));

	cr_expect_str_eq(vm.name, "vm");
	cr_expect_eq(vm.layout.arch, GUEST_ARCH_X86_64);
	cr_expect_eq(vm.layout.version, LAYOUT_VERSION_CURRENT);
	cr_expect_eq(vm.layout.node_count, 1);
	cr_expect_eq(vm.layout.node_sizes[0], 4 * GIB);
	cr_expect_eq(vm.layout.address_bits, 46);
	cr_expect_eq(vm.layout.ram_start, 0);
	cr_expect_eq(vm.layout.chipset_low_size, 128 * MIB);
	cr_expect_eq(vm.layout.chipset_high_size, 512 * MIB);
	cr_expect_eq(vm.layout.vtl2_chipset_size, 0);
	cr_expect_not(vm.layout.has_vtl2);
	cr_expect_eq(vm.processors.count, 1);
	cr_expect_null(vm.processors.vnodes);
	cr_expect_null(vm.processors.list);
	cr_expect(vm.with_vmbus && vm.with_com1 && vm.with_rtc);
	cr_expect_not(vm.with_com2 || vm.with_pic || vm.with_pit || vm.with_psp);
	cr_expect_eq(vm.pm_base, 0x400);
	cr_expect_eq(vm.acpi_irq, 9);
	cr_expect_eq(vm.isolation, ISOLATION_NONE);
	cr_expect_eq(vm.boot, BOOT_UEFI);
	cr_expect_eq(vm.arm.gic_distributor, 0);

	cr_assert(vm_resolve(&vm, arena, &layout, &err), "%s", err.text);
	cr_expect_eq(layout.chipset_low.start, 0xf8000000);
	cr_expect_eq(layout.ram.count, 2);
}
