/*
 * ACPI tables, their entries and AML resource descriptors, as records.
 *
 * Every record is packed, little-endian and free of pointers; the offset stands before each
 * field. What is not named in an initializer is zero, which is what the specification wants of
 * reserved fields. Source: [ACPI65], per record.
 */
#ifndef ACPI_ACPI_FORMAT_H
#define ACPI_ACPI_FORMAT_H

#include "support/compiler.h"

/* Value of _STA and of an entry's flags where bit 0 means "enabled". */
#define ACPI_ENTRY_ENABLED 1u

/* [ACPI65] 5.2.6 System Description Table Header */
typedef struct PACKED AcpiHeader {
	char signature[4];         /*  0 */
	uint32_t length;           /*  4  bytes, header included */
	uint8_t revision;          /*  8 */
	uint8_t checksum;          /*  9  makes the sum of all bytes 0 */
	char oem_id[6];            /* 10 */
	char oem_table_id[8];      /* 16 */
	uint32_t oem_revision;     /* 24 */
	char creator_id[4];        /* 28 */
	uint32_t creator_revision; /* 32 */
} AcpiHeader;
static_assert(sizeof(AcpiHeader) == 36, "[ACPI65] 5.2.6");
static_assert(offsetof(AcpiHeader, checksum) == 9, "[ACPI65] 5.2.6");
static_assert(offsetof(AcpiHeader, creator_revision) == 32, "[ACPI65] 5.2.6");

/* [ACPI65] 5.2.5.3 Root System Description Pointer */
typedef struct PACKED AcpiRsdp {
	char signature[8];         /*  0  "RSD PTR " */
	uint8_t checksum;          /*  8  over the first 20 bytes */
	char oem_id[6];            /*  9 */
	uint8_t revision;          /* 15  = 2 */
	uint32_t rsdt_address;     /* 16 */
	uint32_t length;           /* 20  = 36 */
	uint64_t xsdt_address;     /* 24 */
	uint8_t extended_checksum; /* 32  over all */
	uint8_t reserved[3];       /* 33 */
} AcpiRsdp;
static_assert(sizeof(AcpiRsdp) == 36, "[ACPI65] 5.2.5.3");
static_assert(offsetof(AcpiRsdp, xsdt_address) == 24, "[ACPI65] 5.2.5.3");

/* [ACPI65] 5.2.3.2 Generic Address Structure */
typedef struct PACKED AcpiAddress {
	uint8_t space;       /*  0 */
	uint8_t bit_width;   /*  1 */
	uint8_t bit_offset;  /*  2 */
	uint8_t access_size; /*  3 */
	uint64_t address;    /*  4 */
} AcpiAddress;
static_assert(sizeof(AcpiAddress) == 12, "[ACPI65] 5.2.3.2");

enum {
	ACPI_SPACE_MEMORY = 0,
	ACPI_SPACE_IO = 1,
	ACPI_ACCESS_BYTE = 1,
	ACPI_ACCESS_WORD = 2,
	ACPI_ACCESS_DWORD = 3,
};

/* [ACPI65] 5.2.9 Fixed ACPI Description Table, revision 6 */
typedef struct PACKED Fadt {
	AcpiHeader header;             /*   0 */
	uint32_t firmware_ctrl;        /*  36 */
	uint32_t dsdt;                 /*  40 */
	uint8_t reserved_44;           /*  44 */
	uint8_t preferred_pm_profile;  /*  45 */
	uint16_t sci_int;              /*  46 */
	uint32_t smi_cmd;              /*  48 */
	uint8_t acpi_enable;           /*  52 */
	uint8_t acpi_disable;          /*  53 */
	uint8_t s4bios_req;            /*  54 */
	uint8_t pstate_cnt;            /*  55 */
	uint32_t pm1a_evt_blk;         /*  56 */
	uint32_t pm1b_evt_blk;         /*  60 */
	uint32_t pm1a_cnt_blk;         /*  64 */
	uint32_t pm1b_cnt_blk;         /*  68 */
	uint32_t pm2_cnt_blk;          /*  72 */
	uint32_t pm_tmr_blk;           /*  76 */
	uint32_t gpe0_blk;             /*  80 */
	uint32_t gpe1_blk;             /*  84 */
	uint8_t pm1_evt_len;           /*  88  bytes */
	uint8_t pm1_cnt_len;           /*  89 */
	uint8_t pm2_cnt_len;           /*  90 */
	uint8_t pm_tmr_len;            /*  91 */
	uint8_t gpe0_blk_len;          /*  92 */
	uint8_t gpe1_blk_len;          /*  93 */
	uint8_t gpe1_base;             /*  94 */
	uint8_t cst_cnt;               /*  95 */
	uint16_t p_lvl2_lat;           /*  96  above 100: no C2 */
	uint16_t p_lvl3_lat;           /*  98  above 1000: no C3 */
	uint16_t flush_size;           /* 100 */
	uint16_t flush_stride;         /* 102 */
	uint8_t duty_offset;           /* 104 */
	uint8_t duty_width;            /* 105 */
	uint8_t day_alrm;              /* 106 */
	uint8_t mon_alrm;              /* 107 */
	uint8_t century;               /* 108 */
	uint16_t iapc_boot_arch;       /* 109 */
	uint8_t reserved_111;          /* 111 */
	uint32_t flags;                /* 112 */
	AcpiAddress reset_reg;         /* 116 */
	uint8_t reset_value;           /* 128 */
	uint16_t arm_boot_arch;        /* 129 */
	uint8_t minor_version;         /* 131 */
	uint64_t x_firmware_ctrl;      /* 132 */
	uint64_t x_dsdt;               /* 140 */
	AcpiAddress x_pm1a_evt_blk;    /* 148 */
	AcpiAddress x_pm1b_evt_blk;    /* 160 */
	AcpiAddress x_pm1a_cnt_blk;    /* 172 */
	AcpiAddress x_pm1b_cnt_blk;    /* 184 */
	AcpiAddress x_pm2_cnt_blk;     /* 196 */
	AcpiAddress x_pm_tmr_blk;      /* 208 */
	AcpiAddress x_gpe0_blk;        /* 220 */
	AcpiAddress x_gpe1_blk;        /* 232 */
	AcpiAddress sleep_control_reg; /* 244 */
	AcpiAddress sleep_status_reg;  /* 256 */
	uint64_t hypervisor_identity;  /* 268 */
} Fadt;
static_assert(sizeof(Fadt) == 276, "[ACPI65] 5.2.9");
static_assert(offsetof(Fadt, sci_int) == 46, "[ACPI65] 5.2.9");
static_assert(offsetof(Fadt, pm1_evt_len) == 88, "[ACPI65] 5.2.9");
static_assert(offsetof(Fadt, flags) == 112, "[ACPI65] 5.2.9");
static_assert(offsetof(Fadt, arm_boot_arch) == 129, "[ACPI65] 5.2.9");
static_assert(offsetof(Fadt, x_dsdt) == 140, "[ACPI65] 5.2.9");
static_assert(offsetof(Fadt, x_pm_tmr_blk) == 208, "[ACPI65] 5.2.9");
static_assert(offsetof(Fadt, hypervisor_identity) == 268, "[ACPI65] 5.2.9");

/* [ACPI65] 5.2.9, table 5.10 */
enum {
	FADT_WBINVD = 1 << 0,
	FADT_PROC_C1 = 1 << 2,
	FADT_PWR_BUTTON = 1 << 4, /* set: a control method button, if any */
	FADT_SLP_BUTTON = 1 << 5,
	FADT_RTC_S4 = 1 << 7,
	FADT_TMR_VAL_EXT = 1 << 8,
	FADT_RESET_REG_SUP = 1 << 10,
	FADT_USE_PLATFORM_CLOCK = 1 << 15,
	FADT_HW_REDUCED_ACPI = 1 << 20,
	FADT_ARM_PSCI_COMPLIANT = 1 << 0,
	FADT_ARM_PSCI_USE_HVC = 1 << 1,
};

/*
 * [ACPI65] 5.2.10 Firmware ACPI Control Structure: memory that firmware and the guest share. It
 * has no common header and no checksum, and lies at a multiple of 64.
 */
typedef struct PACKED Facs {
	char signature[4];           /*  0  "FACS" */
	uint32_t length;             /*  4  = 64 */
	uint32_t hardware_signature; /*  8 */
	uint32_t waking_vector;      /* 12 */
	uint32_t global_lock;        /* 16 */
	uint32_t flags;              /* 20 */
	uint64_t x_waking_vector;    /* 24 */
	uint8_t version;             /* 32  = 2 */
	uint8_t reserved_33[3];      /* 33 */
	uint32_t ospm_flags;         /* 36 */
	uint8_t reserved_40[24];     /* 40 */
} Facs;
static_assert(sizeof(Facs) == 64, "[ACPI65] 5.2.10");
static_assert(offsetof(Facs, x_waking_vector) == 24, "[ACPI65] 5.2.10");
static_assert(offsetof(Facs, version) == 32, "[ACPI65] 5.2.10");

/* [WAET]: behind the header */
typedef struct PACKED WaetBody {
	uint32_t flags; /* 36 */
} WaetBody;

enum {
	WAET_RTC_GOOD = 1 << 0,      /* its interrupt needs no acknowledgement */
	WAET_PM_TIMER_GOOD = 1 << 1, /* one read gives its value */
};

/* [SPCR], revision 2: behind the header */
typedef struct PACKED SpcrBody {
	uint8_t interface_type; /* 36  a serial subtype of DBG2 */
	uint8_t reserved_37[3]; /* 37 */
	AcpiAddress base;       /* 40 */
	uint8_t interrupt_type; /* 52 */
	uint8_t irq;            /* 53  of the 8259s */
	uint32_t gsi;           /* 54 */
	uint8_t baud_rate;      /* 58 */
	uint8_t parity;         /* 59  = 0, none */
	uint8_t stop_bits;      /* 60  = 1 */
	uint8_t flow_control;   /* 61  = 0, none */
	uint8_t terminal_type;  /* 62 */
	uint8_t reserved_63;    /* 63 */
	uint16_t pci_device;    /* 64  0xFFFF: not a PCI device */
	uint16_t pci_vendor;    /* 66  the same */
	uint8_t pci_bus;        /* 68 */
	uint8_t pci_slot;       /* 69 */
	uint8_t pci_function;   /* 70 */
	uint32_t pci_flags;     /* 71 */
	uint8_t pci_segment;    /* 75 */
	uint32_t reserved_76;   /* 76 */
} SpcrBody;
static_assert(sizeof(AcpiHeader) + sizeof(SpcrBody) == 80, "[SPCR]");
static_assert(sizeof(AcpiHeader) + offsetof(SpcrBody, gsi) == 54, "[SPCR]");
static_assert(sizeof(AcpiHeader) + offsetof(SpcrBody, pci_device) == 64, "[SPCR]");

enum {
	SPCR_INTERRUPT_8259 = 1 << 0,
	SPCR_INTERRUPT_IO_APIC = 1 << 1,
	SPCR_INTERRUPT_GIC = 1 << 3,
	SPCR_BAUD_115200 = 7,
	SPCR_STOP_BITS_1 = 1,
	SPCR_TERMINAL_ANSI = 3,
	SPCR_NOT_PCI = 0xFFFF,
};

/* [DBG2]: behind the header */
typedef struct PACKED Dbg2Head {
	uint32_t devices_offset; /* 36  from the table's start */
	uint32_t device_count;   /* 40 */
} Dbg2Head;
static_assert(sizeof(AcpiHeader) + sizeof(Dbg2Head) == 44, "[DBG2] table 1");

/* [DBG2] table 2, with one register block; the path of the device follows */
typedef struct PACKED Dbg2Device {
	uint8_t revision;         /*  0  = 0 */
	uint16_t length;          /*  1  with the path */
	uint8_t register_count;   /*  3  = 1 */
	uint16_t path_length;     /*  4  with its NUL */
	uint16_t path_offset;     /*  6  offsets: from this structure's start */
	uint16_t oem_data_length; /*  8 */
	uint16_t oem_data_offset; /* 10 */
	uint16_t port_type;       /* 12 */
	uint16_t port_subtype;    /* 14 */
	uint16_t reserved_16;     /* 16 */
	uint16_t base_offset;     /* 18 */
	uint16_t size_offset;     /* 20 */
	AcpiAddress base;         /* 22 */
	uint32_t size;            /* 34  bytes at @base */
} Dbg2Device;
static_assert(sizeof(Dbg2Device) == 38, "[DBG2] table 2");
static_assert(offsetof(Dbg2Device, base) == 22, "[DBG2] table 2");

enum {
	DBG2_PORT_SERIAL = 0x8000,
	DBG2_SERIAL_16550 = 0, /* also SPCR's interface types */
	DBG2_SERIAL_PL011 = 3,
};

/* [ACPI65] 5.2.12 Multiple APIC Description Table: behind the header */
typedef struct PACKED MadtHead {
	uint32_t local_apic_address; /* 36  GPA */
	uint32_t flags;              /* 40  bit 0 PCAT_COMPAT: there are 8259s too */
} MadtHead;
static_assert(sizeof(MadtHead) == 8, "[ACPI65] 5.2.12");

enum {
	MADT_LOCAL_APIC = 0,
	MADT_IO_APIC = 1,
	MADT_INTERRUPT_OVERRIDE = 2,
	MADT_LOCAL_APIC_NMI = 4,
	MADT_LOCAL_X2APIC = 9,
	MADT_LOCAL_X2APIC_NMI = 10,
	MADT_GICC = 11,
	MADT_GICD = 12,
	MADT_GIC_MSI_FRAME = 13,
	MADT_GIC_ITS = 15,
	MADT_PCAT_COMPAT = 1 << 0,
	MADT_ACTIVE_HIGH = 1 << 0,     /* of an override's flags */
	MADT_LEVEL_TRIGGERED = 3 << 2, /* of an override's flags */
};

/* [ACPI65] 5.2.12.2 Processor Local APIC Structure */
typedef struct PACKED MadtLocalApic {
	uint8_t type;   /*  0  = 0 */
	uint8_t length; /*  1  = 8 */
	uint8_t uid;    /*  2  as the processor device's _UID */
	uint8_t id;     /*  3  APIC id, not 0xFF */
	uint32_t flags; /*  4  bit 0 enabled */
} MadtLocalApic;
static_assert(sizeof(MadtLocalApic) == 8, "[ACPI65] 5.2.12.2");

/* [ACPI65] 5.2.12.3 I/O APIC Structure */
typedef struct PACKED MadtIoApic {
	uint8_t type;      /*  0  = 1 */
	uint8_t length;    /*  1  = 12 */
	uint8_t id;        /*  2 */
	uint8_t reserved;  /*  3 */
	uint32_t address;  /*  4  register window, GPA */
	uint32_t gsi_base; /*  8  first global system interrupt */
} MadtIoApic;
static_assert(sizeof(MadtIoApic) == 12, "[ACPI65] 5.2.12.3");
static_assert(offsetof(MadtIoApic, address) == 4, "[ACPI65] 5.2.12.3");

/* [ACPI65] 5.2.12.5 Interrupt Source Override Structure */
typedef struct PACKED MadtInterruptOverride {
	uint8_t type;   /*  0  = 2 */
	uint8_t length; /*  1  = 10 */
	uint8_t bus;    /*  2  = 0, ISA */
	uint8_t source; /*  3  ISA interrupt */
	uint32_t gsi;   /*  4 */
	uint16_t flags; /*  8 */
} MadtInterruptOverride;
static_assert(sizeof(MadtInterruptOverride) == 10, "[ACPI65] 5.2.12.5");

/* [ACPI65] 5.2.12.7 Local APIC NMI Structure */
typedef struct PACKED MadtLocalApicNmi {
	uint8_t type;   /*  0  = 4 */
	uint8_t length; /*  1  = 6 */
	uint8_t uid;    /*  2 */
	uint16_t flags; /*  3 */
	uint8_t lint;   /*  5  input of the local APIC */
} MadtLocalApicNmi;
static_assert(sizeof(MadtLocalApicNmi) == 6, "[ACPI65] 5.2.12.7");

/* [ACPI65] 5.2.12.12 Processor Local x2APIC Structure */
typedef struct PACKED MadtLocalX2Apic {
	uint8_t type;      /*  0  = 9 */
	uint8_t length;    /*  1  = 16 */
	uint16_t reserved; /*  2 */
	uint32_t id;       /*  4  x2APIC id */
	uint32_t flags;    /*  8  bit 0 enabled */
	uint32_t uid;      /* 12 */
} MadtLocalX2Apic;
static_assert(sizeof(MadtLocalX2Apic) == 16, "[ACPI65] 5.2.12.12");

/* [ACPI65] 5.2.12.13 Local x2APIC NMI Structure */
typedef struct PACKED MadtLocalX2ApicNmi {
	uint8_t type;        /*  0  = 10 */
	uint8_t length;      /*  1  = 12 */
	uint16_t flags;      /*  2 */
	uint32_t uid;        /*  4 */
	uint8_t lint;        /*  8 */
	uint8_t reserved[3]; /*  9 */
} MadtLocalX2ApicNmi;
static_assert(sizeof(MadtLocalX2ApicNmi) == 12, "[ACPI65] 5.2.12.13");

/* [ACPI65] 5.2.12.14 GIC CPU Interface Structure, without its last two fields (80 bytes) */
typedef struct PACKED MadtGicc {
	uint8_t type;               /*  0  = 11 */
	uint8_t length;             /*  1  = 80 */
	uint16_t reserved_2;        /*  2 */
	uint32_t cpu_interface;     /*  4 */
	uint32_t uid;               /*  8 */
	uint32_t flags;             /* 12  bit 0 enabled */
	uint32_t parking_version;   /* 16 */
	uint32_t pmu_gsiv;          /* 20 */
	uint64_t parked_address;    /* 24 */
	uint64_t base_address;      /* 32  GICv2 only, GPA */
	uint64_t gicv;              /* 40 */
	uint64_t gich;              /* 48 */
	uint32_t maintenance_gsiv;  /* 56 */
	uint64_t gicr_base_address; /* 60  GICv3 only, GPA */
	uint64_t mpidr;             /* 68  affinity fields only */
	uint8_t efficiency_class;   /* 76 */
	uint8_t reserved_77;        /* 77 */
	uint16_t spe_gsiv;          /* 78 */
} MadtGicc;
static_assert(sizeof(MadtGicc) == 80, "[ACPI65] 5.2.12.14");
static_assert(offsetof(MadtGicc, base_address) == 32, "[ACPI65] 5.2.12.14");
static_assert(offsetof(MadtGicc, mpidr) == 68, "[ACPI65] 5.2.12.14");

/* [ACPI65] 5.2.12.15 GIC Distributor Structure */
typedef struct PACKED MadtGicd {
	uint8_t type;         /*  0  = 12 */
	uint8_t length;       /*  1  = 24 */
	uint16_t reserved_2;  /*  2 */
	uint32_t id;          /*  4 */
	uint64_t address;     /*  8  GPA */
	uint32_t vector_base; /* 16 */
	uint8_t version;      /* 20  2 or 3 */
	uint8_t reserved[3];  /* 21 */
} MadtGicd;
static_assert(sizeof(MadtGicd) == 24, "[ACPI65] 5.2.12.15");

/* [ACPI65] 5.2.12.16 GIC MSI Frame Structure */
typedef struct PACKED MadtGicMsiFrame {
	uint8_t type;        /*  0  = 13 */
	uint8_t length;      /*  1  = 24 */
	uint16_t reserved_2; /*  2 */
	uint32_t id;         /*  4 */
	uint64_t address;    /*  8  GPA */
	uint32_t flags;      /* 16  bit 0: count and base below win */
	uint16_t spi_count;  /* 20 */
	uint16_t spi_base;   /* 22 */
} MadtGicMsiFrame;
static_assert(sizeof(MadtGicMsiFrame) == 24, "[ACPI65] 5.2.12.16");

/* [ACPI65] 5.2.12.18 GIC Interrupt Translation Service Structure */
typedef struct PACKED MadtGicIts {
	uint8_t type;         /*  0  = 15 */
	uint8_t length;       /*  1  = 20 */
	uint16_t reserved_2;  /*  2 */
	uint32_t id;          /*  4 */
	uint64_t address;     /*  8  GPA */
	uint32_t reserved_16; /* 16 */
} MadtGicIts;
static_assert(sizeof(MadtGicIts) == 20, "[ACPI65] 5.2.12.18");

/* [ACPI65] 5.2.16 System Resource Affinity Table: behind the header */
typedef struct PACKED SratHead {
	uint32_t reserved_1; /* 36  = 1 */
	uint64_t reserved_2; /* 40 */
} SratHead;
static_assert(sizeof(SratHead) == 12, "[ACPI65] 5.2.16");

enum {
	SRAT_LOCAL_APIC = 0,
	SRAT_MEMORY = 1,
	SRAT_LOCAL_X2APIC = 2,
	SRAT_GICC = 3,
	SRAT_GENERIC_INITIATOR = 5,
	SRAT_HANDLE_PCI = 1,
};

/* [ACPI65] 5.2.16.1 Processor Local APIC/SAPIC Affinity Structure */
typedef struct PACKED SratLocalApic {
	uint8_t type;           /*  0  = 0 */
	uint8_t length;         /*  1  = 16 */
	uint8_t domain_low;     /*  2  bits 7:0 */
	uint8_t apic_id;        /*  3 */
	uint32_t flags;         /*  4  bit 0 enabled */
	uint8_t sapic_eid;      /*  8 */
	uint8_t domain_high[3]; /*  9  bits 31:8 */
	uint32_t clock_domain;  /* 12 */
} SratLocalApic;
static_assert(sizeof(SratLocalApic) == 16, "[ACPI65] 5.2.16.1");

/* [ACPI65] 5.2.16.2 Memory Affinity Structure */
typedef struct PACKED SratMemory {
	uint8_t type;         /*  0  = 1 */
	uint8_t length;       /*  1  = 40 */
	uint32_t domain;      /*  2 */
	uint16_t reserved_6;  /*  6 */
	uint64_t base;        /*  8  GPA */
	uint64_t len;         /* 16  bytes */
	uint32_t reserved_24; /* 24 */
	uint32_t flags;       /* 28  bit 0 enabled */
	uint64_t reserved_32; /* 32 */
} SratMemory;
static_assert(sizeof(SratMemory) == 40, "[ACPI65] 5.2.16.2");
static_assert(offsetof(SratMemory, flags) == 28, "[ACPI65] 5.2.16.2");

/* [ACPI65] 5.2.16.3 Processor Local x2APIC Affinity Structure */
typedef struct PACKED SratLocalX2Apic {
	uint8_t type;          /*  0  = 2 */
	uint8_t length;        /*  1  = 24 */
	uint16_t reserved_2;   /*  2 */
	uint32_t domain;       /*  4 */
	uint32_t x2apic_id;    /*  8 */
	uint32_t flags;        /* 12  bit 0 enabled */
	uint32_t clock_domain; /* 16 */
	uint32_t reserved_20;  /* 20 */
} SratLocalX2Apic;
static_assert(sizeof(SratLocalX2Apic) == 24, "[ACPI65] 5.2.16.3");

/* [ACPI65] 5.2.16.4 GICC Affinity Structure */
typedef struct PACKED SratGicc {
	uint8_t type;          /*  0  = 3 */
	uint8_t length;        /*  1  = 18 */
	uint32_t domain;       /*  2 */
	uint32_t uid;          /*  6 */
	uint32_t flags;        /* 10  bit 0 enabled */
	uint32_t clock_domain; /* 14 */
} SratGicc;
static_assert(sizeof(SratGicc) == 18, "[ACPI65] 5.2.16.4");

/* [ACPI65] 5.2.16.6 Generic Initiator Affinity Structure, with a PCI device handle */
typedef struct PACKED SratGenericInitiator {
	uint8_t type;         /*  0  = 5 */
	uint8_t length;       /*  1  = 32 */
	uint8_t reserved_2;   /*  2 */
	uint8_t handle_type;  /*  3  = 1 */
	uint32_t domain;      /*  4 */
	uint16_t segment;     /*  8 */
	uint8_t bus;          /* 10 */
	uint8_t devfn;        /* 11  device << 3 | function */
	uint8_t handle[12];   /* 12 */
	uint32_t flags;       /* 24  bit 0 enabled */
	uint32_t reserved_28; /* 28 */
} SratGenericInitiator;
static_assert(sizeof(SratGenericInitiator) == 32, "[ACPI65] 5.2.16.6");
static_assert(offsetof(SratGenericInitiator, flags) == 24, "[ACPI65] 5.2.16.6");

/* [ACPI65] 5.2.17 System Locality Information Table: behind the header, then n * n bytes */
typedef struct PACKED SlitHead {
	uint64_t localities; /* 36 */
} SlitHead;
static_assert(sizeof(SlitHead) == 8, "[ACPI65] 5.2.17");

/* PCI Firmware Specification 3.3, 4.1.2: one MCFG entry, behind header and 8 reserved bytes */
typedef struct PACKED McfgEntry {
	uint64_t base;        /*  0  GPA of bus 0's configuration space */
	uint16_t segment;     /*  8 */
	uint8_t start_bus;    /* 10 */
	uint8_t end_bus;      /* 11 */
	uint32_t reserved_12; /* 12 */
} McfgEntry;
static_assert(sizeof(McfgEntry) == 16, "PCI firmware 4.1.2");

/* AMD Secure Processor Table: one register group; kernel list, "ASPT" of confidential guests */
typedef struct PACKED AsptRecord {
	uint16_t type;       /*  0  0 global registers, 1 mailbox, 2 ACPI mailbox */
	uint16_t length;     /*  2 */
	uint32_t flags;      /*  4 */
	uint64_t address[3]; /*  8  GPA */
} AsptRecord;
static_assert(sizeof(AsptRecord) == 32, "ASPT");

/* [CXL] 9.17.1.2 CXL Host Bridge Structure */
typedef struct PACKED CedtHostBridge {
	uint8_t type;         /*  0  = 0 */
	uint8_t reserved_1;   /*  1 */
	uint16_t length;      /*  2  = 32 */
	uint32_t uid;         /*  4  _UID of the ACPI0016 device */
	uint32_t version;     /*  8  1: CXL 2.0, component registers */
	uint32_t reserved_12; /* 12 */
	uint64_t base;        /* 16  GPA */
	uint64_t len;         /* 24  bytes */
} CedtHostBridge;
static_assert(sizeof(CedtHostBridge) == 32, "[CXL] 9.17.1.2");

/* [CXL] 9.17.1.3 CXL Fixed Memory Window Structure, one target */
typedef struct PACKED CedtWindow {
	uint8_t type;          /*  0  = 1 */
	uint8_t reserved_1;    /*  1 */
	uint16_t length;       /*  2  = 40 */
	uint32_t reserved_4;   /*  4 */
	uint64_t base;         /*  8  HPA of the window */
	uint64_t len;          /* 16  bytes */
	uint8_t ways;          /* 24  0 = 1 way */
	uint8_t arithmetic;    /* 25 */
	uint16_t reserved_26;  /* 26 */
	uint32_t granularity;  /* 28 */
	uint16_t restrictions; /* 32 */
	uint16_t qtg_id;       /* 34 */
	uint32_t target;       /* 36  uid of the host bridge */
} CedtWindow;
static_assert(sizeof(CedtWindow) == 40, "[CXL] 9.17.1.3");

/* [ACPI65] 5.2.30.1 Processor Hierarchy Node Structure, without its resources */
typedef struct PACKED PpttProcessor {
	uint8_t type;            /*  0  = 0 */
	uint8_t length;          /*  1  20 + 4 each resource */
	uint16_t reserved;       /*  2 */
	uint32_t flags;          /*  4  bit 0 package, 1 uid valid, 2 thread, 3 leaf */
	uint32_t parent;         /*  8  offset in the table, 0 = none */
	uint32_t uid;            /* 12 */
	uint32_t resource_count; /* 16 */
} PpttProcessor;
static_assert(sizeof(PpttProcessor) == 20, "[ACPI65] 5.2.30.1");

/* [ACPI65] 5.2.30.2 Cache Type Structure */
typedef struct PACKED PpttCache {
	uint8_t type;          /*  0  = 1 */
	uint8_t length;        /*  1  = 28 */
	uint16_t reserved;     /*  2 */
	uint32_t flags;        /*  4  which of the fields below are valid */
	uint32_t next_level;   /*  8  offset in the table, 0 = none */
	uint32_t size;         /* 12  bytes */
	uint32_t sets;         /* 16 */
	uint8_t associativity; /* 20 */
	uint8_t attributes;    /* 21  bits 3:2 type */
	uint16_t line_size;    /* 22  bytes */
	uint32_t cache_id;     /* 24 */
} PpttCache;
static_assert(sizeof(PpttCache) == 28, "[ACPI65] 5.2.30.2");

enum {
	PPTT_PROCESSOR = 0,
	PPTT_CACHE = 1,
	PPTT_PHYSICAL_PACKAGE = 1 << 0,
	PPTT_UID_VALID = 1 << 1,
	PPTT_IS_THREAD = 1 << 2,
	PPTT_IS_LEAF = 1 << 3,
	PPTT_CACHE_SIZE_VALID = 1 << 0,
	PPTT_CACHE_ASSOCIATIVITY_VALID = 1 << 2,
	PPTT_CACHE_TYPE_VALID = 1 << 4,
	PPTT_CACHE_LINE_VALID = 1 << 6,
};

/* [AMDVI] 5.2.2 I/O Virtualization Reporting Structure: behind the header */
typedef struct PACKED IvrsHead {
	uint32_t info;        /* 36  bit 0 EFRSup, 14:8 PA size, 21:15 VA size */
	uint64_t reserved_40; /* 40 */
} IvrsHead;
static_assert(sizeof(IvrsHead) == 12, "[AMDVI] 5.2.2");

/* [AMDVI] 5.2.2.1 I/O Virtualization Hardware Definition, type 11h */
typedef struct PACKED IvrsHardware {
	uint8_t type;               /*  0  = 0x11 */
	uint8_t flags;              /*  1 */
	uint16_t length;            /*  2  device entries included */
	uint16_t device_id;         /*  4 */
	uint16_t capability_offset; /*  6 */
	uint64_t base;              /*  8  GPA */
	uint16_t segment;           /* 16 */
	uint16_t info;              /* 18 */
	uint32_t attributes;        /* 20 */
	uint64_t features;          /* 24  image of the extended feature register */
	uint64_t features2;         /* 32 */
} IvrsHardware;
static_assert(sizeof(IvrsHardware) == 40, "[AMDVI] 5.2.2.1");

/* [AMDVI] 5.2.2.4 four-byte device entry */
typedef struct PACKED IvrsDevice {
	uint8_t type;       /*  0  3 range start, 4 range end */
	uint16_t device_id; /*  1  bus << 8 | devfn */
	uint8_t data;       /*  3 */
} IvrsDevice;
static_assert(sizeof(IvrsDevice) == 4, "[AMDVI] 5.2.2.4");

/* [AMDVI] 5.2.2.6 special device entry */
typedef struct PACKED IvrsSpecial {
	uint8_t type;       /*  0  = 0x48 */
	uint16_t reserved;  /*  1 */
	uint8_t data;       /*  3 */
	uint8_t handle;     /*  4  I/O APIC id */
	uint16_t device_id; /*  5  requester id */
	uint8_t variety;    /*  7  1 = I/O APIC */
} IvrsSpecial;
static_assert(sizeof(IvrsSpecial) == 8, "[AMDVI] 5.2.2.6");

/* [VTD] 8.1 DMA Remapping Reporting Structure: behind the header */
typedef struct PACKED DmarHead {
	uint8_t host_address_width; /* 36  bits - 1 */
	uint8_t flags;              /* 37  bit 0 interrupt remapping */
	uint8_t reserved[10];       /* 38 */
} DmarHead;
static_assert(sizeof(DmarHead) == 12, "[VTD] 8.1");

/* [VTD] 8.3 DMA Remapping Hardware Unit Definition */
typedef struct PACKED DmarUnit {
	uint16_t type;    /*  0  = 0 */
	uint16_t length;  /*  2  scopes included */
	uint8_t flags;    /*  4 */
	uint8_t size;     /*  5  0: 4 KiB of registers */
	uint16_t segment; /*  6 */
	uint64_t base;    /*  8  GPA */
} DmarUnit;
static_assert(sizeof(DmarUnit) == 16, "[VTD] 8.3");

/* [VTD] 8.3.1 Device Scope, a path of one step */
typedef struct PACKED DmarScope {
	uint8_t type;           /*  0  1 endpoint, 2 bridge, 3 I/O APIC */
	uint8_t length;         /*  1  = 8 */
	uint16_t reserved;      /*  2 */
	uint8_t enumeration_id; /*  4 */
	uint8_t start_bus;      /*  5 */
	uint8_t device;         /*  6 */
	uint8_t function;       /*  7 */
} DmarScope;
static_assert(sizeof(DmarScope) == 8, "[VTD] 8.3.1");

/* [ACPI65] 5.2.25 Generic Timer Description Table, revision 3 */
typedef struct PACKED Gtdt {
	AcpiHeader header;          /*  0 */
	uint64_t control_base;      /* 36  all ones: none */
	uint32_t reserved_44;       /* 44 */
	uint32_t secure_el1_gsiv;   /* 48 */
	uint32_t secure_el1_flags;  /* 52 */
	uint32_t el1_gsiv;          /* 56 */
	uint32_t el1_flags;         /* 60 */
	uint32_t virtual_el1_gsiv;  /* 64 */
	uint32_t virtual_el1_flags; /* 68  bit 0 edge, 1 active low, 2 always on */
	uint32_t el2_gsiv;          /* 72 */
	uint32_t el2_flags;         /* 76 */
	uint64_t read_base;         /* 80  all ones: none */
	uint32_t platform_count;    /* 88 */
	uint32_t platform_offset;   /* 92 */
	uint32_t virtual_el2_gsiv;  /* 96 */
	uint32_t virtual_el2_flags; /* 100 */
} Gtdt;
static_assert(sizeof(Gtdt) == 104, "[ACPI65] 5.2.25");
static_assert(offsetof(Gtdt, virtual_el1_gsiv) == 64, "[ACPI65] 5.2.25");
static_assert(offsetof(Gtdt, read_base) == 80, "[ACPI65] 5.2.25");

/* [IORT] 3 I/O Remapping Table: behind the header */
typedef struct PACKED IortHead {
	uint32_t node_count;  /* 36 */
	uint32_t node_offset; /* 40  = 48 */
	uint32_t reserved;    /* 44 */
} IortHead;
static_assert(sizeof(IortHead) == 12, "[IORT] 3");

/* [IORT] 3, table 3: what every node starts with */
typedef struct PACKED IortNode {
	uint8_t type;            /*  0 */
	uint16_t length;         /*  1  mappings included */
	uint8_t revision;        /*  3 */
	uint32_t identifier;     /*  4 */
	uint32_t mapping_count;  /*  8 */
	uint32_t mapping_offset; /* 12  from the node, 0 = none */
} IortNode;
static_assert(sizeof(IortNode) == 16, "[IORT] 3");

/* [IORT] 3, table 4 */
typedef struct PACKED IortMapping {
	uint32_t input_base;  /*  0 */
	uint32_t id_count;    /*  4  number of ids - 1 */
	uint32_t output_base; /*  8 */
	uint32_t reference;   /* 12  offset of the node in the table */
	uint32_t flags;       /* 16  bit 0: single */
} IortMapping;
static_assert(sizeof(IortMapping) == 20, "[IORT] 3");

/* [IORT] 3.1.1.1 ITS group of one */
typedef struct PACKED IortIts {
	IortNode node;   /*  0 */
	uint32_t count;  /* 16  = 1 */
	uint32_t its_id; /* 20 */
} IortIts;
static_assert(sizeof(IortIts) == 24, "[IORT] 3.1.1.1");

/* [IORT] 3.1.1.2 SMMUv3 */
typedef struct PACKED IortSmmu {
	IortNode node;              /*  0 */
	uint64_t base;              /* 16  GPA */
	uint32_t flags;             /* 24  bit 0 coherent, 4 device id mapping valid */
	uint32_t reserved;          /* 28 */
	uint64_t vatos;             /* 32 */
	uint32_t model;             /* 40 */
	uint32_t event_gsiv;        /* 44 */
	uint32_t pri_gsiv;          /* 48 */
	uint32_t error_gsiv;        /* 52 */
	uint32_t sync_gsiv;         /* 56 */
	uint32_t proximity_domain;  /* 60 */
	uint32_t device_id_mapping; /* 64  index */
} IortSmmu;
static_assert(sizeof(IortSmmu) == 68, "[IORT] 3.1.1.2");

/* [IORT] 3.1.1.3 Root complex */
typedef struct PACKED IortRootComplex {
	IortNode node;          /*  0 */
	uint32_t coherent;      /* 16  memory access properties: cache coherent */
	uint8_t hints;          /* 20 */
	uint16_t reserved_21;   /* 21 */
	uint8_t memory_flags;   /* 23  coherent path to memory, device attributes override */
	uint32_t ats;           /* 24 */
	uint32_t segment;       /* 28 */
	uint8_t address_bits;   /* 32 */
	uint8_t reserved_33[3]; /* 33 */
} IortRootComplex;
static_assert(sizeof(IortRootComplex) == 36, "[IORT] 3.1.1.3");

/* [IORT] 3.1.1.5 Reserved memory ranges, one mapping, without its descriptors */
typedef struct PACKED IortReserved {
	IortNode node;              /*  0 */
	uint32_t flags;             /* 16 */
	uint32_t descriptor_count;  /* 20 */
	uint32_t descriptor_offset; /* 24  from the node */
	IortMapping mapping;        /* 28 */
} IortReserved;
static_assert(sizeof(IortReserved) == 48, "[IORT] 3.1.1.5");

typedef struct PACKED IortReservedRange {
	uint64_t base;     /*  0 */
	uint64_t len;      /*  8  bytes */
	uint32_t reserved; /* 16 */
} IortReservedRange;
static_assert(sizeof(IortReservedRange) == 20, "[IORT] 3.1.1.5");

/* [ACPI65] 6.4.2.1 IRQ Descriptor with its information byte */
typedef struct PACKED ResourceIrq {
	uint8_t tag;   /*  0  = 0x23 */
	uint16_t mask; /*  1  bit n: interrupt n */
	uint8_t flags; /*  3  bit 0 edge, 3 low, 4 shared, 5 wake */
} ResourceIrq;
static_assert(sizeof(ResourceIrq) == 4, "[ACPI65] 6.4.2.1");

/* [ACPI65] 6.4.2.5 I/O Port Descriptor */
typedef struct PACKED ResourceIo {
	uint8_t tag;      /*  0  = 0x47 */
	uint8_t decode;   /*  1  bit 0: 16 address lines */
	uint16_t minimum; /*  2 */
	uint16_t maximum; /*  4 */
	uint8_t align;    /*  6 */
	uint8_t len;      /*  7  ports */
} ResourceIo;
static_assert(sizeof(ResourceIo) == 8, "[ACPI65] 6.4.2.5");

/* [ACPI65] 6.4.3.4 32-bit Fixed Memory Range Descriptor */
typedef struct PACKED ResourceMemory32Fixed {
	uint8_t tag;      /*  0  = 0x86 */
	uint16_t length;  /*  1  = 9 */
	uint8_t writable; /*  3 */
	uint32_t base;    /*  4 */
	uint32_t len;     /*  8  bytes */
} ResourceMemory32Fixed;
static_assert(sizeof(ResourceMemory32Fixed) == 12, "[ACPI65] 6.4.3.4");

/* [ACPI65] 6.4.3.5.1 QWord Address Space Descriptor */
typedef struct PACKED ResourceQword {
	uint8_t tag;          /*  0  = 0x8A */
	uint16_t length;      /*  1  = 43 */
	uint8_t type;         /*  3  0 memory, 1 I/O, 2 bus numbers */
	uint8_t flags;        /*  4  bit 0 consumer, 1 subtractive, 2 min fixed, 3 max fixed */
	uint8_t type_flags;   /*  5  memory: bit 0 writable, 2:1 caching */
	uint64_t granularity; /*  6 */
	uint64_t minimum;     /* 14 */
	uint64_t maximum;     /* 22  inclusive */
	uint64_t translation; /* 30 */
	uint64_t len;         /* 38 */
} ResourceQword;
static_assert(sizeof(ResourceQword) == 46, "[ACPI65] 6.4.3.5.1");
static_assert(offsetof(ResourceQword, minimum) == 14, "[ACPI65] 6.4.3.5.1");

/* [ACPI65] 6.4.3.5.2 DWord Address Space Descriptor */
typedef struct PACKED ResourceDword {
	uint8_t tag;          /*  0  = 0x87 */
	uint16_t length;      /*  1  = 23 */
	uint8_t type;         /*  3 */
	uint8_t flags;        /*  4 */
	uint8_t type_flags;   /*  5 */
	uint32_t granularity; /*  6 */
	uint32_t minimum;     /* 10 */
	uint32_t maximum;     /* 14  inclusive */
	uint32_t translation; /* 18 */
	uint32_t len;         /* 22 */
} ResourceDword;
static_assert(sizeof(ResourceDword) == 26, "[ACPI65] 6.4.3.5.2");

/* [ACPI65] 6.4.3.5.3 Word Address Space Descriptor */
typedef struct PACKED ResourceWord {
	uint8_t tag;          /*  0  = 0x88 */
	uint16_t length;      /*  1  = 13 */
	uint8_t type;         /*  3 */
	uint8_t flags;        /*  4 */
	uint8_t type_flags;   /*  5 */
	uint16_t granularity; /*  6 */
	uint16_t minimum;     /*  8 */
	uint16_t maximum;     /* 10  inclusive */
	uint16_t translation; /* 12 */
	uint16_t len;         /* 14 */
} ResourceWord;
static_assert(sizeof(ResourceWord) == 16, "[ACPI65] 6.4.3.5.3");

/* [ACPI65] 6.4.3.6 Extended Interrupt Descriptor with one interrupt */
typedef struct PACKED ResourceInterrupt {
	uint8_t tag;     /*  0  = 0x89 */
	uint16_t length; /*  1  = 6 */
	uint8_t flags;   /*  3  bit 0 consumer, 1 edge, 2 low, 3 shared, 4 wake */
	uint8_t count;   /*  4  = 1 */
	uint32_t gsi;    /*  5 */
} ResourceInterrupt;
static_assert(sizeof(ResourceInterrupt) == 9, "[ACPI65] 6.4.3.6");

#endif
