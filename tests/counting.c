/* SPDX-License-Identifier: MIT */
#include "counting.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

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
		for (; list && fscanf(list, "%d", &pid) == 1; count++)
			if (count < most)
				pids[count] = pid;
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
