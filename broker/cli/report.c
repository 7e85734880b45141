/* SPDX-License-Identifier: MIT */
#include "report.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "broker/decode/channels.h"
#include "escape.h"
#include "info.h"
#include "system_calls.h"

static const char *shown_name(const char *name)
{
	return strcmp(name, "-") == 0 ? "standard input" : *name ? name : "\"\"";
}

bool report_is_quiet_end(const struct outcome *outcome)
{
	return outcome->of_output && outcome->error_number == EPIPE;
}

static void print_name(const char *name)
{
	if (!name)
		return;
	escape_text(stderr, shown_name(name));
	fputs(": ", stderr);
}

/* Reasons speak of limits, for the library has no options. */
static const char *limit_option(enum sdec_limit limit)
{
	static const char *const options[] = {
		[SDEC_LIMIT_SIDE] = "--max-side",     [SDEC_LIMIT_PIXELS] = "--max-pixels",
		[SDEC_LIMIT_OUTPUT] = "--max-output", [SDEC_LIMIT_INPUT] = "--max-input",
		[SDEC_LIMIT_MEMORY] = "--memory",     [SDEC_LIMIT_CPU] = "--cpu",
		[SDEC_LIMIT_STALL] = "--stall",       [SDEC_LIMIT_DEADLINE] = "--deadline",
		[SDEC_LIMIT_WORK] = "--max-work",     [SDEC_LIMIT_COVER] = "--max-cover",
	};

	return limit < sizeof(options) / sizeof(options[0]) ? options[limit] : NULL;
}

static void print_failure(const char *input, const char *output, const struct outcome *outcome)
{
	fputs("safe-decode: ", stderr);
	print_name(input);
	print_name(output);
	fputs(outcome->reason, stderr);
	if (limit_option(outcome->limit))
		fprintf(stderr, " (%s)", limit_option(outcome->limit));
	if (outcome->error_number != 0)
		fprintf(stderr, ": %s", strerror(outcome->error_number));
	if (outcome->signal == SIGKILL)
		fputs(": signal 9 (broke a rule of the sandbox?); --diagnose names the call", stderr);
	else if (outcome->signal != 0)
		fprintf(stderr, ": signal %d (%s)", outcome->signal, strsignal(outcome->signal));
	fputc('\n', stderr);
}

void report_failure(const char *name, const struct outcome *outcome)
{
	print_failure(name, NULL, outcome);
}

/* "2,049". */
static void print_number(uint64_t number)
{
	uint64_t unit = 1;

	while (number / unit >= 1000)
		unit *= 1000;
	fprintf(stderr, "%" PRIu64, number / unit);
	for (unit /= 1000; unit > 0; unit /= 1000)
		fprintf(stderr, ",%03" PRIu64, number / unit % 1000);
}

static uint64_t in_mebibytes(uint64_t bytes)
{
	return bytes / (1 << 20) + (bytes % (1 << 20) != 0);
}

/* A decoder may know how much memory would have been enough.  What it says is only a number, and shown if it can be.
 * The size of a file is known, too. */
static bool report_needed(const struct job *job)
{
	const struct sdec_limits *limits = &job->options->limits;
	uint64_t needed = job->outcome.needed;
	bool of_memory = job->outcome.limit == SDEC_LIMIT_MEMORY;

	if (needed <= (of_memory ? limits->memory : limits->max_input))
		return false;
	fputs("safe-decode: ", stderr);
	print_name(job->name);
	fputs(of_memory ? "needs " : "has ", stderr);
	print_number(of_memory ? in_mebibytes(needed) : needed);
	fputs(of_memory ? " MiB, --memory allows " : " bytes, --max-input allows ", stderr);
	print_number(of_memory ? in_mebibytes(limits->memory) : limits->max_input);
	fputs(of_memory ? " MiB\n" : "\n", stderr);
	return true;
}

/* What the output is to blame for is not said of the input, which only tells one output of a folder from another. */
static void report_failed_job(const struct job *job)
{
	const char *input = job->options->output_dir ? job->name : NULL;
	const char *output = job->index_failed      ? job->options->index
	                     : job->given.path      ? job->given.path
	                     : job->options->output ? job->options->output
	                                            : "standard output";

	if (report_is_quiet_end(&job->outcome) || report_needed(job))
		return;
	if (job->outcome.of_output)
		print_failure(input, output, &job->outcome);
	else
		report_failure(job->name, &job->outcome);
}

void report_name(const struct job *job)
{
	print_name(job->name);
}

/* "5.1 (FL FR FC LFE BL BR)"; the order only where there can be doubt. */
static void print_channels(const struct wire_audio *audio)
{
	enum wire_speaker order[WIRE_CHANNELS_MAX];
	size_t count = channels_order(audio, order);
	const char *layout = channels_layout_name(audio->channel_layout);

	if (layout)
		fputs(layout, stderr);
	else
		fprintf(stderr, "%" PRIu32 " channels", audio->channels);
	if (audio->channels <= 2 || count == 0)
		return;
	for (size_t i = 0; i < count; i++)
		fprintf(stderr, "%s%s", i > 0 ? " " : " (", channels_speaker_name(order[i]));
	fputc(')', stderr);
}

static void report_raw_audio(const struct job *job)
{
	fprintf(stderr, "%" PRIu32 " Hz ", job->call.audio.rate);
	print_channels(&job->call.audio);
	fprintf(stderr, " %s, %" PRIu64 " frames, %" PRIu64 " bytes\n",
	        options_sample_format_name(job->call.audio.sample_format), job->written / job->sink.stride,
	        job->written);
}

void report_frame(const struct job *job)
{
	const struct frame_place *frame = &job->frame;

	if (job->options->quiet)
		return;
	report_name(job);
	fprintf(stderr, "frame %" PRIu64 ": %" PRIu32 "x%" PRIu32 ", delay %" PRIu32 " ms, ", frame->number,
	        frame->width, frame->height, frame->delay);
	if (job->options->numbered) {
		fputs("in ", stderr);
		escape_text(stderr, job->given.path);
	} else {
		fprintf(stderr, "at byte %" PRIu64, frame->offset);
	}
	fputc('\n', stderr);
}

static void report_raw_frames(const struct job *job)
{
	fprintf(stderr, "%" PRIu32 " frame%s, %s, %" PRIu64 " bytes\n", job->call.frames_begun,
	        job->call.frames_begun == 1 ? "" : "s", options_pixel_format_name(job->sink.image.pixel_format),
	        job->sink.put);
}

/* Raw pixels and samples do not say what they are: this line does. */
static void report_raw(const struct job *job)
{
	report_name(job);
	if (job->options->extract != WIRE_BLOBS) {
		fprintf(stderr, "%s, %" PRIu64 " bytes\n", options_blob_name(job->options->extract), job->written);
		return;
	}
	if (job->call.kind == SDEC_KIND_AUDIO) {
		report_raw_audio(job);
		return;
	}
	if (job->call.kind == SDEC_KIND_IMAGE && job->options->frames)
		report_raw_frames(job);
	else if (job->call.kind == SDEC_KIND_IMAGE)
		fprintf(stderr, "%" PRIu32 "x%" PRIu32 " %s, stride %zu, %" PRIu64 " bytes\n", job->call.image.width,
		        job->call.image.height, options_pixel_format_name(job->sink.image.pixel_format),
		        job->sink.stride, (uint64_t)job->sink.stride * job->call.image.height);
	else
		fprintf(stderr, "%" PRIu64 " bytes\n", job->written);
}

static void report_damage(const struct job *job)
{
	struct outcome damage = outcome_of_failure(job->call.damage);
	/* Of the page that is written: another may have been announced since. */
	const struct wire_image *image = job->sink.is_image ? &job->sink.image : &job->call.image;

	report_name(job);
	fprintf(stderr, "partial: %s", damage.reason);
	if ((image->flags & WIRE_IMAGE_UPRIGHT) && image->orientation > 2)
		fputs("; what is missing of the turned picture is filled", stderr);
	else if (job->call.kind == SDEC_KIND_IMAGE)
		fprintf(stderr, "; %" PRIu64 " of %" PRIu32 " rows missing", job->rows_missing, image->height);
	fputc('\n', stderr);
}

static void report_losses(const struct job *job)
{
	report_name(job);
	fprintf(stderr, "%" PRIu64 " damaged part%s concealed or skipped\n", job->call.losses,
	        job->call.losses == 1 ? "" : "s");
}

static const char *posture_text(const struct sandbox_posture *posture)
{
	return posture->strict ? "strict seccomp: read, write, exit, sigreturn on 2 pipes; verified"
	                       : "seccomp filter: read, write, exit, sigreturn on 2 pipes; verified";
}

/* What was odd about the end, and cost nothing: whoever made the file may want to know. */
static void report_flaws(const struct job *job)
{
	if (job->call.notes & WIRE_NOTE_END) {
		report_name(job);
		fputs("complete, but its end is missing or wrong\n", stderr);
	}
	if (job->call.notes & WIRE_NOTE_WINDOW) {
		report_name(job);
		fputs("complete, but its data needs a larger window than it says\n", stderr);
	}
	if (job->call.notes & WIRE_NOTE_TRAILING) {
		report_name(job);
		fputs("bytes follow the end of what was decoded, and were ignored\n", stderr);
	}
}

static void report_details(const struct job *job)
{
	if (job->call.decode.posture.verified) {
		report_name(job);
		fprintf(stderr, "%s\n", posture_text(&job->call.decode.posture));
	}
	if (job->call.notes & WIRE_NOTE_WARNINGS) {
		report_name(job);
		fputs("the codec ignored a small fault; nothing is missing\n", stderr);
	}
}

/* Standard output belongs to the pixels unless they went elsewhere. */
static void report_posture(const struct job *job)
{
	const struct options *options = job->options;
	bool free = options->output || options->output_dir || options->info || options->diagnose ||
	            options->device != DEVICE_NONE;
	const struct confinement *own = &job->nursery->confinement;
	FILE *stream = free ? stdout : stderr;

	fputs("{\"file\": ", stream);
	escape_json(stream, job->name);
	fprintf(stream,
	        ", \"verified\": %s, \"seccomp\": \"%s\", \"filters\": %" PRIu64 ", \"inherited_filters\": %" PRIu64
	        ", \"no_new_privs\": %s, \"system_calls\": [\"read\", \"write\", \"exit\", \"rt_sigreturn\"], "
	        "\"descriptors\": [0, 1], \"pipes\": 2, \"trusted_side\": {\"seccomp\": \"%s\", \"landlock\": %u, "
	        "\"landlock_denies\": \"%s\"}}\n",
	        job->call.decode.posture.verified ? "true" : "false",
	        job->call.decode.posture.strict ? "strict" : "filter", job->call.decode.posture.filters,
	        job->call.decode.posture.filters_before, job->call.decode.posture.no_new_privs ? "true" : "false",
	        own->filtered ? "filter" : "none", own->landlock, confine_landlock_walls(own));
}

static void report_diagnosis(const struct job *job)
{
	if (job->call.diagnosed) {
		const char *name = system_call_name(&job->call.forbidden);
		report_name(job);
		if (name)
			fprintf(stderr, "the decoder tried %s, which the sandbox forbids\n", name);
		else
			fprintf(stderr, "the decoder tried system call %" PRIu32 ", which the sandbox forbids\n",
			        job->call.forbidden.system_call);
		return;
	}
	if (job->outcome.status == SDEC_OK) {
		report_name(job);
		fprintf(stderr, "no forbidden system call: the decode is %s\n",
		        job->call.damage == WIRE_OK ? "complete" : "partial");
		return;
	}
	report_failed_job(job);
}

static void report_info(const struct job *job)
{
	const struct info info = {
		.input = job->name,
		.format = job->call.format,
		.library = job->call.decode.library,
		.image = job->call.kind == SDEC_KIND_IMAGE ? &job->call.image : NULL,
		.audio = job->call.kind == SDEC_KIND_AUDIO ? &job->call.audio : NULL,
		.tags = &job->tags,
	};
	info_print(stdout, &info);
}

void report_job(const struct job *job)
{
	const struct options *options = job->options;

	if (options->posture && job->call.decode.said_hello)
		report_posture(job);
	if (options->verbose)
		report_details(job);
	if (options->diagnose) {
		report_diagnosis(job);
		return;
	}
	if (job->outcome.status != SDEC_OK) {
		report_failed_job(job);
		return;
	}
	if (job->given.kept)
		return;
	if (!options->quiet)
		report_flaws(job);
	if (options->info)
		report_info(job);
	else if (!options->quiet && strcmp(job->sink.format->name, "raw") == 0)
		report_raw(job);
	if (job->call.losses > 0)
		report_losses(job);
	if (job->call.damage != WIRE_OK)
		report_damage(job);
}
