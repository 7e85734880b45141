/* SPDX-License-Identifier: MIT */
#include "nursery.h"

#include <errno.h>
#include <stdlib.h>

#include "broker/base/fds.h"
#include "broker/base/procfs.h"
#include "broker/base/programs.h"
#include "broker/output/sink.h"
#include "broker/sandbox/protocol.h"
#include "broker/service/pool.h"
#include "interrupt.h"
#include "starter.h"

/* ---- opening ---- */

static struct outcome open_pool(struct nursery *nursery, const struct options *options)
{
	struct sdec_config config = {
		.size = sizeof(config),
		.memory = options->limits.memory,
		.spares = (uint32_t)options->jobs,
		.no_spares = options->input_count <= 1,
		.programs = nursery->folder,
	};

	if (config.spares > PROTOCOL_SPARES_MAX)
		config.spares = PROTOCOL_SPARES_MAX;
	enum sdec_status status = sdec_pool_open(&config, &nursery->pool);
	if (status != SDEC_OK)
		return outcome_of_errno(status, "cannot begin", ENOMEM);
	nursery->pool->watch = interrupt_watch_broker;
	nursery->source = &nursery->pool->source;
	return starter_open(nursery->pool, &nursery->starter, &nursery->socket);
}

struct outcome nursery_open(struct nursery *nursery, const struct options *options, const struct outputs *outputs)
{
	struct procfs_status self;

	*nursery = NURSERY_NONE;
	nursery->files.killing = true;
	nursery->files.place = outputs_folder(outputs, &nursery->files.writing);
	nursery->files.second_place = output_folder(&outputs->index.output);
	nursery->files.second = nursery->files.second_place >= 0;
	/* All else needs it, even to find the programs, and would say something else. */
	if (procfs_read_own_status(&self) != 0)
		return outcome_of_errno(SDEC_NO_SANDBOX, "cannot ask the kernel about this process in /proc", errno);
	nursery->folder = programs_find();
	if (!nursery->folder)
		return outcome_of_errno(SDEC_IO, "cannot begin", ENOMEM);
	/* What makes files later than its decoder started needs another one to start it, as do further decoders. */
	if (options->input_count <= 1 && !options->cover && !options->numbered && !options_play(options)) {
		single_init(&nursery->single, nursery->folder);
		nursery->source = &nursery->single.source;
		return outcome_ok();
	}
	return open_pool(nursery, options);
}

/* ---- confinement ---- */

static enum confine_role role_of(const struct nursery *nursery, const struct options *options)
{
	if (options->device != DEVICE_NONE)
		return CONFINE_DEVICE;
	if (nursery->pool)
		return CONFINE_MANY;
	return nursery->files.place >= 0 || nursery->files.second ? CONFINE_ONE_FILE : CONFINE_ONE;
}

struct outcome nursery_confine(struct nursery *nursery, const struct options *options)
{
	if (nursery->confined)
		return outcome_ok();
	if (!options->info && !options->diagnose)
		sink_prepare(options->sink);
	struct outcome outcome = confine_files(&nursery->files, &nursery->confinement);
	if (outcome.status == SDEC_OK)
		outcome = confine_calls(role_of(nursery, options), &nursery->confinement);
	nursery->confined = outcome.status == SDEC_OK;
	return outcome;
}

void nursery_close(struct nursery *nursery)
{
	sdec_pool_close(&nursery->pool);
	fds_close(&nursery->socket);
	if (nursery->starter.pidfd >= 0)
		starter_close(&nursery->starter);
	free(nursery->folder);
	nursery->folder = NULL;
}
