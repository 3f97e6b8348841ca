/*
 * Sockets, opened with care.
 */
#include "worker/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <linux/vm_sockets.h>

#include "support/diagnostics.h"

#define BACKLOG 128

/*
 * Addresses.
 */

static bool refuse_address(const char *text, const char *expected, Error *err)
{
	return error_set(err, PVW_RPC_0031, "\"%s\", expected %s", text, expected);
}

/* A number up to @end, which receives where it stops; false if there is none or it is too large. */
static bool parse_u32(const char *text, char stop, const char **end, uint32_t *out)
{
	char *at;
	unsigned long long value;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	value = strtoull(text, &at, 10);
	if (errno || value > UINT32_MAX || *at != stop)
		return false;
	*out = (uint32_t)value;
	*end = at;
	return true;
}

static bool parse_path(const char *text, StreamAddress *address, Error *err)
{
	if (strlen(text) >= sizeof(address->path))
		return error_set(err, PVW_RPC_0031, "a path of %zu bytes, at most %d expected",
			strlen(text), STREAM_PATH_SIZE - 1);
	if (*text == '\0')
		return error_set(err, PVW_RPC_0031, "an empty path");
	address->kind = STREAM_UNIX;
	strcpy(address->path, text);
	return true;
}

static bool parse_fd(const char *text, StreamAddress *address, Error *err)
{
	const char *end;
	uint32_t fd;

	if (!parse_u32(text, '\0', &end, &fd) || fd > INT32_MAX)
		return refuse_address(text, "the number of a descriptor", err);
	address->kind = STREAM_FD;
	address->fd = (int)fd;
	return true;
}

static bool parse(const char *text, bool dial, StreamAddress *out, Error *err)
{
	StreamAddress address = { .fd = -1, .cid = VMADDR_CID_ANY };
	const char *end = text + 6;

	if (strncmp(text, "unix:", 5) == 0) {
		if (!parse_path(text + 5, &address, err))
			return false;
	} else if (strncmp(text, "fd:", 3) == 0) {
		if (!parse_fd(text + 3, &address, err))
			return false;
	} else if (strncmp(text, "vsock:", 6) == 0) {
		address.kind = STREAM_VSOCK;
		if (dial && !parse_u32(end, ':', &end, &address.cid))
			return refuse_address(text, "vsock:CID:PORT", err);
		if (!parse_u32(dial ? end + 1 : end, '\0', &end, &address.port))
			return refuse_address(
				text, dial ? "vsock:CID:PORT" : "vsock:PORT", err);
	} else {
		return refuse_address(text, "unix:, vsock: or fd:", err);
	}
	*out = address;
	return true;
}

bool stream_parse_listen(const char *text, StreamAddress *out, Error *err)
{
	return parse(text, /* dial= */ false, out, err);
}

bool stream_parse_dial(const char *text, StreamAddress *out, Error *err)
{
	return parse(text, /* dial= */ true, out, err);
}

void stream_format(const StreamAddress *address, char text[STREAM_TEXT_SIZE])
{
	if (address->kind == STREAM_UNIX)
		snprintf(text, STREAM_TEXT_SIZE, "unix:%s", address->path);
	else if (address->kind == STREAM_FD)
		snprintf(text, STREAM_TEXT_SIZE, "fd:%d", address->fd);
	else if (address->cid == VMADDR_CID_ANY)
		snprintf(text, STREAM_TEXT_SIZE, "vsock:%" PRIu32, address->port);
	else
		snprintf(text, STREAM_TEXT_SIZE, "vsock:%" PRIu32 ":%" PRIu32, address->cid,
			address->port);
}

static bool fail(const StreamAddress *address, const char *verb, Error *err)
{
	const int reason = errno;
	char text[STREAM_TEXT_SIZE];

	stream_format(address, text);
	return error_set(err, PVW_RPC_0032, "%s %s: %s", verb, text, strerror(reason));
}

typedef union SocketAddress {
	struct sockaddr any;
	struct sockaddr_un un;
	struct sockaddr_vm vm;
} SocketAddress;

static socklen_t socket_address(const StreamAddress *address, SocketAddress *out)
{
	memset(out, 0, sizeof(*out));
	if (address->kind == STREAM_UNIX) {
		out->un.sun_family = AF_UNIX;
		memcpy(out->un.sun_path, address->path, strlen(address->path));
		return sizeof(out->un);
	}
	out->vm.svm_family = AF_VSOCK;
	out->vm.svm_cid = address->cid;
	out->vm.svm_port = address->port;
	return sizeof(out->vm);
}

static int new_socket(const StreamAddress *address, int flags)
{
	const int family = address->kind == STREAM_UNIX ? AF_UNIX : AF_VSOCK;

	return socket(family, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
}

bool stream_dial(const StreamAddress *address, int *fd, Error *err)
{
	SocketAddress to;
	int opened;

	if (address->kind == STREAM_FD) {
		opened = fcntl(address->fd, F_DUPFD_CLOEXEC, 3);
		if (opened < 0)
			return fail(address, "use", err);
		*fd = opened;
		return true;
	}
	opened = new_socket(address, 0);
	if (opened < 0)
		return fail(address, "connect to", err);
	if (connect(opened, &to.any, socket_address(address, &to)) != 0) {
		fail(address, "connect to", err);
		close(opened);
		return false;
	}
	*fd = opened;
	return true;
}

/*
 * Listening on a path.
 */

static void folder_of(const char *path, char folder[STREAM_PATH_SIZE])
{
	const char *slash = strrchr(path, '/');

	strcpy(folder, slash ? path : ".");
	if (slash)
		folder[slash == path ? 1 : slash - path] = '\0';
}

/* Whoever may write to the folder can put another socket in the place of ours. */
static bool check_folder(const StreamAddress *address, Error *err)
{
	char folder[STREAM_PATH_SIZE];
	struct stat info;

	folder_of(address->path, folder);
	if (mkdir(folder, 0700) != 0 && errno != EEXIST)
		return fail(address, "make the folder of", err);
	if (stat(folder, &info) != 0)
		return fail(address, "look at the folder of", err);
	if (!S_ISDIR(info.st_mode)) {
		errno = ENOTDIR;
		return fail(address, "look at the folder of", err);
	}
	if (info.st_mode & (S_IWGRP | S_IWOTH))
		return error_set(err, PVW_RPC_0033,
			"%s has mode 0%o, expected none but its owner to write", folder,
			(unsigned)(info.st_mode & 07777));
	if (info.st_uid != geteuid() && info.st_uid != 0)
		return error_set(err, PVW_RPC_0033,
			"%s belongs to user %u, expected %u or root", folder,
			(unsigned)info.st_uid, (unsigned)geteuid());
	return true;
}

static bool somebody_answers(const StreamAddress *address)
{
	SocketAddress to;
	const int fd = new_socket(address, SOCK_NONBLOCK);
	const socklen_t len = socket_address(address, &to);
	bool answers;

	if (fd < 0)
		return true;
	/* A full backlog (EAGAIN) is somebody too. */
	answers = connect(fd, &to.any, len) == 0 || errno != ECONNREFUSED;
	close(fd);
	return answers;
}

/* Makes room at the path; only a socket that nobody answers on is removed. */
static bool clear_path(const StreamAddress *address, Error *err)
{
	struct stat info;

	if (lstat(address->path, &info) != 0)
		return errno == ENOENT || fail(address, "look at", err);
	if (!S_ISSOCK(info.st_mode))
		return error_set(err, PVW_RPC_0035, "%s is there and no socket", address->path);
	if (somebody_answers(address))
		return error_set(err, PVW_RPC_0034, "%s is in use", address->path);
	return unlink(address->path) == 0 || fail(address, "remove the old", err);
}

static const char *name_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* The folder stays open: what we may reach by path is less when we unlink. */
static bool keep_folder(const StreamAddress *address, StreamListener *out, Error *err)
{
	char folder[STREAM_PATH_SIZE];
	struct stat info;

	folder_of(address->path, folder);
	out->folder = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (out->folder < 0 ||
		fstatat(out->folder, name_of(address->path), &info, AT_SYMLINK_NOFOLLOW) != 0)
		return fail(address, "look at", err);
	out->dev = info.st_dev;
	out->ino = info.st_ino;
	out->changed = info.st_ctim;
	return true;
}

static bool bind_path(int fd, const StreamAddress *address, StreamListener *out, Error *err)
{
	SocketAddress to;
	const socklen_t len = socket_address(address, &to);
	const mode_t mask = umask(0177);
	const int bound = bind(fd, &to.any, len);
	const int reason = errno;

	umask(mask);
	errno = reason;
	if (bound != 0 || chmod(address->path, 0600) != 0)
		return fail(address, "listen on", err);
	return keep_folder(address, out, err);
}

static bool bind_vsock(int fd, const StreamAddress *address, Error *err)
{
	SocketAddress to;
	const socklen_t len = socket_address(address, &to);

	return bind(fd, &to.any, len) == 0 || fail(address, "listen on", err);
}

static bool listen_socket(const StreamAddress *address, StreamListener *out, Error *err)
{
	StreamListener listener = { .address = *address, .folder = -1 };

	if (address->kind == STREAM_UNIX &&
		(!check_folder(address, err) || !clear_path(address, err)))
		return false;
	listener.fd = new_socket(address, SOCK_NONBLOCK);
	if (listener.fd < 0)
		return fail(address, "listen on", err);
	if (address->kind == STREAM_UNIX ? !bind_path(listener.fd, address, &listener, err)
					 : !bind_vsock(listener.fd, address, err))
		goto fail;
	if (listen(listener.fd, BACKLOG) != 0) {
		fail(address, "listen on", err);
		goto fail;
	}
	*out = listener;
	return true;
fail:
	stream_close_listener(&listener);
	return false;
}

/* A descriptor from our parent: a listener, as from socket activation, or a connection. */
static bool take_inherited(const StreamAddress *address, StreamListener *out, Error *err)
{
	int type = 0, accepting = 0;
	socklen_t len = sizeof(type);

	if (getsockopt(address->fd, SOL_SOCKET, SO_TYPE, &type, &len) != 0)
		return fail(address, "use", err);
	if (type != SOCK_STREAM) {
		errno = EPROTOTYPE;
		return fail(address, "use", err);
	}
	len = sizeof(accepting);
	if (getsockopt(address->fd, SOL_SOCKET, SO_ACCEPTCONN, &accepting, &len) != 0)
		return fail(address, "use", err);
	if (fcntl(address->fd, F_SETFD, FD_CLOEXEC) != 0 ||
		fcntl(address->fd, F_SETFL, O_NONBLOCK) != 0)
		return fail(address, "use", err);
	*out = (StreamListener){
		.address = *address,
		.fd = address->fd,
		.is_connected = !accepting,
		.folder = -1, /* not ours to unlink */
	};
	return true;
}

bool stream_listen(const StreamAddress *address, StreamListener *out, Error *err)
{
	return address->kind == STREAM_FD ? take_inherited(address, out, err)
					  : listen_socket(address, out, err);
}

static bool is_ours(const StreamListener *listener, const struct stat *info)
{
	return info->st_dev == listener->dev && info->st_ino == listener->ino &&
		info->st_ctim.tv_sec == listener->changed.tv_sec &&
		info->st_ctim.tv_nsec == listener->changed.tv_nsec;
}

void stream_close_listener(StreamListener *listener)
{
	const char *name = name_of(listener->address.path);
	struct stat info;

	if (listener->fd >= 0)
		close(listener->fd);
	listener->fd = -1;
	if (listener->folder < 0)
		return;
	if (fstatat(listener->folder, name, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
		is_ours(listener, &info))
		unlinkat(listener->folder, name, 0);
	close(listener->folder);
	listener->folder = -1;
}

/*
 * Peers.
 */

static bool unix_peer(int fd, StreamPeer *out, Error *err)
{
	struct ucred credentials;
	socklen_t len = sizeof(credentials);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &len) != 0)
		return error_set(err, PVW_RPC_0029, "SO_PEERCRED: %s", strerror(errno));
	*out = (StreamPeer){ .kind = STREAM_UNIX,
		.uid = credentials.uid,
		.gid = credentials.gid,
		.pid = credentials.pid };
	return true;
}

bool stream_peer(int fd, StreamPeer *out, Error *err)
{
	SocketAddress from;
	socklen_t len = sizeof(from);

	memset(&from, 0, sizeof(from));
	if (getpeername(fd, &from.any, &len) != 0)
		return error_set(err, PVW_RPC_0029, "no peer: %s", strerror(errno));
	if (from.any.sa_family == AF_UNIX)
		return unix_peer(fd, out, err);
	if (from.any.sa_family != AF_VSOCK)
		return error_set(err, PVW_RPC_0029, "address family %d, expected unix or vsock",
			from.any.sa_family);
	*out = (StreamPeer){
		.kind = STREAM_VSOCK, .cid = from.vm.svm_cid, .port = from.vm.svm_port
	};
	return true;
}

bool stream_peer_may_connect(
	const StreamPeer *peer, const uint32_t *users, size_t count, Error *err)
{
	if (peer->kind == STREAM_VSOCK)
		return peer->cid == VMADDR_CID_HOST ||
			error_set(err, PVW_RPC_0029,
				"vsock cid %" PRIu32 ", expected the host, %d", peer->cid,
				VMADDR_CID_HOST);
	if (peer->uid == 0 || peer->uid == geteuid())
		return true;
	for (size_t i = 0; i < count; i++) {
		if (users[i] == peer->uid)
			return true;
	}
	return error_set(err, PVW_RPC_0029, "user %" PRIu32 " is not allowed", peer->uid);
}
