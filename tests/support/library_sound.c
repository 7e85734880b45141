/* SPDX-License-Identifier: MIT */
#include "library_sound.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATIENCE = 20000, PIECE_MOST = 256 << 10 };

static void take_samples(struct heard *heard, const struct sdec_event *event)
{
	static const uint8_t bytes[] = { 0, 2, 3, 4, 4 };
	size_t frame = heard->info.channels * (size_t)bytes[heard->info.sample_format];

	cr_assert_eq(heard->info.kind, SDEC_KIND_AUDIO);
	cr_assert_eq(event->first_sample_frame, heard->frames);
	cr_assert_gt(event->sample_frames, 0);
	cr_assert_eq(event->data_size, event->sample_frames * frame);
	cr_assert_leq(event->data_size, PIECE_MOST);
	heard->data = realloc(heard->data, heard->size + event->data_size);
	cr_assert_not_null(heard->data);
	memcpy(heard->data + heard->size, event->data, event->data_size);
	heard->size += event->data_size;
	heard->frames += event->sample_frames;
}

static void take_tag(struct heard *heard, const struct sdec_event *event)
{
	size_t length = strlen(heard->tag_text);

	cr_assert_eq(strlen(event->data), event->data_size);
	(void)snprintf(heard->tag_text + length, sizeof(heard->tag_text) - length, "%s=%s\n",
	               sdec_tag_name((enum sdec_tag)event->tag), (const char *)event->data);
	heard->tags++;
}

static void take(struct heard *heard, const struct sdec_event *event)
{
	switch (event->kind) {
	case SDEC_EVENT_INFO:
		cr_assert_eq(heard->info.kind, SDEC_KIND_NONE);
		heard->info = *event->info;
		break;
	case SDEC_EVENT_SAMPLES:
		take_samples(heard, event);
		break;
	case SDEC_EVENT_TAG:
		take_tag(heard, event);
		break;
	case SDEC_EVENT_LOSS:
		cr_assert_gt(event->losses, heard->losses);
		heard->losses = event->losses;
		break;
	case SDEC_EVENT_END:
		heard->ends++;
		break;
	default:
		cr_assert_eq(event->kind, SDEC_EVENT_NONE);
	}
}

void listen_on(struct heard *heard, struct sdec_stream *stream, int events)
{
	struct sdec_event event = { .size = sizeof(event) };

	while (heard->status == SDEC_OK && heard->ends == 0 && events != 0) {
		struct pollfd ready = { .fd = sdec_stream_fd(stream), .events = POLLIN };
		cr_assert_eq(poll(&ready, 1, PATIENCE), 1, "the stream's descriptor does not become readable");
		heard->status = sdec_stream_step(stream, &event);
		if (heard->status == SDEC_OK)
			take(heard, &event);
		events -= events > 0 && event.kind != SDEC_EVENT_NONE;
	}
	heard->result.size = sizeof(heard->result);
	sdec_stream_result(stream, &heard->result);
	cr_assert_eq(heard->result.status, heard->status);
}

struct heard listen_to(struct sdec_pool *decoder, const struct sdec_input *input, const struct sdec_request *request)
{
	struct heard heard = { .status = SDEC_OK };
	struct sdec_stream *stream = NULL;

	cr_assert_eq(sdec_stream_open(decoder, input, request, &stream), SDEC_OK);
	listen_on(&heard, stream, -1);
	sdec_stream_close(&stream);
	return heard;
}
