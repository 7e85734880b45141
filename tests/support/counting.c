/* SPDX-License-Identifier: MIT */
#include "counting.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

/* A broker leads a process group, in which its decoders are; what a test forks is in the test's. */
static bool was_a_decoder(pid_t pid)
{
	pid_t group = getpgid(pid);

	return group > 0 && group != pid && group != getpgrp();
}

size_t list_children(pid_t *pids, size_t most)
{
	DIR *tasks = opendir("/proc/self/task");
	const struct dirent *entry = NULL;
	size_t count = 0;

	while (tasks && (entry = readdir(tasks)) != NULL) {
		char path[PATH_MAX];
		int pid = 0;
		(void)snprintf(path, sizeof(path), "/proc/self/task/%s/children", entry->d_name);
		FILE *list = entry->d_name[0] == '.' ? NULL : fopen(path, "r");
		while (list && fscanf(list, "%d", &pid) == 1) {
			if (was_a_decoder(pid)) {
				(void)waitpid(pid, NULL, 0);
				continue;
			}
			if (count < most)
				pids[count] = pid;
			count++;
		}
		if (list)
			(void)fclose(list);
	}
	if (tasks)
		(void)closedir(tasks);
	return count;
}

bool is_running(pid_t pid)
{
	char path[64];
	char state = 'X';

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	FILE *stat = fopen(path, "r");
	if (stat && fscanf(stat, "%*d (%*[^)]) %c", &state) != 1)
		state = 'X';
	if (stat)
		(void)fclose(stat);
	return state != 'X' && state != 'Z';
}

size_t count_descriptors(void)
{
	DIR *folder = opendir("/proc/self/fd");
	size_t count = 0;

	while (folder && readdir(folder))
		count++;
	if (folder)
		(void)closedir(folder);
	return count - 3; /* ".", ".." and the folder's own */
}

size_t resident(void)
{
	unsigned long pages = 0;
	FILE *file = fopen("/proc/self/statm", "r");

	if (file && fscanf(file, "%*u %lu", &pages) != 1)
		pages = 0;
	if (file)
		(void)fclose(file);
	return pages * (size_t)sysconf(_SC_PAGESIZE);
}
