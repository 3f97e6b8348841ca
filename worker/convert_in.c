/*
 * Protobuf messages to domain values.
 */
#include "worker/convert.h"

#include <string.h>

#include "worker/host_caps.h"

static bool field_fail(Error *err, const char *field)
{
	return error_at(err, field);
}

/* false when @value does not fit @max; the message names the field. */
static bool take_number(uint32_t value, uint32_t max, const char *field, Error *err)
{
	if (value <= max)
		return true;
	error_set(err, PVW_MSG_0002, "%u, expected at most %u", value, max);
	return field_fail(err, field);
}

bool convert_isolation(Pvw__V1__Isolation in, IsolationType *out)
{
	if (in == PVW__V1__ISOLATION__ISOLATION_UNSPECIFIED)
		return false;
	*out = (IsolationType)(in - PVW__V1__ISOLATION__ISOLATION_NONE);
	return true;
}

bool convert_guid(const Pvw__V1__Guid *in, const char *field, Guid *out, Error *err)
{
	Guid guid = { 0 };

	if (in && in->le.len != sizeof(guid.bytes)) {
		error_set(err, PVW_MSG_0001, "%zu bytes, expected %zu", in->le.len,
			sizeof(guid.bytes));
		return field_fail(err, field);
	}
	if (in)
		memcpy(guid.bytes, in->le.data, sizeof(guid.bytes));
	*out = guid;
	return true;
}

static Bytes bytes_in(ProtobufCBinaryData data)
{
	return (Bytes){ data.data, data.len };
}

/* SMBIOS strings end at a NUL wherever they are read. */
static bool smbios_text(ProtobufCBinaryData data, const char *field, Bytes *out, Error *err)
{
	if (data.len && memchr(data.data, 0, data.len)) {
		error_set(err, PVW_MSG_0003, "a NUL inside %zu bytes, expected none", data.len);
		return field_fail(err, field);
	}
	*out = bytes_in(data);
	return true;
}

/*
 * Enums count from one here and from zero in the domain; UNSPECIFIED is the safe default. The
 * lint has refused unknown values, so each table is complete.
 */
static const ConsoleMode console_modes[] = {
	[PVW__V1__CONSOLE_MODE__CONSOLE_UNSPECIFIED] = CONSOLE_DEFAULT,
	[PVW__V1__CONSOLE_MODE__CONSOLE_DEFAULT] = CONSOLE_DEFAULT,
	[PVW__V1__CONSOLE_MODE__CONSOLE_COM1] = CONSOLE_COM1,
	[PVW__V1__CONSOLE_MODE__CONSOLE_COM2] = CONSOLE_COM2,
	[PVW__V1__CONSOLE_MODE__CONSOLE_NONE] = CONSOLE_NONE,
};

static const MemoryProtection memory_protections[] = {
	[PVW__V1__MEMORY_PROTECTION__MEMORY_PROTECTION_UNSPECIFIED] = MEMORY_PROTECTION_DEFAULT,
	[PVW__V1__MEMORY_PROTECTION__MEMORY_PROTECTION_DISABLED] = MEMORY_PROTECTION_DISABLED,
	[PVW__V1__MEMORY_PROTECTION__MEMORY_PROTECTION_DEFAULT] = MEMORY_PROTECTION_DEFAULT,
	[PVW__V1__MEMORY_PROTECTION__MEMORY_PROTECTION_STRICT] = MEMORY_PROTECTION_STRICT,
	[PVW__V1__MEMORY_PROTECTION__MEMORY_PROTECTION_RELAXED] = MEMORY_PROTECTION_RELAXED,
};

static const SecureBootTemplate secure_boot_templates[] = {
	[PVW__V1__SECURE_BOOT_TEMPLATE__SECURE_BOOT_TEMPLATE_UNSPECIFIED] =
		SECURE_BOOT_TEMPLATE_NONE,
	[PVW__V1__SECURE_BOOT_TEMPLATE__SECURE_BOOT_TEMPLATE_NONE] = SECURE_BOOT_TEMPLATE_NONE,
	[PVW__V1__SECURE_BOOT_TEMPLATE__SECURE_BOOT_TEMPLATE_MICROSOFT_WINDOWS] =
		SECURE_BOOT_TEMPLATE_MICROSOFT_WINDOWS,
	[PVW__V1__SECURE_BOOT_TEMPLATE__SECURE_BOOT_TEMPLATE_MICROSOFT_UEFI_CA] =
		SECURE_BOOT_TEMPLATE_MICROSOFT_UEFI_CA,
};

static const UefiAcpiRecords uefi_acpi_records[] = {
	[PVW__V1__UEFI_ACPI_RECORDS__UEFI_ACPI_RECORDS_UNSPECIFIED] = UEFI_ACPI_RECORDS_GENERIC,
	[PVW__V1__UEFI_ACPI_RECORDS__UEFI_ACPI_RECORDS_GENERIC] = UEFI_ACPI_RECORDS_GENERIC,
	[PVW__V1__UEFI_ACPI_RECORDS__UEFI_ACPI_RECORDS_TYPED] = UEFI_ACPI_RECORDS_TYPED,
};

static const BootKind boot_kinds[] = {
	[PVW__V1__FIRMWARE_KIND__FIRMWARE_UNSPECIFIED] = BOOT_UEFI,
	[PVW__V1__FIRMWARE_KIND__FIRMWARE_UEFI] = BOOT_UEFI,
	[PVW__V1__FIRMWARE_KIND__FIRMWARE_PCAT] = BOOT_PCAT,
	[PVW__V1__FIRMWARE_KIND__FIRMWARE_LINUX_DIRECT] = BOOT_LINUX,
	[PVW__V1__FIRMWARE_KIND__FIRMWARE_NONE] = BOOT_NONE,
	[PVW__V1__FIRMWARE_KIND__FIRMWARE_IGVM] = BOOT_IGVM,
};

static bool uefi_in(const Pvw__V1__UefiSettings *in, UefiSettings *out, Error *err)
{
	Guid filter;

	if (!convert_guid(in->vpci_instance_filter, "settings.uefi.vpci_instance_filter",
		    &filter, err) ||
		!take_number(in->diagnostics_log_level, 2,
			"settings.uefi.diagnostics_log_level", err))
		return false;
	*out = (UefiSettings){
		.secure_boot = in->secure_boot,
		.secure_boot_template = secure_boot_templates[in->secure_boot_template],
		.console = console_modes[in->console],
		.firmware_debugging = in->firmware_debugging,
		.hibernation = in->hibernation,
		.legacy_memory_map = in->legacy_memory_map,
		.pause_after_boot_failure = in->pause_after_boot_failure,
		.pxe_ip_v6 = in->pxe_ip_v6,
		.measure_additional_pcrs = in->measure_additional_pcrs,
		.disable_frontpage = in->disable_frontpage,
		.disable_sha384_pcr = in->disable_sha384_pcr,
		.media_present_by_default = in->media_present_by_default,
		.memory_protection = memory_protections[in->memory_protection],
		.default_boot_always_attempt = in->default_boot_always_attempt,
		.vpci_boot = in->vpci_boot,
		.has_vpci_instance_filter = in->vpci_instance_filter != NULL,
		.vpci_instance_filter = filter,
		.watchdog = in->watchdog,
		.cxl_memory = in->cxl_memory,
		.imc = in->imc,
		.no_persistent_secrets = in->no_persistent_secrets,
		.diagnostics_log_level = in->diagnostics_log_level,
		.force_dma_bounce = in->force_dma_bounce,
		.acpi_records = uefi_acpi_records[in->acpi_records],
	};
	return true;
}

static bool pcat_in(const Pvw__V1__PcatSettings *in, PcatSettings *out, Error *err)
{
	if (in->n_boot_order != 0 && in->n_boot_order != PCAT_BOOT_DEVICE_COUNT) {
		error_set(err, PVW_MSG_0002, "%zu boot devices, expected %d or none",
			in->n_boot_order, PCAT_BOOT_DEVICE_COUNT);
		return field_fail(err, "settings.pcat.boot_order");
	}
	for (size_t i = 0; i < in->n_boot_order; i++) {
		if (in->boot_order[i] == PVW__V1__PCAT_BOOT_DEVICE__PCAT_BOOT_UNSPECIFIED) {
			error_set(err, PVW_MSG_0002,
				"entry %zu is UNSPECIFIED, expected a device", i);
			return field_fail(err, "settings.pcat.boot_order");
		}
		out->boot_order[i] = (PcatBootDevice)(in->boot_order[i] -
			PVW__V1__PCAT_BOOT_DEVICE__PCAT_BOOT_FLOPPY);
	}
	out->num_lock = in->num_lock;
	return true;
}

static bool smbios_texts_in(const Pvw__V1__Smbios *in, SmbiosSettings *out, Error *err)
{
#define TEXT(name) smbios_text(in->name, "settings.smbios." #name, &out->name, err)
	return TEXT(serial_number) && TEXT(base_board_serial) && TEXT(chassis_serial) &&
		TEXT(chassis_asset_tag) && TEXT(system_manufacturer) && TEXT(system_product) &&
		TEXT(system_version) && TEXT(system_sku) && TEXT(system_family) &&
		TEXT(bios_lock) && TEXT(memory_device_serial) && TEXT(processor_manufacturer) &&
		TEXT(processor_version);
#undef TEXT
}

static bool smbios_in(const Pvw__V1__Smbios *in, SmbiosSettings *out, Error *err)
{
#define NUMBER(name, max) take_number(in->name, max, "settings.smbios." #name, err)
	if (!NUMBER(external_clock, UINT16_MAX) || !NUMBER(max_speed, UINT16_MAX) ||
		!NUMBER(current_speed, UINT16_MAX) ||
		!NUMBER(processor_characteristics, UINT16_MAX) ||
		!NUMBER(processor_family2, UINT16_MAX) || !NUMBER(processor_type, UINT8_MAX) ||
		!NUMBER(voltage, UINT8_MAX) || !NUMBER(status, UINT8_MAX) ||
		!NUMBER(processor_upgrade, UINT8_MAX) || !smbios_texts_in(in, out, err))
		return false;
#undef NUMBER
	out->processor_id = in->processor_id;
	out->external_clock = (uint16_t)in->external_clock;
	out->max_speed = (uint16_t)in->max_speed;
	out->current_speed = (uint16_t)in->current_speed;
	out->processor_characteristics = (uint16_t)in->processor_characteristics;
	out->processor_family2 = (uint16_t)in->processor_family2;
	out->processor_type = (uint8_t)in->processor_type;
	out->voltage = (uint8_t)in->voltage;
	out->status = (uint8_t)in->status;
	out->processor_upgrade = (uint8_t)in->processor_upgrade;
	return true;
}

static bool chipset_in(const Pvw__V1__Chipset *in, ChipsetSettings *out, Error *err)
{
	if (!take_number(in->nvdimm_count, UINT16_MAX, "settings.chipset.nvdimm_count", err))
		return false;
	if (in->generation_id.len != 0 && in->generation_id.len != sizeof(out->generation_id)) {
		error_set(err, PVW_MSG_0001, "%zu bytes, expected %zu or none",
			in->generation_id.len, sizeof(out->generation_id));
		return field_fail(err, "settings.chipset.generation_id");
	}
	*out = (ChipsetSettings){
		.com1 = in->com1,
		.com2 = in->com2,
		.com1_debugger = in->com1_debugger,
		.com2_debugger = in->com2_debugger,
		.tpm = in->tpm,
		.battery = in->battery,
		.processor_idle = in->processor_idle,
		.nvdimm_count = (uint16_t)in->nvdimm_count,
		.psp = in->psp,
		.pic = in->pic,
		.pit = in->pit,
		.vmbus_redirection = in->vmbus_redirection,
		.always_relay_host_mmio = in->always_relay_host_mmio,
	};
	if (in->generation_id.len)
		memcpy(out->generation_id, in->generation_id.data, sizeof(out->generation_id));
	return true;
}

static bool find_blob(NamedBytesList blobs, const char *name, Bytes *out)
{
	for (size_t i = 0; i < blobs.count; i++) {
		if (strcmp(blobs.items[i].name, name) == 0) {
			*out = blobs.items[i].bytes;
			return true;
		}
	}
	return false;
}

static bool image_in(const Pvw__V1__Source *in, const char *field, NamedBytesList blobs,
	Image *out, Error *err)
{
	if (!in || in->kind_case == PVW__V1__SOURCE__KIND__NOT_SET)
		return true;
	if (in->kind_case == PVW__V1__SOURCE__KIND_BLOB) {
		out->place = IMAGE_BYTES;
		if (find_blob(blobs, in->blob, &out->bytes))
			return true;
		error_set(err, PVW_BLOB_0005,
			"blob \"%.64s\", expected the name of a complete one", in->blob);
		return field_fail(err, field);
	}
	if (in->in_place->size == 0 || in->in_place->start > UINT64_MAX - in->in_place->size) {
		error_set(err, PVW_MSG_0004,
			"0x%llx bytes at 0x%llx, expected some that do not wrap",
			(unsigned long long)in->in_place->size,
			(unsigned long long)in->in_place->start);
		return field_fail(err, field);
	}
	out->place = IMAGE_IN_PLACE;
	out->gpa = in->in_place->start;
	out->len = in->in_place->size;
	return true;
}

static const LinuxHardware linux_hardware[] = {
	[PVW__V1__LINUX_HARDWARE__LINUX_HARDWARE_UNSPECIFIED] = LINUX_HARDWARE_ACPI,
	[PVW__V1__LINUX_HARDWARE__LINUX_HARDWARE_ACPI] = LINUX_HARDWARE_ACPI,
	[PVW__V1__LINUX_HARDWARE__LINUX_HARDWARE_DEVICE_TREE] = LINUX_HARDWARE_DEVICE_TREE,
};

static const PsciConduit psci_conduits[] = {
	[PVW__V1__PSCI_CONDUIT__PSCI_UNSPECIFIED] = PSCI_HVC,
	[PVW__V1__PSCI_CONDUIT__PSCI_HVC] = PSCI_HVC,
	[PVW__V1__PSCI_CONDUIT__PSCI_SMC] = PSCI_SMC,
	[PVW__V1__PSCI_CONDUIT__PSCI_NONE] = PSCI_NONE,
};

/* Lower bounds, and what cannot be, are the boot path's to say: it knows what else there is. */
static bool arm_numbers_in(const Pvw__V1__ArmMachine *in, Error *err)
{
#define NUMBER(part, name, max)                                                                \
	(!in->part ||                                                                          \
		take_number(in->part->name, max, "settings.linux_direct.arm." #part "." #name, \
			err))
	return NUMBER(com1, intid, ARM_SPI_MAX) && NUMBER(com2, intid, ARM_SPI_MAX) &&
		NUMBER(timers, secure, ARM_PPI_MAX) && NUMBER(timers, physical, ARM_PPI_MAX) &&
		NUMBER(timers, virt, ARM_PPI_MAX) && NUMBER(timers, hypervisor, ARM_PPI_MAX) &&
		NUMBER(gic, v2m_spi_base, ARM_SPI_MAX) &&
		NUMBER(gic, v2m_spi_count, ARM_SPI_MAX);
#undef NUMBER
}

static ArmUart arm_uart_in(const Pvw__V1__ArmUart *in)
{
	return in ? (ArmUart){ in->address, in->intid } : (ArmUart){ 0 };
}

static ArmTimers arm_timers_in(const Pvw__V1__ArmTimers *in)
{
	return in ? (ArmTimers){ in->secure, in->physical, in->virt, in->hypervisor }
		  : (ArmTimers){ 0 };
}

static ArmGicSettings arm_gic_in(const Pvw__V1__ArmGic *in)
{
	if (!in)
		return (ArmGicSettings){ 0 };
	return (ArmGicSettings){
		.distributor = in->distributor,
		.redistributors = in->redistributors,
		.cpu_interface = in->cpu_interface,
		.its = in->its,
		.v2m = in->v2m,
		.v2m_spi_base = in->v2m_spi_base,
		.v2m_spi_count = in->v2m_spi_count,
	};
}

static bool arm_machine_in(const Pvw__V1__ArmMachine *in, ArmMachineSettings *out, Error *err)
{
	if (!in)
		return true;
	if (!arm_numbers_in(in, err))
		return false;
	*out = (ArmMachineSettings){
		.psci = psci_conduits[in->psci],
		.com1 = arm_uart_in(in->com1),
		.com2 = arm_uart_in(in->com2),
		.timers = arm_timers_in(in->timers),
		.gic = arm_gic_in(in->gic),
		.no_hypervisor = in->no_hypervisor,
	};
	return true;
}

static bool linux_in(
	const Pvw__V1__LinuxDirect *in, NamedBytesList blobs, LinuxSettings *out, Error *err)
{
	out->hardware = linux_hardware[in->hardware];
	out->command_line =
		(Bytes){ (const uint8_t *)in->command_line, strlen(in->command_line) };
	return arm_machine_in(in->arm, &out->arm, err) &&
		image_in(
			in->kernel, "settings.linux_direct.kernel", blobs, &out->kernel, err) &&
		image_in(in->initrd, "settings.linux_direct.initrd", blobs, &out->initrd, err);
}

static bool tables_in(const Pvw__V1__DevicePlatformSettings *in, Arena *arena,
	PlatformSettings *out, Error *err)
{
	Bytes *tables = arena_array(arena, Bytes, in->n_acpi_tables, err);

	if (!tables)
		return false;
	for (size_t i = 0; i < in->n_acpi_tables; i++)
		tables[i] = bytes_in(in->acpi_tables[i]);
	out->acpi_tables = tables;
	out->acpi_table_count = in->n_acpi_tables;
	return true;
}

bool convert_settings(const Pvw__V1__DevicePlatformSettings *in, NamedBytesList blobs,
	Arena *arena, PlatformSettings *out, Error *err)
{
	PlatformSettings settings = platform_settings_default();

	if (!in) {
		*out = settings;
		return true;
	}
	settings.firmware = boot_kinds[in->firmware];
	settings.servicing = in->servicing;
	settings.vtl2_settings = bytes_in(in->vtl2_settings);
	if (!convert_guid(in->bios_guid, "settings.bios_guid", &settings.bios_guid, err) ||
		(in->uefi && !uefi_in(in->uefi, &settings.uefi, err)) ||
		(in->pcat && !pcat_in(in->pcat, &settings.pcat, err)) ||
		(in->smbios && !smbios_in(in->smbios, &settings.smbios, err)) ||
		(in->chipset && !chipset_in(in->chipset, &settings.chipset, err)) ||
		(in->linux_direct &&
			!linux_in(in->linux_direct, blobs, &settings.linux_direct, err)) ||
		!image_in(in->firmware_image, "settings.firmware_image", blobs,
			&settings.firmware_image, err) ||
		!tables_in(in, arena, &settings, err))
		return false;
	*out = settings;
	return true;
}

/*
 * Boot info.
 */

static bool parameter_in(const Pvw__V1__AcpiParameter *in, FactInputs *out, Error *err)
{
	Bytes *table = strcmp(in->signature, "SLIT") == 0 ? &out->slit
		: strcmp(in->signature, "PPTT") == 0      ? &out->pptt
							  : NULL;

	if (!table) {
		error_set(err, PVW_MSG_0005, "signature \"%.16s\", expected SLIT or PPTT",
			in->signature);
		return field_fail(err, "acpi");
	}
	if (table->len) {
		error_set(
			err, PVW_MSG_0002, "\"%s\" given twice, expected once", in->signature);
		return field_fail(err, "acpi");
	}
	*table = bytes_in(in->table);
	return true;
}

/* What is read by a later version; nothing is silently ignored. */
static bool refuse_unsupported(const Pvw__V1__LoadBootInfoRequest *in, Error *err)
{
	const struct {
		const char *field;
		bool given;
	} later[] = {
		{ "igvm_memory_map", in->igvm_memory_map.len != 0 },
		{ "confidential_debug", in->confidential_debug },
		{ "host_caps.vtl0_alias_map", in->host_caps && in->host_caps->vtl0_alias_map },
		{ "host_caps.vtom", in->host_caps && in->host_caps->vtom != 0 },
	};

	for (size_t i = 0; i < ARRAY_COUNT(later); i++) {
		if (!later[i].given)
			continue;
		error_set(
			err, PVW_MSG_0005, "given, expected absent: not read by this version");
		return field_fail(err, later[i].field);
	}
	return true;
}

static bool vps_in(const Pvw__V1__HostCaps *caps, Arena *arena, FactInputs *out, Error *err)
{
	StatedVp *vps = arena_array(arena, StatedVp, caps->n_vps, err);

	if (!vps)
		return false;
	for (size_t i = 0; i < caps->n_vps; i++) {
		const Pvw__V1__Vp *vp = caps->vps[i];

		vps[i] = (StatedVp){ vp->index, vp->vnode,
			out->arch == GUEST_ARCH_AARCH64 ? vp->mpidr : vp->apic_id };
	}
	out->stated_vp_count = caps->vp_count;
	out->stated_vps = vps;
	out->stated_vps_count = caps->n_vps;
	return true;
}

bool convert_fact_inputs(
	const Pvw__V1__LoadBootInfoRequest *in, Arena *arena, FactInputs *out, Error *err)
{
	const Pvw__V1__HostCaps *caps = in->host_caps;
	FactInputs facts = { .boot_tree = bytes_in(in->dtb) };

	if (in->arch == PVW__V1__ARCH__ARCH_UNSPECIFIED) {
		error_set(
			err, PVW_MSG_0002, "UNSPECIFIED, expected ARCH_X86_64 or ARCH_AARCH64");
		return field_fail(err, "arch");
	}
	facts.arch = in->arch == PVW__V1__ARCH__ARCH_AARCH64 ? GUEST_ARCH_AARCH64
							     : GUEST_ARCH_X86_64;
	if (!caps || caps->physical_address_bits < ADDRESS_WIDTH_MIN ||
		caps->physical_address_bits > ADDRESS_WIDTH_MAX) {
		error_set(err, PVW_MSG_0002, "%u, expected %d to %d",
			caps ? caps->physical_address_bits : 0, ADDRESS_WIDTH_MIN,
			ADDRESS_WIDTH_MAX);
		return field_fail(err, "host_caps.physical_address_bits");
	}
	facts.physical_address_bits = (uint8_t)caps->physical_address_bits;
	facts.vps_per_socket = caps->vps_per_socket;
	facts.smt = caps->smt;
	facts.x2apic = caps->x2apic;
	if (!refuse_unsupported(in, err) || !vps_in(caps, arena, &facts, err))
		return false;
	if (in->measured_vtl0_config.len &&
		!measured_split(
			bytes_in(in->measured_vtl0_config), facts.arch, &facts.measured, err)) {
		error_wrap(err, "measured_vtl0_config");
		return false;
	}
	facts.measured.vtl2 = bytes_in(in->measured_vtl2_config);
	for (size_t i = 0; i < in->n_acpi; i++) {
		if (!parameter_in(in->acpi[i], &facts, err))
			return false;
	}
	*out = facts;
	return true;
}

/*
 * Configure and plan.
 */

bool convert_config_inputs(const Pvw__V1__ConfigureRequest *in, NamedBytesList blobs,
	Arena *arena, ConfigInputs *out, Error *err)
{
	ConfigInputs config = { .relay_devices = in->relay_devices };
	ChannelDemand *channels = arena_array(arena, ChannelDemand, in->n_channels, err);

	if (!channels || !convert_settings(in->settings, blobs, arena, &config.settings, err))
		return false;
	for (size_t i = 0; i < in->n_channels; i++) {
		const Pvw__V1__ChannelDemand *channel = in->channels[i];

		channels[i].mmio_megabytes = channel->mmio_megabytes;
		if (!convert_guid(channel->interface_id, "channels.interface_id",
			    &channels[i].interface_id, err) ||
			!convert_guid(channel->instance_id, "channels.instance_id",
				&channels[i].instance_id, err))
			return false;
	}
	config.channels = (ChannelDemandList){ channels, in->n_channels };
	*out = config;
	return true;
}

static MtrrPolicy mtrr_policy_in(Pvw__V1__MtrrPolicy policy)
{
	/* The wire's number is one above ours; what it does not know is refused before. */
	return policy == PVW__V1__MTRR_POLICY__MTRR_POLICY_UNSPECIFIED
		? MTRR_POLICY_EXACT
		: (MtrrPolicy)(policy - PVW__V1__MTRR_POLICY__MTRR_POLICY_EXACT);
}

PlanRequest convert_plan_request(const Pvw__V1__PlanRequest *in)
{
	return (PlanRequest){
		.has_mtrr = in->mtrr != PVW__V1__MTRR_POLICY__MTRR_POLICY_UNSPECIFIED,
		.has_acpi = in->acpi != PVW__V1__ACPI_PROFILE__ACPI_PROFILE_UNSPECIFIED,
		.mtrr = mtrr_policy_in(in->mtrr),
		.acpi = in->acpi == PVW__V1__ACPI_PROFILE__ACPI_PROFILE_REFERENCE
			? ACPI_PROFILE_REFERENCE
			: ACPI_PROFILE_DEFAULT,
		.layout_version = in->layout_version,
	};
}
