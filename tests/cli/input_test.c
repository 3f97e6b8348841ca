/*
 * The INPUT grammar: options, fixtures and documents, and which of them wins.
 */
#include "cli/input.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/file.h"
#include "host/seed.h"

#define FIXTURES PVW_SOURCE_ROOT "/fixtures/"
#define FIXTURE FIXTURES "x64-uefi-4vp.cbor"

/* What the command under test leaves behind. */
static Arena *arena;
static Error err;
static Diagnostics findings;
static Input input;
static bool loaded;
static char tree[64], document[64];

static ExitStatus load(const Invocation *invocation)
{
	cr_assert(diagnostics_init(&findings, 8, arena, &err));
	err = (Error){ 0 };
	loaded = input_load(invocation, arena, &input, &findings, &err);
	return STATUS_DONE;
}

static const CommandRow commands[] = {
	{ .name = "load", .operands = "", .takes_input = true, .run = load },
	{ .name = NULL },
};

static const Program program = { .name = "test", .commands = commands, .input = input_options };

static void make_file(char *path, const void *data, size_t len)
{
	strcpy(path, "/tmp/pvw-input-XXXXXX");
	close(mkstemp(path));
	cr_assert(file_write(path, (Bytes){ data, len }, &err), "%s", err.text);
}

static void setup(void)
{
	Input fixture;

	unsetenv("PVW_SOCKET");
	arena = arena_new(INPUT_ARENA_LIMIT);
	cr_assert(input_read_fixture(FIXTURE, arena, &fixture, &err), "%s", err.text);
	make_file(tree, fixture.facts.boot_tree.data, fixture.facts.boot_tree.len);
	document[0] = 0;
}

static void teardown(void)
{
	unlink(tree);
	if (document[0])
		unlink(document);
	arena_free(arena);
}

TestSuite(input, .init = setup, .fini = teardown);

/* "load" and @words, split at blanks. */
static void run(const char *words)
{
	static char line[1024];
	static char name[] = "test", command[] = "load";
	char *argv[32] = { name, command };
	int argc = 2;

	snprintf(line, sizeof(line), "%s", words);
	for (char *word = strtok(line, " "); word; word = strtok(NULL, " "))
		argv[argc++] = word;
	cr_assert_eq(command_main(&program, argc, argv), STATUS_DONE, "%s", words);
}

static void run_tree(const char *more)
{
	char words[512];

	snprintf(words, sizeof(words), "--dtb %s %s", tree, more);
	run(words);
}

static void assert_loaded(void)
{
	cr_assert(loaded, "%s: %s", err.source, err.text);
}

static void assert_refused(uint16_t diagnostic, const char *word)
{
	cr_assert_not(loaded);
	cr_assert_eq(err.diagnostic, diagnostic, "%s", err.text);
	cr_assert_not_null(strstr(err.text, word), "%s", err.text);
}

Test(input, gives_a_tree_the_defaults)
{
	uint8_t entropy[ENTROPY_SIZE];

	run_tree("");

	assert_loaded();
	seed_entropy(0, entropy);
	cr_assert_eq(input.kind, INPUT_TREE);
	cr_assert_eq(input.facts.arch, GUEST_ARCH_X86_64);
	cr_assert_eq(input.facts.physical_address_bits, 46);
	cr_assert_eq(input.facts.vps_per_socket, 0);
	cr_assert(input.facts.x2apic);
	cr_assert_not(input.facts.smt);
	cr_assert_not(input.has_isolation);
	cr_assert_eq(input.config.settings.firmware, BOOT_UEFI);
	cr_assert_eq(input.config.settings.uefi.memory_protection, MEMORY_PROTECTION_DEFAULT);
	cr_assert_not(input.plan.request.has_mtrr);
	cr_assert_eq(memcmp(input.plan.entropy, entropy, sizeof(entropy)), 0);
}

Test(input, takes_every_option)
{
	run_tree("--firmware pcat --isolation vbs --phys-bits 40 --vps-per-socket 2 --smt "
		 "--no-x2apic --relay 3 --arch aarch64 --mtrr hyperv --acpi-profile reference "
		 "--layout-version 1 --seed 7");

	assert_loaded();
	cr_assert_eq(input.facts.arch, GUEST_ARCH_AARCH64);
	cr_assert_eq(input.facts.physical_address_bits, 40);
	cr_assert_eq(input.facts.vps_per_socket, 2);
	cr_assert(input.facts.smt);
	cr_assert_not(input.facts.x2apic);
	cr_assert(input.has_isolation);
	cr_assert_eq(input.isolation, ISOLATION_VBS);
	cr_assert_eq(input.config.settings.firmware, BOOT_PCAT);
	cr_assert_eq(input.config.relay_devices, 3);
	cr_assert(input.plan.request.has_mtrr && input.plan.request.has_acpi);
	cr_assert_eq(input.plan.request.mtrr, MTRR_POLICY_HYPERV);
	cr_assert_eq(input.plan.request.acpi, ACPI_PROFILE_REFERENCE);
	cr_assert_eq(input.plan.request.layout_version, 1);
}

Test(input, places_linux_in_guest_memory)
{
	run_tree("--firmware linux --kernel 0x1000000:0x800000 --initrd 0x2000000:0x1234 "
		 "--command-line quiet");

	assert_loaded();
	cr_assert_eq(input.config.settings.linux_direct.kernel.place, IMAGE_IN_PLACE);
	cr_assert_eq(input.config.settings.linux_direct.kernel.gpa, 0x1000000);
	cr_assert_eq(input.config.settings.linux_direct.kernel.len, 0x800000);
	cr_assert_eq(input.config.settings.linux_direct.initrd.len, 0x1234);
	cr_assert_eq(input.config.settings.linux_direct.command_line.len, 5);
}

Test(input, guesses_the_architecture_from_the_tree)
{
	Input other;

	cr_assert(input_read_fixture(FIXTURES "a64-uefi-1vp.cbor", arena, &other, &err));
	cr_assert(file_write(tree, other.facts.boot_tree, &err));

	run_tree("");

	assert_loaded();
	cr_assert_eq(input.facts.arch, GUEST_ARCH_AARCH64);
}

Test(input, takes_a_fixture_as_it_is)
{
	uint8_t entropy[ENTROPY_SIZE];

	run("--fixture " FIXTURE);

	assert_loaded();
	seed_entropy(1, entropy);
	cr_assert_eq(input.kind, INPUT_FIXTURE);
	cr_assert_str_eq(input.name, FIXTURE);
	cr_assert_eq(input.facts.stated_vps_count, 4);
	cr_assert_eq(input.facts.vps_per_socket, 4);
	cr_assert(input.plan.request.has_mtrr);
	cr_assert_eq(memcmp(input.plan.entropy, entropy, sizeof(entropy)), 0);
	cr_assert(input.fixture.expect.ok);
}

Test(input, plans_what_a_fixture_expects)
{
	InputResult result;

	run("--fixture " FIXTURE);
	assert_loaded();

	cr_assert(input_plan(&input, arena, &result, &findings, &err), "%s", err.text);
	cr_assert(digest_equal(result.prepared.plan.digest, input.fixture.expect.plan));
}

Test(input, lets_options_win_over_a_fixture)
{
	run("--fixture " FIXTURE " --mtrr hyperv --phys-bits 39 --relay 1 --entropy "
	    "00000000000000000000000000000000000000000000000000000000000000000000000000000000"
	    "0000000000000000000000000000000000000000000000fF");

	assert_loaded();
	cr_assert_eq(input.plan.request.mtrr, MTRR_POLICY_HYPERV);
	cr_assert_eq(input.facts.physical_address_bits, 39);
	cr_assert_eq(input.config.relay_devices, 1);
	cr_assert_eq(input.plan.entropy[0], 0);
	cr_assert_eq(input.plan.entropy[ENTROPY_SIZE - 1], 0xff);
}

Test(input, lets_options_win_over_a_document)
{
	static const char text[] =
		"{\"V1\": {\"EnableTpm\": true, \"Colour\": 1}, \"Pvw\": "
		"{\"Firmware\": \"pcat\", \"Mtrr\": \"hyperv\", \"RelayDevices\": "
		"5, \"LayoutVersion\": 1}}";
	char words[256];

	make_file(document, text, sizeof(text) - 1);
	snprintf(words, sizeof(words), "--settings %s --firmware uefi --mtrr exact", document);

	run_tree(words);

	assert_loaded();
	cr_assert(input.config.settings.chipset.tpm);
	cr_assert_eq(input.config.settings.firmware, BOOT_UEFI);
	cr_assert_eq(input.plan.request.mtrr, MTRR_POLICY_EXACT);
	cr_assert_eq(input.plan.request.layout_version, 1);
	cr_assert_eq(input.config.relay_devices, 5);
	cr_assert_eq(findings.count, 1);
	cr_assert_eq(findings.items[0].what.diagnostic, PVW_JSON_0004);
}

Test(input, names_the_file_of_a_bad_document)
{
	char words[256];

	make_file(document, "{\"Pvw\": {\"Colour\": 1}}", 22);
	snprintf(words, sizeof(words), "--settings %s", document);

	run_tree(words);

	assert_refused(PVW_JSON_0005, "no such member");
	cr_assert_not_null(strstr(err.source, document));
	cr_assert_not_null(strstr(err.source, "settings.Pvw.Colour"));
}

Test(input, refuses_a_fixture_that_is_none_with_file_and_offset)
{
	char words[128];

	snprintf(words, sizeof(words), "--fixture %s", tree);

	run(words);

	cr_assert_not(loaded);
	cr_assert_not_null(strstr(err.source, tree));
	cr_assert(err.has_offset);
}

Test(input, knows_a_worker_by_option_and_by_environment)
{
	run("--socket unix:/run/x");
	assert_loaded();
	cr_assert_eq(input.kind, INPUT_SOCKET);
	cr_assert_str_eq(input.name, "unix:/run/x");

	setenv("PVW_SOCKET", "unix:/run/y", 1);
	run("");
	assert_loaded();
	cr_assert_str_eq(input.name, "unix:/run/y");
	run("--fixture " FIXTURE);
	assert_loaded();
	cr_assert_eq(input.kind, INPUT_FIXTURE);
}

Test(input, refuses_none_two_and_what_is_not_read_yet)
{
	run("");
	assert_refused(PVW_INPUT_0001, "no input");
	run("--fixture a --dtb b");
	assert_refused(PVW_INPUT_0002, "--fixture and --dtb");
	run("--vm a");
	assert_refused(PVW_INPUT_0003, "--vm");
	run("--fixture " FIXTURE " --seed 1 --entropy 00");
	assert_refused(PVW_INPUT_0002, "--entropy and --seed");
}

typedef struct OptionCase {
	const char *words;
	uint16_t diagnostic;
	const char *source, *word;
} OptionCase;

static const OptionCase option_cases[] = {
	{ "--phys-bits 35", PVW_INPUT_0004, "--phys-bits", "36 to 52" },
	{ "--phys-bits 53", PVW_CLI_0001, "--phys-bits", "0x34" },
	{ "--entropy 00ff", PVW_INPUT_0004, "--entropy", "128 hexadecimal digits" },
	{ "--kernel 0x1000:", PVW_INPUT_0004, "--kernel", "GPA:SIZE" },
	{ "--kernel /nonexistent", PVW_CLI_0002, "/nonexistent", "No such file" },
	{ "--initrd 1:-5", PVW_INPUT_0004, "--initrd", "GPA:SIZE" },
	{ "--initrd 0x1000:99999999999999999999", PVW_INPUT_0004, "--initrd", "GPA:SIZE" },
	{ "--kernel 0x1000:0", PVW_MSG_0004, "settings.linux_direct.kernel", "0 bytes" },
	{ "--firmware bios", PVW_CLI_0001, "--firmware", "uefi, pcat" },
	{ "--isolation cca", PVW_CLI_0001, "--isolation", "snp, tdx" },
	{ "--seed x", PVW_CLI_0001, "--seed", "a number" },
};

Test(input, refuses_bad_options_and_names_them)
{
	for (size_t i = 0; i < ARRAY_COUNT(option_cases); i++) {
		const OptionCase *c = &option_cases[i];

		run_tree(c->words);
		cr_assert_not(loaded, "%s", c->words);
		cr_assert_eq(err.diagnostic, c->diagnostic, "%s: %s", c->words, err.text);
		cr_assert_str_eq(err.source, c->source, "%s", c->words);
		cr_assert_not_null(strstr(err.text, c->word), "%s: %s", c->words, err.text);
	}
}

Test(input, refuses_a_tree_of_another_isolation)
{
	InputResult result;

	run_tree("--isolation tdx");
	assert_loaded();

	cr_assert_not(input_plan(&input, arena, &result, &findings, &err));
	cr_assert_eq(err.diagnostic, PVW_SESSION_0002);
	cr_assert_not_null(strstr(err.text, "expected tdx"));
}

Test(input, refuses_parameters_and_pages_that_it_cannot_use)
{
	static const uint8_t data[4];
	const FixtureParameter unknown = { 0x308, { data, 4 } };
	Fixture fixture;
	Input other;

	run("--fixture " FIXTURE);
	fixture = input.fixture;
	fixture.parameters = (FixtureParameterList){ &unknown, 1 };
	cr_assert_not(input_from_fixture(&fixture, arena, &other, &err));
	cr_assert_eq(err.diagnostic, PVW_FIXTURE_0002);
	cr_assert_not_null(strstr(err.text, "0x308"));

	fixture = input.fixture;
	fixture.has_host_caps = fixture.host_caps.has_alias_base = true;
	cr_assert_not(input_from_fixture(&fixture, arena, &other, &err));
	cr_assert_eq(err.diagnostic, PVW_FIXTURE_0007);

	fixture = input.fixture;
	fixture.settings = (Bytes){ (const uint8_t *)"\xff", 1 };
	cr_assert_not(input_from_fixture(&fixture, arena, &other, &err));
	cr_assert_eq(err.diagnostic, PVW_FIXTURE_0002);
	cr_assert_not_null(strstr(err.text, "settings"));
}

Test(input, reads_files_up_to_their_bound)
{
	Bytes bytes;

	make_file(document, "12345", 5);
	cr_assert(file_read(document, 5, arena, &bytes, &err));
	cr_assert_eq(bytes.len, 5);
	cr_assert_not(file_read(document, 4, arena, &bytes, &err));
	cr_assert_eq(err.diagnostic, PVW_INPUT_0005);
	cr_assert_str_eq(err.source, document);
	cr_assert_not(file_read("/nonexistent", 4, arena, &bytes, &err));
	cr_assert_eq(err.diagnostic, PVW_CLI_0002);
	cr_assert_not(file_write("/nonexistent/x", bytes, &err));
	cr_assert_eq(err.diagnostic, PVW_CLI_0002);
}
