// SPDX-License-Identifier: GPL-2.0
/*
 * What the kernel's own interpreter makes of \_SB.VMOD._CRS: Linux gives the device to a driver
 * that never tells. One line a resource, in the log.
 */
#include <linux/acpi.h>
#include <linux/module.h>

static acpi_status tell(struct acpi_resource *resource, void *context)
{
	struct acpi_resource_address64 window;

	if (resource->type == ACPI_RESOURCE_TYPE_END_TAG)
		return AE_OK;
	if (ACPI_FAILURE(acpi_resource_to_address64(resource, &window))) {
		pr_info("pvw-vmod: type=%u\n", resource->type);
		return AE_OK;
	}
	pr_info("pvw-vmod: type=%u kind=%u producer=%u min=0x%llx max=0x%llx len=0x%llx "
		"granularity=0x%llx translation=0x%llx min_fixed=%u max_fixed=%u\n",
		resource->type, window.resource_type, window.producer_consumer == ACPI_PRODUCER,
		window.address.minimum, window.address.maximum, window.address.address_length,
		window.address.granularity, window.address.translation_offset,
		window.min_address_fixed == ACPI_ADDRESS_FIXED,
		window.max_address_fixed == ACPI_ADDRESS_FIXED);
	return AE_OK;
}

static int __init vmod_init(void)
{
	char path[] = "\\_SB.VMOD", method[] = METHOD_NAME__CRS;
	acpi_handle vmod;

	if (ACPI_FAILURE(acpi_get_handle(NULL, path, &vmod))) {
		pr_info("pvw-vmod: no %s\n", path);
		return 0;
	}
	if (ACPI_FAILURE(acpi_walk_resources(vmod, method, tell, NULL)))
		pr_info("pvw-vmod: no %s of %s\n", method, path);
	return 0;
}

static void __exit vmod_exit(void)
{
}

module_init(vmod_init);
module_exit(vmod_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("tells the resources of \\_SB.VMOD");
