/* SPDX-License-Identifier: MIT */
/* Decoder programs that are none, or of another version, or that others may change: what the library says, and at once.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "broker/sandbox/protocol.h"
#include "tests/support/library_support.h"

/* ---- a folder with a program "jpeg" ---- */

static char top[] = "/tmp/library-programs-XXXXXX";
static char folder[PATH_MAX], program[PATH_MAX], mark[PATH_MAX];

static void write_file(const char *path, const void *data, size_t size, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	cr_assert_geq(fd, 0, "%s", path);
	cr_assert_eq(write(fd, data, size), (ssize_t)size);
	cr_assert_eq(fchmod(fd, mode), 0);
	cr_assert_eq(close(fd), 0);
}

/* The script's own folder is $here; each that runs leaves a mark. */
static void write_program(const char *script)
{
	char text[1024];
	int length = snprintf(text, sizeof(text), "#!/bin/sh\nhere=${0%%/*}\n: >%s\n%s\n", mark, script);

	cr_assert(length > 0 && (size_t)length < sizeof(text));
	write_file(program, text, (size_t)length, 0755);
}

static void write_hello(const char *build)
{
	struct protocol_hello hello = { .magic = PROTOCOL_MAGIC, .library = "libfake 1" };
	char path[PATH_MAX + 8];

	strncpy(hello.build, build, sizeof(hello.build) - 1);
	(void)snprintf(path, sizeof(path), "%s/hello", folder);
	write_file(path, &hello, sizeof(hello), 0644);
}

static void set_up(void)
{
	(void)umask(022);
	cr_assert_not_null(mkdtemp(top));
	(void)snprintf(folder, sizeof(folder), "%s/decoders", top);
	(void)snprintf(program, sizeof(program), "%s/decoders/jpeg", top);
	(void)snprintf(mark, sizeof(mark), "%s/mark", top);
	cr_assert_eq(mkdir(folder, 0755), 0);
}

static void tear_down(void)
{
	char command[PATH_MAX + 16];

	(void)snprintf(command, sizeof(command), "rm -rf %s", top);
	cr_assert_eq(system(command), 0);
}

TestSuite(library_programs, .init = set_up, .fini = tear_down, .timeout = 60);

static struct sdec_pool *open_there(void)
{
	const struct sdec_config config = { .size = sizeof(config), .programs = folder };
	struct sdec_pool *decoder = NULL;

	cr_assert_eq(sdec_pool_open(&config, &decoder), SDEC_OK);
	return decoder;
}

/* ---- what a call and a stream say ---- */

enum { AT_ONCE = 3000 }; /* milliseconds; a broker that does not answer is given up after 20000 */

static struct sdec_result call(struct sdec_pool *decoder)
{
	struct blob file = read_blob(THUMBNAIL);
	struct sdec_input input = memory_input(file.data, file.size);
	struct sdec_image image = { .size = sizeof(image) };
	struct sdec_result result = { .size = sizeof(result) };
	uint64_t before = now_milliseconds();
	enum sdec_status status = sdec_decode_image(decoder, &input, NULL, &image, &result);

	cr_expect_lt(now_milliseconds() - before, AT_ONCE, "%s", result.reason);
	cr_expect_eq(result.status, status);
	sdec_image_free(&image);
	free_blob(&file);
	return result;
}

static struct sdec_result stream(struct sdec_pool *decoder)
{
	struct blob file = read_blob(THUMBNAIL);
	struct sdec_input input = memory_input(file.data, file.size);
	struct sdec_stream *opened = NULL;
	struct sdec_event event = { .size = sizeof(event) };
	struct sdec_result result = { .size = sizeof(result) };
	enum sdec_status status = sdec_stream_open(decoder, &input, NULL, &opened);
	uint64_t before = now_milliseconds();

	while (status == SDEC_OK && event.kind != SDEC_EVENT_END) {
		struct pollfd ready = { .fd = sdec_stream_fd(opened), .events = POLLIN };
		cr_assert_eq(poll(&ready, 1, 30000), 1);
		status = sdec_stream_step(opened, &event);
	}
	cr_expect_lt(now_milliseconds() - before, AT_ONCE);
	sdec_stream_result(opened, &result);
	cr_expect_eq(result.status, status);
	sdec_stream_close(&opened);
	free_blob(&file);
	return result;
}

/* Both end with this status, and say each of these words. */
static void expect_refused(enum sdec_status status, const char *word, const char *another)
{
	struct sdec_result (*const ways[])(struct sdec_pool * decoder) = { call, stream };
	struct sdec_pool *decoder = open_there();
	struct sdec_posture posture = { .size = sizeof(posture) };
	size_t descriptors = count_descriptors();

	for (size_t i = 0; i < 2; i++) {
		struct sdec_result result = ways[i](decoder);
		cr_expect_eq(result.status, status, "%s: %s", sdec_status_name((enum sdec_status)result.status),
		             result.reason);
		cr_assert_not_null(result.reason);
		cr_expect(strstr(result.reason, word), "%s", result.reason);
		cr_expect(strstr(result.reason, another), "%s", result.reason);
	}
	cr_expect_eq(sdec_pool_posture(decoder, "jpeg", &posture), status);
	cr_expect_eq(posture.verified, 0);
	sdec_pool_close(&decoder);
	cr_expect_leq(count_descriptors(), descriptors);
}

static bool has_run(void)
{
	return access(mark, F_OK) == 0;
}

/* ---- programs of another version ---- */

Test(library_programs, another_build_is_named_with_this_one)
{
	write_hello("9.8.7+cafebabe");
	write_program("/bin/cat $here/hello >&0\nexec /bin/sleep 30");
	expect_refused(SDEC_NO_SANDBOX, "9.8.7+cafebabe", PROTOCOL_BUILD_ID);
	cr_expect(has_run());
}

Test(library_programs, a_build_that_is_not_text)
{
	write_hello("\x1b[2J\xff\n9");
	write_program("/bin/cat $here/hello >&0\nexec /bin/sleep 30");
	struct sdec_pool *decoder = open_there();
	struct sdec_result result = call(decoder);

	cr_expect_eq(result.status, SDEC_NO_SANDBOX);
	for (const char *at = result.reason; *at; at++)
		cr_assert(*at >= 0x20 && *at < 0x7f);
	sdec_pool_close(&decoder);
}

/* An older program knows nothing of a hello: it ends, for its arguments are wrong. */
Test(library_programs, one_that_only_ends)
{
	write_program("exit 1");
	expect_refused(SDEC_NO_SANDBOX, "ended before it said hello", "of another version than " PROTOCOL_BUILD_ID);
	cr_expect(has_run());
}

Test(library_programs, one_that_this_version_matches_works)
{
	char command[2 * PATH_MAX];

	(void)snprintf(command, sizeof(command), "cp %s %s", built_program("decoders/jpeg"), program);
	cr_assert_eq(system(command), 0);
	struct sdec_pool *decoder = open_there();
	expect_works(decoder);
	sdec_pool_close(&decoder);
}

/* ---- programs that do not start ---- */

Test(library_programs, a_missing_library_is_named)
{
	write_program(
	        "echo 'x: error while loading shared libraries: libfoo.so.1: cannot open shared object file: No such "
	        "file or directory' >&2\nexit 127");
	expect_refused(SDEC_UNSUPPORTED, "libfoo.so.1", "does not start");
}

/* Here all that the program does comes before what this process does. */
Test(library_programs, what_it_says_is_heard_though_it_has_ended_before_it_was_asked)
{
	const struct sched_param none = { .sched_priority = 0 };
	int processor = sched_getcpu();
	cpu_set_t one;

	cr_assert_geq(processor, 0);
	CPU_ZERO(&one);
	CPU_SET((size_t)processor, &one);
	cr_assert_eq(sched_setaffinity(0, sizeof(one), &one), 0);
	cr_assert_eq(sched_setscheduler(0, SCHED_IDLE | SCHED_RESET_ON_FORK, &none), 0);
	write_program("echo 'libfoo.so.1 does not start' >&2\nexit 127");
	expect_refused(SDEC_UNSUPPORTED, "libfoo.so.1", "does not start");
}

Test(library_programs, one_that_is_not_there)
{
	expect_refused(SDEC_UNSUPPORTED, "not installed", "decoder");
}

Test(library_programs, one_that_cannot_be_executed)
{
	write_program("exit 0");
	cr_assert_eq(chmod(program, 0644), 0);
	expect_refused(SDEC_NO_SANDBOX, "cannot start", "decoder");
	cr_expect_not(has_run());
}

/* ---- who may change them ---- */

Test(library_programs, a_program_that_others_may_write)
{
	static const mode_t modes[] = { 0775, 0757, 0777 };

	write_program("exit 0");
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		cr_assert_eq(chmod(program, modes[i]), 0);
		expect_refused(SDEC_NO_SANDBOX, "other users may change", "program");
	}
	cr_expect_not(has_run());
}

Test(library_programs, a_program_of_another_user)
{
	if (geteuid() != 0)
		cr_skip_test("needs to give a file away");
	write_program("exit 0");
	cr_assert_eq(chown(program, 54321, 0), 0);
	expect_refused(SDEC_NO_SANDBOX, "other users may change", "program");
	cr_expect_not(has_run());
}

Test(library_programs, a_program_that_is_a_link)
{
	char elsewhere[PATH_MAX + 8];

	write_program("exit 0");
	(void)snprintf(elsewhere, sizeof(elsewhere), "%s/program", top);
	cr_assert_eq(rename(program, elsewhere), 0);
	cr_assert_eq(symlink(elsewhere, program), 0);
	expect_refused(SDEC_NO_SANDBOX, "other users may change", "program");
	cr_expect_not(has_run());
}

/* The folder itself, and one above it.  Where only owners may remove files, as in /tmp, others may make some. */
Test(library_programs, a_folder_that_others_may_write)
{
	const char *const folders[] = { folder, top };
	static const mode_t modes[] = { 0775, 0757 };

	write_program("exit 0");
	for (size_t i = 0; i < 2; i++) {
		for (size_t j = 0; j < 2; j++) {
			cr_assert_eq(chmod(folders[i], modes[j]), 0);
			expect_refused(SDEC_NO_SANDBOX, "other users may change the folder", "program");
		}
		cr_assert_eq(chmod(folders[i], 0755), 0);
	}
	cr_expect_not(has_run());
	cr_assert_eq(chmod(top, 01777), 0);
	expect_refused(SDEC_NO_SANDBOX, "ended before it said hello", "version");
	cr_expect(has_run());
}

Test(library_programs, a_folder_of_another_user)
{
	if (geteuid() != 0)
		cr_skip_test("needs to give a folder away");
	write_program("exit 0");
	cr_assert_eq(chown(folder, 54321, 0), 0);
	expect_refused(SDEC_NO_SANDBOX, "other users may change the folder", "program");
	cr_expect_not(has_run());
}

/* What it means would depend on the current folder. */
Test(library_programs, a_folder_that_is_relative)
{
	static const char *const paths[] = { "build/decoders", ".", "./decoders", "" };

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		const struct sdec_config config = { .size = sizeof(config), .programs = paths[i] };
		struct sdec_pool *decoder = NULL;
		cr_expect_eq(sdec_pool_open(&config, &decoder), SDEC_USAGE, "%s", paths[i]);
		cr_expect_null(decoder);
	}
}
