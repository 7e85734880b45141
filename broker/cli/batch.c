/* SPDX-License-Identifier: MIT */
#include "batch.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "broker/base/fds.h"
#include "interrupt.h"
#include "job.h"
#include "outputs.h"
#include "progress.h"
#include "report.h"
#include "show.h"

struct batch {
	const struct options *options;
	struct nursery *nursery;
	struct show show;
	struct outputs *outputs;
	struct progress progress;
	struct job *jobs;   /* slots; options->jobs of them */
	struct pollfd *fds; /* PUMP_FDS for each slot */
	bool *busy;         /* for each slot */
	size_t slots, active;
	size_t next; /* input to start next */
	enum sdec_status worst;
};

static void finish(struct batch *batch, size_t slot)
{
	struct job *job = &batch->jobs[slot];

	job_end(job);
	interrupt_deadline(0);
	show_clear(&batch->show);
	progress_clear(&batch->progress);
	report_job(job);
	show_end(&batch->show, job);
	job_free(job);
	if (job->outcome.status > batch->worst)
		batch->worst = job->outcome.status;
	progress_count(&batch->progress, job->outcome.status, job->given.kept);
	/* Nobody reads what more would come. */
	if (report_is_quiet_end(&job->outcome))
		batch->next = batch->options->input_count;
	if (batch->busy[slot])
		batch->active--;
	batch->busy[slot] = false;
}

/* Starts the next input in a free slot. */
static void start(struct batch *batch, size_t slot)
{
	struct job *job = &batch->jobs[slot];

	*job = (struct job){
		.options = batch->options,
		.nursery = batch->nursery,
		.outputs = batch->outputs,
		.device = batch->show.device,
		.name = batch->options->inputs[batch->next++],
		.slot = slot,
	};
	interrupt_deadline(batch->options->limits.deadline_milliseconds);
	show_start(&batch->show, job);
	if (!job_start(job)) {
		finish(batch, slot);
		return;
	}
	batch->busy[slot] = true;
	batch->active++;
}

static void fill_slots(struct batch *batch)
{
	for (size_t slot = 0; slot < batch->slots; slot++)
		while (!batch->busy[slot] && batch->next < batch->options->input_count)
			start(batch, slot);
}

/* Waits until one of the jobs can go on, and lets all that can. */
static void step(struct batch *batch)
{
	int timeout = -1;

	for (size_t slot = 0; slot < batch->slots; slot++) {
		struct pollfd *fds = &batch->fds[slot * PUMP_FDS];
		for (size_t i = 0; i < PUMP_FDS; i++)
			fds[i] = (struct pollfd){ .fd = -1 };
		if (batch->busy[slot])
			fds_lower_timeout(&timeout, job_wants(&batch->jobs[slot], fds));
	}
	uint64_t before = decode_clock();
	if (batch->slots == 1)
		decode_let_gather(&batch->jobs[0].call.decode);
	struct outcome waiting = call_poll(batch->fds, batch->slots * PUMP_FDS, timeout);
	uint64_t waited = decode_clock() - before;
	for (size_t slot = 0; waiting.status != SDEC_OK && slot < batch->slots; slot++)
		if (batch->busy[slot])
			call_over(&batch->jobs[slot].call, waiting);
	for (size_t slot = 0; slot < batch->slots; slot++)
		if (batch->busy[slot] && !job_step(&batch->jobs[slot], &batch->fds[slot * PUMP_FDS], waited))
			finish(batch, slot);
}

static struct outcome open_batch(struct batch *batch)
{
	const struct options *options = batch->options;

	batch->slots = options->output_dir ? options->jobs : 1;
	if (batch->slots > INTERRUPT_CHILDREN)
		batch->slots = INTERRUPT_CHILDREN;
	if (batch->slots > options->input_count)
		batch->slots = options->input_count;
	if (batch->slots == 0)
		batch->slots = 1;
	batch->jobs = calloc(batch->slots, sizeof(*batch->jobs));
	batch->fds = calloc(batch->slots * PUMP_FDS, sizeof(*batch->fds));
	batch->busy = calloc(batch->slots, sizeof(*batch->busy));
	if (!batch->jobs || !batch->fds || !batch->busy)
		return outcome_of_errno(SDEC_IO, "no memory to begin with", ENOMEM);
	return outcome_ok();
}

enum sdec_status batch_run(const struct options *options, struct nursery *nursery, struct outputs *outputs,
                           struct device *device)
{
	struct batch batch = {
		.options = options,
		.nursery = nursery,
		.show.device = device,
		.outputs = outputs,
	};
	struct outcome outcome = open_batch(&batch);

	if (outcome.status != SDEC_OK) {
		report_failure(NULL, &outcome);
		batch.worst = outcome.status;
	} else {
		progress_start(&batch.progress, options->input_count, options->output_dir && !options->quiet);
		for (fill_slots(&batch); batch.active > 0; fill_slots(&batch))
			step(&batch);
		progress_end(&batch.progress);
	}
	free(batch.jobs);
	free(batch.fds);
	free(batch.busy);
	return batch.worst;
}
