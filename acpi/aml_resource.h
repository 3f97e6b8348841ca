/*
 * Resource templates: Name (_CRS, ResourceTemplate () { … }), between aml_resources and aml_close.
 *
 * Lengths are bytes, maxima are worked out here: nobody else turns a half-open range into an
 * inclusive one. A range that is empty or wraps is a fault; who wants to leave an empty window
 * out says so. Source: [ACPI65] 6.4.
 */
#ifndef ACPI_AML_RESOURCE_H
#define ACPI_AML_RESOURCE_H

#include "acpi/aml.h"
#include "support/memory_range.h"

/* Who uses the range: a window for children, or the device itself. */
typedef enum ResourceUse {
	RESOURCE_PRODUCER = 0,
	RESOURCE_CONSUMER = 1,
} ResourceUse;

/* [ACPI65] 6.4.3.6: flags of an interrupt of the device itself, active high */
typedef enum ResourceTrigger {
	RESOURCE_LEVEL_EXCLUSIVE = 0x01,
	RESOURCE_EDGE_EXCLUSIVE = 0x03,
	RESOURCE_LEVEL_SHARED = 0x09,
} ResourceTrigger;

/** resource_window - QWordMemory (@use, PosDecode, MinFixed, MaxFixed, Cacheable, ReadWrite, …) */
void resource_window(Aml *aml, ResourceUse use, uint64_t base, uint64_t len);

/** resource_window32 - the same as DWordMemory */
void resource_window32(Aml *aml, ResourceUse use, uint32_t base, uint32_t len);

/** resource_window_of - the window of a range; nothing if it is empty */
void resource_window_of(Aml *aml, ResourceUse use, MemoryRange range);

/** resource_memory32 - Memory32Fixed (ReadWrite, …), for registers of a device */
void resource_memory32(Aml *aml, uint32_t base, uint32_t len);

/** resource_bus_numbers - WordBusNumber (ResourceProducer, MinFixed, MaxFixed, PosDecode, …) */
void resource_bus_numbers(Aml *aml, uint32_t first, uint32_t count);

/** resource_io - IO (Decode16, @base, @base, @align, @ports) */
void resource_io(Aml *aml, uint16_t base, uint8_t align, uint8_t ports);

/** resource_interrupt - Interrupt (ResourceConsumer, …) { @gsi } */
void resource_interrupt(Aml *aml, ResourceTrigger trigger, uint32_t gsi);

/** resource_irq - IRQ (Edge, ActiveHigh, Exclusive) { @irq }, 0 to 15 */
void resource_irq(Aml *aml, unsigned irq);

#endif
