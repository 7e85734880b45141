/* SPDX-License-Identifier: MIT */
/* The calls that give bytes: a whole stream, or a cover. */
#include <stdlib.h>

#include "broker/base/structs.h"
#include "collection.h"

static struct outcome accept(struct call *call)
{
	(void)call;
	return outcome_ok();
}

static const struct call_driver collector = {
	.recognised = request_refuse_others,
	.bytes = accept,
	.reserve = collection_reserve,
	.commit = collection_commit,
};

/* Covers are of sound. */
static struct outcome want_sound(struct call *call)
{
	return call->format->kind == SDEC_KIND_AUDIO ? outcome_ok()
	                                             : outcome_of(SDEC_WRONG_KIND, "only sound has a cover");
}

static const struct call_driver cover_collector = {
	.recognised = want_sound,
	.bytes = accept,
	.reserve = collection_reserve,
	.commit = collection_commit,
};

static enum sdec_status decode(struct sdec_pool *decoder, const struct sdec_input *input,
                               const struct sdec_request *request, enum request_mode mode,
                               const struct call_driver *driver, struct sdec_bytes *bytes, struct sdec_result *result)
{
	struct collection collection = { .data = NULL };
	struct outcome outcome = collection_begin(&collection, decoder, input, request, mode, driver);

	/* Where the caller has no place for it, nobody would free the data. */
	if (outcome.status == SDEC_OK &&
	    (!bytes || bytes->size < offsetof(struct sdec_bytes, allocated) + sizeof(bytes->allocated)))
		outcome = outcome_of(SDEC_USAGE, "there is no place for the data");
	outcome = collection_complete(&collection, outcome, result);
	struct sdec_bytes given = {
		.data = collection.data,
		.data_size = collection.filled,
		.allocated = collection.size,
	};
	structs_give(bytes, &given, sizeof(given));
	return outcome.status;
}

enum sdec_status sdec_decode_bytes(struct sdec_pool *decoder, const struct sdec_input *input,
                                   const struct sdec_request *request, struct sdec_bytes *bytes,
                                   struct sdec_result *result)
{
	return decode(decoder, input, request, REQUEST_WHOLE, &collector, bytes, result);
}

enum sdec_status sdec_decode_cover(struct sdec_pool *decoder, const struct sdec_input *input,
                                   const struct sdec_request *request, struct sdec_bytes *bytes,
                                   struct sdec_result *result)
{
	return decode(decoder, input, request, REQUEST_COVER, &cover_collector, bytes, result);
}

void sdec_bytes_free(struct sdec_bytes *bytes)
{
	if (!bytes)
		return;
	if (bytes->allocated > 0)
		free(bytes->data);
	bytes->data = NULL;
	bytes->data_size = bytes->allocated = 0;
}
