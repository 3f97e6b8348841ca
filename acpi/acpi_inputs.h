/*
 * What the guest's machine has, as far as ACPI speaks of it: plain lists and numbers.
 *
 * Nothing here is owned: every pointer is borrowed for the length of the call that builds.
 */
#ifndef ACPI_ACPI_INPUTS_H
#define ACPI_ACPI_INPUTS_H

#include "layout/chipset_mmio.h"
#include "layout/topology.h"
#include "support/memory_range.h"

typedef enum AcpiProfile {
	ACPI_PROFILE_DEFAULT,   /* right by iasl, ACPICA and Linux */
	ACPI_PROFILE_REFERENCE, /* byte-equal to the reference implementation */
	ACPI_PROFILE_COUNT
} AcpiProfile;

/* Who made a table; text is padded with spaces or NUL, not terminated. [ACPI65] 5.2.6 */
typedef struct AcpiIdentity {
	char oem_id[6];
	char oem_table_id[8];
	uint32_t oem_revision;
	char creator_id[4];
	uint32_t creator_revision;
} AcpiIdentity;

typedef struct AcpiUart {
	char name[5];    /* "UAR1" */
	const char *ddn; /* "COM1" */
	uint64_t uid;
	uint16_t io_base; /* x86-64 port */
	uint8_t irq;
} AcpiUart;

/* A PL011 as aarch64 guests find it: registers in memory. */
typedef struct AcpiSbsaUart {
	char name[5]; /* "UAR0" */
	uint64_t uid;
	uint64_t base, len; /* GPA, bytes */
	uint32_t gsiv;
} AcpiSbsaUart;

typedef enum AcpiPortKind {
	ACPI_PORT_NONE,
	ACPI_PORT_16550, /* registers at an I/O port */
	ACPI_PORT_PL011, /* registers in memory */
	ACPI_PORT_KIND_COUNT
} AcpiPortKind;

/* A serial port for a table of its own: SPCR a console, DBG2 a debugger. */
typedef struct AcpiPort {
	AcpiPortKind kind;  /* NONE: no such table */
	uint64_t base;      /* I/O port or GPA */
	uint32_t interrupt; /* GSI or GSIV */
	const char *path;   /* DBG2: its device in the DSDT, "\\_SB.UAR1"; NULL: none */
} AcpiPort;

/* One PCI interrupt line of the legacy root. */
typedef struct AcpiPciInterrupt {
	uint16_t device;
	uint16_t function; /* ACPI_ANY_FUNCTION: all */
	uint32_t line;     /* GSI */
} AcpiPciInterrupt;
#define ACPI_ANY_FUNCTION 0xFFFFu

/* Devices of the DSDT that a caller may list one by one. */
typedef enum DsdtDeviceKind {
	DSDT_SLEEP_STATES, /* \_S0, \_S5 */
	DSDT_APIC,
	DSDT_UART,
	DSDT_SBSA_UART,
	DSDT_MODULE,   /* \_SB.VMOD, the chipset windows */
	DSDT_PCI_ROOT, /* \_SB.PCI0, legacy */
	DSDT_VMBUS,
	DSDT_RTC,
	DSDT_VIRTIO_MMIO,
	DSDT_PROCESSORS,
	DSDT_DEVICE_COUNT
} DsdtDeviceKind;

typedef struct DsdtDevice {
	DsdtDeviceKind kind;
	union {
		struct {
			const char *path; /* "\\_SB.UAR1" */
			const char *ddn;  /* "COM1" */
			uint64_t uid;
			uint16_t io_base;
			uint8_t irq;
		} uart;
		struct {
			const char *path;
			uint64_t uid;
			uint64_t base, len; /* GPA, bytes */
			uint32_t gsiv;
		} sbsa_uart;
		struct {
			MemoryRange low, high;              /* empty ones are left out */
			const AcpiPciInterrupt *interrupts; /* DSDT_PCI_ROOT only */
			size_t interrupt_count;
		} windows; /* DSDT_MODULE, DSDT_PCI_ROOT */
		struct {
			bool in_pci;   /* below \_SB.PCI0, else \_SB.VMOD */
			uint32_t gsiv; /* aarch64's interrupt, 0 = none */
		} vmbus;
		struct {
			MemoryRange region; /* one page a device */
			uint32_t gsi;       /* shared by all */
		} virtio_mmio;
		size_t processors;
	};
} DsdtDevice;

typedef struct DsdtDeviceList {
	const DsdtDevice *items;
	size_t count;
} DsdtDeviceList;

/* A PCI function that reaches memory without being a processor. */
typedef struct AcpiGenericInitiator {
	uint16_t segment;
	uint8_t bus, device, function;
	uint32_t vnode;
} AcpiGenericInitiator;

/* Distance from one node to another where it is not 10 (itself) or 20. */
typedef struct AcpiDistance {
	uint32_t from, to;
	uint8_t distance;
} AcpiDistance;

typedef struct AcpiDistances {
	uint32_t node_count;
	const AcpiDistance *items; /* applied in order */
	size_t count;
} AcpiDistances;

/* The CXL half of a host bridge. */
typedef struct AcpiCxl {
	MemoryRange registers; /* component registers, 64 KiB at a multiple of that */
	MemoryRange hdm;       /* host-managed device memory, multiples of 256 MiB */
	uint16_t restrictions; /* CFMWS window restrictions, written as they are */
} AcpiCxl;

/* One PCI Express host bridge. */
typedef struct AcpiBridge {
	uint32_t index; /* _UID, below 1000 */
	uint16_t segment;
	uint8_t start_bus, end_bus; /* inclusive */
	MemoryRange ecam;           /* configuration space of these buses */
	MemoryRange low, high;      /* MMIO windows; empty ones are left out */
	const AcpiCxl *cxl;         /* NULL: not CXL */
	bool has_vnode;
	uint32_t vnode;
	bool preserve_boot_config; /* the guest keeps firmware's bus numbers and BARs */
} AcpiBridge;

/* Values are those of a cache's attributes. [ACPI65] 5.2.30.2 */
typedef enum AcpiCacheType {
	ACPI_CACHE_DATA = 0,
	ACPI_CACHE_INSTRUCTION = 1,
	ACPI_CACHE_UNIFIED = 3,
} AcpiCacheType;

typedef struct AcpiCache {
	uint8_t level;
	AcpiCacheType type;
	uint32_t size;          /* bytes */
	uint32_t associativity; /* ways, 0 = fully associative */
	uint32_t line_size;     /* bytes */
} AcpiCache;

typedef enum AcpiIommuKind {
	ACPI_IOMMU_NONE,
	ACPI_IOMMU_AMDVI, /* x86-64 */
	ACPI_IOMMU_VTD,   /* x86-64 */
	ACPI_IOMMU_SMMU,  /* aarch64 */
	ACPI_IOMMU_COUNT
} AcpiIommuKind;

typedef struct AcpiAmdViUnit {
	uint16_t device_id;
	uint16_t capability_offset;
	uint64_t base; /* register window, GPA */
	uint16_t segment;
	uint8_t start_bus, end_bus; /* inclusive */
	uint64_t features;          /* extended feature register */
} AcpiAmdViUnit;

typedef struct AcpiVtdScope {
	uint8_t devfn;
	bool is_bridge;
} AcpiVtdScope;

typedef struct AcpiVtdUnit {
	uint64_t base; /* register window, GPA */
	uint16_t segment;
	uint8_t start_bus;
	const AcpiVtdScope *scopes;
	size_t scope_count;
} AcpiVtdUnit;

typedef struct AcpiSmmu {
	uint32_t bridge_index; /* the host bridge it serves */
	uint16_t segment;
	uint64_t base; /* register window, GPA */
	uint32_t event_gsiv, error_gsiv;
	MemoryRangeList reserved; /* I/O addresses mapped one to one */
} AcpiSmmu;

typedef struct AcpiIommu {
	AcpiIommuKind kind;
	bool has_ioapic_rid;
	uint16_t ioapic_rid;        /* requester id of the I/O APIC, x86-64 */
	uint8_t pa_bits, va_bits;   /* AMDVI */
	uint8_t host_address_width; /* VTD, bits */
	const AcpiAmdViUnit *amdvi;
	const AcpiVtdUnit *vtd;
	const AcpiSmmu *smmu;
	size_t unit_count; /* of the list that the kind names */
} AcpiIommu;

/* aarch64: the instruction that calls the power interface. [ACPI65] table 5.11 */
typedef enum AcpiPsci {
	ACPI_PSCI_HVC,
	ACPI_PSCI_SMC,
	ACPI_PSCI_NONE,
	ACPI_PSCI_COUNT
} AcpiPsci;

/* What the guest's machine has, as far as ACPI speaks of it. */
typedef struct AcpiInputs {
	AcpiProfile profile;
	const AcpiIdentity *identity; /* of every table; NULL: the profile's */
	const ProcessorTopology *topology;
	NodeRangeList ram;               /* ascending, for SRAT */
	MemoryRange mmio_low, mmio_high; /* chipset windows; empty ones are left out */
	bool with_ioapic, with_pic, with_pit, with_psp;
	uint32_t pm_base;             /* I/O port of the PM registers */
	uint32_t acpi_irq;            /* SCI */
	uint64_t hypervisor_identity; /* aarch64's FADT; 0 = none */
	AcpiPsci psci;                /* aarch64's FADT */
	/* aarch64's GTDT, beside the topology's virtual timer; INTIDs, 0 = not told of */
	uint32_t secure_timer, physical_timer, hypervisor_timer;

	/* DSDT */
	const AcpiUart *uarts;
	size_t uart_count;
	bool with_rtc;
	bool with_vmbus;
	uint32_t vmbus_gsiv;            /* aarch64: interrupt of VMBus, 0 = none */
	bool with_processors;           /* one device a processor, ACPI0007 */
	bool without_sleep_states;      /* no \_S0 and \_S5 */
	const AcpiSbsaUart *sbsa_uarts; /* aarch64 */
	size_t sbsa_uart_count;
	const DsdtDeviceList *devices; /* not NULL: instead of what stands above */

	/* Beyond the reference, both profiles: there when asked for, and only then. */
	bool with_facs;             /* x86-64; the FADT points to it */
	bool with_waet;             /* x86-64: RTC and PM timer need no workarounds */
	bool with_hibernation;      /* \_S4; on aarch64 also that it counts, \_SB._DSM */
	AcpiPort console;           /* SPCR */
	AcpiPort debug_port;        /* DBG2 */
	uint64_t generation_id_gpa; /* 16 bytes, multiple of 8; 0 = no generation counter */
	/* What tells of a new id: x86-64 GPE bit 0; aarch64 this interrupt, 0 = nothing does. */
	uint32_t generation_gsiv;

	/* nodes */
	const AcpiDistances *distances; /* NULL: no SLIT */
	const AcpiGenericInitiator *initiators;
	size_t initiator_count;

	/* caches, PCI Express, remapping */
	bool with_caches; /* PPTT, also when no cache is described */
	const AcpiCache *caches;
	size_t cache_count;
	const AcpiBridge *bridges;
	size_t bridge_count;
	AcpiIommu iommu;
} AcpiInputs;

#endif
