/*
 * pvw: the worker and its command line.
 */
#include "cli/commands.h"

int main(int argc, char **argv)
{
	return command_main(cli_program(), argc, argv);
}
