/*
 * The host's settings for one VM, decoded and typed. Defaults are all zero or as said.
 * They arrive as a protobuf message (worker/convert_in.c) or as the host's JSON
 * (host/settings_json.c).
 * Source: [OVMM] vm/devices/get/get_protocol/src/dps_json.rs; proto/worker.proto
 */
#ifndef BOOTINFO_PLATFORM_SETTINGS_H
#define BOOTINFO_PLATFORM_SETTINGS_H

#include "support/bytes.h"
#include "support/guid.h"
#include "support/memory_range.h"

typedef enum BootKind {
	BOOT_UEFI, /* the default */
	BOOT_PCAT,
	BOOT_LINUX,
	BOOT_NONE,
	BOOT_IGVM,
	BOOT_KIND_COUNT
} BootKind;

/* Numbers of the settings document and of the UEFI flags. */
typedef enum ConsoleMode {
	CONSOLE_DEFAULT,
	CONSOLE_COM1,
	CONSOLE_COM2,
	CONSOLE_NONE,
	CONSOLE_MODE_COUNT
} ConsoleMode;

typedef enum MemoryProtection {
	MEMORY_PROTECTION_DISABLED,
	MEMORY_PROTECTION_DEFAULT,
	MEMORY_PROTECTION_STRICT,
	MEMORY_PROTECTION_RELAXED,
	MEMORY_PROTECTION_COUNT
} MemoryProtection;

typedef enum SecureBootTemplate {
	SECURE_BOOT_TEMPLATE_NONE,
	SECURE_BOOT_TEMPLATE_MICROSOFT_WINDOWS,
	SECURE_BOOT_TEMPLATE_MICROSOFT_UEFI_CA,
	SECURE_BOOT_TEMPLATE_COUNT
} SecureBootTemplate;

/* How ACPI tables are handed to UEFI firmware. */
typedef enum UefiAcpiRecords {
	UEFI_ACPI_RECORDS_GENERIC, /* every table as record 0x16 */
	UEFI_ACPI_RECORDS_TYPED,   /* one type a table, for firmware that knows no 0x16 */
	UEFI_ACPI_RECORDS_COUNT
} UefiAcpiRecords;

typedef enum PcatBootDevice {
	PCAT_BOOT_FLOPPY,
	PCAT_BOOT_OPTICAL,
	PCAT_BOOT_HARD_DRIVE,
	PCAT_BOOT_NETWORK,
	PCAT_BOOT_DEVICE_COUNT
} PcatBootDevice;

typedef struct UefiSettings {
	bool secure_boot;
	SecureBootTemplate secure_boot_template;
	ConsoleMode console;
	bool firmware_debugging;
	bool hibernation;
	bool legacy_memory_map;
	bool pause_after_boot_failure;
	bool pxe_ip_v6;
	bool measure_additional_pcrs;
	bool disable_frontpage;
	bool disable_sha384_pcr;
	bool media_present_by_default;
	MemoryProtection memory_protection; /* platform_settings_default: DEFAULT */
	bool default_boot_always_attempt;
	bool vpci_boot;
	bool has_vpci_instance_filter;
	Guid vpci_instance_filter;
	bool watchdog;
	bool cxl_memory;
	bool imc;
	bool no_persistent_secrets;
	uint32_t diagnostics_log_level; /* 0 default, 1 info, 2 full */
	bool force_dma_bounce;
	UefiAcpiRecords acpi_records;
} UefiSettings;

typedef struct PcatSettings {
	PcatBootDevice boot_order[PCAT_BOOT_DEVICE_COUNT];
	bool num_lock;
} PcatSettings;

/* Strings are bytes without NUL; an empty one is absent. */
typedef struct SmbiosSettings {
	Bytes serial_number, base_board_serial, chassis_serial, chassis_asset_tag;
	Bytes system_manufacturer, system_product, system_version, system_sku, system_family;
	Bytes bios_lock, memory_device_serial;
	Bytes processor_manufacturer, processor_version;
	uint64_t processor_id;
	uint16_t external_clock, max_speed, current_speed; /* MHz */
	uint16_t processor_characteristics, processor_family2;
	uint8_t processor_type, voltage, status, processor_upgrade;
} SmbiosSettings;

typedef struct ChipsetSettings {
	bool com1, com2, com1_debugger, com2_debugger;
	bool tpm, battery, processor_idle, psp;
	bool pic, pit; /* x86-64: two 8259; an 8254, which the I/O APIC has at input 2 */
	uint16_t nvdimm_count;
	uint8_t generation_id[16]; /* all zero: none given */
	bool vmbus_redirection;
	bool always_relay_host_mmio;
} ChipsetSettings;

/* Where the bytes of an image are. */
typedef enum ImagePlace {
	IMAGE_ABSENT,
	IMAGE_IN_PLACE, /* already in guest memory, @len bytes at @gpa */
	IMAGE_BYTES,    /* here, in @bytes */
	IMAGE_PLACE_COUNT
} ImagePlace;

typedef struct Image {
	ImagePlace place;
	uint64_t gpa, len; /* IN_PLACE; bytes, no multiples of a page */
	Bytes bytes;       /* BYTES */
} Image;

/* How a kernel without firmware is told of its machine. */
typedef enum LinuxHardware {
	LINUX_HARDWARE_ACPI,
	LINUX_HARDWARE_DEVICE_TREE, /* aarch64 */
	LINUX_HARDWARE_COUNT
} LinuxHardware;

/* The instruction that calls the power interface: to start processors, to turn off. */
typedef enum PsciConduit {
	PSCI_HVC,
	PSCI_SMC,
	PSCI_NONE, /* there is no such interface */
	PSCI_CONDUIT_COUNT
} PsciConduit;

/* INTIDs of the GIC. [GICV3] 2.2 */
#define ARM_PPI_MAX 31   /* of a processor; from 16 on */
#define ARM_SPI_MAX 1019 /* of devices; from 32 on */

/* A PL011 with one page of registers. */
typedef struct ArmUart {
	uint64_t address; /* GPA, a page */
	uint32_t intid;   /* 32 to 1019 */
} ArmUart;

/* INTIDs from 16 to 31; 0: that timer is not told of. */
typedef struct ArmTimers {
	uint32_t secure, physical, virt, hypervisor;
} ArmTimers;

/* The interrupt controller; base addresses are GPAs of pages. */
typedef struct ArmGicSettings {
	uint64_t distributor;
	uint64_t redistributors; /* GICv3 */
	uint64_t cpu_interface;  /* GICv2; 0 = GICv3 */
	uint64_t its;            /* 0 = none */
	uint64_t v2m;            /* frame for messages; 0 = none */
	uint32_t v2m_spi_base, v2m_spi_count;
} ArmGicSettings;

/*
 * aarch64: the machine of a kernel without firmware, where it is not the one that the boot tree
 * tells of; for hosts that are no Hyper-V.
 */
typedef struct ArmMachineSettings {
	PsciConduit psci;
	/* Where they are, if chipset.com1 and com2 ask for them; address 0: as Hyper-V has them. */
	ArmUart com1, com2;
	ArmTimers timers;   /* virt 0: the boot tree's */
	ArmGicSettings gic; /* distributor 0: the boot tree's */
	bool no_hypervisor; /* with ACPI: neither identity of Hyper-V nor VMBus */
} ArmMachineSettings;

typedef struct LinuxSettings {
	Bytes command_line; /* no NUL inside */
	Image kernel, initrd;
	uint64_t kernel_entry; /* GPA; 0 = start of the kernel */
	LinuxHardware hardware;
	ArmMachineSettings arm;
} LinuxSettings;

typedef struct PlatformSettings {
	BootKind firmware;
	Guid bios_guid;
	UefiSettings uefi;
	PcatSettings pcat;
	Image firmware_image;
	SmbiosSettings smbios;
	ChipsetSettings chipset;
	LinuxSettings linux_direct;
	const Bytes *acpi_tables; /* host tables, each with an ACPI header */
	size_t acpi_table_count;
	bool servicing;
	Bytes vtl2_settings;
} PlatformSettings;

/** platform_settings_default - what an empty document means */
PlatformSettings platform_settings_default(void);

#endif
