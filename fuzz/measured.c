/*
 * Measured pages as one piece, first byte: bit 0 aarch64, bit 1 hardware isolation. What is read
 * from them lies in them; what they name was checked.
 */
#include "bootinfo/measured.h"
#include "fuzz/fuzz.h"
#include "loaders/igvm_context.h"

static void look_at_context(Bytes page, GuestArch arch, Arena *arena)
{
	MeasuredRegisterList list;
	RegisterList registers;
	Error err = { 0 };

	if (!measured_context_parse(page, arena, &list, &err) ||
		!igvm_context_registers(list, arch, IGVM_ANY_VTL, arena, &registers, &err)) {
		fuzz_failed(&err);
		return;
	}
	FUZZ_ASSERT(registers.count <= MEASURED_MAX_REGISTERS);
	for (size_t i = 0; i < registers.count; i++)
		FUZZ_ASSERT(register_row(registers.items[i].id)->arch == arch);
}

static void look_at_vtl0(Bytes area, GuestArch arch, Arena *arena)
{
	const MapEntry map[] = { { .range = { 0, 0x40000000 } } };
	MeasuredPages pages = { 0 };
	MeasuredVtl0 measured;
	Bytes line;
	Error err = { 0 };

	if (!measured_split(area, arch, &pages, &err) ||
		!measured_vtl0_parse(pages.config, arch, &measured, &err) ||
		!measured_vtl0_check(&measured, (MapEntryList){ map, 1 }, arena, &err)) {
		fuzz_failed(&err);
		return;
	}
	FUZZ_ASSERT(!measured.uefi || measured.uefi_image.end <= map[0].range.end);
	FUZZ_ASSERT(!measured.linux_direct || measured.kernel.end <= map[0].range.end);
	FUZZ_ASSERT(measured.initrd_size <= memory_range_len(measured.initrd));
	if (pages.command_line.len &&
		measured_command_line_parse(pages.command_line, &line, &err))
		FUZZ_ASSERT(line.len < PAGE_SIZE);
	if (pages.vp_context.len)
		look_at_context(pages.vp_context, arch, arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Arena *arena = fuzz_arena((size_t)1024 * 1024);
	MeasuredVtl2 vtl2;
	GuestArch arch;
	Bytes area;
	Error err = { 0 };

	if (size == 0)
		return 0;
	arch = data[0] & 1 ? GUEST_ARCH_AARCH64 : GUEST_ARCH_X86_64;
	area = (Bytes){ data + 1, size - 1 };
	look_at_vtl0(area, arch, arena);
	look_at_context(area, arch, arena);
	if (!measured_vtl2_parse(
		    area, data[0] & 2 ? ISOLATION_SNP : ISOLATION_NONE, &vtl2, &err))
		fuzz_failed(&err);
	return 0;
}
