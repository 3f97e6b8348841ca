/*
 * Addresses, sockets, folders, peers.
 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "support/diagnostics.h"
#include "worker/stream.h"

static char folder[32];

static void make_folder(void)
{
	strcpy(folder, "/tmp/pvw-XXXXXX");
	cr_assert_not_null(mkdtemp(folder));
}

static void remove_folder(void)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -rf %s", folder);
	cr_assert_eq(system(command), 0);
}

static StreamAddress at(const char *name)
{
	StreamAddress address = { .kind = STREAM_UNIX };

	snprintf(address.path, sizeof(address.path), "%s/%s", folder, name);
	return address;
}

Test(stream, parses_addresses_to_listen_on)
{
	StreamAddress a;
	char text[STREAM_TEXT_SIZE];
	Error err;

	cr_assert(stream_parse_listen("unix:/run/pvw/s", &a, &err));
	cr_assert(a.kind == STREAM_UNIX && strcmp(a.path, "/run/pvw/s") == 0);
	stream_format(&a, text);
	cr_assert_str_eq(text, "unix:/run/pvw/s");
	cr_assert(stream_parse_listen("vsock:4294967295", &a, &err));
	cr_assert(a.kind == STREAM_VSOCK && a.port == UINT32_MAX);
	stream_format(&a, text);
	cr_assert_str_eq(text, "vsock:4294967295");
	cr_assert(stream_parse_listen("fd:3", &a, &err));
	cr_assert(a.kind == STREAM_FD && a.fd == 3);
	stream_format(&a, text);
	cr_assert_str_eq(text, "fd:3");
}

Test(stream, parses_addresses_to_dial)
{
	StreamAddress a;
	char text[STREAM_TEXT_SIZE];
	Error err;

	cr_assert(stream_parse_dial("vsock:2:1024", &a, &err));
	cr_assert(a.kind == STREAM_VSOCK && a.cid == 2 && a.port == 1024);
	stream_format(&a, text);
	cr_assert_str_eq(text, "vsock:2:1024");
}

Test(stream, refuses_what_is_no_address)
{
	const char *const listen[] = { "", "x", "unix:", "/path", "tcp:1", "vsock:", "vsock:x",
		"vsock:1:2", "vsock:4294967296", "vsock:-1", "vsock: 1", "fd:", "fd:-1",
		"fd:3x", "fd:2147483648" };
	const char *const dial[] = { "vsock:1", "vsock:1:", "vsock::1", "vsock:1:2:3",
		"unix:" };
	char deep[256] = "unix:/";
	StreamAddress a;
	Error err;

	for (size_t i = 0; i < ARRAY_COUNT(listen); i++) {
		cr_assert_not(stream_parse_listen(listen[i], &a, &err), "%s", listen[i]);
		cr_assert_eq(err.diagnostic, PVW_RPC_0031);
	}
	for (size_t i = 0; i < ARRAY_COUNT(dial); i++) {
		cr_assert_not(stream_parse_dial(dial[i], &a, &err), "%s", dial[i]);
		cr_assert_eq(err.diagnostic, PVW_RPC_0031);
	}
	memset(deep + 6, 'x', 150);
	cr_assert_not(stream_parse_listen(deep, &a, &err));
	cr_assert_not_null(strstr(err.text, "107"), "%s", err.text);
}

Test(stream, sockets_are_for_their_owner_alone, .init = make_folder, .fini = remove_folder)
{
	const StreamAddress address = at("made/socket");
	StreamListener listener;
	struct stat info;
	char made[64];
	Error err;

	cr_assert(stream_listen(&address, &listener, &err), "%s", err.text);
	cr_assert_eq(stat(address.path, &info), 0);
	cr_assert_eq(info.st_mode & 07777, 0600);
	snprintf(made, sizeof(made), "%s/made", folder);
	cr_assert_eq(stat(made, &info), 0);
	cr_assert_eq(info.st_mode & 07777, 0700);
	cr_assert(fcntl(listener.fd, F_GETFL) & O_NONBLOCK);
	cr_assert(fcntl(listener.fd, F_GETFD) & FD_CLOEXEC);
	stream_close_listener(&listener);
	cr_assert_neq(access(address.path, F_OK), 0, "unlinked at the end");
}

Test(stream, folders_that_others_may_write_to_are_refused, .init = make_folder,
	.fini = remove_folder)
{
	const mode_t modes[] = { 0770, 0707, 01777, 0720 };
	const StreamAddress address = at("socket");
	StreamListener listener;
	Error err;

	for (size_t i = 0; i < ARRAY_COUNT(modes); i++) {
		cr_assert_eq(chmod(folder, modes[i]), 0);
		cr_assert_not(stream_listen(&address, &listener, &err));
		cr_assert_eq(err.diagnostic, PVW_RPC_0033);
		cr_assert_not_null(strstr(err.text, "mode"), "%s", err.text);
	}
	cr_assert_eq(chmod(folder, 0755), 0);
	cr_assert(stream_listen(&address, &listener, &err), "%s", err.text);
	stream_close_listener(&listener);
}

Test(stream, folders_of_strangers_are_refused, .init = make_folder, .fini = remove_folder)
{
	const StreamAddress address = at("socket");
	StreamListener listener;
	Error err;

	if (geteuid() != 0)
		cr_skip("giving a folder away needs root");
	cr_assert_eq(chown(folder, 12345, 12345), 0);
	cr_assert_not(stream_listen(&address, &listener, &err));
	cr_assert_eq(err.diagnostic, PVW_RPC_0033);
	cr_assert_not_null(strstr(err.text, "12345"), "%s", err.text);
}

Test(stream, a_stale_socket_is_replaced, .init = make_folder, .fini = remove_folder)
{
	const StreamAddress address = at("socket");
	StreamListener old, new;
	Error err;

	cr_assert(stream_listen(&address, &old, &err));
	close(old.fd); /* as if its process had been killed */
	usleep(50000); /* inode numbers are used again, times are not */
	cr_assert(stream_listen(&address, &new, &err), "%s", err.text);

	/* The old one must not take the new one's socket away. */
	old.fd = -1;
	stream_close_listener(&old);
	cr_assert_eq(access(address.path, F_OK), 0);
	stream_close_listener(&new);
}

Test(stream, a_socket_that_answers_is_left_alone, .init = make_folder, .fini = remove_folder)
{
	const StreamAddress address = at("socket");
	StreamListener first, second;
	Error err;

	cr_assert(stream_listen(&address, &first, &err));
	cr_assert_not(stream_listen(&address, &second, &err));
	cr_assert_eq(err.diagnostic, PVW_RPC_0034);
	cr_assert_not_null(strstr(err.text, "in use"), "%s", err.text);
	cr_assert_eq(access(address.path, F_OK), 0);
	stream_close_listener(&first);
}

Test(stream, files_and_links_are_left_alone, .init = make_folder, .fini = remove_folder)
{
	const StreamAddress file = at("file"), link = at("link");
	StreamListener listener;
	Error err;

	close(open(file.path, O_CREAT | O_WRONLY, 0600));
	cr_assert_eq(symlink("/tmp/elsewhere", link.path), 0);
	cr_assert_not(stream_listen(&file, &listener, &err));
	cr_assert_eq(err.diagnostic, PVW_RPC_0035);
	cr_assert_not_null(strstr(err.text, "no socket"), "%s", err.text);
	cr_assert_not(stream_listen(&link, &listener, &err));
	cr_assert_eq(err.diagnostic, PVW_RPC_0035);
	cr_assert_eq(access(file.path, F_OK), 0);
}

Test(stream, a_folder_that_cannot_be_made_is_an_error)
{
	StreamAddress address = { .kind = STREAM_UNIX, .path = "/nonexistent/deep/socket" };
	StreamListener listener;
	Error err;

	cr_assert_not(stream_listen(&address, &listener, &err));
	cr_assert_eq(err.diagnostic, PVW_RPC_0032);
	cr_assert_not_null(strstr(err.text, "unix:/nonexistent/deep/socket"), "%s", err.text);
}

Test(stream, dials_what_listens, .init = make_folder, .fini = remove_folder)
{
	const StreamAddress address = at("socket");
	StreamListener listener;
	StreamPeer peer;
	int fd, accepted;
	Error err;

	cr_assert_not(stream_dial(&address, &fd, &err));
	cr_assert_eq(err.diagnostic, PVW_RPC_0032);
	cr_assert(stream_listen(&address, &listener, &err));
	cr_assert(stream_dial(&address, &fd, &err), "%s", err.text);
	accepted = accept(listener.fd, NULL, NULL);
	cr_assert_geq(accepted, 0);
	cr_assert(stream_peer(accepted, &peer, &err), "%s", err.text);
	cr_assert_eq(peer.kind, STREAM_UNIX);
	cr_assert_eq(peer.uid, geteuid());
	cr_assert_eq(peer.pid, getpid());
	cr_assert(stream_peer_may_connect(&peer, NULL, 0, &err));
	close(fd);
	close(accepted);
	stream_close_listener(&listener);
}

Test(stream, inherited_descriptors_are_recognised)
{
	const struct sockaddr_un nameless = { .sun_family = AF_UNIX };
	StreamAddress address = { .kind = STREAM_FD };
	StreamListener listener;
	int pair[2], fd;
	Error err;

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	address.fd = pair[0];
	cr_assert(stream_listen(&address, &listener, &err), "%s", err.text);
	cr_assert(listener.is_connected);
	cr_assert(fcntl(pair[0], F_GETFL) & O_NONBLOCK);
	cr_assert(stream_dial(&address, &fd, &err));
	close(fd);
	stream_close_listener(&listener);
	close(pair[1]);

	address.fd = socket(AF_UNIX, SOCK_STREAM, 0);
	cr_assert_eq(
		bind(address.fd, (const struct sockaddr *)&nameless, sizeof(sa_family_t)), 0);
	cr_assert_eq(listen(address.fd, 1), 0);
	cr_assert(stream_listen(&address, &listener, &err));
	cr_assert_not(listener.is_connected);
	stream_close_listener(&listener);
}

Test(stream, descriptors_that_are_no_streams_are_refused)
{
	StreamAddress address = { .kind = STREAM_FD, .fd = 777 };
	StreamListener listener;
	int fd;
	Error err;

	cr_assert_not(stream_listen(&address, &listener, &err));
	cr_assert_eq(err.diagnostic, PVW_RPC_0032);
	cr_assert_not_null(strstr(err.text, "fd:777"), "%s", err.text);
	cr_assert_not(stream_dial(&address, &fd, &err));
	cr_assert_eq(err.diagnostic, PVW_RPC_0032);
	address.fd = open("/dev/null", O_RDWR);
	cr_assert_not(stream_listen(&address, &listener, &err));
	cr_assert_eq(err.diagnostic, PVW_RPC_0032);
	address.fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	cr_assert_not(stream_listen(&address, &listener, &err));
	cr_assert_eq(err.diagnostic, PVW_RPC_0032);
}

Test(stream, a_descriptor_without_a_peer_is_refused)
{
	StreamPeer peer;
	Error err;

	cr_assert_not(stream_peer(socket(AF_UNIX, SOCK_STREAM, 0), &peer, &err));
	cr_assert_eq(err.diagnostic, PVW_RPC_0029);
	cr_assert_not_null(strstr(err.text, "no peer"), "%s", err.text);
}

Test(stream, strangers_may_not_connect)
{
	const uint32_t users[] = { 1001, 1002 };
	StreamPeer peer = { .kind = STREAM_UNIX, .uid = 1002 };
	Error err;

	cr_assert(stream_peer_may_connect(&peer, users, 2, &err));
	peer.uid = 1003;
	cr_assert_not(stream_peer_may_connect(&peer, users, 2, &err));
	cr_assert_eq(err.diagnostic, PVW_RPC_0029);
	cr_assert_not_null(strstr(err.text, "1003"));
	peer.uid = 0;
	cr_assert(stream_peer_may_connect(&peer, NULL, 0, &err));
}

Test(stream, over_vsock_the_host_alone_may_connect)
{
	StreamPeer peer = { .kind = STREAM_VSOCK, .cid = 2 };
	Error err;

	cr_assert(stream_peer_may_connect(&peer, NULL, 0, &err));
	for (uint32_t cid = 0; cid < 8; cid++) {
		if (cid == 2)
			continue;
		peer.cid = cid;
		cr_assert_not(stream_peer_may_connect(&peer, NULL, 0, &err));
		cr_assert_eq(err.diagnostic, PVW_RPC_0029);
	}
}

Test(stream, listens_on_vsock)
{
	const StreamAddress address = {
		.kind = STREAM_VSOCK, .cid = UINT32_MAX, .port = 51234
	};
	StreamListener listener;
	Error err;

	if (socket(AF_VSOCK, SOCK_STREAM, 0) < 0)
		cr_skip("this machine has no vsock");
	cr_assert(stream_listen(&address, &listener, &err), "%s", err.text);
	cr_assert_not(stream_listen(&address, &listener, &err));
	cr_assert_eq(err.diagnostic, PVW_RPC_0032);
	cr_assert_not_null(strstr(err.text, "vsock:51234"), "%s", err.text);
	stream_close_listener(&listener);
}
