/* SPDX-License-Identifier: MIT */
#include "collection.h"

#include <stdlib.h>

enum { FIRST_SIZE = 64 << 10 };

static bool grow(struct collection *collection)
{
	size_t larger = collection->size > 0 ? collection->size : FIRST_SIZE / 2;

	if (__builtin_mul_overflow(larger, 2, &larger))
		return false;
	uint8_t *data = realloc(collection->data, larger);
	if (!data)
		return false;
	collection->data = data;
	collection->size = larger;
	return true;
}

/* Only called when there is more to come. */
static void *reserve(struct call *call, size_t *size)
{
	struct collection *collection = call->driver;

	if (collection->filled == collection->size && collection->fixed) {
		*size = sizeof(collection->spill);
		return &collection->spill;
	}
	if (collection->filled == collection->size && !grow(collection))
		return NULL;
	*size = collection->size - collection->filled;
	return collection->data + collection->filled;
}

static struct safe_outcome commit(struct call *call, size_t size)
{
	struct collection *collection = call->driver;

	if (size > collection->size - collection->filled)
		return outcome_of(SAFE_USAGE, "there is more than fits the memory");
	collection->filled += size;
	return outcome_ok();
}

struct safe_outcome collection_accept(struct call *call)
{
	(void)call;
	return outcome_ok();
}

struct safe_outcome collection_complete(struct collection *collection, struct call *call, struct safe_outcome begun,
                                        struct safe_result *result)
{
	call->driver = collection;
	call->reserve_bytes = reserve;
	call->commit_bytes = commit;
	struct safe_outcome outcome = call_complete(call, begun, result);
	if (outcome.status != SAFE_OK && !collection->fixed) {
		free(collection->data);
		*collection = (struct collection){ .data = NULL };
	}
	return outcome;
}
