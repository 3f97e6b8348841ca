/*
 * The two profiles, as data.
 *
 * reference: byte by byte what [OVMM] writes. default: what iasl, ACPICA and Linux have nothing
 * to say against; identity as Hyper-V's own firmware writes it.
 */
#include "acpi/acpi_internal.h"
#include "acpi/dsdt_devices.h"

static const AcpiForm forms[ACPI_PROFILE_COUNT] = {
	[ACPI_PROFILE_DEFAULT] = {
		.identity = {
			[ACPI_IDENTITY_TABLES] = { "VRTUAL", "MICROSFT", 1, "MSFT", 1 },
			[ACPI_IDENTITY_DSDT] = { "VRTUAL", "MICROSFT", 1, "MSFT", 1 },
		},
		.scope = "\\_SB",
		.leaf_use = RESOURCE_CONSUMER,
		.virtio_trigger = RESOURCE_LEVEL_SHARED,
		.empty_templates = false,
		.put_vmbus = dsdt_put_vmbus,
		.put_pci_root = dsdt_put_pci_root,
	},
	[ACPI_PROFILE_REFERENCE] = {
		.identity = {
			[ACPI_IDENTITY_TABLES] = { "HVLITE", "HVLITETB", 0, "MSHV", 0 },
			[ACPI_IDENTITY_DSDT] = { "MSFTVM", "DSDT01", 1, "MSFT", 0x05000000 },
		},
		.scope = NULL,
		.leaf_use = RESOURCE_PRODUCER,
		.virtio_trigger = RESOURCE_LEVEL_EXCLUSIVE,
		.empty_templates = true,
		.put_vmbus = dsdt_put_vmbus_reference,
		.put_pci_root = dsdt_put_pci_root_reference,
	},
};

const AcpiForm *acpi_form(AcpiProfile profile)
{
	assert(profile < ACPI_PROFILE_COUNT);
	return &forms[profile];
}
