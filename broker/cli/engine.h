/* SPDX-License-Identifier: MIT */
/* What all decodes of one run share: the arena that children work in, the loaded modules, the prepared sandbox. */
#ifndef SAFE_DECODE_ENGINE_H
#define SAFE_DECODE_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "../registry.h"
#include "../sandbox.h"
#include "../spawn.h"
#include "../status.h"

struct arena;

struct engine {
	struct arena *arena;
	struct sandbox_plan sandbox;
	uint64_t memory; /* bytes of the arena */
	bool open;
	bool crashed; /* children have to have an address layout of their own from now on */
};

/* Reserves `memory` bytes for the decoder and prepares the sandbox.  `arguments` is main()'s argv.  Returns SAFE_OK or
 * SAFE_NO_SANDBOX. */
struct safe_outcome engine_open(struct engine *engine, uint64_t memory, bool diagnose, char **arguments);
void engine_close(struct engine *engine);

/* A decoder crashed or attacked: what it knows of the address layout must be of no use to those that come. */
void engine_note_crash(struct engine *engine);

/* Loads the format's module if need be, and starts a child of it, locked down but not verified yet. */
struct safe_outcome engine_spawn(struct engine *engine, const struct safe_format *format, uint32_t cpu_seconds,
                                 struct spawned *child);

#endif
