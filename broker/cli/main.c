/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "batch.h"
#include "broker/output/sink.h"
#include "decoders.h"
#include "escape.h"
#include "interrupt.h"
#include "nursery.h"
#include "options.h"
#include "outputs.h"
#include "report.h"

/* A descriptor of 0 to 2 that the caller closed must not be taken by a file that this program opens: reading from it or
 * writing to it must go on failing.  (A descriptor of a mere path can do neither; /dev/null may be missing.) */
static int plug_standard_descriptors(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/", O_PATH) != fd)
			return -1;
	return 0;
}

/* Standard output can only be lost here, after the last write. */
static enum sdec_status close_output(enum sdec_status status)
{
	struct outcome outcome = outcome_of_output("cannot write the output", 0);
	struct pollfd reader = { .fd = STDOUT_FILENO };

	errno = 0;
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	outcome.error_number = errno;
	/* An earlier write may have been the one that failed. */
	if (poll(&reader, 1, 0) > 0 && (reader.revents & POLLERR))
		outcome.error_number = EPIPE;
	if (!report_is_quiet_end(&outcome))
		report_failure("standard output", &outcome);
	return status > SDEC_IO ? status : SDEC_IO;
}

/* Whether what is written to this name would be shown on a terminal. */
static bool is_terminal(const char *path)
{
	struct stat status;
	int fd = -1;

	/* Opening anything else might block. */
	if (stat(path, &status) != 0 || !S_ISCHR(status.st_mode))
		return false;
	fd = open(path, O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	bool terminal = fd >= 0 && isatty(fd);
	if (fd >= 0)
		(void)close(fd);
	return terminal;
}

/* Pixels are not for a terminal's eyes: it gets the preview instead. */
static bool spare_terminal(struct options *options)
{
	bool shown = options->output ? is_terminal(options->output) : isatty(STDOUT_FILENO);
	bool decodes =
	        options->action == OPTIONS_DECODE && !options->output_dir && !options->info && !options->diagnose;

	if (!decodes || !shown || options->device != DEVICE_NONE || strcmp(options->sink->name, "preview") == 0)
		return false;
	options->frames = false;
	options->index = NULL;
	options->sink = sink_format_by_name("preview");
	options->to = true; /* whatever the name of the output */
	options->pixel_formats = options->sink->preferred;
	options->sample_formats = options->sink->samples;
	return true;
}

/* As many decodes at a time as there may be descriptors for. */
static void fit_jobs(struct options *options)
{
	enum { OF_A_JOB = 12, OF_ALL = 16 }; /* descriptors */
	struct rlimit files;

	if (!options->output_dir || getrlimit(RLIMIT_NOFILE, &files) != 0)
		return;
	files.rlim_cur = files.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &files) != 0 && getrlimit(RLIMIT_NOFILE, &files) != 0)
		return;
	rlim_t jobs = files.rlim_cur > OF_ALL + OF_A_JOB ? (files.rlim_cur - OF_ALL) / OF_A_JOB : 1;
	if (options->jobs > jobs)
		options->jobs = (size_t)jobs;
}

static void restore_device(void *device)
{
	device_restore(device);
}

/* Before there is a decoder. */
static struct outcome open_device(const struct options *options, struct device *device)
{
	if (options->device == DEVICE_NONE)
		return outcome_ok();
	interrupt_restore(restore_device, device);
	return device_open(device, options->device, options->device_name);
}

static void close_device(struct device *device)
{
	/* A signal may come at any time, and finds what to restore until it is restored. */
	device_restore(device);
	interrupt_restore(NULL, NULL);
	device_close(device);
}

/* The files of a folder never wait for a reader.  What is said in the end is composed now, for then it is too late. */
static struct outcome start_deadline(const struct options *options)
{
	static char message[PATH_MAX];
	FILE *stream = NULL;

	if (options->limits.deadline_milliseconds == 0 || options->output_dir)
		return outcome_ok();
	stream = fmemopen(message, sizeof(message), "w");
	if (!stream)
		return outcome_of_errno(SDEC_IO, "cannot begin", errno);
	fputs("safe-decode: ", stream);
	escape_text(stream, options->output ? options->output : "standard output");
	fputs(": could not be written before the deadline\n", stream);
	(void)fclose(stream); /* what was too long for it is cut */
	if (interrupt_install_deadline(message) != 0)
		return outcome_of_errno(SDEC_IO, "cannot set a deadline", errno);
	interrupt_deadline(options->limits.deadline_milliseconds);
	return outcome_ok();
}

static enum sdec_status decode(struct options *options)
{
	struct nursery nursery = NURSERY_NONE;
	struct device device = { .kind = DEVICE_NONE };
	bool all = options->frames;
	bool spared = spare_terminal(options);
	fit_jobs(options);
	struct outputs outputs = OUTPUTS_NONE;
	const char *about = NULL;
	struct outcome outcome = start_deadline(options);
	if (outcome.status == SDEC_OK)
		outcome = outputs_open(&outputs, options, &about);
	if (outcome.status == SDEC_OK) {
		about = NULL;
		outcome = nursery_open(&nursery, options, &outputs);
	}
	if (outcome.status == SDEC_OK) {
		outcome = open_device(options, &device);
		about = outcome.status != SDEC_OK ? options->device_name : NULL;
	}
	/* With brokers, which the starter starts, there is nothing to wait for. */
	if (outcome.status == SDEC_OK && nursery.pool)
		outcome = nursery_confine(&nursery, options);
	enum sdec_status status = outcome.status;

	if (status == SDEC_OK)
		status = batch_run(options, &nursery, &outputs, device.kind != DEVICE_NONE ? &device : NULL);
	close_device(&device);
	outputs_close(&outputs);
	if (outcome.status != SDEC_OK)
		report_failure(about, &outcome);
	nursery_close(&nursery);
	if (spared && status == SDEC_OK && !options->quiet)
		fprintf(stderr,
		        "safe-decode: the output is a terminal, so this is a preview%s; "
		        "for the decoded data use -o FILE or > FILE\n",
		        all ? " of one frame" : "");
	return status == SDEC_EXHAUSTED ? SDEC_IO : status;
}

static enum sdec_status list_decoders(void)
{
	struct outcome outcome = decoders_print(stdout);

	if (outcome.status != SDEC_OK)
		report_failure(NULL, &outcome);
	return outcome.status;
}

static enum sdec_status run(int argc, char **argv)
{
	struct options options;

	if (plug_standard_descriptors() != 0 || interrupt_install() != 0) {
		struct outcome outcome = outcome_of_errno(SDEC_IO, "cannot begin", errno);
		report_failure(NULL, &outcome);
		return SDEC_IO;
	}
	/* One write a line, so that lines of several programs do not mix. */
	(void)setvbuf(stderr, NULL, _IOLBF, BUFSIZ);
	enum sdec_status status = options_parse(argc, argv, &options);
	if (status != SDEC_OK)
		return status;
	switch (options.action) {
	case OPTIONS_HELP:
		options_print_help(stdout);
		break;
	case OPTIONS_VERSION:
		puts("safe-decode " SAFE_DECODE_VERSION);
		break;
	case OPTIONS_LIST_DECODERS:
		status = list_decoders();
		break;
	case OPTIONS_DECODE:
		status = decode(&options);
		break;
	}
	return status;
}

int main(int argc, char **argv)
{
	enum sdec_status status = close_output(run(argc, argv));

	interrupt_close();
	/* A line that is not ended, such as one that was taken away. */
	(void)fflush(stderr);
	/* Nothing is left to be done that the end of the process does not do. */
	_exit((int)status);
}
