/*
 * The host's settings document.
 */
#include "host/settings_json.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define V2_SMBIOS                                                                              \
	"\"Smbios\": {\"SystemManufacturer\": \"m\", \"SystemProductName\": \"p\","            \
	"\"SystemVersion\": \"v\", \"SystemSKUNumber\": \"s\", \"SystemFamily\": \"f\","       \
	"\"BiosLockString\": \"l\", \"MemoryDeviceSerialNumber\": \"d\"}"
#define STATIC                                                                                 \
	"\"LegacyMemoryMap\": true, \"PauseAfterBootFailure\": true, \"PxeIpV6\": true,"       \
	"\"MeasureAdditionalPcrs\": true, \"DisableFrontpage\": true,"                         \
	"\"DisableSha384Pcr\": true, \"MediaPresentEnabledByDefault\": true,"                  \
	"\"MemoryProtectionMode\": 3, \"VpciBootEnabled\": true, \"NumLockEnabled\": true,"    \
	"\"VmbusRedirectionEnabled\": true, \"NoPersistentSecrets\": true,"                    \
	"\"WatchdogEnabled\": true, " V2_SMBIOS
#define DYNAMIC                                                                                \
	"\"NvdimmCount\": 7, \"EnablePsp\": true, \"GenerationIdLow\": 18446744073709551615,"  \
	"\"GenerationIdHigh\": 1, \"IsServicingScenario\": true, \"Smbios\": {"                \
	"\"ProcessorManufacturer\": \"YWI=\", \"ProcessorVersion\": \"\","                     \
	"\"ProcessorID\": \"0xffffffffffffffff\", \"ExternalClock\": 1, \"MaxSpeed\": 2,"      \
	"\"CurrentSpeed\": 3, \"ProcessorCharacteristics\": 4, \"ProcessorFamily2\": 5,"       \
	"\"ProcessorType\": 6, \"Voltage\": 7, \"Status\": 8, \"ProcessorUpgrade\": 9}"
#define V2(more_static, more_dynamic)                                                          \
	"{\"V2\": {\"Static\": {" STATIC more_static "}, \"Dynamic\": {" DYNAMIC more_dynamic  \
	"}}}"

static Arena *arena;
static Error err;
static Diagnostics findings;
static SettingsDocument document;

static void setup(void)
{
	arena = arena_new((size_t)1024 * 1024);
	err = (Error){ 0 };
	cr_assert(diagnostics_init(&findings, 8, arena, &err));
}

static void teardown(void)
{
	arena_free(arena);
}

TestSuite(settings_json, .init = setup, .fini = teardown);

static bool read_text(const char *text)
{
	const Bytes bytes = { (const uint8_t *)text, strlen(text) };

	return settings_json_read(bytes, "settings", arena, &document, &findings, &err);
}

static void assert_refused(
	const char *text, uint16_t diagnostic, const char *source, const char *word)
{
	err = (Error){ 0 };
	cr_assert_not(read_text(text), "%s", text);
	cr_assert_eq(err.diagnostic, diagnostic, "%s: %s", text, err.text);
	cr_assert_str_eq(err.source, source, "%s", text);
	cr_assert_not_null(strstr(err.text, word), "%s: %s", text, err.text);
}

Test(settings_json, takes_an_empty_document_for_the_defaults)
{
	cr_assert(read_text("{}"), "%s", err.text);

	cr_assert_eq(document.settings->firmware, 0);
	cr_assert_eq(document.settings->uefi->console, 0);
	cr_assert_null(document.settings->linux_direct);
	cr_assert_null(document.settings->bios_guid);
	cr_assert_not(document.plan.has_mtrr);
	cr_assert_not(document.plan.has_acpi);
	cr_assert_eq(document.plan.layout_version, 0);
	cr_assert_eq(document.channels.count, 0);
	cr_assert_not(document.has_relay_devices);
	cr_assert_eq(findings.count, 0);
}

Test(settings_json, reads_every_member_of_v1)
{
	const Pvw__V1__DevicePlatformSettings *s;

	cr_assert(
		read_text("{\"V1\": {\"SecureBootEnabled\": true, \"SecureBootTemplateId\": "
			  "\"MicrosoftUEFICertificateAuthority\", \"EnableBattery\": true,"
			  "\"EnableProcessorIdle\": true, \"EnableTpm\": true, \"Com1\": "
			  "{\"EnablePort\": true}, \"Com2\": {\"DebuggerMode\": true},"
			  "\"BiosGuid\": \"00112233-4455-6677-8899-aabbccddeeff\","
			  "\"ConsoleMode\": 2, \"EnableFirmwareDebugging\": true,"
			  "\"EnableHibernation\": true, \"SerialNumber\": \"a\","
			  "\"BaseBoardSerialNumber\": \"bb\", \"ChassisSerialNumber\": \"ccc\","
			  "\"ChassisAssetTag\": \"dddd\"}}"),
		"%s", err.text);

	s = document.settings;
	cr_assert(s->uefi->secure_boot && s->uefi->firmware_debugging && s->uefi->hibernation);
	cr_assert_eq(s->uefi->secure_boot_template,
		PVW__V1__SECURE_BOOT_TEMPLATE__SECURE_BOOT_TEMPLATE_MICROSOFT_UEFI_CA);
	cr_assert_eq(s->uefi->console, PVW__V1__CONSOLE_MODE__CONSOLE_COM2);
	cr_assert(s->chipset->battery && s->chipset->processor_idle && s->chipset->tpm);
	cr_assert(s->chipset->com1 && !s->chipset->com1_debugger);
	cr_assert(!s->chipset->com2 && s->chipset->com2_debugger);
	cr_assert_eq(s->bios_guid->le.len, 16);
	cr_assert_eq(memcmp(s->bios_guid->le.data, "\x33\x22\x11\x00\x55\x44", 6), 0);
	cr_assert_eq(s->smbios->serial_number.len, 1);
	cr_assert_eq(s->smbios->base_board_serial.len, 2);
	cr_assert_eq(s->smbios->chassis_serial.len, 3);
	cr_assert_eq(memcmp(s->smbios->chassis_asset_tag.data, "dddd", 4), 0);
}

Test(settings_json, reads_every_member_of_v2)
{
	const Pvw__V1__DevicePlatformSettings *s;

	cr_assert(read_text(V2(
			  ", \"DefaultBootAlwaysAttempt\": true, \"VpciInstanceFilter\": null,"
			  "\"PcatBootDeviceOrder\": [\"Network\", \"Floppy\", \"Optical\","
			  "\"HardDrive\"], \"Vtl2Settings\": \"AAEC\", \"FirmwareModeIsPcat\": "
			  "true,"
			  "\"AlwaysRelayHostMmio\": true, \"ImcEnabled\": true,"
			  "\"CxlMemoryEnabled\": true, \"GuestStateLifetime\": \"Default\","
			  "\"EfiDiagnosticsLogLevel\": 2, \"ForceDmaBounceEnabled\": true",
			  ", \"AcpiTables\": [\"AA==\", \"AAA=\"]")),
		"%s", err.text);

	s = document.settings;
	cr_assert(s->uefi->legacy_memory_map && s->uefi->pause_after_boot_failure &&
		s->uefi->pxe_ip_v6 && s->uefi->measure_additional_pcrs &&
		s->uefi->disable_frontpage && s->uefi->disable_sha384_pcr &&
		s->uefi->media_present_by_default && s->uefi->default_boot_always_attempt &&
		s->uefi->vpci_boot && s->uefi->no_persistent_secrets && s->uefi->watchdog &&
		s->uefi->imc && s->uefi->cxl_memory && s->uefi->force_dma_bounce);
	cr_assert_eq(s->uefi->memory_protection,
		PVW__V1__MEMORY_PROTECTION__MEMORY_PROTECTION_RELAXED);
	cr_assert_null(s->uefi->vpci_instance_filter);
	cr_assert_eq(s->uefi->diagnostics_log_level, 2);
	cr_assert_eq(s->firmware, PVW__V1__FIRMWARE_KIND__FIRMWARE_PCAT);
	cr_assert_eq(s->pcat->n_boot_order, 4);
	cr_assert_eq(s->pcat->boot_order[0], PVW__V1__PCAT_BOOT_DEVICE__PCAT_BOOT_NETWORK);
	cr_assert_eq(s->pcat->boot_order[3], PVW__V1__PCAT_BOOT_DEVICE__PCAT_BOOT_HARD_DRIVE);
	cr_assert(s->pcat->num_lock && s->servicing);
	cr_assert_eq(s->vtl2_settings.len, 3);
	cr_assert_eq(s->n_acpi_tables, 2);
	cr_assert_eq(s->acpi_tables[1].len, 2);
	cr_assert(s->chipset->vmbus_redirection && s->chipset->always_relay_host_mmio &&
		s->chipset->psp);
	cr_assert_eq(s->chipset->nvdimm_count, 7);
	cr_assert_eq(s->chipset->generation_id.len, 16);
	cr_assert_eq(memcmp(s->chipset->generation_id.data,
			     "\xff\xff\xff\xff\xff\xff\xff\xff\x01\0\0\0\0\0\0\0", 16),
		0);
	cr_assert_eq(s->smbios->system_sku.data[0], 's');
	cr_assert_eq(s->smbios->bios_lock.data[0], 'l');
	cr_assert_eq(s->smbios->processor_manufacturer.len, 2);
	cr_assert_eq(s->smbios->processor_version.len, 0);
	cr_assert_eq(s->smbios->processor_id, UINT64_MAX);
	cr_assert_eq(s->smbios->processor_family2, 5);
	cr_assert_eq(s->smbios->processor_upgrade, 9);
	cr_assert_eq(findings.count, 0);
}

Test(settings_json, reads_what_a_pc_has)
{
	cr_assert(read_text("{\"Pvw\": {\"Linux\": {\"Pic\": true, \"Pit\": true}}}"), "%s",
		err.text);
	cr_assert(document.settings->chipset->pic && document.settings->chipset->pit);

	cr_assert(read_text("{\"Pvw\": {\"Linux\": {\"Pit\": true}}}"), "%s", err.text);
	cr_assert(!document.settings->chipset->pic && document.settings->chipset->pit);
}

Test(settings_json, reads_the_machine_of_an_aarch64_kernel)
{
	const Pvw__V1__ArmMachine *arm;

	cr_assert(
		read_text("{\"Pvw\": {\"Linux\": {\"Hardware\": \"device-tree\", \"Arm\": "
			  "{\"Psci\": \"smc\", \"Com1\": {\"Address\": \"0x9000000\", "
			  "\"Interrupt\": 33}, \"Com2\": {\"Address\": 4096, \"Interrupt\": "
			  "40}, \"Timers\": {\"Secure\": 29, \"Physical\": 30, \"Virtual\": "
			  "27, \"Hypervisor\": 26}, \"Gic\": {\"Distributor\": \"0x8000000\", "
			  "\"Redistributors\": \"0x80a0000\", \"CpuInterface\": 8192, \"Its\": "
			  "12288, \"V2m\": 16384, \"V2mSpiBase\": 64, \"V2mSpiCount\": 8}, "
			  "\"NoHypervisor\": true}}}}"),
		"%s", err.text);

	cr_assert_eq(document.settings->linux_direct->hardware,
		PVW__V1__LINUX_HARDWARE__LINUX_HARDWARE_DEVICE_TREE);
	arm = document.settings->linux_direct->arm;
	cr_assert_eq(arm->psci, PVW__V1__PSCI_CONDUIT__PSCI_SMC);
	cr_assert_eq(arm->com1->address, 0x9000000);
	cr_assert_eq(arm->com1->intid, 33);
	cr_assert_eq(arm->com2->address, 4096);
	cr_assert_eq(arm->com2->intid, 40);
	cr_assert_eq(arm->timers->secure, 29);
	cr_assert_eq(arm->timers->physical, 30);
	cr_assert_eq(arm->timers->virt, 27);
	cr_assert_eq(arm->timers->hypervisor, 26);
	cr_assert_eq(arm->gic->distributor, 0x8000000);
	cr_assert_eq(arm->gic->redistributors, 0x80a0000);
	cr_assert_eq(arm->gic->cpu_interface, 8192);
	cr_assert_eq(arm->gic->its, 12288);
	cr_assert_eq(arm->gic->v2m, 16384);
	cr_assert_eq(arm->gic->v2m_spi_base, 64);
	cr_assert_eq(arm->gic->v2m_spi_count, 8);
	cr_assert(arm->no_hypervisor);
}

Test(settings_json, knows_every_word_about_an_aarch64_machine)
{
	static const char *const wrong[] = {
		("{\"Pvw\": {\"Linux\": {\"Arm\": {\"Com1\": {\"Address\": 1, \"Interrupt\": "
		 "2, "
		 "\"Size\": 3}}}}}"),
		"{\"Pvw\": {\"Linux\": {\"Arm\": {\"Com2\": {\"Address\": 1}}}}}",
		"{\"Pvw\": {\"Linux\": {\"Arm\": {\"Timers\": {\"Virt\": 27}}}}}",
		"{\"Pvw\": {\"Linux\": {\"Arm\": {\"Gic\": {\"Version\": 3}}}}}",
		"{\"Pvw\": {\"Linux\": {\"Arm\": {\"Psci\": \"svc\"}}}}",
		"{\"Pvw\": {\"Linux\": {\"Hardware\": \"dt\"}}}",
	};

	for (size_t i = 0; i < ARRAY_COUNT(wrong); i++)
		cr_assert_not(read_text(wrong[i]), "%s", wrong[i]);
}

Test(settings_json, reads_every_member_of_pvw)
{
	const Pvw__V1__LinuxDirect *linux_direct;

	cr_assert(
		read_text(
			"{\"Pvw\": {\"Firmware\": \"linux\", \"Linux\": {\"Kernel\": "
			"{\"Start\": \"0x1000000\", \"Size\": 4096}, \"Initrd\": {\"Blob\": "
			"\"initrd\"}, \"CommandLine\": \"console=ttyS0\"}, \"FirmwareImage\": "
			"{\"Start\": 0, \"Size\": 1}, \"Mtrr\": \"hyperv\", \"AcpiProfile\": "
			"\"reference\", \"AcpiRecords\": \"typed\", \"LayoutVersion\": 1,"
			"\"RelayDevices\": 3, \"Channels\": [{\"InterfaceId\": "
			"\"00112233-4455-6677-8899-aabbccddeeff\", \"InstanceId\": "
			"\"00000000-0000-0000-0000-000000000001\", \"MmioMegabytes\": 8}]}}"),
		"%s", err.text);

	linux_direct = document.settings->linux_direct;
	cr_assert_eq(
		document.settings->firmware, PVW__V1__FIRMWARE_KIND__FIRMWARE_LINUX_DIRECT);
	cr_assert_eq(linux_direct->kernel->kind_case, PVW__V1__SOURCE__KIND_IN_PLACE);
	cr_assert_eq(linux_direct->kernel->in_place->start, 0x1000000);
	cr_assert_eq(linux_direct->kernel->in_place->size, 4096);
	cr_assert_str_eq(linux_direct->initrd->blob, "initrd");
	cr_assert_str_eq(linux_direct->command_line, "console=ttyS0");
	cr_assert_eq(document.settings->firmware_image->in_place->size, 1);
	cr_assert(document.plan.has_mtrr && document.plan.has_acpi);
	cr_assert_eq(document.plan.mtrr, MTRR_POLICY_HYPERV);
	cr_assert_eq(document.plan.acpi, ACPI_PROFILE_REFERENCE);
	cr_assert_eq(document.plan.layout_version, 1);
	cr_assert_eq(document.settings->uefi->acpi_records,
		PVW__V1__UEFI_ACPI_RECORDS__UEFI_ACPI_RECORDS_TYPED);
	cr_assert(document.has_relay_devices);
	cr_assert_eq(document.relay_devices, 3);
	cr_assert_eq(document.channels.count, 1);
	cr_assert_eq(document.channels.items[0].mmio_megabytes, 8);
	cr_assert_eq(document.channels.items[0].instance_id.bytes[15], 1);
}

Test(settings_json, lets_pvw_win_over_the_host_s_firmware)
{
	cr_assert(read_text("{\"V2\": {\"Static\": {" STATIC ", \"FirmwareModeIsPcat\": true},"
			    "\"Dynamic\": {" DYNAMIC "}}, \"Pvw\": {\"Firmware\": \"uefi\"}}"),
		"%s", err.text);

	cr_assert_eq(document.settings->firmware, PVW__V1__FIRMWARE_KIND__FIRMWARE_UEFI);
}

Test(settings_json, reports_what_it_does_not_know_in_the_host_s_part)
{
	cr_assert(read_text("{\"V1\": {\"Colour\": 1, \"Com1\": {\"Speed\": 2}}, \"V3\": {}}"));

	cr_assert_eq(findings.count, 3);
	cr_assert_eq(findings.items[0].what.diagnostic, PVW_JSON_0004);
	cr_assert_str_eq(findings.items[0].what.source, "settings.V3");
	cr_assert_str_eq(findings.items[1].what.source, "settings.V1.Colour");
	cr_assert_str_eq(findings.items[2].what.source, "settings.V1.Com1.Speed");
}

Test(settings_json, notes_what_is_set_without_effect)
{
	cr_assert(read_text("{\"V1\": {\"Com1\": {\"EnableVmbusRedirector\": true},"
			    "\"Com2\": {\"EnableVmbusRedirector\": false}}}"));

	cr_assert_eq(findings.count, 1);
	cr_assert_eq(findings.items[0].what.diagnostic, PVW_JSON_0007);
	cr_assert_str_eq(
		findings.items[0].what.source, "settings.V1.Com1.EnableVmbusRedirector");
	cr_assert_not_null(strstr(findings.items[0].what.text, "no effect"));
}

Test(settings_json, takes_other_log_levels_for_the_default)
{
	cr_assert(read_text(V2(", \"EfiDiagnosticsLogLevel\": 3", "")));

	cr_assert_eq(document.settings->uefi->diagnostics_log_level, 0);
}

Test(settings_json, refuses_bad_documents)
{
	assert_refused("", PVW_JSON_0001, "settings", "JSON");
	assert_refused("{} x", PVW_JSON_0001, "settings", "line 1");
	assert_refused("{\"V1\": {}, \"V1\": {}}", PVW_JSON_0001, "settings", "uplicate");
	assert_refused("[]", PVW_JSON_0002, "settings", "an object");
	assert_refused("{\"V1\": 1}", PVW_JSON_0002, "settings.V1", "an integer 1");
	assert_refused("{\"V2\": {}}", PVW_JSON_0003, "settings.V2.Static", "missing");
	assert_refused("{\"V2\": {\"Static\": {}}}", PVW_JSON_0003,
		"settings.V2.Static.LegacyMemoryMap", "missing");
}

Test(settings_json, refuses_bad_values)
{
	assert_refused("{\"V1\": {\"EnableTpm\": 1}}", PVW_JSON_0002, "settings.V1.EnableTpm",
		"true or false");
	assert_refused("{\"V1\": {\"ConsoleMode\": 4}}", PVW_JSON_0002,
		"settings.V1.ConsoleMode", "0 to 0x3");
	assert_refused("{\"V1\": {\"ConsoleMode\": -1}}", PVW_JSON_0002,
		"settings.V1.ConsoleMode", "-1");
	assert_refused("{\"V1\": {\"ConsoleMode\": 1.0}}", PVW_JSON_0002,
		"settings.V1.ConsoleMode", "fraction");
	assert_refused("{\"V1\": {\"BiosGuid\": \"x\"}}", PVW_JSON_0002, "settings.V1.BiosGuid",
		"GUID");
	assert_refused("{\"V1\": {\"SerialNumber\": 5}}", PVW_JSON_0002,
		"settings.V1.SerialNumber", "a text");
	assert_refused("{\"V1\": {\"SecureBootTemplateId\": \"none\"}}", PVW_JSON_0002,
		"settings.V1.SecureBootTemplateId", "None, MicrosoftWindows");
	assert_refused(V2(", \"PcatBootDeviceOrder\": [\"Floppy\"]", ""), PVW_JSON_0002,
		"settings.V2.Static.PcatBootDeviceOrder", "4 devices");
	assert_refused(V2(", \"Vtl2Settings\": \"AAE\"", ""), PVW_JSON_0002,
		"settings.V2.Static.Vtl2Settings", "base64");
	assert_refused(V2(", \"GuestStateLifetime\": \"Long\"", ""), PVW_JSON_0002,
		"settings.V2.Static.GuestStateLifetime", "Ephemeral");
	assert_refused(V2("", ", \"AcpiTables\": {}"), PVW_JSON_0002,
		"settings.V2.Dynamic.AcpiTables", "an array");
}

Test(settings_json, refuses_what_it_does_not_know_in_pvw)
{
	assert_refused("{\"Pvw\": {\"Colour\": 1}}", PVW_JSON_0005, "settings.Pvw.Colour",
		"no such member");
	assert_refused("{\"Pvw\": {\"Linux\": {\"Dtb\": 1}}}", PVW_JSON_0005,
		"settings.Pvw.Linux.Dtb", "no such member");
	assert_refused("{\"Pvw\": {\"Mtrr\": \"all\"}}", PVW_JSON_0002, "settings.Pvw.Mtrr",
		"exact, hyperv");
	assert_refused("{\"Pvw\": {\"FirmwareImage\": {\"Start\": 1}}}", PVW_JSON_0002,
		"settings.Pvw.FirmwareImage", "Start and Size");
	assert_refused("{\"Pvw\": {\"Channels\": [{}]}}", PVW_JSON_0002,
		"settings.Pvw.Channels", "MmioMegabytes");
}

Test(settings_json, refuses_a_document_that_is_too_long)
{
	const size_t len = (size_t)8 * 1024 * 1024 + 1;
	char *text = malloc(len);

	memset(text, ' ', len);
	cr_assert_not(settings_json_read((Bytes){ (const uint8_t *)text, len }, "settings",
		arena, &document, &findings, &err));
	cr_assert_eq(err.diagnostic, PVW_JSON_0006);
	free(text);
}

Test(settings_json, survives_every_cut_of_a_document)
{
	static const char text[] = V2(", \"Vtl2Settings\": \"AAEC\"", "");

	for (size_t len = 0; len < sizeof(text) - 1; len++) {
		char *copy = malloc(len);

		memcpy(copy, text, len);
		arena_reset(arena);
		cr_assert(diagnostics_init(&findings, 8, arena, &err));
		cr_assert_not(settings_json_read((Bytes){ (const uint8_t *)copy, len },
			"settings", arena, &document, &findings, &err));
		free(copy);
	}
}
