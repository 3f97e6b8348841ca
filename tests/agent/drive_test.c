/*
 * The conversation with a worker that answers what it should not.
 */
#include <criterion/criterion.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/drive.h"
#include "support/diagnostics.h"

#define HEADER 10

/* Answers every request with an empty message of its type. */
static _Noreturn void answer_with_nothing(int fd)
{
	static uint8_t body[64 * 1024];
	uint8_t frame[HEADER + 2] = { 0, 0, 0, 2, 0, 0, 0, 0, 2, 0, 0x12, 0x00 };

	for (;;) {
		uint8_t header[HEADER];
		size_t len;

		if (recv(fd, header, HEADER, MSG_WAITALL) != HEADER)
			_exit(0);
		len = (size_t)header[1] << 16 | (size_t)header[2] << 8 | header[3];
		if (len > sizeof(body) || recv(fd, body, len, MSG_WAITALL) != (ssize_t)len)
			_exit(1);
		memcpy(frame + 4, header + 4, 4);
		if (write(fd, frame, sizeof(frame)) < 0)
			_exit(1);
	}
}

Test(drive, refuses_boot_info_without_a_summary)
{
	static const uint8_t tree[64] = { 0 };
	Machine machine = MACHINE_NONE;
	Fixture fixture = { .boot_tree = { tree, sizeof(tree) } };
	Drive drive = { .fixture = &fixture,
		.machine = &machine,
		.arena = arena_new(1 << 20),
		.quiet = true };
	Error err = { 0 };
	char address[32];
	int ends[2];
	pid_t peer;

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	peer = fork();
	if (peer == 0)
		answer_with_nothing(ends[1]);
	snprintf(address, sizeof(address), "fd:%d", ends[0]);
	cr_assert(client_open(address, &drive.client, &err), "%s", err.text);

	cr_assert_not(drive_prepare(&drive, &err));

	cr_assert_eq(err.diagnostic, PVW_AGENT_0006);
	cr_assert_not_null(strstr(err.text, "no summary"), "%s", err.text);
	client_close(drive.client);
	arena_free(drive.arena);
	kill(peer, SIGKILL);
	waitpid(peer, NULL, 0);
}
