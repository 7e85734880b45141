/* SPDX-License-Identifier: MIT */
/* What a process that forks decoders has: the arena that they work in, the loaded modules, the prepared sandbox. */
#ifndef SAFE_DECODE_ENGINE_H
#define SAFE_DECODE_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "child.h"
#include "sandbox.h"
#include "status.h"

struct arena;
struct decoder_module;

struct engine {
	struct arena *arena;
	struct sandbox_plan sandbox;
	bool open;
	const char *name;                         /* of the module that was loaded last; NULL: none */
	const struct decoder_module *module;      /* that one */
	const struct decoder_module *initialised; /* the module that is, for all children; NULL: none */
};

/* Reserves `memory` bytes for the decoder and prepares the sandbox.  `arguments` is main()'s argv.  Returns SAFE_OK or
 * SAFE_NO_SANDBOX. */
struct safe_outcome engine_open(struct engine *engine, uint64_t memory, bool diagnose, char **arguments);
void engine_close(struct engine *engine);

struct engine_child {
	const char *module; /* must outlive the engine */
	uint32_t cpu_seconds;
	uint64_t memory; /* bytes; less than the engine's: the rest is taken away; 0: all */
	bool spare;      /* it will wait for its work: it warms up first, and its pipes come with input_peer */
};

/* Loads the module and initialises it, so that no child has to: for a process of which nothing will be mapped later.
 * Returns SAFE_OK or SAFE_UNSUPPORTED, which engine_spawn() will say again. */
struct safe_outcome engine_prepare(struct engine *engine, const char *module);

/* Loads the module if need be, and starts a child of it, locked down but not verified yet. */
struct safe_outcome engine_spawn(struct engine *engine, const struct engine_child *plan, struct child *child);

#endif
