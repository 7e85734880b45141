/* SPDX-License-Identifier: MIT */
/*
 * Compiles the rules of confine_rules.h with libseccomp when safe-decode is built, so that its start need not.
 *
 *     compile-filters          the filters, as C
 *     compile-filters table    the rules, as the table of SECURITY.md
 */
#include <errno.h>
#include <linux/filter.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../confine_rules.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const role_names[CONFINE_ROLES] = {
	[CONFINE_ONE] = "one input",       [CONFINE_ONE_FILE] = "one input, `-o`",
	[CONFINE_MANY] = "several inputs", [CONFINE_DEVICE] = "device",
	[CONFINE_BROKER] = "broker",
};

static _Noreturn void fail(const char *what, int error)
{
	fprintf(stderr, "compile-filters: %s: %s\n", what, strerror(error));
	exit(EXIT_FAILURE);
}

static void check(const char *what, int result)
{
	if (result != 0)
		fail(what, -result);
}

static void add_rules(scmp_filter_ctx filter, enum confine_role role)
{
	for (size_t i = 0; i < COUNT(confine_rules); i++) {
		const struct confine_rule *rule = &confine_rules[i];
		struct scmp_arg_cmp condition = {
			.arg = rule->argument,
			.op = SCMP_CMP_MASKED_EQ,
			.datum_a = rule->mask,
			.datum_b = rule->value,
		};
		if (rule->system_call < 0 || !(rule->roles & ROLE(role)))
			continue;
		check(rule->name,
		      seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, rule->system_call, rule->mask != 0, &condition));
	}
	for (size_t i = 0; i < COUNT(confine_fatal); i++)
		if (confine_fatal[i].system_call >= 0)
			check(confine_fatal[i].name,
			      seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, confine_fatal[i].system_call, 0));
}

static void compile(enum confine_role role)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int file = memfd_create("filter", MFD_CLOEXEC);
	struct sock_filter instruction;
	size_t count = 0;

	if (!filter || file < 0)
		fail("cannot begin", errno);
	check("other architectures", seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS));
	check("optimisation", seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2));
	add_rules(filter, role);
	check("export", seccomp_export_bpf(filter, file));
	seccomp_release(filter);
	if (lseek(file, 0, SEEK_SET) != 0)
		fail("cannot read the filter", errno);
	printf("static struct sock_filter confine_program_%d[] = {\n", (int)role);
	for (; read(file, &instruction, sizeof(instruction)) == sizeof(instruction); count++)
		printf("\t{ 0x%x, %u, %u, 0x%x },\n", instruction.code, instruction.jt, instruction.jf, instruction.k);
	printf("};\n\n");
	(void)close(file);
	if (count == 0)
		fail("an empty filter", EINVAL);
}

static void print_filters(void)
{
	printf("/* Made by compile-filters from confine_rules.h. */\n");
	for (int role = 0; role < CONFINE_ROLES; role++)
		compile((enum confine_role)role);
	printf("static const struct sock_fprog confine_filters[CONFINE_ROLES] = {\n");
	for (int role = 0; role < CONFINE_ROLES; role++)
		printf("\t{ sizeof(confine_program_%d) / sizeof(struct sock_filter), confine_program_%d },\n", role,
		       role);
	printf("};\n");
}

static void print_table(void)
{
	printf("| system call |");
	for (int role = 0; role < CONFINE_ROLES; role++)
		printf(" %s |", role_names[role]);
	printf(" what for |\n| --- | --- | --- | --- | --- | --- | --- |\n");
	for (size_t i = 0; i < COUNT(confine_rules); i++) {
		const struct confine_rule *rule = &confine_rules[i];
		printf("| `%s`%s%s |", rule->name, rule->use ? " " : "", rule->use ? rule->use : "");
		for (int role = 0; role < CONFINE_ROLES; role++)
			printf(" %s |", rule->roles & ROLE(role) ? "yes" : "");
		printf(" %s |\n", rule->reason);
	}
	printf("\nEnd the process:");
	for (size_t i = 0; i < COUNT(confine_fatal); i++)
		printf("%s `%s`", i > 0 ? "," : "", confine_fatal[i].name);
	printf(".\n");
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "table") == 0)
		print_table();
	else
		print_filters();
	return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
