/* SPDX-License-Identifier: MIT */
#include "reasons.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { REASONS = 128, REASON_SIZE = 256 };

const char *reasons_keep(const char *text, const char *otherwise)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static char kept[REASONS][REASON_SIZE];
	const char *found = otherwise;

	(void)pthread_mutex_lock(&lock);
	for (int i = 0; i < REASONS && found == otherwise; i++) {
		if (!kept[i][0])
			(void)snprintf(kept[i], REASON_SIZE, "%s", text);
		if (strncmp(kept[i], text, REASON_SIZE - 1) == 0)
			found = kept[i];
	}
	(void)pthread_mutex_unlock(&lock);
	return found;
}
