/*
 * What the system says about this process and the time of day.
 */
#ifndef WORKER_MACHINE_H
#define WORKER_MACHINE_H

#include <stdint.h>

/** machine_unix_ns - time of day */
uint64_t machine_unix_ns(void);

/** machine_watch - keep /proc/self/statm open, so that a sandbox need not allow opening it */
void machine_watch(void);

/** machine_rss_bytes - resident memory; 0 when the system does not say */
uint64_t machine_rss_bytes(void);

/** machine_open_fds - open descriptors below the limit of the process */
uint32_t machine_open_fds(void);

#endif
