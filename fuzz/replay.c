/* SPDX-License-Identifier: MIT */
/*
 * Runs a fuzz harness over files and folders of files, without libFuzzer.  Each input lies flush against a page that
 * cannot be touched, so that reading one byte too far is seen.
 */
#include <fcntl.h>
#include <ftw.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t replayed;

static int replay(const char *path, const struct stat *status, int type, struct FTW *position)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t size = (size_t)status->st_size;
	size_t mapped = (size + page - 1) / page * page;

	(void)position;
	if (type != FTW_F || !S_ISREG(status->st_mode))
		return 0;
	uint8_t *map = mmap(NULL, mapped + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (map == MAP_FAILED || mprotect(map + mapped, page, PROT_NONE) != 0 || fd < 0)
		goto failed;
	uint8_t *data = map + mapped - size;
	for (size_t filled = 0; filled < size;) {
		ssize_t got = read(fd, data + filled, size - filled);
		if (got <= 0)
			goto failed;
		filled += (size_t)got;
	}
	(void)close(fd);
	(void)LLVMFuzzerTestOneInput(data, size);
	replayed++;
	return munmap(map, mapped + page);
failed:
	perror(path);
	return -1;
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (nftw(argv[i], replay, 16, FTW_PHYS) != 0)
			return EXIT_FAILURE;
	printf("%zu inputs replayed\n", replayed);
	return replayed > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
