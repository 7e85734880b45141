/* SPDX-License-Identifier: MIT */
#include "engine.h"

#include <errno.h>
#include <string.h>

#include "../decoders/arena.h"
#include "../decoders/decoder.h"
#include "../decoders/interpose.h"
#include "loader.h"
#include "spawn.h"

struct safe_outcome engine_open(struct engine *engine, uint64_t memory, bool diagnose, char **arguments)
{
	*engine = (struct engine){ .open = true };
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

/* What a child needs to know to take its arena over. */
struct inheritance {
	struct arena *arena;
	uint64_t memory;
	void (*initialise)(void);
};

static int inherit(void *context)
{
	const struct inheritance *inheritance = context;

	interpose_enter_child();
	if (inheritance->initialise)
		inheritance->initialise();
	return inheritance->memory == 0 ? 0 : arena_shrink(inheritance->arena, inheritance->memory);
}

/* Loads a module, unless it is the one that the last child was of: a broker has no other. */
static struct safe_outcome load(struct engine *engine, const char *name)
{
	if (engine->module && strcmp(engine->name, name) == 0)
		return outcome_ok();
	/* What the dynamic linker and the module set up is what children will use. */
	(void)interpose_select(engine->arena);
	struct safe_outcome outcome = loader_load_decoder(name, &engine->module);
	(void)interpose_select(NULL);
	if (outcome.status != SAFE_OK)
		engine->module = NULL;
	engine->name = name;
	return outcome;
}

/* The module's one-time initialisation, once for all children. */
static void initialise(struct engine *engine)
{
	const struct decoder_module *module = engine->module;

	if (engine->initialised == module || !module->decoder->initialise)
		return;
	(void)interpose_select(engine->arena);
	module->decoder->initialise();
	(void)interpose_select(NULL);
	engine->initialised = module;
}

struct safe_outcome engine_prepare(struct engine *engine, const char *module)
{
	struct safe_outcome outcome = load(engine, module);

	if (outcome.status == SAFE_OK)
		initialise(engine);
	return outcome;
}

struct safe_outcome engine_spawn(struct engine *engine, const struct engine_child *plan, struct child *child)
{
	struct safe_outcome outcome = plan->spare ? engine_prepare(engine, plan->module) : load(engine, plan->module);
	const struct decoder_module *module = engine->module;

	if (outcome.status != SAFE_OK)
		return outcome;
	struct inheritance inheritance = { .arena = engine->arena, .memory = plan->memory };
	/* A single child is initialised in itself, and so finds in its memory what that touches. */
	if (engine->initialised != module)
		inheritance.initialise = module->decoder->initialise;
	struct spawn_plan spawn = {
		.sandbox = &engine->sandbox,
		.cpu_seconds = plan->cpu_seconds,
		.keep_input_peer = plan->spare,
		.after_fork = inherit,
		.context = &inheritance,
		.warm_up = plan->spare ? module->warm_up : NULL,
		.run = module->run,
	};
	return spawn_child(&spawn, child);
}
