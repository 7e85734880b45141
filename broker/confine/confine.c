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
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "broker/base/fds.h"
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
#define NETWORK_TCP UINT64_C(3)   /* bind and connect */
#define SCOPE_SOCKETS UINT64_C(1) /* abstract ones */
#define SCOPE_SIGNALS UINT64_C(2)

#define MAKING (LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG)
#define NEVER                                                                                                          \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_MAKE_CHAR |                   \
	 LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |                   \
	 LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM)

static struct ruleset rights_of(unsigned version, bool killing)
{
	struct ruleset rights = { .files = LANDLOCK_ACCESS_FS_WRITE_FILE | MAKING | NEVER };

	if (version >= TRUNCATE_SINCE)
		rights.files |= RIGHT_TRUNCATE;
	if (version >= NETWORK_SINCE)
		rights.network = NETWORK_TCP;
	if (version >= SCOPES_SINCE)
		rights.scopes = SCOPE_SOCKETS | (killing ? 0 : SCOPE_SIGNALS);
	return rights;
}

/* A file has only the rights of files. */
static int allow(int ruleset, int place, uint64_t rights)
{
	struct stat status;
	int result = fstat(place, &status);

	if (result == 0 && !S_ISDIR(status.st_mode))
		rights &= LANDLOCK_ACCESS_FS_WRITE_FILE | RIGHT_TRUNCATE | LANDLOCK_ACCESS_FS_EXECUTE;
	struct landlock_path_beneath_attr beneath = { .allowed_access = rights, .parent_fd = place };
	if (result == 0 && rights != 0)
		result = (int)syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0);
	/* What is in no file system, such as a pipe, is no matter of Landlock's. */
	return result != 0 && errno == EBADFD ? 0 : result;
}

/* What is allowed at a few places; -1 is none. */
struct rule {
	int place;
	uint64_t rights;
};

static int restrict_self(unsigned version, const struct rule *rules, size_t count, bool killing)
{
	struct ruleset rights = rights_of(version, killing);
	int ruleset = (int)syscall(SYS_landlock_create_ruleset, &rights, sizeof(rights), 0);
	int result = ruleset < 0 ? -1 : 0;

	for (size_t i = 0; i < count && result == 0; i++)
		if (rules[i].place >= 0)
			result = allow(ruleset, rules[i].place, rules[i].rights & rights.files);
	if (result == 0)
		result = (int)syscall(SYS_landlock_restrict_self, ruleset, 0);
	fds_close(&ruleset);
	return result;
}

static struct outcome confine(const struct rule *rules, size_t count, bool killing, struct confinement *confinement)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	confinement->landlock = 0;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return outcome_of_errno(SDEC_NO_SANDBOX, "cannot give up privileges", errno);
	/* Kernels without it, or that start without it, and containers that do not know it. */
	if (version < 0 && (errno == ENOSYS || errno == EOPNOTSUPP || errno == EPERM))
		return outcome_ok();
	if (version < 1 || restrict_self((unsigned)version, rules, count, killing) != 0)
		return outcome_of_errno(SDEC_NO_SANDBOX, "cannot confine itself with Landlock", errno);
	confinement->landlock = (unsigned)version;
	return outcome_ok();
}

struct outcome confine_files(const struct confine_files *files, struct confinement *confinement)
{
	const uint64_t writing = LANDLOCK_ACCESS_FS_WRITE_FILE | RIGHT_TRUNCATE;
	const struct rule rules[] = { { files->place, MAKING | (files->writing ? writing : 0) },
		                      { files->second ? files->second_place : -1, MAKING } };

	return confine(rules, sizeof(rules) / sizeof(rules[0]), files->killing, confinement);
}

const char *confine_landlock_walls(const struct confinement *confinement)
{
	if (confinement->landlock >= SCOPES_SINCE)
		return "execute,write,truncate,tcp,abstract-sockets";
	if (confinement->landlock >= NETWORK_SINCE)
		return "execute,write,truncate,tcp";
	if (confinement->landlock >= TRUNCATE_SINCE)
		return "execute,write,truncate";
	return confinement->landlock > 0 ? "execute,write" : "";
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

struct outcome confine_starter(int folder)
{
	const char *linker = NULL;
	struct confinement confinement;

	/* The kernel executes the dynamic linker, too; the decoder programs' is the one of this process. */
	(void)dl_iterate_phdr(find_linker, &linker);
	int file = linker ? open(linker, O_PATH | O_CLOEXEC) : -1;
	if (linker && file < 0)
		return outcome_of_errno(SDEC_NO_SANDBOX, "cannot find the dynamic linker", errno);
	const struct rule rules[] = { { folder, LANDLOCK_ACCESS_FS_EXECUTE }, { file, LANDLOCK_ACCESS_FS_EXECUTE } };
	struct outcome outcome = confine(rules, sizeof(rules) / sizeof(rules[0]), false, &confinement);
	fds_close(&file);
	return outcome;
}

/* ---- seccomp ---- */

struct outcome confine_calls(enum confine_role role, struct confinement *confinement)
{
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &confine_filters[role], 0, 0) != 0 ||
	    prctl(PR_GET_SECCOMP) != SECCOMP_MODE_FILTER)
		return outcome_of_errno(SDEC_NO_SANDBOX, "cannot confine itself with seccomp", errno);
	confinement->filtered = true;
	return outcome_ok();
}
