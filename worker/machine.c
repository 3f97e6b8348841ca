/*
 * What the system says about this process and the time of day.
 */
#include "worker/machine.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define FDS_LOOKED_AT 1024 /* the worker's own limit is lower */

/* The one descriptor that outlives the start; -1 before machine_watch. */
static int statm = -1;

uint64_t machine_unix_ns(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_REALTIME, &now) != 0)
		return 0;
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

void machine_watch(void)
{
	if (statm < 0)
		statm = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
}

uint64_t machine_rss_bytes(void)
{
	char text[128];
	unsigned long long total, resident;
	ssize_t len = statm < 0 ? -1 : pread(statm, text, sizeof(text) - 1, 0);

	if (len <= 0)
		return 0;
	text[len] = 0;
	if (sscanf(text, "%llu %llu", &total, &resident) != 2)
		return 0;
	return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

uint32_t machine_open_fds(void)
{
	uint32_t count = 0;

	for (int fd = 0; fd < FDS_LOOKED_AT; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}
