/*
 * What only the boot trees of aarch64 have: /psci, /intc, /timer, /pmu, /serial, /chosen.
 * [OVMM] openhcl/openhcl_boot/src/dt.rs
 */
#include "bootinfo/boot_write_internal.h"
#include "bootinfo/gic_check.h"

#define SERIAL_SIZE 0x1000

/* Cells of `interrupts`: {kind, number, flags}. */
#define INTERRUPT_SPI 0
#define INTERRUPT_PPI 1
#define INTERRUPT_LEVEL_HIGH 4
#define INTERRUPT_LEVEL_LOW 8

bool boot_write_check_gic(const BootInfo *info, Error *err)
{
	return gic_check(&info->gic, info->cpus.count, err) &&
		(!info->gic.present ||
			gic_check_ppi(info->gic.virt_timer_ppi, "virtual timer", err));
}

void boot_write_psci(BootWrite *b)
{
	FdtWriter *w = &b->w;

	fdt_put_node(w, "psci");
	fdt_put_string(w, NAME_COMPATIBLE, "arm,psci-0.2");
	fdt_put_string(w, NAME_METHOD, "hvc");
	fdt_put_u32(w, NAME_CPU_OFF, 1);
	fdt_put_u32(w, NAME_CPU_ON, 2);
	fdt_put_end(w);
}

static void put_controller(FdtWriter *w, const BootGic *gic)
{
	fdt_put_node_decimal(w, "intc", gic->distributor_base);
	fdt_put_string(w, NAME_COMPATIBLE, "arm,gic-v3");
	fdt_put_u32(w, NAME_REDISTRIBUTOR_REGIONS, 1);
	fdt_put_u64(w, NAME_REDISTRIBUTOR_STRIDE, gic->redistributor_stride);
	fdt_put_u64s(w, NAME_REG, gic->distributor_base, gic->distributor_size,
		gic->redistributor_base, gic->redistributor_size);
	fdt_put_u32(w, NAME_ADDRESS_CELLS, 2);
	fdt_put_u32(w, NAME_SIZE_CELLS, 2);
	fdt_put_u32(w, NAME_INTERRUPT_CELLS, 3);
	fdt_put_empty(w, NAME_INTERRUPT_CONTROLLER);
	fdt_put_u32(w, NAME_PHANDLE, GIC_PHANDLE);
	fdt_put_empty(w, NAME_RANGES);
	fdt_put_end(w);
}

void boot_write_interrupts(BootWrite *b)
{
	const BootGic *gic = &b->info->gic;
	FdtWriter *w = &b->w;

	if (!gic->present)
		return;
	fdt_put_names(w, NAME_INTERRUPT_CELLS, NAME_ALWAYS_ON - NAME_INTERRUPT_CELLS + 1);
	put_controller(w, gic);

	fdt_put_node(w, "timer");
	fdt_put_string(w, NAME_COMPATIBLE, "arm,armv8-timer");
	fdt_put_u32(w, NAME_INTERRUPT_PARENT, GIC_PHANDLE);
	fdt_put_string(w, NAME_INTERRUPT_NAMES, "virt");
	fdt_put_u32s(w, NAME_INTERRUPTS, INTERRUPT_PPI, gic->virt_timer_ppi - GIC_FIRST_PPI,
		INTERRUPT_LEVEL_LOW);
	fdt_put_empty(w, NAME_ALWAYS_ON);
	fdt_put_end(w);

	if (gic->pmu_gsiv == 0)
		return;
	fdt_put_node(w, "pmu");
	fdt_put_string(w, NAME_COMPATIBLE, "arm,armv8-pmuv3");
	if (b->extras->profile == TREE_PROFILE_DEFAULT)
		fdt_put_u32(w, NAME_INTERRUPT_PARENT, GIC_PHANDLE);
	fdt_put_u32s(w, NAME_INTERRUPTS, INTERRUPT_PPI, gic->pmu_gsiv - GIC_FIRST_PPI,
		INTERRUPT_LEVEL_HIGH);
	fdt_put_end(w);
}

/* The reference has no words for a base above 4 GiB; the two cells have. */
void boot_write_serial(BootWrite *b)
{
	const HostSerial *serial = &b->extras->serial;
	FdtWriter *w = &b->w;

	if (!serial->present)
		return;
	fdt_put_node_at(w, "serial", serial->base);
	fdt_put_string(w, NAME_COMPATIBLE, "arm,sbsa-uart");
	fdt_put_u32s(w, NAME_REG, (uint32_t)(serial->base >> 32), (uint32_t)serial->base, 0,
		SERIAL_SIZE);
	if (b->info->gic.present)
		fdt_put_u32(w, NAME_INTERRUPT_PARENT, GIC_PHANDLE);
	fdt_put_u32s(
		w, NAME_INTERRUPTS, INTERRUPT_SPI, serial->interrupt, INTERRUPT_LEVEL_HIGH);
	fdt_put_u32(w, NAME_CURRENT_SPEED, serial->baud);
	fdt_put_string(w, NAME_STATUS, "okay");
	fdt_put_end(w);
}

void boot_write_chosen(BootWrite *b)
{
	FdtWriter *w = &b->w;

	if (!b->extras->bootargs)
		return;
	fdt_put_node(w, "chosen");
	fdt_put_string(w, NAME_BOOTARGS, b->extras->bootargs);
	fdt_put_u64(w, NAME_INITRD_START, b->extras->initrd.start);
	fdt_put_u64(w, NAME_INITRD_END, b->extras->initrd.end);
	fdt_put_end(w);
}
