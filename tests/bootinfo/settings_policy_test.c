#include <criterion/criterion.h>
#include <string.h>

#include "bootinfo/settings_policy.h"
#include "support/diagnostics.h"

static Arena *arena;

static void setup(void)
{
	arena = arena_new(1 << 20);
}

static void teardown(void)
{
	arena_free(arena);
}

TestSuite(settings_policy, .init = setup, .fini = teardown);

/* What an isolated guest may be started with. */
static PlatformSettings good_settings(void)
{
	PlatformSettings settings = platform_settings_default();

	settings.uefi.measure_additional_pcrs = true;
	return settings;
}

static void assert_refused(const PlatformSettings *in, const char *source, const char *word)
{
	PlatformSettings out, before;
	SettingsClampList clamps = { 0 };
	Error err = { 0 };

	memset(&out, 0x5a, sizeof(out));
	before = out;
	for (unsigned isolation = ISOLATION_VBS; isolation < ISOLATION_COUNT; isolation++) {
		cr_assert_not(settings_apply_policy(
			in, (IsolationType)isolation, arena, &out, &clamps, &err));
		cr_assert_eq(err.diagnostic, PVW_SETTINGS_0001);
		cr_assert_eq(err.code, ERROR_DENIED);
		cr_assert_str_eq(err.source, source);
		cr_assert_not_null(strstr(err.text, word), "%s", err.text);
	}
	cr_assert_eq(memcmp(&out, &before, sizeof(out)), 0);
	cr_assert(settings_apply_policy(in, ISOLATION_NONE, arena, &out, &clamps, &err));
	cr_assert_eq(clamps.count, 0);
}

Test(settings_policy, defaults_are_the_safe_ones)
{
	const PlatformSettings settings = platform_settings_default();

	cr_assert_eq(settings.firmware, BOOT_UEFI);
	cr_assert_eq(settings.uefi.memory_protection, MEMORY_PROTECTION_DEFAULT);
	cr_assert_eq(settings.uefi.console, CONSOLE_DEFAULT);
	cr_assert_eq(settings.uefi.acpi_records, UEFI_ACPI_RECORDS_GENERIC);
	cr_assert_eq(settings.pcat.boot_order[0], PCAT_BOOT_FLOPPY);
	cr_assert_eq(settings.pcat.boot_order[3], PCAT_BOOT_NETWORK);
	cr_assert_eq(settings.firmware_image.place, IMAGE_ABSENT);
}

Test(settings_policy, obeys_what_is_harmless)
{
	PlatformSettings in = good_settings(), out;
	SettingsClampList clamps;
	Error err;

	in.uefi.secure_boot = true;
	in.uefi.memory_protection = MEMORY_PROTECTION_STRICT;
	in.chipset.tpm = true;
	in.chipset.always_relay_host_mmio = true;
	in.linux_direct.kernel = (Image){ .place = IMAGE_IN_PLACE, .gpa = 0x1000, .len = 1 };

	cr_assert(settings_apply_policy(&in, ISOLATION_SNP, arena, &out, &clamps, &err), "%s",
		err.text);
	cr_assert_eq(clamps.count, 0);
	cr_assert_eq(memcmp(&in, &out, sizeof(in)), 0);
}

Test(settings_policy, refuses_each_dangerous_switch)
{
	static const struct {
		size_t offset;
		bool bad;
		const char *path;
	} rows[] = {
		{ offsetof(PlatformSettings, uefi.hibernation), true, "uefi.hibernation" },
		{ offsetof(PlatformSettings, uefi.legacy_memory_map), true,
			"uefi.legacy_memory_map" },
		{ offsetof(PlatformSettings, uefi.measure_additional_pcrs), false,
			"uefi.measure_additional_pcrs" },
		{ offsetof(PlatformSettings, uefi.disable_sha384_pcr), true,
			"uefi.disable_sha384_pcr" },
		{ offsetof(PlatformSettings, uefi.default_boot_always_attempt), true,
			"uefi.default_boot_always_attempt" },
		{ offsetof(PlatformSettings, chipset.processor_idle), true,
			"chipset.processor_idle" },
		{ offsetof(PlatformSettings, chipset.psp), true, "chipset.psp" },
		{ offsetof(PlatformSettings, servicing), true, "servicing" },
	};

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		PlatformSettings settings = good_settings();
		char source[80] = "settings.";

		memcpy((uint8_t *)&settings + rows[i].offset, &rows[i].bad, sizeof(bool));
		strcat(source, rows[i].path);
		assert_refused(&settings, source,
			rows[i].bad ? "is true, expected false" : "is false, expected true");
	}
}

Test(settings_policy, refuses_pcat)
{
	PlatformSettings settings = good_settings();

	settings.firmware = BOOT_PCAT;
	assert_refused(&settings, "settings.firmware", "is pcat, expected not pcat");
}

Test(settings_policy, refuses_a_debugger_only_with_secure_boot)
{
	PlatformSettings settings = good_settings(), out;
	SettingsClampList clamps;
	Error err;

	settings.uefi.firmware_debugging = true;
	cr_assert(settings_apply_policy(&settings, ISOLATION_TDX, arena, &out, &clamps, &err));
	settings.uefi.secure_boot = true;
	assert_refused(&settings, "settings.uefi.firmware_debugging", "secure_boot");
}

Test(settings_policy, refuses_images_and_command_lines_that_are_not_measured)
{
	PlatformSettings settings = good_settings();

	settings.linux_direct.command_line = (Bytes){ (const uint8_t *)"secret", 6 };
	assert_refused(&settings, "settings.linux_direct.command_line", "is 6 bytes");

	settings = good_settings();
	settings.linux_direct.kernel =
		(Image){ .place = IMAGE_BYTES, .bytes = { (const uint8_t *)"k", 1 } };
	assert_refused(&settings, "settings.linux_direct.kernel", "uploaded, 1 bytes");

	settings = good_settings();
	settings.linux_direct.initrd.place = IMAGE_BYTES;
	assert_refused(&settings, "settings.linux_direct.initrd", "uploaded");

	settings = good_settings();
	settings.firmware_image.place = IMAGE_BYTES;
	assert_refused(&settings, "settings.firmware_image", "uploaded");
}

Test(settings_policy, never_tells_contents)
{
	PlatformSettings settings = good_settings(), out;
	SettingsClampList clamps;
	Error err;

	settings.linux_direct.command_line = (Bytes){ (const uint8_t *)"secret", 6 };
	cr_assert_not(
		settings_apply_policy(&settings, ISOLATION_SNP, arena, &out, &clamps, &err));

	cr_assert_null(strstr(err.text, "secret"));
}

Test(settings_policy, raises_weak_memory_protection)
{
	static const struct {
		MemoryProtection asked;
		const char *text;
	} rows[] = { { MEMORY_PROTECTION_DISABLED, "disabled" },
		{ MEMORY_PROTECTION_RELAXED, "relaxed" } };

	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		PlatformSettings in = good_settings(), out;
		SettingsClampList clamps;
		Error err;

		in.uefi.memory_protection = rows[i].asked;
		cr_assert(
			settings_apply_policy(&in, ISOLATION_VBS, arena, &out, &clamps, &err));

		cr_assert_eq(out.uefi.memory_protection, MEMORY_PROTECTION_DEFAULT);
		cr_assert_eq(clamps.count, 1);
		cr_assert_str_eq(clamps.items[0].field, "uefi.memory_protection");
		cr_assert_str_eq(clamps.items[0].asked, rows[i].text);
		cr_assert_str_eq(clamps.items[0].used, "default");
		cr_assert_not_null(strstr(clamps.items[0].why, "weaker"));
	}
}

Test(settings_policy, leaves_out_the_hosts_acpi_tables)
{
	static const Bytes tables[3];
	PlatformSettings in = good_settings(), out;
	SettingsClampList clamps;
	Error err;

	in.acpi_tables = tables;
	in.acpi_table_count = 3;
	cr_assert(settings_apply_policy(&in, ISOLATION_SNP, arena, &out, &clamps, &err));

	cr_assert_eq(out.acpi_table_count, 0);
	cr_assert_null(out.acpi_tables);
	cr_assert_eq(clamps.count, 1);
	cr_assert_str_eq(clamps.items[0].field, "acpi_tables");
	cr_assert_str_eq(clamps.items[0].asked, "3 tables");
	cr_assert_str_eq(clamps.items[0].used, "0 tables");
}

Test(settings_policy, has_a_sane_row_for_each_setting)
{
	const SettingRowList rows = settings_policy_rows();

	for (size_t i = 0; i < rows.count; i++) {
		const SettingRow *row = &rows.items[i];
		const bool obeyed =
			row->policy == SETTING_ATTESTED || row->policy == SETTING_HARMLESS;

		cr_assert_eq(settings_policy_find(row->path), row, "%s twice", row->path);
		cr_assert_str_not_empty(row->help);
		cr_assert_str_not_empty(row->default_text);
		cr_assert_eq(obeyed, row->is_bad == NULL, "%s", row->path);
		cr_assert_eq(obeyed, row->when_isolated[0] == '\0', "%s", row->path);
		cr_assert_eq(row->policy == SETTING_CLAMP || row->policy == SETTING_IGNORE,
			row->replace != NULL, "%s", row->path);
		cr_assert_leq(row->offset + row->size, sizeof(PlatformSettings));
	}
}

/* Each byte of the settings belongs to a row, or is padding or known to belong to one's value. */
Test(settings_policy, covers_the_settings_structure)
{
	static const struct {
		size_t offset, size;
	} companions[] = {
		{ offsetof(PlatformSettings, uefi.has_vpci_instance_filter), sizeof(bool) },
		{ offsetof(PlatformSettings, acpi_table_count), sizeof(size_t) },
		{ offsetof(PlatformSettings, linux_direct.kernel_entry), sizeof(uint64_t) },
	};
	const SettingRowList rows = settings_policy_rows();
	static bool covered[sizeof(PlatformSettings)];
	size_t gap = 0;

	for (size_t i = 0; i < rows.count; i++) {
		for (size_t k = 0; k < rows.items[i].size; k++) {
			cr_assert_not(
				covered[rows.items[i].offset + k], "%s", rows.items[i].path);
			covered[rows.items[i].offset + k] = true;
		}
	}
	for (size_t i = 0; i < ARRAY_COUNT(companions); i++) {
		for (size_t k = 0; k < companions[i].size; k++)
			covered[companions[i].offset + k] = true;
	}

	/* Padding is below eight bytes; a forgotten field in it could only be a few flags. */
	for (size_t i = 0; i < sizeof(PlatformSettings); i++) {
		gap = covered[i] ? 0 : gap + 1;
		cr_assert_lt(gap, 8, "no row for byte %zu", i);
	}
}

Test(settings_policy, finds_rows_with_and_without_prefix)
{
	const SettingRow *row = settings_policy_find("settings.uefi.secure_boot");

	cr_assert_not_null(row);
	cr_assert_str_eq(row->path, "uefi.secure_boot");
	cr_assert_str_eq(settings_policy_name(row->policy), "attested");
	cr_assert_null(settings_policy_find("uefi.nothing"));
	cr_assert_str_eq(settings_policy_name(SETTING_POLICY_COUNT), "unknown");
}

static const char *value_of(const char *path, const PlatformSettings *settings)
{
	Error err;
	const char *text =
		settings_policy_value(settings_policy_find(path), settings, arena, &err);

	cr_assert_not_null(text);
	return text;
}

Test(settings_policy, writes_values_as_text)
{
	PlatformSettings s = platform_settings_default();

	s.firmware = BOOT_LINUX;
	s.uefi.console = CONSOLE_COM2;
	s.uefi.diagnostics_log_level = 2;
	s.smbios.processor_id = UINT64_C(0x1234567890);
	s.smbios.max_speed = 3000;
	s.smbios.voltage = 0x8c;
	s.bios_guid.bytes[0] = 0x12;
	s.firmware_image = (Image){ .place = IMAGE_IN_PLACE, .gpa = 0x100000, .len = 8192 };

	cr_assert_str_eq(value_of("firmware", &s), "linux_direct");
	cr_assert_str_eq(value_of("uefi.console", &s), "com2");
	cr_assert_str_eq(value_of("uefi.diagnostics_log_level", &s), "2");
	cr_assert_str_eq(value_of("smbios.processor_id", &s), "78187493520");
	cr_assert_str_eq(value_of("smbios.max_speed", &s), "3000");
	cr_assert_str_eq(value_of("smbios.voltage", &s), "140");
	cr_assert_str_eq(value_of("smbios.bios_lock", &s), "0 bytes");
	cr_assert_str_eq(value_of("bios_guid", &s), "00000012-0000-0000-0000-000000000000");
	cr_assert_str_eq(value_of("firmware_image", &s), "in place at 0x100000, 8192 bytes");
	cr_assert_str_eq(value_of("linux_direct.kernel", &s), "absent");
	cr_assert_str_eq(value_of("pcat.boot_order", &s), "floppy optical hard_drive network");
	cr_assert_str_eq(value_of("chipset.generation_id", &s), "none");
	cr_assert_str_eq(value_of("servicing", &s), "false");
	s.chipset.generation_id[15] = 1;
	s.firmware = (BootKind)77;
	s.pcat.boot_order[1] = (PcatBootDevice)9;
	cr_assert_str_eq(value_of("chipset.generation_id", &s), "given");
	cr_assert_str_eq(value_of("firmware", &s), "77");
	cr_assert_str_eq(value_of("pcat.boot_order", &s), "floppy unknown hard_drive network");
}

Test(settings_policy, tells_when_memory_is_short)
{
	Arena *small = arena_new(64);
	PlatformSettings in = good_settings(), out;
	SettingsClampList clamps;
	Error err;

	in.uefi.memory_protection = MEMORY_PROTECTION_DISABLED;
	cr_assert_not(settings_apply_policy(&in, ISOLATION_SNP, small, &out, &clamps, &err));
	cr_assert_eq(err.diagnostic, PVW_MEM_0001);
	arena_free(small);
}

/* It is told by the boot tree, before anybody asks for settings. */
Test(settings_policy, keeps_hosts_from_describing_the_machine_of_an_isolated_guest)
{
	static const struct {
		const char *path;
		ArmMachineSettings arm;
	} cases[] = {
		{ "settings.linux_direct.arm.psci", { .psci = PSCI_SMC } },
		{ "settings.linux_direct.arm.com1.address", { .com1.address = 0x9000000 } },
		{ "settings.linux_direct.arm.com2.intid", { .com2.intid = 33 } },
		{ "settings.linux_direct.arm.timers.virt", { .timers.virt = 27 } },
		{ "settings.linux_direct.arm.gic.distributor",
			{ .gic.distributor = UINT64_C(0x100000000) } },
		{ "settings.linux_direct.arm.gic.v2m_spi_count", { .gic.v2m_spi_count = 1 } },
		{ "settings.linux_direct.arm.no_hypervisor", { .no_hypervisor = true } },
	};

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		PlatformSettings settings = platform_settings_default();

		settings.uefi.measure_additional_pcrs = true;
		settings.linux_direct.arm = cases[i].arm;
		assert_refused(&settings, cases[i].path, "expected");
	}
}
