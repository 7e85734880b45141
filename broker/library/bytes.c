/* SPDX-License-Identifier: MIT */
/* The call that decodes a whole stream of bytes. */
#include <errno.h>
#include <stdlib.h>

#include "../structs.h"
#include "call.h"

enum { FIRST_SIZE = 64 << 10 };

/* Memory that grows. */
struct collection {
	uint8_t *data;
	size_t size, filled;
};

static void *reserve(struct call *call, size_t *size)
{
	struct collection *collection = call->driver;

	if (collection->filled == collection->size) {
		size_t larger = collection->size > 0 ? collection->size : FIRST_SIZE / 2;
		if (__builtin_mul_overflow(larger, 2, &larger))
			return NULL;
		uint8_t *data = realloc(collection->data, larger);
		if (!data)
			return NULL;
		collection->data = data;
		collection->size = larger;
	}
	*size = collection->size - collection->filled;
	return collection->data + collection->filled;
}

static struct safe_outcome commit(struct call *call, size_t size)
{
	struct collection *collection = call->driver;

	collection->filled += size;
	return outcome_ok();
}

static struct safe_outcome accept(struct call *call)
{
	(void)call;
	return outcome_ok();
}

enum safe_status safe_decode_bytes(struct safe_decoder *decoder, const struct safe_input *input,
                                   const struct safe_request *request, struct safe_bytes *bytes,
                                   struct safe_result *result)
{
	struct call call;
	struct collection collection = { .data = NULL };
	struct safe_bytes given = { .data = NULL };

	struct safe_outcome outcome = call_init(&call, decoder, input, request, false);
	call.driver = &collection;
	call.on_bytes = accept;
	call.reserve_bytes = reserve;
	call.commit_bytes = commit;
	/* Where the caller has no place for it, nobody would free the data. */
	if (outcome.status == SAFE_OK &&
	    (!bytes || bytes->size < offsetof(struct safe_bytes, allocated) + sizeof(bytes->allocated)))
		outcome = outcome_of(SAFE_USAGE, "there is no place for the data");
	outcome = call_complete(&call, outcome, result);
	if (outcome.status == SAFE_OK) {
		given.data = collection.data;
		given.data_size = collection.filled;
		given.allocated = collection.size;
	} else {
		free(collection.data);
	}
	structs_give(bytes, &given, sizeof(given));
	return outcome.status;
}

void safe_bytes_free(struct safe_bytes *bytes)
{
	if (!bytes)
		return;
	if (bytes->allocated > 0)
		free(bytes->data);
	bytes->data = NULL;
	bytes->data_size = bytes->allocated = 0;
}
