/*
 * getrandom.
 */
#include "worker/entropy.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "support/diagnostics.h"

bool entropy_draw(void *out, size_t len, Error *err)
{
	uint8_t *to = out;

	for (size_t done = 0; done < len;) {
		const ssize_t n = getrandom(to + done, len - done, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			error_set(err, PVW_SANDBOX_0003, "getrandom: %s", strerror(errno));
			explicit_bzero(out, len);
			return false;
		}
		done += (size_t)n;
	}
	return true;
}
