/*
 * The devices of the DSDT: one function each, its ASL above it. Private to acpi/.
 */
#ifndef ACPI_DSDT_DEVICES_H
#define ACPI_DSDT_DEVICES_H

#include "acpi/acpi_inputs.h"
#include "acpi/acpi_internal.h"
#include "acpi/aml.h"

#define DSDT_PROCESSORS_MAX 10999 /* Z999 is the last name */
#define DSDT_VIRTIO_MAX 100       /* VI99 is the last name */

void dsdt_put_sleep_states(Aml *aml, const AcpiForm *form, const DsdtDevice *device);
void dsdt_put_apic(Aml *aml, const AcpiForm *form, const DsdtDevice *device);
void dsdt_put_uart(Aml *aml, const AcpiForm *form, const DsdtDevice *device);
void dsdt_put_sbsa_uart(Aml *aml, const AcpiForm *form, const DsdtDevice *device);
void dsdt_put_module(Aml *aml, const AcpiForm *form, const DsdtDevice *device);
void dsdt_put_rtc(Aml *aml, const AcpiForm *form, const DsdtDevice *device);
void dsdt_put_virtio_mmio(Aml *aml, const AcpiForm *form, const DsdtDevice *device);
void dsdt_put_processors(Aml *aml, const AcpiForm *form, const DsdtDevice *device);

/** dsdt_put_hibernation - the sleep state S4 */
void dsdt_put_hibernation(Aml *aml, GuestArch arch);

/**
 * dsdt_put_generation_counter - where the 16 bytes of the machine's generation id lie, and who
 * tells when they have changed
 * @gsiv: aarch64's interrupt, 0 = nothing tells; x86-64 has GPE bit 0
 */
void dsdt_put_generation_counter(Aml *aml, GuestArch arch, uint64_t gpa, uint32_t gsiv);

/* Two forms of each: rows of the profiles. */
void dsdt_put_vmbus(Aml *aml, const DsdtDevice *device);
void dsdt_put_vmbus_reference(Aml *aml, const DsdtDevice *device);
void dsdt_put_pci_root(Aml *aml, const DsdtDevice *device);
void dsdt_put_pci_root_reference(Aml *aml, const DsdtDevice *device);

#endif
