/*
 * The run functions of pvw-agent's commands; the rows that name them stand in main.c.
 */
#ifndef AGENT_COMMANDS_H
#define AGENT_COMMANDS_H

#include "host/command.h"

ExitStatus command_boot(const Invocation *invocation);
ExitStatus command_drive(const Invocation *invocation);
ExitStatus command_replay(const Invocation *invocation);

#endif
