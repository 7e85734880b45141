/* SPDX-License-Identifier: MIT */
#include "show.h"

#include <inttypes.h>
#include <stdio.h>

#include "interrupt.h"
#include "progress.h"
#include "report.h"

/* "1:02:03", or "2:03". */
static void print_time(uint64_t seconds)
{
	if (seconds >= 3600)
		fprintf(stderr, "%" PRIu64 ":%02" PRIu64 ":%02" PRIu64, seconds / 3600, seconds / 60 % 60,
		        seconds % 60);
	else
		fprintf(stderr, "%" PRIu64 ":%02" PRIu64, seconds / 60, seconds % 60);
}

static void draw(void *context, uint64_t frames)
{
	struct show *show = context;
	const struct wire_audio *audio = &show->job->call.audio;
	uint64_t seconds = frames / audio->rate;

	if (show->drawn && seconds == show->seconds)
		return;
	show->seconds = seconds;
	show->drawn = true;
	fputc('\r', stderr);
	report_name(show->job);
	print_time(seconds);
	if (audio->frames != WIRE_UNKNOWN) {
		fputs(" of ", stderr);
		print_time(audio->frames / audio->rate);
	}
	fputs("\033[K", stderr);
	(void)fflush(stderr);
}

void show_start(struct show *show, const struct job *job)
{
	if (!show->device)
		return;
	show->job = job;
	frames_start(&show->device->frames, &show->device->console, job->options->show);
	show->device->speaker.limits = job->options->sound;
	show->device->speaker.heard = !job->options->quiet && progress_can_draw() ? draw : NULL;
	show->device->speaker.heard_context = show;
	if (show->device->speaker.heard)
		interrupt_erase_line();
}

void show_clear(struct show *show)
{
	if (show->drawn)
		fputs("\r\033[K", stderr);
	show->drawn = false;
}

static void tell_gaps(const struct job *job, uint64_t gaps)
{
	report_name(job);
	fprintf(stderr, "the sound stopped %" PRIu64 " time%s, for samples came too late\n", gaps,
	        gaps == 1 ? "" : "s");
}

void show_end(struct show *show, const struct job *job)
{
	struct device *device = show->device;

	if (!device || !job->sink_open)
		return;
	if (job->call.kind == SDEC_KIND_AUDIO && device->speaker.gaps > 0)
		tell_gaps(job, device->speaker.gaps);
	if (job->call.kind != SDEC_KIND_IMAGE || job->outcome.status != SDEC_OK)
		return;
	uint32_t seconds = frames_patience(&device->frames, &device->console);
	if (seconds > 0 && !job->options->quiet) {
		report_name(job);
		fprintf(stderr, "shown for %" PRIu32 " second%s\n", seconds, seconds == 1 ? "" : "s");
	}
	frames_linger(&device->frames, &device->console);
}
