/* SPDX-License-Identifier: MIT */
#include "played_child.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- the child ---- */

static struct outcome verify(struct child *child, struct sandbox_posture *posture)
{
	(void)child;
	*posture = (struct sandbox_posture){ .verified = true, .strict = true, .no_new_privs = true };
	return outcome_ok();
}

static struct outcome fate(struct child *child, bool said_hello, int milliseconds)
{
	struct played *played = child->context;

	(void)said_hello;
	(void)milliseconds;
	played->silent = true;
	return outcome_of(SDEC_KILLED, "the decoder ended before it was done");
}

static void end(struct child *child, bool crashed)
{
	(void)crashed;
	child_close(child);
}

static const struct child_owner a_player = { .verify = verify, .fate = fate, .end = end };

static bool want(struct child_source *source, struct want *want)
{
	struct played *played = (struct played *)source;
	int output[2];

	if (pipe2(output, O_CLOEXEC | O_NONBLOCK) != 0 ||
	    write(output[1], played->said, played->size) != (ssize_t)played->size)
		abort();
	(void)close(output[1]);
	want->child = (struct child){ .owner = &a_player,
		                      .context = played,
		                      .verified = played->verified,
		                      .pidfd = -1,
		                      .input = fcntl(played->nowhere, F_DUPFD_CLOEXEC, 0),
		                      .output = output[0],
		                      .control = -1 };
	if (want->child.input < 0)
		abort();
	want->done = true;
	return true;
}

void played_init(struct played *played)
{
	*played = (struct played){ .nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC) };
	if (played->nowhere < 0)
		abort();
	played->pool.owner = owner_self();
	played->pool.config =
	        (struct sdec_config){ .size = sizeof(played->pool.config), .memory = UINT64_C(512) << 20 };
	played->pool.source = source_at_once(want);
}

void played_end(struct played *played)
{
	(void)close(played->nowhere);
}

/* ---- calls ---- */

/* Bytes.  So much input is enough for a decoder to be offered its parts. */
enum { MEMORY = 256, GUARD = 16, INPUT_SIZE = 1 << 20 };

struct answer {
	const char *broken;
	unsigned char memory[MEMORY + GUARD]; /* of the caller's; what is behind it must stay as it is */
};

static void promised(struct answer *answer, bool held, const char *what)
{
	if (!held && !answer->broken)
		answer->broken = what;
}

static enum sdec_status by_image(struct sdec_pool *pool, const struct sdec_input *input,
                                 const struct sdec_request *request, struct answer *answer, bool into)
{
	struct sdec_image image = { .size = sizeof(image) };
	enum sdec_status status =
	        into ? sdec_decode_image_into(pool, input, request, answer->memory, MEMORY, 16, &image, NULL)
	             : sdec_decode_image(pool, input, request, &image, NULL);

	promised(answer, status == SDEC_OK || !image.pixels || into, "a failure gave pixels");
	promised(answer, status != SDEC_OK || (image.pixels && image.width > 0 && image.height > 0),
	         "a success gave no pixels");
	if (!into)
		sdec_image_free(&image);
	return status;
}

static enum sdec_status by_audio(struct sdec_pool *pool, const struct sdec_input *input,
                                 const struct sdec_request *request, struct answer *answer, bool into)
{
	struct sdec_audio audio = { .size = sizeof(audio) };
	enum sdec_status status =
	        into ? sdec_decode_audio_into(pool, input, request, answer->memory, MEMORY, &audio, NULL)
	             : sdec_decode_audio(pool, input, request, &audio, NULL);

	promised(answer, status == SDEC_OK || into || !audio.samples, "a failure gave samples");
	promised(answer, status != SDEC_OK || audio.channels > 0, "a success without channels");
	if (!into)
		sdec_audio_free(&audio);
	return status;
}

static enum sdec_status by_bytes(struct sdec_pool *pool, const struct sdec_input *input,
                                 const struct sdec_request *request, struct answer *answer)
{
	struct sdec_bytes bytes = { .size = sizeof(bytes) };
	enum sdec_status status = sdec_decode_bytes(pool, input, request, &bytes, NULL);

	promised(answer, status == SDEC_OK || !bytes.data, "a failure gave bytes");
	sdec_bytes_free(&bytes);
	return status;
}

static enum sdec_status by_stream(struct sdec_pool *pool, const struct sdec_input *input,
                                  const struct sdec_request *request, struct answer *answer, bool into)
{
	enum { STEPS = 1 << 14 }; /* more than any answer of the size of a pipe takes */
	struct sdec_stream *stream = NULL;
	struct sdec_event event = { .size = sizeof(event) };
	enum sdec_status status = sdec_stream_open(pool, input, request, &stream);
	unsigned infos = 0, frames = 0;
	uint32_t height = 0; /* of the page */
	size_t flow = 0;     /* bytes and samples */
	const uint32_t blocks = SDEC_ICC | SDEC_EXIF | SDEC_XMP;
	bool is_sound = strcmp(request->format, "wav") == 0 || strcmp(request->format, "flac") == 0;
	bool is_picture = strcmp(request->format, "jpeg") == 0 || strcmp(request->format, "tiff") == 0;
	int steps = 0;

	for (; status == SDEC_OK && event.kind != SDEC_EVENT_END && steps < STEPS; steps++) {
		volatile unsigned char sum = 0;
		status = sdec_stream_step(stream, &event);
		if (status != SDEC_OK)
			break;
		infos += event.kind == SDEC_EVENT_INFO;
		frames += event.kind == SDEC_EVENT_FRAME;
		if (event.kind == SDEC_EVENT_BYTES || event.kind == SDEC_EVENT_SAMPLES)
			flow += event.data_size;
		promised(answer, flow <= request->limits->max_output, "more output than the limit allows");
		promised(answer, event.kind != SDEC_EVENT_TAG || is_sound || (request->flags & SDEC_TAGS),
		         "told a tag of a picture that nobody asked for");
		promised(answer, event.kind != SDEC_EVENT_BLOB || (is_picture && (request->flags & blocks)),
		         "told a block that nobody asked for");
		if (event.kind == SDEC_EVENT_INFO)
			height = event.info->height;
		if (event.kind == SDEC_EVENT_INFO && into)
			(void)sdec_stream_into(stream, answer->memory, MEMORY, 16);
		promised(answer,
		         event.kind != SDEC_EVENT_ROWS ||
		                 (event.rows > 0 && event.first_row < height && event.rows <= height - event.first_row),
		         "told rows that the picture does not have");
		/* All that is told can be read. */
		for (size_t i = 0; event.kind != SDEC_EVENT_NONE && event.data && i < event.data_size; i++)
			sum = (unsigned char)(sum + ((const unsigned char *)event.data)[i]);
	}
	promised(answer, infos <= 1 + frames, "told twice what it is");
	promised(answer, steps < STEPS, "a stream without an end");
	sdec_stream_close(&stream);
	return status;
}

static enum sdec_status by_frames(struct sdec_pool *pool, const struct sdec_input *input,
                                  const struct sdec_request *request, struct answer *answer)
{
	struct sdec_frames frames = { .size = sizeof(frames) };
	enum sdec_status status = sdec_decode_frames(pool, input, request, &frames, NULL);

	promised(answer, status == SDEC_OK || !frames.frames, "a failure gave frames");
	promised(answer, status != SDEC_OK || frames.count > 0, "a success gave no frames");
	for (size_t i = 0; frames.frames && i < frames.count; i++) {
		const struct sdec_frame *frame = &frames.frames[i];
		volatile unsigned char sum = 0;
		for (size_t k = 0; k < frame->stride * frame->height; k++)
			sum = (unsigned char)(sum + ((const unsigned char *)frame->pixels)[k]);
		promised(answer, frame->width > 0 && frame->height > 0, "a frame without pixels");
	}
	sdec_frames_free(&frames);
	return status;
}

enum sdec_status played_call(struct played *played, enum played_way way, const char *format, uint32_t flags,
                             const char **broken)
{
	static const char input_bytes[INPUT_SIZE] = "input";
	const struct sdec_input input = {
		.size = sizeof(input), .kind = SDEC_INPUT_MEMORY, .data = input_bytes, .data_size = sizeof(input_bytes)
	};
	/* Of bytes, and less than some pictures have. */
	const struct sdec_limits limits = { .size = sizeof(limits), .max_output = 64 };
	struct sdec_request request = { .size = sizeof(request), .limits = &limits, .format = format, .flags = flags };
	struct answer answer = { .broken = NULL };
	struct sdec_pool *pool = &played->pool;
	struct sdec_info info = { .size = sizeof(info) };
	enum sdec_status status = SDEC_USAGE;

	if (way == PLAYED_STREAM || way == PLAYED_STREAM_INTO)
		request.max_frames = SDEC_ALL_FRAMES;
	memset(answer.memory + MEMORY, 0x5a, GUARD);
	played->silent = false;
	if (way == PLAYED_IMAGE || way == PLAYED_IMAGE_INTO)
		status = by_image(pool, &input, &request, &answer, way == PLAYED_IMAGE_INTO);
	else if (way == PLAYED_BYTES)
		status = by_bytes(pool, &input, &request, &answer);
	else if (way == PLAYED_AUDIO || way == PLAYED_AUDIO_INTO)
		status = by_audio(pool, &input, &request, &answer, way == PLAYED_AUDIO_INTO);
	else if (way == PLAYED_PROBE)
		status = sdec_probe(pool, &input, &request, &info, NULL);
	else if (way == PLAYED_FRAMES)
		status = by_frames(pool, &input, &request, &answer);
	else
		status = by_stream(pool, &input, &request, &answer, way == PLAYED_STREAM_INTO);
	for (size_t i = MEMORY; i < sizeof(answer.memory); i++)
		promised(&answer, answer.memory[i] == 0x5a, "wrote behind the caller's memory");
	*broken = answer.broken;
	return status;
}
