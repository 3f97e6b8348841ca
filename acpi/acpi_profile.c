/*
 * The two profiles, as data.
 *
 * reference: byte by byte what [OVMM] writes. default: what iasl, ACPICA and Linux have nothing
 * to say against; identity as Hyper-V's own firmware writes it.
 */
#include "acpi/acpi_format.h"
#include "acpi/acpi_internal.h"
#include "acpi/dsdt_devices.h"

const AcpiForm acpi_forms[ACPI_PROFILE_COUNT] = {
	[ACPI_PROFILE_DEFAULT] = {
		.identity = {
			[ACPI_IDENTITY_TABLES] = { "VRTUAL", "MICROSFT", 1, "MSFT", 1 },
			[ACPI_IDENTITY_DSDT] = { "VRTUAL", "MICROSFT", 1, "MSFT", 1 },
			[ACPI_IDENTITY_SSDT] = { "VRTUAL", "MICROSFT", 1, "MSFT", 1 },
			[ACPI_IDENTITY_CEDT] = { "VRTUAL", "MICROSFT", 1, "MSFT", 1 },
		},
		.strict = true,
		.scope = "\\_SB",
		.leaf_use = RESOURCE_CONSUMER,
		.virtio_trigger = RESOURCE_LEVEL_SHARED,
		.empty_templates = false,
		.put_vmbus = dsdt_put_vmbus,
		.put_pci_root = dsdt_put_pci_root,
		.bridge_name = ssdt_bridge_name,
		.osc_flags = AML_SERIALIZED,
		.ecam_device = "ECAM",
		.ecam_device_uid = true,
		.aspt_count_size = sizeof(uint32_t),
		.aspt_record_length = sizeof(AsptRecord),
		.pptt_by_thread = true,
		.pptt_cache_length = offsetof(PpttCache, cache_id),
	},
	[ACPI_PROFILE_REFERENCE] = {
		.identity = {
			[ACPI_IDENTITY_TABLES] = { "HVLITE", "HVLITETB", 0, "MSHV", 0 },
			[ACPI_IDENTITY_DSDT] = { "MSFTVM", "DSDT01", 1, "MSFT", 0x05000000 },
			[ACPI_IDENTITY_SSDT] = { "MSFTVM", "SSDT01", 1, "MSFT", 0x01000000 },
			[ACPI_IDENTITY_CEDT] = { "MSFTVM", "CEDT01", 1, "MSFT", 0x01000000 },
		},
		.strict = false,
		.scope = NULL,
		.leaf_use = RESOURCE_PRODUCER,
		.virtio_trigger = RESOURCE_LEVEL_EXCLUSIVE,
		.empty_templates = true,
		.put_vmbus = dsdt_put_vmbus_reference,
		.put_pci_root = dsdt_put_pci_root_reference,
		.bridge_name = ssdt_bridge_name_reference,
		.osc_flags = 0,
		.ecam_device = "VMOD",
		.ecam_device_uid = false,
		.aspt_count_size = sizeof(uint64_t),
		.aspt_record_length = sizeof(AsptRecord) - 4,
		.pptt_by_thread = false,
		.pptt_cache_length = sizeof(PpttCache),
	},
};
