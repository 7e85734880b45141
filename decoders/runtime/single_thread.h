/* SPDX-License-Identifier: MIT */
/* For programs whose libraries know threads: there is only one. */
#ifndef SAFE_DECODE_SINGLE_THREAD_H
#define SAFE_DECODE_SINGLE_THREAD_H

#include <pthread.h>

/* In a file of the program, this takes the place of the C library's, which makes a system call after each first time,
 * whether somebody waits or not.  Nobody knows all first times, so none can be had before the lock-down. */
#define SINGLE_THREAD_ONCE                                                                                             \
	__attribute__((visibility("default"))) int pthread_once(pthread_once_t *once, void (*routine)(void))           \
	{                                                                                                              \
		enum { DONE = 2 }; /* as the C library marks it */                                                     \
                                                                                                                       \
		if (*once != DONE) {                                                                                   \
			*once = DONE;                                                                                  \
			routine();                                                                                     \
		}                                                                                                      \
		return 0;                                                                                              \
	}

#endif
