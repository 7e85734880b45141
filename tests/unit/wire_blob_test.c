/* SPDX-License-Identifier: MIT */
/* Blocks of a picture: only those that were asked for, each once, as long as they were announced, and before it. */
#include "tests/support/wire_stream.h"

static struct wire_request make_blob_request(void)
{
	struct wire_request request = make_request();

	request.flags |= WIRE_BLOB_FLAG(WIRE_BLOB_EXIF);
	return request;
}

static enum sdec_status status_of_kinds(const uint32_t *kinds, size_t count, const struct wire_request *request,
                                        struct counts *counts)
{
	static struct stream stream;
	struct wire_reader reader;

	*counts = (struct counts){ .hello = 0 };
	stream.size = stream.taken = 0;
	put_good(&stream, WIRE_HELLO, 0);
	for (size_t i = 0; i < count; i++)
		put_good(&stream, kinds[i],
		         kinds[i] == WIRE_BLOB_DATA || kinds[i] == WIRE_DATA ? BLOB_SIZE / 2
		         : kinds[i] == WIRE_PIXELS                           ? PIXELS
		                                                             : 0);
	enum wire_progress progress = read_all(&reader, &stream, counts, request);
	return progress == WIRE_PROGRESS_OVER ? reader.outcome.status : SDEC_OK;
}

#define STATUS_OF(...)                                                                                                 \
	status_of_kinds((const uint32_t[]){ __VA_ARGS__ },                                                             \
	                sizeof((const uint32_t[]){ __VA_ARGS__ }) / sizeof(uint32_t), &request, &counts)

Test(wire_blob, a_block_comes_before_the_picture)
{
	const struct wire_request request = make_blob_request();
	struct counts counts;

	cr_expect_eq(STATUS_OF(WIRE_METADATA, WIRE_BLOB, WIRE_BLOB_DATA, WIRE_BLOB_DATA, WIRE_METADATA, WIRE_IMAGE,
	                       WIRE_FRAME, WIRE_PIXELS, WIRE_END),
	             SDEC_OK);
	cr_expect(counts.blob == 1 && counts.metadata == 2 && counts.image == 1 && counts.end == 1);
	cr_expect_eq(counts.committed, BLOB_SIZE + PIXELS);
}

Test(wire_blob, what_is_out_of_order_is_a_lie)
{
	const struct wire_request request = make_blob_request();
	struct counts counts;

	cr_expect_eq(STATUS_OF(WIRE_BLOB_DATA), SDEC_KILLED);
	cr_expect_eq(STATUS_OF(WIRE_BLOB, WIRE_IMAGE), SDEC_KILLED, "nothing of it");
	cr_expect_eq(STATUS_OF(WIRE_BLOB, WIRE_BLOB_DATA, WIRE_IMAGE), SDEC_KILLED, "half of it");
	cr_expect_eq(STATUS_OF(WIRE_BLOB, WIRE_BLOB_DATA, WIRE_METADATA), SDEC_KILLED);
	cr_expect_eq(STATUS_OF(WIRE_BLOB, WIRE_BLOB_DATA, WIRE_END), SDEC_KILLED);
	cr_expect_eq(STATUS_OF(WIRE_BLOB, WIRE_BLOB_DATA, WIRE_FAIL), SDEC_KILLED);
	cr_expect_eq(STATUS_OF(WIRE_BLOB, WIRE_BLOB), SDEC_KILLED, "another within");
	cr_expect_eq(STATUS_OF(WIRE_BLOB, WIRE_BLOB_DATA, WIRE_BLOB_DATA, WIRE_BLOB_DATA), SDEC_KILLED, "more");
	cr_expect_eq(STATUS_OF(WIRE_BLOB, WIRE_BLOB_DATA, WIRE_BLOB_DATA, WIRE_BLOB), SDEC_KILLED, "twice");
	cr_expect_eq(STATUS_OF(WIRE_IMAGE, WIRE_BLOB), SDEC_KILLED, "behind the header");
	cr_expect_eq(STATUS_OF(WIRE_IMAGE, WIRE_FRAME, WIRE_BLOB), SDEC_KILLED);
	cr_expect_eq(STATUS_OF(WIRE_IMAGE, WIRE_FRAME, WIRE_PIXELS, WIRE_BLOB), SDEC_KILLED, "behind the pixels");
	cr_expect_eq(STATUS_OF(WIRE_AUDIO, WIRE_BLOB), SDEC_KILLED);
	cr_expect_eq(STATUS_OF(WIRE_BYTES, WIRE_BLOB), SDEC_KILLED);
	cr_expect_eq(STATUS_OF(WIRE_IMAGE, WIRE_DAMAGE, WIRE_BLOB), SDEC_KILLED);
	cr_expect_eq(counts.blob, 0);
}

/* One block that claims to be of this kind and size. */
static enum sdec_status status_of_blob(uint32_t kind, uint32_t size, const struct wire_request *request)
{
	static struct stream stream;
	const struct wire_blob blob = { .kind = kind, .size = size };

	stream.size = 0;
	put_good(&stream, WIRE_HELLO, 0);
	put(&stream, WIRE_BLOB, sizeof(blob), &blob, sizeof(blob));
	return status_of(&stream, request);
}

Test(wire_blob, only_what_was_asked_for)
{
	struct wire_request request = make_blob_request();

	cr_expect_eq(status_of_blob(WIRE_BLOB_EXIF, 1, &request), SDEC_OK);
	cr_expect_eq(status_of_blob(WIRE_BLOB_EXIF, request.max_metadata, &request), SDEC_OK);
	cr_expect_eq(status_of_blob(WIRE_BLOB_EXIF, 0, &request), SDEC_KILLED);
	cr_expect_eq(status_of_blob(WIRE_BLOB_EXIF, request.max_metadata + 1, &request), SDEC_KILLED);
	cr_expect_eq(status_of_blob(WIRE_BLOB_EXIF, UINT32_MAX, &request), SDEC_KILLED);
	cr_expect_eq(status_of_blob(WIRE_BLOB_ICC, 1, &request), SDEC_KILLED);
	cr_expect_eq(status_of_blob(WIRE_BLOB_XMP, 1, &request), SDEC_KILLED);
	cr_expect_eq(status_of_blob(WIRE_BLOBS, 1, &request), SDEC_KILLED);
	cr_expect_eq(status_of_blob(27, 1, &request), SDEC_KILLED); /* a shift too far */
	cr_expect_eq(status_of_blob(UINT32_MAX, 1, &request), SDEC_KILLED);
	request.operation = WIRE_COVER;
	cr_expect_eq(status_of_blob(WIRE_BLOB_EXIF, 1, &request), SDEC_KILLED);
	request = make_request();
	request.flags = WIRE_PARTIAL | WIRE_TAGS_TOO;
	for (uint32_t kind = 0; kind < WIRE_BLOBS; kind++)
		cr_expect_eq(status_of_blob(kind, 1, &request), SDEC_KILLED, "kind %u", kind);
}

/* It made the limit on output wrap around. */
Test(wire_blob, a_block_is_no_output)
{
	struct wire_request request = make_blob_request();
	struct counts counts;

	request.max_output = PIXELS;
	cr_expect_eq(
	        STATUS_OF(WIRE_BLOB, WIRE_BLOB_DATA, WIRE_BLOB_DATA, WIRE_IMAGE, WIRE_FRAME, WIRE_PIXELS, WIRE_END),
	        SDEC_OK);
	request.max_output = BLOB_SIZE - 1;
	cr_expect_eq(STATUS_OF(WIRE_BLOB, WIRE_BLOB_DATA, WIRE_BLOB_DATA, WIRE_BYTES, WIRE_DATA), SDEC_OK);
	cr_expect_eq(STATUS_OF(WIRE_BLOB, WIRE_BLOB_DATA, WIRE_BLOB_DATA, WIRE_BYTES, WIRE_DATA, WIRE_DATA),
	             SDEC_KILLED);
}
