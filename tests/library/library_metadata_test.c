/* SPDX-License-Identifier: MIT */
/* Tags and blocks of pictures: by streams, only if they were asked for, before the picture. */
#include <criterion/criterion.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/library_support.h"

#define PROFILED "samples/jpeg/progressive__test.jpg"  /* has a profile, and a density */
#define TURNED "samples/jpeg/hopper_orientation_6.jpg" /* has EXIF */

struct seen {
	unsigned tags, blobs, infos, rows, ends;
	uint32_t kind;
	struct blob blob;
	char profile[64];
};

static void take(struct seen *seen, const struct sdec_event *event)
{
	switch (event->kind) {
	case SDEC_EVENT_TAG:
		cr_assert_eq(seen->infos, 0);
		seen->tags++;
		if (event->tag == SDEC_TAG_PROFILE)
			(void)strncpy(seen->profile, event->data, sizeof(seen->profile) - 1);
		break;
	case SDEC_EVENT_BLOB:
		cr_assert_eq(seen->infos, 0);
		seen->blobs++;
		seen->kind = event->blob;
		seen->blob.data = malloc(event->data_size);
		cr_assert_not_null(seen->blob.data);
		memcpy(seen->blob.data, event->data, event->data_size);
		seen->blob.size = event->data_size;
		break;
	case SDEC_EVENT_INFO:
		seen->infos++;
		break;
	case SDEC_EVENT_ROWS:
		seen->rows += event->rows;
		break;
	case SDEC_EVENT_END:
		seen->ends++;
		break;
	default:
		break;
	}
}

static struct seen run(struct sdec_pool *decoder, const char *path, uint32_t flags, uint32_t max_metadata)
{
	struct blob file = read_blob(path);
	struct sdec_input input = memory_input(file.data, file.size);
	const struct sdec_limits limits = { .size = sizeof(limits), .max_metadata = max_metadata };
	const struct sdec_request request = { .size = sizeof(request), .flags = flags, .limits = &limits };
	struct sdec_stream *stream = NULL;
	struct seen seen = { .tags = 0 };

	cr_assert_eq(sdec_stream_open(decoder, &input, &request, &stream), SDEC_OK);
	while (seen.ends == 0) {
		struct sdec_event event = { .size = sizeof(event) };
		cr_assert_eq(sdec_stream_step(stream, &event), SDEC_OK);
		take(&seen, &event);
		struct pollfd wanted = { .fd = sdec_stream_fd(stream), .events = POLLIN };
		if (event.kind == SDEC_EVENT_NONE)
			cr_assert_eq(poll(&wanted, 1, 20000), 1);
	}
	sdec_stream_close(&stream);
	free_blob(&file);
	return seen;
}

Test(library_metadata, blocks_come_before_the_picture)
{
	struct sdec_pool *decoder = open_decoder(NULL);
	static const struct {
		const char *path, *arguments;
		uint32_t flag, kind;
	} blocks[] = { { PROFILED, "--extract icc " PROFILED, SDEC_ICC, SDEC_BLOB_ICC },
		       { TURNED, "--extract exif " TURNED, SDEC_EXIF, SDEC_BLOB_EXIF } };

	for (size_t i = 0; i < 2; i++) {
		struct blob wanted = command_line(blocks[i].arguments);
		for (uint32_t more = 0; more <= SDEC_HEADER_ONLY; more += SDEC_HEADER_ONLY) {
			struct seen seen = run(decoder, blocks[i].path, blocks[i].flag | more, 0);
			cr_assert_eq(seen.blobs, 1);
			cr_expect(seen.tags == 0 && seen.infos == 1 && (seen.rows > 0) == (more == 0));
			cr_expect_eq(seen.kind, blocks[i].kind);
			cr_assert_eq(seen.blob.size, wanted.size);
			cr_expect_arr_eq(seen.blob.data, wanted.data, wanted.size);
			free(seen.blob.data);
		}
		free_blob(&wanted);
		/* Not where nobody asked, nor where it is too large. */
		cr_expect_eq(run(decoder, blocks[i].path, 0, 0).blobs, 0);
		cr_expect_eq(run(decoder, blocks[i].path, SDEC_XMP, 0).blobs, 0);
		cr_expect_eq(run(decoder, blocks[i].path, blocks[i].flag, 16).blobs, 0);
	}
	sdec_pool_close(&decoder);
}

Test(library_metadata, tags_of_pictures_come_if_they_are_wanted)
{
	struct sdec_pool *decoder = open_decoder(NULL);
	struct seen seen = run(decoder, PROFILED, SDEC_TAGS, 0);

	cr_expect_eq(seen.tags, 2);
	cr_expect_str_eq(seen.profile, "sRGB IEC61966-2.1");
	cr_expect(seen.blobs == 0 && seen.rows > 0);
	cr_expect_eq(run(decoder, PROFILED, 0, 0).tags, 0);
	sdec_pool_close(&decoder);
}

Test(library_metadata, one_call_has_no_place_for_them)
{
	struct sdec_pool *decoder = open_decoder(NULL);
	struct sdec_input input = memory_input("x", 1);
	struct sdec_image image = { .size = sizeof(image) };

	for (uint32_t flag = SDEC_TAGS; flag <= SDEC_XMP; flag <<= 1) {
		const struct sdec_request request = { .size = sizeof(request), .flags = flag };
		cr_expect_eq(sdec_decode_image(decoder, &input, &request, &image, NULL), SDEC_USAGE);
	}
	cr_expect_str_eq(sdec_tag_name(SDEC_TAG_FOCAL_LENGTH), "focal_length");
	for (int tag = 0; tag <= SDEC_TAG_PROFILE; tag++)
		cr_expect_str_neq(sdec_tag_name((enum sdec_tag)tag), "unknown");
	sdec_pool_close(&decoder);
}
