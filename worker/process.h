/*
 * What the system says about this process, and the time of day.
 */
#ifndef WORKER_PROCESS_H
#define WORKER_PROCESS_H

#include <stdint.h>

#define PROCESS_SAMPLE_MS 100 /* how old figures may be: asking for them costs much */

/* A view of this process. Opened before a sandbox closes the way to it. */
typedef struct Process {
	int statm;           /* /proc/self/statm, kept open; -1: the system does not say */
	uint64_t sampled_ns; /* 0: never */
	uint64_t rss_bytes;  /* resident memory; 0: not known */
	uint32_t open_fds;
} Process;

Process process_open(void);
void process_close(Process *process);

/** process_sample - figures that are at most PROCESS_SAMPLE_MS old; @now_ns: monotonic */
void process_sample(Process *process, uint64_t now_ns);

/** process_unix_ns - time of day */
uint64_t process_unix_ns(void);

#endif
