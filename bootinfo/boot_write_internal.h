/*
 * A boot tree on its way out: shared by boot_info_write.c and boot_write_arm64.c.
 */
#ifndef BOOTINFO_BOOT_WRITE_INTERNAL_H
#define BOOTINFO_BOOT_WRITE_INTERNAL_H

#include "bootinfo/boot_info_write.h"
#include "bootinfo/fdt_writer.h"

#define GIC_PHANDLE 1

/*
 * Names of properties. The order is that of the block of names: first those that every tree has,
 * then groups, each of which comes when the writer gets there.
 */
#define BOOT_NAMES(NAME)                                                                       \
	NAME(ADDRESS_CELLS, "#address-cells")                                                  \
	NAME(SIZE_CELLS, "#size-cells")                                                        \
	NAME(REG, "reg")                                                                       \
	NAME(REG_NAMES, "reg-names")                                                           \
	NAME(DEVICE_TYPE, "device_type")                                                       \
	NAME(STATUS, "status")                                                                 \
	NAME(COMPATIBLE, "compatible")                                                         \
	NAME(RANGES, "ranges")                                                                 \
	NAME(NUMA_NODE, "numa-node-id")                                                        \
	NAME(BOOT_START, "reftime_boot_start")                                                 \
	NAME(BOOT_END, "reftime_boot_end")                                                     \
	NAME(SIDECAR_START, "reftime_sidecar_start")                                           \
	NAME(SIDECAR_END, "reftime_sidecar_end")                                               \
	NAME(VTL, "microsoft,vtl")                                                             \
	NAME(CONNECTION_ID, "microsoft,message-connection-id")                                 \
	NAME(DMA_COHERENT, "dma-coherent")                                                     \
	NAME(IGVM_TYPE, "microsoft,igvm-type")                                                 \
	NAME(MEMORY_TYPE, "openhcl,memory-type")                                               \
	NAME(INTERRUPT_PARENT, "interrupt-parent")                                             \
	NAME(INTERRUPTS, "interrupts")                                                         \
	NAME(ENABLE_METHOD, "enable-method")                                                   \
	NAME(CURRENT_SPEED, "current-speed")                                                   \
	/* aarch64: /psci */                                                                   \
	NAME(METHOD, "method")                                                                 \
	NAME(CPU_OFF, "cpu_off")                                                               \
	NAME(CPU_ON, "cpu_on")                                                                 \
	/* aarch64: /intc, /timer */                                                           \
	NAME(INTERRUPT_CELLS, "#interrupt-cells")                                              \
	NAME(REDISTRIBUTOR_REGIONS, "#redistributor-regions")                                  \
	NAME(REDISTRIBUTOR_STRIDE, "redistributor-stride")                                     \
	NAME(INTERRUPT_CONTROLLER, "interrupt-controller")                                     \
	NAME(PHANDLE, "phandle")                                                               \
	NAME(INTERRUPT_NAMES, "interrupt-names")                                               \
	NAME(ALWAYS_ON, "always-on")                                                           \
	/* aarch64: /chosen */                                                                 \
	NAME(BOOTARGS, "bootargs")                                                             \
	NAME(INITRD_START, "linux,initrd-start")                                               \
	NAME(INITRD_END, "linux,initrd-end")                                                   \
	/* /openhcl */                                                                         \
	NAME(ISOLATION_TYPE, "isolation-type")                                                 \
	NAME(ALLOCATION_MODE, "memory-allocation-mode")                                        \
	NAME(MEMORY_SIZE, "memory-size")                                                       \
	NAME(MMIO_SIZE, "mmio-size")                                                           \
	NAME(ALIAS_MAP, "vtl0-alias-map")                                                      \
	NAME(MMIO_ROLE, "openhcl,mmio-role")

enum {
#define NAME(constant, text) NAME_##constant,
	BOOT_NAMES(NAME)
#undef NAME
		NAME_COUNT
};
#define COMMON_NAME_COUNT (NAME_CURRENT_SPEED + 1)

typedef struct BootWrite {
	const BootInfo *info;
	const BootTreeExtras *extras;
	FdtWriter w;
} BootWrite;

/* What only aarch64 has. */
MUST_CHECK bool boot_write_check_gic(const BootInfo *info, Error *err);
void boot_write_psci(BootWrite *b);
void boot_write_interrupts(BootWrite *b); /* controller, timer, PMU */
void boot_write_serial(BootWrite *b);
void boot_write_chosen(BootWrite *b);

#endif
