/*
 * Messages to values and back: every field of the settings by the descriptor, every value that
 * is refused, every list that is told.
 */
#include "worker/convert.h"

#include <criterion/criterion.h>
#include <string.h>

#include "worker/guest.h"

static Arena *arena;
static Error err;

static void setup(void)
{
	arena = arena_new((size_t)64 * 1024 * 1024);
}

static void teardown(void)
{
	arena_free(arena);
}

TestSuite(convert, .init = setup, .fini = teardown);

static const uint8_t sixteen[16] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 };

static ProtobufCBinaryData bytes(size_t len)
{
	return (ProtobufCBinaryData){ len, (uint8_t *)(uintptr_t)sixteen };
}

static void expect(DiagnosticId diagnostic, const char *source, const char *word)
{
	cr_assert_eq(err.diagnostic, diagnostic, "%s: %s", diagnostic_row(err.diagnostic)->name,
		err.text);
	cr_assert_str_eq(err.source, source);
	cr_assert_not_null(strstr(err.text, word), "%s", err.text);
	err = (Error){ 0 };
}

/*
 * Every field of DevicePlatformSettings, found by walking its descriptor.
 */

typedef struct Leaf {
	char path[96];
	const ProtobufCFieldDescriptor *field;
	size_t parents[4]; /* field indices from the top */
	size_t depth;
} Leaf;

typedef struct LeafList {
	Leaf items[128];
	size_t count;
} LeafList;

/* Messages that stand for one value. */
static bool is_value(const ProtobufCMessageDescriptor *type)
{
	return type == &pvw__v1__guid__descriptor || type == &pvw__v1__source__descriptor;
}

static void walk(const ProtobufCMessageDescriptor *type, Leaf at, LeafList *out)
{
	for (unsigned i = 0; i < type->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &type->fields[i];
		Leaf leaf = at;
		const size_t len = strlen(leaf.path);

		snprintf(leaf.path + len, sizeof(leaf.path) - len, "%s%s", len ? "." : "",
			field->name);
		leaf.parents[leaf.depth++] = i;
		leaf.field = field;
		if (field->type == PROTOBUF_C_TYPE_MESSAGE && !is_value(field->descriptor)) {
			walk(field->descriptor, leaf, out);
			continue;
		}
		cr_assert_lt(out->count, ARRAY_COUNT(out->items));
		out->items[out->count++] = leaf;
	}
}

static const LeafList *leaves(void)
{
	LeafList *list = arena_array(arena, LeafList, 1, &err);

	walk(&pvw__v1__device_platform_settings__descriptor, (Leaf){ .path = "" }, list);
	return list;
}

/* The place of a leaf's value in @settings; messages on the way are made. */
static void *place_of(const Leaf *leaf, Pvw__V1__DevicePlatformSettings *settings)
{
	ProtobufCMessage *message = &settings->base;

	for (size_t i = 0; i + 1 < leaf->depth; i++) {
		const ProtobufCFieldDescriptor *field =
			&message->descriptor->fields[leaf->parents[i]];
		ProtobufCMessage **child = (void *)((uint8_t *)message + field->offset);

		if (!*child)
			*child = message_new(arena, field->descriptor, &err);
		message = *child;
	}
	return (uint8_t *)message + leaf->field->offset;
}

static void *one_message(const ProtobufCMessageDescriptor *type)
{
	if (type == &pvw__v1__guid__descriptor) {
		Pvw__V1__Guid *guid = message_new(arena, type, &err);

		guid->le = bytes(16);
		return guid;
	}

	Pvw__V1__Source *source = message_new(arena, type, &err);

	source->kind_case = PVW__V1__SOURCE__KIND_IN_PLACE;
	source->in_place = message_new(arena, &pvw__v1__addr_range__descriptor, &err);
	source->in_place->start = 0x1000;
	source->in_place->size = 0x2000;
	return source;
}

/* Another value than the default; enums get @value. */
static void set(const Leaf *leaf, Pvw__V1__DevicePlatformSettings *settings, int value)
{
	static Pvw__V1__PcatBootDevice order[] = { 4, 3, 2, 1 };
	static ProtobufCBinaryData table;
	void *place = place_of(leaf, settings);

	if (leaf->field->label == PROTOBUF_C_LABEL_REPEATED) {
		const bool is_order = leaf->field->type == PROTOBUF_C_TYPE_ENUM;
		size_t *count = (size_t *)(void *)((uint8_t *)place - leaf->field->offset +
			leaf->field->quantifier_offset);

		table = bytes(16);
		*count = is_order ? 4 : 1;
		*(void **)place = is_order ? (void *)order : (void *)&table;
		return;
	}
	switch (leaf->field->type) {
	case PROTOBUF_C_TYPE_BOOL:
		*(protobuf_c_boolean *)place = 1;
		break;
	case PROTOBUF_C_TYPE_ENUM:
	case PROTOBUF_C_TYPE_UINT32:
		*(uint32_t *)place = (uint32_t)value;
		break;
	case PROTOBUF_C_TYPE_FIXED64:
	case PROTOBUF_C_TYPE_UINT64:
		*(uint64_t *)place = UINT64_C(0x123456789);
		break;
	case PROTOBUF_C_TYPE_BYTES:
		*(ProtobufCBinaryData *)place = bytes(16);
		break;
	case PROTOBUF_C_TYPE_STRING:
		*(const char **)place = "quiet";
		break;
	case PROTOBUF_C_TYPE_MESSAGE:
		*(void **)place = one_message(leaf->field->descriptor);
		break;
	default:
		cr_assert_fail(
			"a field of a type that this test does not know: %s", leaf->path);
	}
}

static PlatformSettings convert(const Pvw__V1__DevicePlatformSettings *in)
{
	PlatformSettings out;

	memset(&out, 0, sizeof(out));
	cr_assert(convert_settings(in, (NamedBytesList){ 0 }, arena, &out, &err), "%s: %s",
		err.source, err.text);
	return out;
}

/* What a setting says, as text: pointers differ from run to run, words do not. */
static const char *said(const SettingRow *row, const PlatformSettings *settings)
{
	const char *text = settings_policy_value(row, settings, arena, &err);

	cr_assert_not_null(text);
	return text;
}

static bool changed_alone(const char *path, const PlatformSettings *settings)
{
	const PlatformSettings standard = platform_settings_default();
	const SettingRowList rows = settings_policy_rows();
	bool changed = false;

	for (size_t i = 0; i < rows.count; i++) {
		const bool differs =
			strcmp(said(&rows.items[i], &standard), said(&rows.items[i], settings));

		if (strcmp(rows.items[i].path, path) == 0)
			changed = differs;
		else
			cr_assert_not(differs, "%s changes %s", path, rows.items[i].path);
	}
	return changed;
}

Test(convert, takes_every_field_of_the_settings)
{
	const LeafList *list = leaves();

	for (size_t i = 0; i < list->count; i++) {
		const Leaf *leaf = &list->items[i];
		const bool is_enum = leaf->field->type == PROTOBUF_C_TYPE_ENUM &&
			leaf->field->label != PROTOBUF_C_LABEL_REPEATED;
		const ProtobufCEnumDescriptor *values = leaf->field->descriptor;
		const int last = is_enum ? (int)values->n_values - 1 : 1;
		int changes = 0;

		for (int value = 1; value <= last; value++) {
			Pvw__V1__DevicePlatformSettings in =
				PVW__V1__DEVICE_PLATFORM_SETTINGS__INIT;

			set(leaf, &in, value);

			const PlatformSettings out = convert(&in);

			changes += changed_alone(leaf->path, &out);
		}
		/* Of an enum's values exactly one is what an absent one means. */
		cr_assert_eq(changes, is_enum ? last - 1 : 1, "%s: %d", leaf->path, changes);
	}
}

Test(convert, gives_each_value_of_an_enum_a_value_of_its_own)
{
	const LeafList *list = leaves();

	for (size_t i = 0; i < list->count; i++) {
		const Leaf *leaf = &list->items[i];
		const SettingRow *row = settings_policy_find(leaf->path);
		const char *names[16];

		if (leaf->field->type != PROTOBUF_C_TYPE_ENUM ||
			leaf->field->label == PROTOBUF_C_LABEL_REPEATED)
			continue;
		const ProtobufCEnumDescriptor *values = leaf->field->descriptor;

		cr_assert_eq(values->n_values, row->name_count + 1, "%s", leaf->path);
		for (unsigned value = 1; value < values->n_values; value++) {
			Pvw__V1__DevicePlatformSettings in =
				PVW__V1__DEVICE_PLATFORM_SETTINGS__INIT;

			set(leaf, &in, (int)value);

			const PlatformSettings out = convert(&in);

			names[value] = said(row, &out);
			for (unsigned k = 1; k < value; k++)
				cr_assert_str_neq(names[k], names[value], "%s", leaf->path);
		}
	}
}

/* A field that nobody decided about must not reach an isolated guest. */
Test(convert, knows_a_policy_for_every_field_and_no_other)
{
	const LeafList *list = leaves();
	const SettingRowList rows = settings_policy_rows();

	for (size_t i = 0; i < list->count; i++)
		cr_assert_not_null(settings_policy_find(list->items[i].path),
			"%s has no row in the policy", list->items[i].path);
	for (size_t i = 0; i < rows.count; i++) {
		bool is_there = false;

		for (size_t k = 0; k < list->count; k++)
			is_there |= strcmp(rows.items[i].path, list->items[k].path) == 0;
		cr_assert(is_there, "%s is no field of the message", rows.items[i].path);
		cr_assert_eq(settings_policy_find(rows.items[i].path), &rows.items[i],
			"%s is there twice", rows.items[i].path);
	}
	cr_assert_eq(rows.count, list->count);
}

Test(convert, means_the_defaults_when_nothing_is_said)
{
	const Pvw__V1__DevicePlatformSettings empty = PVW__V1__DEVICE_PLATFORM_SETTINGS__INIT;
	const PlatformSettings none = convert(NULL);
	const PlatformSettings out = convert(&empty);

	cr_assert_not(changed_alone("", &none));
	cr_assert_not(changed_alone("", &out));
	cr_assert_eq(out.uefi.memory_protection, MEMORY_PROTECTION_DEFAULT);
}

/*
 * Settings that are refused.
 */

static void refuse(const Pvw__V1__DevicePlatformSettings *in, DiagnosticId diagnostic,
	const char *source, const char *word)
{
	PlatformSettings out = { .servicing = true };

	cr_assert_not(convert_settings(in, (NamedBytesList){ 0 }, arena, &out, &err));
	expect(diagnostic, source, word);
	cr_assert(out.servicing, "untouched on failure");
}

Test(convert, refuses_identifiers_of_another_length)
{
	Pvw__V1__DevicePlatformSettings in = PVW__V1__DEVICE_PLATFORM_SETTINGS__INIT;
	Pvw__V1__UefiSettings uefi = PVW__V1__UEFI_SETTINGS__INIT;
	Pvw__V1__Chipset chipset = PVW__V1__CHIPSET__INIT;
	Pvw__V1__Guid guid = PVW__V1__GUID__INIT;

	guid.le = bytes(15);
	in.bios_guid = &guid;
	refuse(&in, PVW_MSG_0001, "settings.bios_guid", "15 bytes");
	guid.le.len = 0;
	refuse(&in, PVW_MSG_0001, "settings.bios_guid", "0 bytes");
	in.bios_guid = NULL;
	uefi.vpci_instance_filter = &guid;
	in.uefi = &uefi;
	refuse(&in, PVW_MSG_0001, "settings.uefi.vpci_instance_filter", "expected 16");
	in.uefi = NULL;
	chipset.generation_id = bytes(8);
	in.chipset = &chipset;
	refuse(&in, PVW_MSG_0001, "settings.chipset.generation_id", "8 bytes");
}

Test(convert, refuses_numbers_that_do_not_fit)
{
	static const struct {
		const char *path;
		uint32_t most;
	} fields[] = {
		{ "uefi.diagnostics_log_level", 2 },
		{ "chipset.nvdimm_count", UINT16_MAX },
		{ "smbios.external_clock", UINT16_MAX },
		{ "smbios.max_speed", UINT16_MAX },
		{ "smbios.current_speed", UINT16_MAX },
		{ "smbios.processor_characteristics", UINT16_MAX },
		{ "smbios.processor_family2", UINT16_MAX },
		{ "smbios.processor_type", UINT8_MAX },
		{ "smbios.voltage", UINT8_MAX },
		{ "smbios.status", UINT8_MAX },
		{ "smbios.processor_upgrade", UINT8_MAX },
		{ "linux_direct.arm.com1.intid", ARM_SPI_MAX },
		{ "linux_direct.arm.com2.intid", ARM_SPI_MAX },
		{ "linux_direct.arm.timers.secure", ARM_PPI_MAX },
		{ "linux_direct.arm.timers.physical", ARM_PPI_MAX },
		{ "linux_direct.arm.timers.virt", ARM_PPI_MAX },
		{ "linux_direct.arm.timers.hypervisor", ARM_PPI_MAX },
		{ "linux_direct.arm.gic.v2m_spi_base", ARM_SPI_MAX },
		{ "linux_direct.arm.gic.v2m_spi_count", ARM_SPI_MAX },
	};
	const LeafList *list = leaves();
	size_t numbers = 0;

	for (size_t i = 0; i < list->count; i++)
		numbers += list->items[i].field->type == PROTOBUF_C_TYPE_UINT32;
	cr_assert_eq(numbers, ARRAY_COUNT(fields), "every number has a bound");
	for (size_t i = 0; i < ARRAY_COUNT(fields); i++) {
		const Leaf *leaf = list->items;
		char source[96];

		while (strcmp(leaf->path, fields[i].path) != 0)
			leaf++;
		snprintf(source, sizeof(source), "settings.%s", fields[i].path);
		for (uint32_t over = 0; over < 2; over++) {
			Pvw__V1__DevicePlatformSettings in =
				PVW__V1__DEVICE_PLATFORM_SETTINGS__INIT;

			set(leaf, &in, (int)(fields[i].most + over));
			if (over)
				refuse(&in, PVW_MSG_0002, source, "at most");
			else
				convert(&in);
		}
	}
}

Test(convert, refuses_a_nul_inside_an_smbios_string)
{
	const LeafList *list = leaves();
	size_t texts = 0;

	for (size_t i = 0; i < list->count; i++) {
		const Leaf *leaf = &list->items[i];
		Pvw__V1__DevicePlatformSettings in = PVW__V1__DEVICE_PLATFORM_SETTINGS__INIT;
		ProtobufCBinaryData *place;
		char source[96];

		if (strncmp(leaf->path, "smbios.", 7) != 0 ||
			leaf->field->type != PROTOBUF_C_TYPE_BYTES)
			continue;
		place = place_of(leaf, &in);
		*place = (ProtobufCBinaryData){ 3, (uint8_t *)(uintptr_t) "a\0b" };
		snprintf(source, sizeof(source), "settings.%s", leaf->path);
		refuse(&in, PVW_MSG_0003, source, "NUL");
		texts++;
	}
	cr_assert_eq(texts, 13);
}

Test(convert, refuses_a_boot_order_that_is_not_whole)
{
	Pvw__V1__DevicePlatformSettings in = PVW__V1__DEVICE_PLATFORM_SETTINGS__INIT;
	Pvw__V1__PcatSettings pcat = PVW__V1__PCAT_SETTINGS__INIT;
	Pvw__V1__PcatBootDevice order[] = { 1, 2, 0, 4 };

	in.pcat = &pcat;
	pcat.boot_order = order;
	pcat.n_boot_order = 3;
	refuse(&in, PVW_MSG_0002, "settings.pcat.boot_order", "3 boot devices");
	pcat.n_boot_order = 4;
	refuse(&in, PVW_MSG_0002, "settings.pcat.boot_order", "entry 2");
}

Test(convert, refuses_images_that_are_empty_or_wrap)
{
	Pvw__V1__DevicePlatformSettings in = PVW__V1__DEVICE_PLATFORM_SETTINGS__INIT;
	Pvw__V1__Source source = PVW__V1__SOURCE__INIT;
	Pvw__V1__AddrRange range = PVW__V1__ADDR_RANGE__INIT;

	in.firmware_image = &source;
	cr_assert_eq(convert(&in).firmware_image.place, IMAGE_ABSENT);
	source.kind_case = PVW__V1__SOURCE__KIND_IN_PLACE;
	source.in_place = &range;
	refuse(&in, PVW_MSG_0004, "settings.firmware_image", "0x0 bytes");
	range.start = UINT64_MAX - 1;
	range.size = 1;
	cr_assert_eq(convert(&in).firmware_image.len, 1);
	range.size = 2;
	refuse(&in, PVW_MSG_0004, "settings.firmware_image", "wrap");
}

Test(convert, finds_blobs_by_name)
{
	static const NamedBytes named[] = { { "initrd", { sixteen, 3 } },
		{ "vmlinux", { sixteen, 16 } } };
	Pvw__V1__DevicePlatformSettings in = PVW__V1__DEVICE_PLATFORM_SETTINGS__INIT;
	Pvw__V1__LinuxDirect linux_direct = PVW__V1__LINUX_DIRECT__INIT;
	Pvw__V1__Source kernel = PVW__V1__SOURCE__INIT, initrd = PVW__V1__SOURCE__INIT;
	PlatformSettings out;

	kernel.kind_case = initrd.kind_case = PVW__V1__SOURCE__KIND_BLOB;
	kernel.blob = convert_text_out("vmlinux");
	initrd.blob = convert_text_out("initrd");
	linux_direct.kernel = &kernel;
	linux_direct.initrd = &initrd;
	in.linux_direct = &linux_direct;
	cr_assert(convert_settings(&in, (NamedBytesList){ named, 2 }, arena, &out, &err));
	cr_assert_eq(out.linux_direct.kernel.place, IMAGE_BYTES);
	cr_assert_eq(out.linux_direct.kernel.bytes.len, 16);
	cr_assert_eq(out.linux_direct.initrd.bytes.len, 3);
	initrd.blob = convert_text_out("init");
	cr_assert_not(convert_settings(&in, (NamedBytesList){ named, 2 }, arena, &out, &err));
	expect(PVW_BLOB_0005, "settings.linux_direct.initrd", "\"init\"");
}

/*
 * Boot info, channels, plan requests.
 */

static Pvw__V1__HostCaps host_caps(void)
{
	Pvw__V1__HostCaps caps = PVW__V1__HOST_CAPS__INIT;

	caps.physical_address_bits = 46;
	return caps;
}

static void refuse_boot_info(const Pvw__V1__LoadBootInfoRequest *in, DiagnosticId diagnostic,
	const char *source, const char *word)
{
	FactInputs out = { .smt = true };

	cr_assert_not(convert_fact_inputs(in, arena, &out, &err));
	expect(diagnostic, source, word);
	cr_assert(out.smt, "untouched on failure");
}

Test(convert, takes_boot_info)
{
	Pvw__V1__LoadBootInfoRequest in = PVW__V1__LOAD_BOOT_INFO_REQUEST__INIT;
	Pvw__V1__HostCaps caps = host_caps();
	Pvw__V1__Vp vp = PVW__V1__VP__INIT;
	Pvw__V1__Vp *vps[] = { &vp };
	Pvw__V1__AcpiParameter slit = PVW__V1__ACPI_PARAMETER__INIT;
	Pvw__V1__AcpiParameter pptt = PVW__V1__ACPI_PARAMETER__INIT;
	Pvw__V1__AcpiParameter *tables[] = { &pptt, &slit };
	FactInputs out;

	in.arch = PVW__V1__ARCH__ARCH_X86_64;
	in.dtb = bytes(16);
	in.host_caps = &caps;
	caps.smt = caps.x2apic = 1;
	caps.vps_per_socket = 4;
	caps.vp_count = 9;
	caps.n_vps = 1;
	caps.vps = vps;
	vp.index = 3;
	vp.apic_id = 5;
	vp.vnode = 7;
	vp.mpidr = 11;
	slit.signature = convert_text_out("SLIT");
	slit.table = bytes(4);
	pptt.signature = convert_text_out("PPTT");
	pptt.table = bytes(5);
	in.n_acpi = 2;
	in.acpi = tables;
	cr_assert(convert_fact_inputs(&in, arena, &out, &err), "%s", err.text);
	cr_assert_eq(out.arch, GUEST_ARCH_X86_64);
	cr_assert_eq(out.boot_tree.len, 16);
	cr_assert_eq(out.physical_address_bits, 46);
	cr_assert(out.smt && out.x2apic);
	cr_assert_eq(out.vps_per_socket, 4);
	cr_assert_eq(out.stated_vp_count, 9);
	cr_assert_eq(out.stated_vps_count, 1);
	cr_assert_eq(out.stated_vps[0].index, 3);
	cr_assert_eq(out.stated_vps[0].id, 5);
	cr_assert_eq(out.stated_vps[0].vnode, 7);
	cr_assert_eq(out.slit.len, 4);
	cr_assert_eq(out.pptt.len, 5);
	in.arch = PVW__V1__ARCH__ARCH_AARCH64;
	cr_assert(convert_fact_inputs(&in, arena, &out, &err));
	cr_assert_eq(out.arch, GUEST_ARCH_AARCH64);
	cr_assert_eq(out.stated_vps[0].id, 11);
}

Test(convert, refuses_boot_info_that_leaves_things_open)
{
	Pvw__V1__LoadBootInfoRequest in = PVW__V1__LOAD_BOOT_INFO_REQUEST__INIT;
	Pvw__V1__HostCaps caps = host_caps();

	refuse_boot_info(&in, PVW_MSG_0002, "arch", "UNSPECIFIED");
	in.arch = PVW__V1__ARCH__ARCH_X86_64;
	refuse_boot_info(&in, PVW_MSG_0002, "host_caps.physical_address_bits", "36 to 52");
	in.host_caps = &caps;
	caps.physical_address_bits = 35;
	refuse_boot_info(&in, PVW_MSG_0002, "host_caps.physical_address_bits", "35");
	caps.physical_address_bits = 53;
	refuse_boot_info(&in, PVW_MSG_0002, "host_caps.physical_address_bits", "53");
}

Test(convert, ignores_nothing_that_it_cannot_use)
{
	for (int i = 0; i < 4; i++) {
		Pvw__V1__LoadBootInfoRequest in = PVW__V1__LOAD_BOOT_INFO_REQUEST__INIT;
		Pvw__V1__HostCaps caps = host_caps();
		const char *const fields[] = { "igvm_memory_map", "confidential_debug",
			"host_caps.vtl0_alias_map", "host_caps.vtom" };

		in.arch = PVW__V1__ARCH__ARCH_X86_64;
		in.host_caps = &caps;
		in.igvm_memory_map = bytes(i == 0);
		in.confidential_debug = i == 1;
		caps.vtl0_alias_map = i == 2;
		caps.vtom = i == 3;
		refuse_boot_info(&in, PVW_MSG_0005, fields[i], "expected absent");
	}
}

Test(convert, takes_two_tables_once)
{
	Pvw__V1__LoadBootInfoRequest in = PVW__V1__LOAD_BOOT_INFO_REQUEST__INIT;
	Pvw__V1__HostCaps caps = host_caps();
	Pvw__V1__AcpiParameter one = PVW__V1__ACPI_PARAMETER__INIT;
	Pvw__V1__AcpiParameter *twice[] = { &one, &one };

	in.arch = PVW__V1__ARCH__ARCH_X86_64;
	in.host_caps = &caps;
	in.acpi = twice;
	in.n_acpi = 2;
	one.signature = convert_text_out("PPTT");
	one.table = bytes(5);
	refuse_boot_info(&in, PVW_MSG_0002, "acpi", "twice");
	one.signature = convert_text_out("MADT");
	refuse_boot_info(&in, PVW_MSG_0005, "acpi", "MADT");
}

Test(convert, takes_channel_demands)
{
	Pvw__V1__ConfigureRequest in = PVW__V1__CONFIGURE_REQUEST__INIT;
	Pvw__V1__ChannelDemand demand = PVW__V1__CHANNEL_DEMAND__INIT;
	Pvw__V1__ChannelDemand *demands[] = { &demand };
	Pvw__V1__Guid guid = PVW__V1__GUID__INIT;
	ConfigInputs out;

	guid.le = bytes(16);
	demand.interface_id = &guid;
	demand.mmio_megabytes = 64;
	in.channels = demands;
	in.n_channels = 1;
	in.relay_devices = 3;
	cr_assert(convert_config_inputs(&in, (NamedBytesList){ 0 }, arena, &out, &err));
	cr_assert_eq(out.relay_devices, 3);
	cr_assert_eq(out.channels.count, 1);
	cr_assert_eq(out.channels.items[0].mmio_megabytes, 64);
	cr_assert_arr_eq(out.channels.items[0].interface_id.bytes, sixteen, 16);
	demand.instance_id = &guid;
	guid.le = bytes(3);
	cr_assert_not(convert_config_inputs(&in, (NamedBytesList){ 0 }, arena, &out, &err));
	expect(PVW_MSG_0001, "channels.interface_id", "3 bytes");
}

Test(convert, leaves_open_what_a_plan_request_leaves_open)
{
	Pvw__V1__PlanRequest in = PVW__V1__PLAN_REQUEST__INIT;
	PlanRequest out = convert_plan_request(&in);

	cr_assert_not(out.has_mtrr || out.has_acpi || out.layout_version);
	in.mtrr = PVW__V1__MTRR_POLICY__MTRR_POLICY_HYPERV;
	in.acpi = PVW__V1__ACPI_PROFILE__ACPI_PROFILE_REFERENCE;
	in.layout_version = 1;
	out = convert_plan_request(&in);
	cr_assert(out.has_mtrr && out.mtrr == MTRR_POLICY_HYPERV);
	cr_assert(out.has_acpi && out.acpi == ACPI_PROFILE_REFERENCE);
	cr_assert_eq(out.layout_version, 1);
	in.mtrr = PVW__V1__MTRR_POLICY__MTRR_POLICY_EXACT;
	in.acpi = PVW__V1__ACPI_PROFILE__ACPI_PROFILE_DEFAULT;
	out = convert_plan_request(&in);
	cr_assert(out.has_mtrr && out.mtrr == MTRR_POLICY_EXACT);
	cr_assert(out.has_acpi && out.acpi == ACPI_PROFILE_DEFAULT);
}

Test(convert, counts_isolation_from_one_on_the_wire)
{
	IsolationType isolation;

	cr_assert_not(convert_isolation(PVW__V1__ISOLATION__ISOLATION_UNSPECIFIED, &isolation));
	for (IsolationType type = 0; type < ISOLATION_COUNT; type++) {
		cr_assert(convert_isolation(convert_isolation_out(type), &isolation));
		cr_assert_eq(isolation, type);
	}
	cr_assert_eq(convert_isolation_out(ISOLATION_TDX), PVW__V1__ISOLATION__ISOLATION_TDX);
}

/*
 * Answers, read back by the library's own unpacker.
 */

typedef struct Guest {
	Facts facts;
	Config config;
	Prepared prepared;
} Guest;

static Guest guest(GuestShape shape)
{
	static const ChannelDemand channel = { .mmio_megabytes = 8 };
	const FactInputs facts = guest_facts(arena, shape);
	ConfigInputs config = { .settings = platform_settings_default(),
		.relay_devices = 2,
		.channels = { &channel, 1 } };
	const PlanInputs plan = { .entropy = { 1 } };
	Diagnostics findings;
	Guest out;

	config.settings.chipset.vmbus_redirection = true;
	config.settings.uefi.measure_additional_pcrs = true;
	cr_assert(diagnostics_init(&findings, 64, arena, &err));
	cr_assert(prepare_facts(&facts, arena, &out.facts, &findings, &err), "%s", err.text);
	cr_assert(prepare_config(&out.facts, &config, arena, &out.config, &findings, &err),
		"%s", err.text);
	cr_assert(prepare_plan(&out.facts, &out.config, &plan, arena, &out.prepared, &findings,
			  &err),
		"%s", err.text);
	return out;
}

static void *read_back(const ProtobufCMessage *message)
{
	const size_t size = protobuf_c_message_get_packed_size(message);
	uint8_t *packed = arena_array(arena, uint8_t, size, &err);

	protobuf_c_message_pack(message, packed);

	void *out = protobuf_c_message_unpack(message->descriptor, NULL, size, packed);

	cr_assert_not_null(out);
	return out;
}

Test(convert, sums_up_the_boot_info)
{
	const Guest g = guest((GuestShape){ .cpus = 3 });
	const Digest digest = digest_of(g.facts.inputs.boot_tree);
	Pvw__V1__BootSummary *made, *summary;

	cr_assert(convert_boot_summary_out(&g.facts, arena, &made, &err), "%s", err.text);
	summary = read_back(&made->base);
	cr_assert_eq(summary->arch, PVW__V1__ARCH__ARCH_X86_64);
	cr_assert_eq(summary->isolation, PVW__V1__ISOLATION__ISOLATION_NONE);
	cr_assert_eq(summary->vp_count, 3);
	cr_assert_eq(summary->vnode_count, 1);
	cr_assert_eq(summary->ram_bytes, GUEST_FILE_SIZE);
	cr_assert_arr_eq(summary->boot_info_sha256.data, digest.bytes, DIGEST_SIZE);
	cr_assert_eq(summary->n_memory, 7);
	cr_assert_eq(summary->memory[0]->role, PVW__V1__MEMORY_ROLE__MEMORY_ROLE_VTL0_RAM);
	cr_assert_eq(summary->memory[1]->role,
		PVW__V1__MEMORY_ROLE__MEMORY_ROLE_VTL2_PERSISTED_STATE);
	cr_assert_eq(summary->memory[3]->role, PVW__V1__MEMORY_ROLE__MEMORY_ROLE_VTL2_CONFIG);
	cr_assert_eq(summary->memory[4]->role, PVW__V1__MEMORY_ROLE__MEMORY_ROLE_VTL2_LOG);
	cr_assert_eq(summary->n_mmio, 2);
	cr_assert_eq(summary->chipset->low->start, 0xf8000000);
	cr_assert_eq(summary->chipset->high->size, 0x100000000);
	cr_assert_eq(
		summary->chipset->low_source, PVW__V1__ROLE_SOURCE__ROLE_SOURCE_BY_ADDRESS);
	protobuf_c_message_free_unpacked(&summary->base, NULL);
}

Test(convert, tells_the_layout_as_the_guest_gets_it)
{
	const Guest g = guest((GuestShape){ 0 });
	Pvw__V1__Layout *made, *layout;
	uint64_t last = 0;

	cr_assert(
		convert_layout_out(&g.facts, &g.config, &g.prepared, true, arena, &made, &err));
	layout = read_back(&made->base);
	cr_assert_eq(layout->n_memory, 2);
	cr_assert_eq(layout->physical_address_bits, 46);
	cr_assert_eq(layout->layout_version, g.prepared.plan.policy.layout_version);
	cr_assert_eq(layout->chipset->high->size, 0x100000000 - 2 * 8192);
	cr_assert_eq(layout->end_of_ram, GUEST_FILE_SIZE);
	cr_assert_geq(layout->end_of_layout, 0x1100000000 - 2 * 8192);
	cr_assert_eq(layout->n_placements, g.prepared.plan.write_count + 2);
	for (size_t i = 0; i < g.prepared.plan.write_count; i++) {
		cr_assert_gt(layout->placements[i]->start + 1, last);
		cr_assert_str_eq(layout->placements[i]->name, layout->placements[i]->artifact);
		cr_assert_str_eq(layout->placements[i]->source, "plan");
		last = layout->placements[i]->start + layout->placements[i]->size;
	}
	cr_assert_str_eq(layout->placements[layout->n_placements - 2]->name, "channel");
	cr_assert_eq(
		strncmp(layout->placements[layout->n_placements - 2]->source, "channel:", 8),
		0);
	cr_assert_str_eq(layout->placements[layout->n_placements - 1]->name, "relay-aperture");
	protobuf_c_message_free_unpacked(&layout->base, NULL);
}

Test(convert, tells_every_range_that_a_layout_keeps)
{
	const Guest g = guest((GuestShape){ 0 });
	const LayoutRecordList records = g.prepared.layout.vtl0.records;
	Pvw__V1__Layout *made, *layout;
	size_t ram = 0, windows = 0;

	cr_assert(convert_layout_out(
		&g.facts, &g.config, &g.prepared, false, arena, &made, &err));
	layout = read_back(&made->base);
	cr_assert_eq(layout->n_records, records.count);
	for (size_t i = 0; i < records.count; i++) {
		const Pvw__V1__LayoutRecord *record = layout->records[i];

		cr_assert_eq(record->start, records.items[i].range.start);
		cr_assert_eq(record->start + record->size, records.items[i].range.end);
		cr_assert_str_eq(record->kind, layout_kind_name(records.items[i].kind));
		cr_assert_str_eq(record->tag, records.items[i].tag);
		cr_assert_eq(record->vnode, records.items[i].vnode);
		cr_assert_eq(record->igvm_type, records.items[i].igvm_type);
		ram += strcmp(record->kind, "ram") == 0;
		windows += strncmp(record->tag, "chipset-", 8) == 0;
	}
	cr_assert_eq(ram, layout->n_memory);
	cr_assert_eq(windows, 2);
	protobuf_c_message_free_unpacked(&layout->base, NULL);
}

Test(convert, tells_the_shared_pool_of_an_isolated_guest)
{
	const Guest g = guest((GuestShape){ .isolation = "snp" });
	Pvw__V1__Layout *layout;
	bool found = false;

	cr_assert(convert_layout_out(
		&g.facts, &g.config, &g.prepared, false, arena, &layout, &err));
	for (size_t i = 0; i < layout->n_placements; i++)
		found |= strcmp(layout->placements[i]->name, "shared-pool") == 0;
	cr_assert(found);
}

Test(convert, tells_the_plan_as_it_is)
{
	const Guest g = guest((GuestShape){ 0 });
	const BootPlan *plan = &g.prepared.plan;
	Pvw__V1__PlanResponse made = PVW__V1__PLAN_RESPONSE__INIT, *out;
	size_t registers = 0;

	cr_assert(convert_plan_out(plan, arena, &made, &err));
	out = read_back(&made.base);
	cr_assert_arr_eq(out->plan_digest.data, plan->digest.bytes, DIGEST_SIZE);
	cr_assert_eq(out->mtrr, PVW__V1__MTRR_POLICY__MTRR_POLICY_EXACT);
	cr_assert_eq(out->acpi, PVW__V1__ACPI_PROFILE__ACPI_PROFILE_DEFAULT);
	cr_assert_eq(out->n_writes, plan->write_count);
	cr_assert_eq(out->n_artifacts, plan->artifacts.count);
	for (size_t i = 0; i < out->n_artifacts; i++) {
		const Artifact *artifact = &plan->artifacts.items[i];

		cr_assert_str_eq(out->artifacts[i]->name, artifact->name);
		cr_assert_eq(out->artifacts[i]->size, artifact->bytes.len);
		cr_assert_eq(out->artifacts[i]->placed, artifact->placed);
		cr_assert_eq(out->artifacts[i]->sensitive, artifact->sensitive);
		cr_assert_arr_eq(
			out->artifacts[i]->sha256.data, plan->digests[i].bytes, DIGEST_SIZE);
	}
	for (size_t i = 0; i < out->n_writes; i++) {
		const Artifact *artifact = &plan->artifacts.items[plan->writes[i]];

		cr_assert_eq(out->writes[i]->gpa, artifact->gpa);
		cr_assert_eq(out->writes[i]->size, artifact->bytes.len);
		cr_assert_str_eq(out->writes[i]->artifact, artifact->name);
	}
	for (size_t i = 0; i < out->n_registers; i++) {
		cr_assert(out->registers[i]->scope == PVW__V1__VP_SCOPE__VP_SCOPE_ALL_VPS ||
			out->registers[i]->scope == PVW__V1__VP_SCOPE__VP_SCOPE_BSP);
		registers += out->registers[i]->n_registers;
	}
	cr_assert_eq(registers, plan->registers.count);
	protobuf_c_message_free_unpacked(&out->base, NULL);
}

Test(convert, tells_findings_with_their_rows)
{
	Diagnostics findings;
	Pvw__V1__Diagnostic **list;
	size_t count;
	Error one;

	cr_assert(diagnostics_init(&findings, 2, arena, &err));
	error_set(&one, PVW_UEFI_0012, "found %d", 7);
	error_at(&one, "settings.x");
	diagnostics_add_error(&findings, &one);
	cr_assert(convert_diagnostics_out(&findings, arena, &count, &list, &err));
	cr_assert_eq(count, 1);
	cr_assert_str_eq(list[0]->code, "PVW-UEFI-0012");
	cr_assert_eq(list[0]->severity, PVW__V1__SEVERITY__SEVERITY_WARNING);
	cr_assert_str_eq(list[0]->text, "found 7");
	cr_assert_str_eq(list[0]->source, "settings.x");
	cr_assert_gt(strlen(list[0]->hint), 0);
}

Test(convert, says_how_many_findings_were_left_out)
{
	Diagnostics findings;
	Pvw__V1__Diagnostic **list;
	size_t count;
	Error one;

	cr_assert(diagnostics_init(&findings, 2, arena, &err));
	for (int i = 0; i < 5; i++) {
		error_set(&one, PVW_UEFI_0012, "found %d", i);
		diagnostics_add_error(&findings, &one);
	}
	cr_assert(convert_diagnostics_out(&findings, arena, &count, &list, &err));
	cr_assert_eq(count, 2);
	cr_assert_str_eq(list[0]->text, "found 0");
	cr_assert_str_eq(list[1]->code, "PVW-MSG-0007");
	cr_assert_str_eq(list[1]->text, "4 findings are not listed");
	cr_assert_eq(list[1]->severity, PVW__V1__SEVERITY__SEVERITY_WARNING);
}

Test(convert, tells_clamps)
{
	static const SettingsClamp clamp = { "uefi.x", "a", "b", "because" };
	const SettingsClampList clamps = { &clamp, 1 };
	Pvw__V1__Clamp **list;
	size_t count;

	cr_assert(convert_clamps_out(&clamps, arena, &count, &list, &err));
	cr_assert_eq(count, 1);
	cr_assert_str_eq(list[0]->field, "uefi.x");
	cr_assert_str_eq(list[0]->asked, "a");
	cr_assert_str_eq(list[0]->used, "b");
	cr_assert_str_eq(list[0]->why, "because");
}

Test(convert, says_when_the_arena_is_exhausted)
{
	Arena *small = arena_new(64);
	const Guest g = guest((GuestShape){ 0 });
	Pvw__V1__BootSummary *out = NULL;

	cr_assert_not(convert_boot_summary_out(&g.facts, small, &out, &err));
	cr_assert_eq(err.diagnostic, PVW_MEM_0001);
	cr_assert_null(out);
	arena_free(small);
}
