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
void *collection_reserve(struct call *call, size_t *size)
{
	struct collection *collection = call->plan.context;

	if (collection->filled == collection->size && collection->fixed) {
		*size = sizeof(collection->spill);
		return &collection->spill;
	}
	if (collection->filled == collection->size && !grow(collection))
		return NULL;
	*size = collection->size - collection->filled;
	return collection->data + collection->filled;
}

struct outcome collection_commit(struct call *call, size_t size)
{
	struct collection *collection = call->plan.context;

	if (size > collection->size - collection->filled)
		return outcome_of(SDEC_TOO_SMALL, "there is more than fits the memory");
	collection->filled += size;
	return outcome_ok();
}

struct outcome collection_begin(struct collection *collection, struct sdec_pool *decoder,
                                const struct sdec_input *input, const struct sdec_request *request,
                                enum request_mode mode, const struct call_driver *driver)
{
	return request_begin(&collection->request, decoder, input, request, mode, driver, collection);
}

struct outcome collection_complete(struct collection *collection, struct outcome begun, struct sdec_result *result)
{
	struct outcome outcome = request_complete(&collection->request, begun, result);

	if (outcome.status != SDEC_OK && !collection->fixed) {
		free(collection->data);
		collection->data = NULL;
		collection->size = collection->filled = 0;
	}
	return outcome;
}
