#include <criterion/criterion.h>
#include <string.h>

#include "bootinfo/boot_info_print.h"

static void assert_prints(const BootInfo *info, const char *expected)
{
	Arena *arena = arena_new(4 << 20);
	Bytes text;
	Error err;

	cr_assert(boot_info_print(info, arena, &text, &err), "%s", err.text);
	cr_assert_eq(
		text.len, strlen(expected), "%.*s", (int)text.len, (const char *)text.data);
	cr_assert_eq(memcmp(text.data, expected, text.len), 0, "%.*s", (int)text.len,
		(const char *)text.data);
	arena_free(arena);
}

Test(boot_info_print, writes_little_of_an_empty_one)
{
	const BootInfo info = { .arch = GUEST_ARCH_AARCH64 };

	assert_prints(&info,
		"arch aarch64\nopenhcl absent\nisolation none\nbsp-reg 0x0\nallocation host\n");
}

Test(boot_info_print, writes_every_fact)
{
	static const BootCpu cpus[] = { { 0x10, 1 } };
	static const MapEntry map[] = { { { 0, 0x1000 }, MEMORY_TYPE_VTL2_CONFIG, 3, 2 } };
	static const MmioClaim mmio[] = { { 0xf8000000, 0x8000000, 0, 1, "dtb:/x" } };
	static const NodeRange ram[] = { { { 0x1000, 0x2000 }, 5 } };
	static const MemoryRange ranges[] = { { 0x3000, 0x4000 } };
	const BootInfo info = {
		.arch = GUEST_ARCH_X86_64,
		.bsp_reg = 0x10,
		.has_openhcl = true,
		.cpus = { cpus, 1 },
		.vtl2_ram = { ram, 1 },
		.map = { map, 1 },
		.mmio = { mmio, 1 },
		.config = { ranges, 1 },
		.accepted = { ranges, 1 },
		.pool = { ram, 1 },
		.reserved = { 0x5000, 0x6000 },
		.log_buffer = { 0x6000, 0x7000 },
		.persisted_header = { 0x7000, 0x8000 },
		.persisted_protobuf = { 0x8000, 0x9000 },
		.has_alias_map = true,
		.alias_map = 0x200000000000,
		.isolation = ISOLATION_VBS,
		.allocation = { true, true, true, 100, 200 },
		.gic = { true, 1, 2, 3, 4, 5, 6, 7, 8 },
		.vtl2_bus = { true, 0x800074, { ranges, 1 }, NULL },
		.times = { true, true, true, true, 11, 12, 13, 14, NULL },
	};

	assert_prints(&info,
		"arch x86_64\n"
		"openhcl present\n"
		"isolation vbs\n"
		"bsp-reg 0x10\n"
		"allocation vtl2\n"
		"allocation-memory-bytes 100\n"
		"allocation-mmio-bytes 200\n"
		"alias-map 0x200000000000\n"
		"boot-start-100ns 11\n"
		"boot-end-100ns 12\n"
		"sidecar-start-100ns 13\n"
		"sidecar-end-100ns 14\n"
		"gic distributor 0x1 len 0x2\n"
		"gic redistributors 0x3 len 0x4 stride 0x5\n"
		"gic pmu 6 timer 7 irqs 8\n"
		"vtl2-bus connection 0x800074\n"
		"vtl2-bus-window 0x3000-0x4000\n"
		"cpu 0 reg 0x10 node 1\n"
		"vtl2-ram 0x1000-0x2000 node 5\n"
		"map 0x0-0x1000 type 2 igvm 3 node 2 (VTL2 config)\n"
		"mmio 0xf8000000 len 0x8000000 vtl 0 role 1 (dtb:/x)\n"
		"config 0x3000-0x4000\n"
		"pool 0x1000-0x2000 node 5\n"
		"accepted 0x3000-0x4000\n"
		"reserved 0x5000-0x6000\n"
		"log-buffer 0x6000-0x7000\n"
		"persisted-header 0x7000-0x8000\n"
		"persisted-state 0x8000-0x9000\n");
}

Test(boot_info_print, has_room_for_the_largest_guest)
{
	static BootCpu cpus[BOOT_INFO_MAX_CPUS];
	static MapEntry map[BOOT_INFO_MAX_RANGES];
	static char place[200];
	static MmioClaim mmio[BOOT_INFO_MAX_MMIO];
	Arena *arena = arena_new(4 << 20);
	Bytes text;
	Error err;

	memset(cpus, 0xff, sizeof(cpus));
	for (size_t i = 0; i < BOOT_INFO_MAX_RANGES; i++)
		map[i] = (MapEntry){ { UINT64_MAX - 1, UINT64_MAX },
			MEMORY_TYPE_VTL2_PERSISTED_HEADER, 0xffff, UINT32_MAX };
	memset(place, 'p', sizeof(place) - 1);
	for (size_t i = 0; i < BOOT_INFO_MAX_MMIO; i++)
		mmio[i] = (MmioClaim){ UINT64_MAX, UINT64_MAX, 2, UINT32_MAX, place };
	const BootInfo info = { .cpus = { cpus, BOOT_INFO_MAX_CPUS },
		.map = { map, BOOT_INFO_MAX_RANGES },
		.mmio = { mmio, BOOT_INFO_MAX_MMIO } };

	cr_assert(boot_info_print(&info, arena, &text, &err), "%s", err.text);

	size_t lines = 0;
	for (size_t i = 0; i < text.len; i++)
		lines += text.data[i] == '\n';
	cr_assert_eq(lines, 5 + BOOT_INFO_MAX_CPUS + BOOT_INFO_MAX_RANGES + BOOT_INFO_MAX_MMIO);
	arena_free(arena);
}

Test(boot_info_print, tells_when_memory_is_short)
{
	Arena *arena = arena_new(100);
	const BootInfo info = { 0 };
	Bytes text;
	Error err;

	cr_assert_not(boot_info_print(&info, arena, &text, &err));
	cr_assert_eq(err.code, ERROR_LIMIT);
	arena_free(arena);
}
