/* SPDX-License-Identifier: MIT */
/*
 * Compiles the rules of confine_rules.h with libseccomp when safe-decode is built, so that its start need not.
 *
 *     compile-filters trusted    the filters of the trusted side, as C
 *     compile-filters child      those of decoders that cannot have strict mode
 *     compile-filters names      the names of system calls
 *     compile-filters table      the rules, as the table of SECURITY.md
 */
#include <errno.h>
#include <linux/filter.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "confine_rules.h"

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

/* To what the kernel only reads, in the type of the member that points there. */
#define POINTER "(struct sock_filter *)"

/* Prints a finished filter as an array, and releases it. */
static void print_program(scmp_filter_ctx filter, const char *name)
{
	int file = memfd_create("filter", MFD_CLOEXEC);
	struct sock_filter instruction;
	size_t count = 0;

	if (file < 0)
		fail("cannot begin", errno);
	check("export", seccomp_export_bpf(filter, file));
	seccomp_release(filter);
	if (lseek(file, 0, SEEK_SET) != 0)
		fail("cannot read the filter", errno);
	printf("static const struct sock_filter %s[] = {\n", name);
	for (; read(file, &instruction, sizeof(instruction)) == sizeof(instruction); count++)
		printf("\t{ 0x%x, %u, %u, 0x%x },\n", instruction.code, instruction.jt, instruction.jf, instruction.k);
	printf("};\n\n");
	(void)close(file);
	if (count == 0)
		fail("an empty filter", EINVAL);
}

static scmp_filter_ctx begin(uint32_t otherwise, uint32_t bad_architecture)
{
	scmp_filter_ctx filter = seccomp_init(otherwise);

	if (!filter)
		fail("cannot begin", errno);
	check("other architectures", seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, bad_architecture));
	return filter;
}

static void print_trusted(void)
{
	printf("/* Made by compile-filters from confine_rules.h. */\n");
	for (int role = 0; role < CONFINE_ROLES; role++) {
		char name[32];
		scmp_filter_ctx filter = begin(SCMP_ACT_ERRNO(EPERM), SCMP_ACT_KILL_PROCESS);
		check("optimisation", seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2));
		add_rules(filter, (enum confine_role)role);
		(void)snprintf(name, sizeof(name), "confine_program_%d", role);
		print_program(filter, name);
	}
	printf("static const struct sock_fprog confine_filters[CONFINE_ROLES] = {\n");
	for (int role = 0; role < CONFINE_ROLES; role++)
		printf("\t{ sizeof(confine_program_%d) / sizeof(struct sock_filter), " POINTER
		       "confine_program_%d },\n",
		       role, role);
	printf("};\n");
}

/* What a decoder may do, and on which descriptor.  Everything else, and every call of another architecture (32-bit and
 * x32 included), ends the process. */
static const struct {
	int system_call;
	scmp_datum_t descriptor; /* value of the first argument, or ANY */
} child_rules[] = {
#define ANY UINT64_MAX
	{ SCMP_SYS(read), STDIN_FILENO },
	{ SCMP_SYS(write), STDOUT_FILENO },
	{ SCMP_SYS(exit), ANY },
	{ SCMP_SYS(rt_sigreturn), ANY },
};

static void print_child_filter(const char *name, uint32_t otherwise)
{
	char program[64];
	scmp_filter_ctx filter = begin(otherwise, otherwise);

	for (size_t i = 0; i < COUNT(child_rules); i++) {
		struct scmp_arg_cmp descriptor = { .arg = 0, .op = SCMP_CMP_EQ, .datum_a = child_rules[i].descriptor };
		check("a decoder's rule", seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, child_rules[i].system_call,
		                                                 child_rules[i].descriptor != ANY, &descriptor));
	}
	(void)snprintf(program, sizeof(program), "%s_program", name);
	print_program(filter, program);
	printf("static const struct sock_fprog %s = { sizeof(%s) / sizeof(struct sock_filter), " POINTER "%s };\n\n",
	       name, program, program);
}

static void print_child(void)
{
	printf("/* Made by compile-filters. */\n");
	print_child_filter("child_filter", SCMP_ACT_KILL_PROCESS);
	print_child_filter("child_filter_diagnose", SCMP_ACT_TRAP);
}

/* Names of system calls, by architecture as the kernel tells it: one text each, and where in it the name of a number
 * starts. (An array of pointers would have to be relocated at each start.) */
static void print_names(void)
{
	enum { NUMBERS = 1024 };
	static const struct {
		const char *array;
		uint32_t architecture;
	} architectures[] = { { "x86_64", SCMP_ARCH_X86_64 }, { "x86", SCMP_ARCH_X86 } };

	printf("/* Made by compile-filters. */\n");
	for (size_t i = 0; i < COUNT(architectures); i++) {
		unsigned offsets[NUMBERS] = { 0 };
		unsigned offset = 1;
		printf("static const char names_%s[] = \"\\0\"\n", architectures[i].array);
		for (int number = 0; number < NUMBERS; number++) {
			char *name = seccomp_syscall_resolve_num_arch(architectures[i].architecture, number);
			if (!name)
				continue;
			printf("\t\"%s\\0\"\n", name);
			offsets[number] = offset;
			offset += (unsigned)strlen(name) + 1;
			free(name);
		}
		printf("\t\"\";\nstatic const uint16_t offsets_%s[] = {\n", architectures[i].array);
		for (int number = 0; number < NUMBERS; number++)
			printf("\t%u,\n", offsets[number]);
		printf("};\n\n");
	}
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
	static const struct {
		const char *name;
		void (*print)(void);
	} tables[] = { { "trusted", print_trusted },
		       { "child", print_child },
		       { "names", print_names },
		       { "table", print_table } };

	for (size_t i = 0; argc == 2 && i < COUNT(tables); i++) {
		if (strcmp(argv[1], tables[i].name) != 0)
			continue;
		tables[i].print();
		return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
	}
	fail("usage: compile-filters trusted | child | names | table", EINVAL);
}
