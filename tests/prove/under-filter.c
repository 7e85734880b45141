/* SPDX-License-Identifier: MIT */
/*
 * Runs a program under a seccomp filter, as a container or an older kernel would have it:
 *
 *     under-filter [RULE]... -- PROGRAM [ARGUMENT]...
 *
 * A RULE is CALL[,INDEX=VALUE]...:ACTION.  CALL is a system call's name; each INDEX=VALUE wants argument INDEX (0 to 5)
 * to be VALUE, and INDEX!VALUE to be another one.  ACTION is a number, which the call then fails with (0: it says that
 * it succeeded, and does nothing), "kill", or "allow".  All other calls pass; or, where the first rule is "*:ACTION",
 * get that.  A name that is not known here may be allowed: lists are made for many kernels.
 */
#include <errno.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ARGUMENTS = 6 };

/* Takes "INDEX=VALUE" or "INDEX!VALUE". */
static bool take_condition(const char *text, struct scmp_arg_cmp *condition)
{
	char *rest = NULL;

	condition->arg = (unsigned)strtoul(text, &rest, 0);
	if (rest == text || condition->arg >= ARGUMENTS || (*rest != '=' && *rest != '!'))
		return false;
	condition->op = *rest == '=' ? SCMP_CMP_EQ : SCMP_CMP_NE;
	const char *value = rest + 1;
	condition->datum_a = strtoull(value, &rest, 0);
	return rest != value && *rest == '\0';
}

static uint32_t take_action(const char *text)
{
	if (strcmp(text, "allow") == 0)
		return SCMP_ACT_ALLOW;
	return strcmp(text, "kill") == 0 ? SCMP_ACT_KILL_PROCESS : SCMP_ACT_ERRNO((uint32_t)strtoul(text, NULL, 0));
}

static bool add_rule(scmp_filter_ctx filter, char *rule)
{
	struct scmp_arg_cmp conditions[ARGUMENTS];
	unsigned count = 0;
	char *action = strrchr(rule, ':');

	if (!action)
		return false;
	*action++ = '\0';
	uint32_t what = take_action(action);
	char *next = rule;
	int call = seccomp_syscall_resolve_name(strsep(&next, ","));
	if (call == __NR_SCMP_ERROR)
		return what == SCMP_ACT_ALLOW;
	for (char *text = NULL; (text = strsep(&next, ",")) != NULL; count++)
		if (count == ARGUMENTS || !take_condition(text, &conditions[count]))
			return false;
	return seccomp_rule_add_array(filter, what, call, count, conditions) == 0;
}

int main(int argc, char **argv)
{
	int i = argc > 1 && strncmp(argv[1], "*:", 2) == 0 ? 2 : 1;
	scmp_filter_ctx filter = seccomp_init(i == 2 ? take_action(argv[1] + 2) : SCMP_ACT_ALLOW);

	if (!filter)
		return 125;
	for (; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (add_rule(filter, argv[i]))
			continue;
		fprintf(stderr, "under-filter: no rule: %s\n", argv[i]);
		return 125;
	}
	/* Without the privilege to do otherwise, the library sets "no new privileges"; root may leave it to the
	 * program. */
	if (geteuid() == 0 && seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 0) != 0)
		return 125;
	if (i + 1 >= argc || seccomp_load(filter) != 0)
		return 125;
	seccomp_release(filter);
	execv(argv[i + 1], argv + i + 1);
	return 126;
}
