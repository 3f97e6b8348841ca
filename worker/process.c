/*
 * What the system says about this process, and the time of day.
 */
#include "worker/process.h"

#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define FDS_LOOKED_AT 256 /* the sandbox allows no more */

Process process_open(void)
{
	return (Process){ .statm = open("/proc/self/statm", O_RDONLY | O_CLOEXEC) };
}

void process_close(Process *process)
{
	if (process->statm >= 0)
		close(process->statm);
	process->statm = -1;
}

/* "size resident shared …", in pages */
static uint64_t read_rss(int statm)
{
	char text[128];
	unsigned long long total, resident;
	const ssize_t len = statm < 0 ? -1 : pread(statm, text, sizeof(text) - 1, 0);

	if (len <= 0)
		return 0;
	text[len] = '\0';
	if (sscanf(text, "%llu %llu", &total, &resident) != 2)
		return 0;
	return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

static uint32_t count_fds(void)
{
	uint32_t count = 0;

	for (int fd = 0; fd < FDS_LOOKED_AT; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

void process_sample(Process *process, uint64_t now_ns)
{
	if (process->sampled_ns &&
		now_ns - process->sampled_ns < PROCESS_SAMPLE_MS * UINT64_C(1000000))
		return;
	process->sampled_ns = now_ns;
	process->rss_bytes = read_rss(process->statm);
	process->open_fds = count_fds();
}

uint64_t process_unix_ns(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_REALTIME, &now) != 0)
		return 0;
	return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}
