/* SPDX-License-Identifier: MIT */
/* Clocks in nanoseconds. */
#ifndef SAFE_DECODE_CLOCK_H
#define SAFE_DECODE_CLOCK_H

#include <stdint.h>
#include <time.h>

#define CLOCK_SECOND UINT64_C(1000000000)
#define CLOCK_MILLISECOND UINT64_C(1000000)
#define CLOCK_MICROSECOND UINT64_C(1000)

static inline uint64_t clock_nanoseconds(const struct timespec *time)
{
	return (uint64_t)time->tv_sec * CLOCK_SECOND + (uint64_t)time->tv_nsec;
}

/* Of a clock that exists. */
static inline uint64_t clock_read(clockid_t clock)
{
	struct timespec now;

	(void)clock_gettime(clock, &now);
	return clock_nanoseconds(&now);
}

static inline struct timespec clock_timespec(uint64_t nanoseconds)
{
	return (struct timespec){ .tv_sec = (time_t)(nanoseconds / CLOCK_SECOND),
		                  .tv_nsec = (long)(nanoseconds % CLOCK_SECOND) };
}

#endif
