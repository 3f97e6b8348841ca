/*
 * What the parts of the guest's device tree share: names, numbers, and what is decided before the
 * first node is written.
 */
#ifndef LOADERS_ARM64_TREE_INTERNAL_H
#define LOADERS_ARM64_TREE_INTERNAL_H

#include "layout/fixed_map.h"
#include "loaders/arm64_tree.h"
#include "support/digest.h"

/* TREE_NAME(constant, text): properties, in no order that matters. */
#define TREE_NAMES(TREE_NAME)                                                                  \
	TREE_NAME(ADDRESS_CELLS, "#address-cells")                                             \
	TREE_NAME(SIZE_CELLS, "#size-cells")                                                   \
	TREE_NAME(INTERRUPT_PARENT, "interrupt-parent")                                        \
	TREE_NAME(MODEL, "model")                                                              \
	TREE_NAME(COMPATIBLE, "compatible")                                                    \
	TREE_NAME(REG, "reg")                                                                  \
	TREE_NAME(DEVICE_TYPE, "device_type")                                                  \
	TREE_NAME(ENABLE_METHOD, "enable-method")                                              \
	TREE_NAME(STATUS, "status")                                                            \
	TREE_NAME(NUMA_NODE, "numa-node-id")                                                   \
	TREE_NAME(DISTANCE_MATRIX, "distance-matrix")                                          \
	TREE_NAME(METHOD, "method")                                                            \
	TREE_NAME(CLOCK_FREQUENCY, "clock-frequency")                                          \
	TREE_NAME(CLOCK_OUTPUT_NAMES, "clock-output-names")                                    \
	TREE_NAME(CLOCK_CELLS, "#clock-cells")                                                 \
	TREE_NAME(PHANDLE, "phandle")                                                          \
	TREE_NAME(INTERRUPT_CELLS, "#interrupt-cells")                                         \
	TREE_NAME(INTERRUPT_CONTROLLER, "interrupt-controller")                                \
	TREE_NAME(RANGES, "ranges")                                                            \
	TREE_NAME(MSI_CONTROLLER, "msi-controller")                                            \
	TREE_NAME(MSI_BASE_SPI, "arm,msi-base-spi")                                            \
	TREE_NAME(MSI_NUM_SPIS, "arm,msi-num-spis")                                            \
	TREE_NAME(INTERRUPTS, "interrupts")                                                    \
	TREE_NAME(INTERRUPT_NAMES, "interrupt-names")                                          \
	TREE_NAME(IOMMU_CELLS, "#iommu-cells")                                                 \
	TREE_NAME(DMA_COHERENT, "dma-coherent")                                                \
	TREE_NAME(ALWAYS_ON, "always-on")                                                      \
	TREE_NAME(PCI_DOMAIN, "linux,pci-domain")                                              \
	TREE_NAME(BUS_RANGE, "bus-range")                                                      \
	TREE_NAME(MSI_PARENT, "msi-parent")                                                    \
	TREE_NAME(IOMMU_MAP, "iommu-map")                                                      \
	TREE_NAME(PROBE_ONLY, "linux,pci-probe-only")                                          \
	TREE_NAME(CLOCK_NAMES, "clock-names")                                                  \
	TREE_NAME(CLOCKS, "clocks")                                                            \
	TREE_NAME(CURRENT_SPEED, "current-speed")                                              \
	TREE_NAME(PERIPHID, "arm,primecell-periphid")                                          \
	TREE_NAME(BOOTARGS, "bootargs")                                                        \
	TREE_NAME(INITRD_START, "linux,initrd-start")                                          \
	TREE_NAME(INITRD_END, "linux,initrd-end")                                              \
	TREE_NAME(STDOUT_PATH, "stdout-path")                                                  \
	TREE_NAME(RNG_SEED, "rng-seed")                                                        \
	TREE_NAME(KASLR_SEED, "kaslr-seed")                                                    \
	TREE_NAME(EFI_SYSTEM_TABLE, "linux,uefi-system-table")                                 \
	TREE_NAME(EFI_MAP_START, "linux,uefi-mmap-start")                                      \
	TREE_NAME(EFI_MAP_SIZE, "linux,uefi-mmap-size")                                        \
	TREE_NAME(EFI_DESC_SIZE, "linux,uefi-mmap-desc-size")                                  \
	TREE_NAME(EFI_DESC_VER, "linux,uefi-mmap-desc-ver")                                    \
	TREE_NAME(EFI_SECURE_BOOT, "linux,uefi-secure-boot")

enum {
#define TREE_NAME(constant, text) TREE_##constant,
	TREE_NAMES(TREE_NAME)
#undef TREE_NAME
		TREE_NAME_COUNT
};

#define CHIPSET_NODE "openvmm"

enum { PHANDLE_GIC = 1, PHANDLE_CLOCK = 2, PHANDLE_V2M = 3, PHANDLE_ITS = 4, PHANDLE_SMMU = 5 };

/* An interrupt is {kind, number in its kind, trigger}. */
enum {
	GIC_SPI = 0,
	GIC_PPI = 1,
	EDGE_RISING = 1,
	LEVEL_HIGH = 4,
	LEVEL_LOW = 8,
	PPI_FIRST = 16, /* INTIDs. [GICV3] 2.2 */
	PPI_LAST = ARM_PPI_MAX,
	SPI_FIRST = 32,
	SPI_LAST = ARM_SPI_MAX,
};

#define PCI_SPACE_MEMORY32 0x02000000
#define PCI_SPACE_MEMORY64 0x03000000
#define SMMU_SIZE UINT64_C(0x20000)
#define PL011_PERIPHERAL_ID 0x41011

/* The interrupt controller's areas of registers. */
typedef struct GicArea {
	const char *name;
	uint64_t base, len; /* GPA, bytes */
} GicArea;

typedef struct GicAreas {
	GicArea items[3]; /* distributor, redistributors or CPU interface, MSI frame if any */
	size_t count;
} GicAreas;

GicAreas arm64_gic_areas(const ProcessorTopology *topology);

/** arm64_areas_overlap - neither is empty; last bytes are compared, an area may end at 2^64 */
bool arm64_areas_overlap(GicArea a, GicArea b);

/** arm64_gic_check - PVW_ARM64_0009 (OVERLAP) unless the areas are apart and do not wrap */
MUST_CHECK bool arm64_gic_check(const ProcessorTopology *topology, Error *err);

/** arm64_timers - those that are told of, the topology's included */
ArmTimers arm64_timers(const Arm64TreeInputs *in);

/** arm64_tree_check - what no tree may say: docs of arm64_tree_build */
MUST_CHECK bool arm64_tree_check(const Arm64TreeInputs *in, Error *err);

/* The guest's NUMA nodes. */
typedef struct TreeNodes {
	size_t count;           /* 1: nothing is said of nodes */
	const uint32_t *matrix; /* {from, to, distance} of all pairs, in order */
	size_t matrix_count;    /* cells */
} TreeNodes;

/** arm64_tree_nodes - every node that has RAM or a processor, and how far they are apart */
MUST_CHECK bool arm64_tree_nodes(
	const Arm64TreeInputs *in, Arena *arena, TreeNodes *out, Error *err);

/* What must be in memory before the first node. */
typedef struct TreeTexts {
	Bytes line;          /* the command line with its NUL */
	const char *console; /* path of the first UART, or NULL */
} TreeTexts;

#endif
