/*
 * The run functions of all commands; the rows that name them stand in commands.c.
 */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "host/command.h"

/** cli_program - pvw itself; static */
const Program *cli_program(void);

ExitStatus command_serve(const Invocation *invocation);
ExitStatus command_plan(const Invocation *invocation);
ExitStatus command_layout(const Invocation *invocation);
ExitStatus command_map(const Invocation *invocation);
ExitStatus command_mtrr(const Invocation *invocation);
ExitStatus command_boot_tree(const Invocation *invocation);
ExitStatus command_acpi(const Invocation *invocation);
ExitStatus command_igvm(const Invocation *invocation);
ExitStatus command_artifact(const Invocation *invocation);
ExitStatus command_check(const Invocation *invocation);
ExitStatus command_explain(const Invocation *invocation);
ExitStatus command_fixture(const Invocation *invocation);
ExitStatus command_call(const Invocation *invocation);
ExitStatus command_doctor(const Invocation *invocation);
ExitStatus command_completion(const Invocation *invocation);
ExitStatus command_version(const Invocation *invocation);

#endif
