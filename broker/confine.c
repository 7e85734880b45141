/* SPDX-License-Identifier: MIT */
#include "confine.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fds.h"
/* Made by tools/compile_filters.c: confine_filters[CONFINE_ROLES]. */
#include "confine_filters.h"

/* ---- Landlock ---- */

/* The kernel's structure as of version 6; an older kernel takes it as long as what it does not know is zero. */
struct ruleset {
	uint64_t files, network, scopes;
};

/* Since when the kernel knows a right. */
enum { TRUNCATE_SINCE = 3, NETWORK_SINCE = 4, SCOPES_SINCE = 6 };

#define RIGHT_TRUNCATE (UINT64_C(1) << 14)
#define NETWORK_TCP UINT64_C(3) /* bind and connect */
#define SCOPES UINT64_C(3)      /* abstract sockets and signals */

#define NAMING (LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG)
#define NEVER                                                                                                          \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_MAKE_CHAR |                   \
	 LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |                   \
	 LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM)

static struct ruleset rights_of(unsigned version)
{
	struct ruleset rights = { .files = LANDLOCK_ACCESS_FS_WRITE_FILE | NAMING | NEVER };

	if (version >= TRUNCATE_SINCE)
		rights.files |= RIGHT_TRUNCATE;
	if (version >= NETWORK_SINCE)
		rights.network = NETWORK_TCP;
	if (version >= SCOPES_SINCE)
		rights.scopes = SCOPES;
	return rights;
}

static int allow_below(int ruleset, int fd, uint64_t rights)
{
	struct landlock_path_beneath_attr beneath = { .allowed_access = rights, .parent_fd = fd };

	return (int)syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0);
}

static int allow(int ruleset, const char *path, uint64_t rights)
{
	int fd = open(path, O_PATH | O_CLOEXEC);
	int result = fd < 0 ? -1 : allow_below(ruleset, fd, rights);

	fds_close(&fd);
	return result;
}

/* What a process is allowed besides. */
struct allowance {
	int folder; /* -1: none */
	uint64_t in_folder;
	bool launches; /* and writes to /dev/null */
	const char *const *programs;
};

static int restrict_self(unsigned version, const struct allowance *allowance)
{
	struct ruleset rights = rights_of(version);
	int ruleset = (int)syscall(SYS_landlock_create_ruleset, &rights, sizeof(rights), 0);
	int result = ruleset < 0 ? -1 : allow(ruleset, "/proc", LANDLOCK_ACCESS_FS_WRITE_FILE);

	if (result == 0 && allowance->folder >= 0)
		result = allow_below(ruleset, allowance->folder, allowance->in_folder);
	if (result == 0 && allowance->launches)
		result = allow(ruleset, "/dev/null", LANDLOCK_ACCESS_FS_WRITE_FILE | (rights.files & RIGHT_TRUNCATE));
	for (const char *const *program = allowance->programs; result == 0 && *program; program++)
		result = allow(ruleset, *program, LANDLOCK_ACCESS_FS_EXECUTE);
	if (result == 0)
		result = (int)syscall(SYS_landlock_restrict_self, ruleset, 0);
	fds_close(&ruleset);
	return result;
}

static struct safe_outcome confine(const struct allowance *allowance, struct confinement *confinement)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	confinement->landlock = 0;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return outcome_of_errno(SAFE_NO_SANDBOX, "cannot give up privileges", errno);
	/* Kernels without it, or that start without it, and containers that do not know it. */
	if (version < 0 && (errno == ENOSYS || errno == EOPNOTSUPP || errno == EPERM))
		return outcome_ok();
	if (version < 1 || restrict_self((unsigned)version, allowance) != 0)
		return outcome_of_errno(SAFE_NO_SANDBOX, "cannot confine itself with Landlock", errno);
	confinement->landlock = (unsigned)version;
	return outcome_ok();
}

struct safe_outcome confine_files(int folder, bool opens, struct confinement *confinement)
{
	static const char *const none[] = { NULL };
	struct allowance allowance = { .folder = folder, .in_folder = NAMING, .programs = none };

	if (opens)
		allowance.in_folder |= LANDLOCK_ACCESS_FS_WRITE_FILE;
	return confine(&allowance, confinement);
}

/* Of the first object, which is this program: the dynamic linker that it names. */
static int find_linker(struct dl_phdr_info *object, size_t size, void *path)
{
	(void)size;
	for (size_t i = 0; i < object->dlpi_phnum; i++)
		if (object->dlpi_phdr[i].p_type == PT_INTERP)
			*(const char **)path = (const char *)(object->dlpi_addr + object->dlpi_phdr[i].p_vaddr);
	return 1;
}

struct safe_outcome confine_launcher(const char *program)
{
	const char *programs[] = { program, NULL, NULL };
	const struct allowance allowance = { .folder = -1, .launches = true, .programs = programs };
	struct confinement confinement;

	/* The kernel executes the dynamic linker, too; the program's is the one of this process. */
	(void)dl_iterate_phdr(find_linker, &programs[1]);
	return confine(&allowance, &confinement);
}

/* ---- seccomp ---- */

struct safe_outcome confine_calls(enum confine_role role, struct confinement *confinement)
{
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &confine_filters[role], 0, 0) != 0 ||
	    prctl(PR_GET_SECCOMP) != SECCOMP_MODE_FILTER)
		return outcome_of_errno(SAFE_NO_SANDBOX, "cannot confine itself with seccomp", errno);
	confinement->filtered = true;
	return outcome_ok();
}
