/* SPDX-License-Identifier: MIT */
#include "engine.h"

#include <errno.h>

#include "../../decoders/arena.h"
#include "../../decoders/interpose.h"
#include "../loader.h"
#include "fresh.h"

struct safe_outcome engine_open(struct engine *engine, uint64_t memory, bool diagnose, char **arguments)
{
	*engine = (struct engine){ .memory = memory, .open = true };
	engine->arena = arena_create(memory);
	if (!engine->arena)
		return outcome_of_errno(SAFE_NO_SANDBOX, "cannot reserve the decoder's memory (--memory)", errno);
	if (interpose_select(engine->arena) != 0)
		return outcome_of_errno(SAFE_NO_SANDBOX, "cannot use the decoder's memory", errno);
	struct safe_outcome outcome = sandbox_prepare(&engine->sandbox, arguments, diagnose);
	(void)interpose_select(NULL);
	return outcome;
}

void engine_close(struct engine *engine)
{
	if (!engine->open)
		return;
	sandbox_release(&engine->sandbox);
	/* The arena stays until the process ends: loaded modules live in it. */
	engine->open = false;
}

void engine_note_crash(struct engine *engine)
{
	engine->crashed = true;
}

static void execute_fresh(const struct sandbox_child *child, void *context)
{
	fresh_execute(child, context);
}

struct safe_outcome engine_spawn(struct engine *engine, const struct safe_format *format, uint32_t cpu_seconds,
                                 struct spawned *child)
{
	struct spawn_plan plan = {
		.sandbox = &engine->sandbox,
		.cpu_seconds = cpu_seconds,
		.after_fork = interpose_enter_child,
	};
	struct fresh fresh = { .module = format->module, .memory = engine->memory };

	if (engine->crashed && !engine->sandbox.diagnose) {
		plan.execute = execute_fresh;
		plan.context = &fresh;
		return spawn_child(&plan, child);
	}
	/* What the dynamic linker and the module set up is what children will use. */
	(void)interpose_select(engine->arena);
	struct safe_outcome outcome = loader_load_decoder(format->module, &plan.run);
	(void)interpose_select(NULL);
	return outcome.status == SAFE_OK ? spawn_child(&plan, child) : outcome;
}
