/* SPDX-License-Identifier: MIT */
#include "played_child.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- the child ---- */

static struct safe_outcome verify(struct child *child, struct sandbox_posture *posture)
{
	(void)child;
	*posture = (struct sandbox_posture){ .verified = true, .strict = true, .no_new_privs = true };
	return outcome_ok();
}

static struct safe_outcome fate(struct child *child, bool said_hello, int milliseconds)
{
	struct played *played = child->context;

	(void)said_hello;
	(void)milliseconds;
	played->silent = true;
	return outcome_of(SAFE_KILLED, "the decoder ended before it was done");
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
	        (struct safe_config){ .size = sizeof(played->pool.config), .memory = UINT64_C(512) << 20 };
	played->pool.source = source_at_once(want);
}

void played_end(struct played *played)
{
	(void)close(played->nowhere);
}

/* ---- calls ---- */

enum { MEMORY = 256, GUARD = 16 }; /* bytes */

struct answer {
	const char *broken;
	unsigned char memory[MEMORY + GUARD]; /* of the caller's; what is behind it must stay as it is */
};

static void promised(struct answer *answer, bool held, const char *what)
{
	if (!held && !answer->broken)
		answer->broken = what;
}

static enum safe_status by_image(struct safe_decoder *pool, const struct safe_input *input,
                                 const struct safe_request *request, struct answer *answer, bool into)
{
	struct safe_image image = { .size = sizeof(image) };
	enum safe_status status =
	        into ? safe_decode_image_into(pool, input, request, answer->memory, MEMORY, 16, &image, NULL)
	             : safe_decode_image(pool, input, request, &image, NULL);

	promised(answer, status == SAFE_OK || !image.pixels || into, "a failure gave pixels");
	promised(answer, status != SAFE_OK || (image.pixels && image.width > 0 && image.height > 0),
	         "a success gave no pixels");
	if (!into)
		safe_image_free(&image);
	return status;
}

static enum safe_status by_audio(struct safe_decoder *pool, const struct safe_input *input,
                                 const struct safe_request *request, struct answer *answer, bool into)
{
	struct safe_audio audio = { .size = sizeof(audio) };
	enum safe_status status =
	        into ? safe_decode_audio_into(pool, input, request, answer->memory, MEMORY, &audio, NULL)
	             : safe_decode_audio(pool, input, request, &audio, NULL);

	promised(answer, status == SAFE_OK || into || !audio.samples, "a failure gave samples");
	promised(answer, status != SAFE_OK || audio.channels > 0, "a success without channels");
	if (!into)
		safe_audio_free(&audio);
	return status;
}

static enum safe_status by_bytes(struct safe_decoder *pool, const struct safe_input *input,
                                 const struct safe_request *request, struct answer *answer)
{
	struct safe_bytes bytes = { .size = sizeof(bytes) };
	enum safe_status status = safe_decode_bytes(pool, input, request, &bytes, NULL);

	promised(answer, status == SAFE_OK || !bytes.data, "a failure gave bytes");
	safe_bytes_free(&bytes);
	return status;
}

static enum safe_status by_stream(struct safe_decoder *pool, const struct safe_input *input,
                                  const struct safe_request *request, struct answer *answer, bool into)
{
	enum { STEPS = 1 << 14 }; /* more than any answer of the size of a pipe takes */
	struct safe_stream *stream = NULL;
	struct safe_event event = { .size = sizeof(event) };
	enum safe_status status = safe_stream_open(pool, input, request, &stream);
	unsigned infos = 0;
	int steps = 0;

	for (; status == SAFE_OK && event.kind != SAFE_EVENT_END && steps < STEPS; steps++) {
		volatile unsigned char sum = 0;
		status = safe_stream_step(stream, &event);
		if (status != SAFE_OK)
			break;
		infos += event.kind == SAFE_EVENT_INFO;
		if (event.kind == SAFE_EVENT_INFO && into)
			(void)safe_stream_into(stream, answer->memory, MEMORY, 16);
		/* All that is told can be read. */
		for (size_t i = 0; event.kind != SAFE_EVENT_NONE && event.data && i < event.data_size; i++)
			sum = (unsigned char)(sum + ((const unsigned char *)event.data)[i]);
	}
	promised(answer, infos <= 1, "told twice what it is");
	promised(answer, steps < STEPS, "a stream without an end");
	safe_stream_close(&stream);
	return status;
}

enum safe_status played_call(struct played *played, enum played_way way, const char *format, uint32_t flags,
                             const char **broken)
{
	static const char input_bytes[] = "input";
	const struct safe_input input = {
		.size = sizeof(input), .kind = SAFE_INPUT_MEMORY, .data = input_bytes, .data_size = sizeof(input_bytes)
	};
	const struct safe_request request = { .size = sizeof(request), .format = format, .flags = flags };
	struct answer answer = { .broken = NULL };
	struct safe_decoder *pool = &played->pool;
	struct safe_info info = { .size = sizeof(info) };
	enum safe_status status = SAFE_USAGE;

	memset(answer.memory + MEMORY, 0x5a, GUARD);
	played->silent = false;
	if (way == PLAYED_IMAGE || way == PLAYED_IMAGE_INTO)
		status = by_image(pool, &input, &request, &answer, way == PLAYED_IMAGE_INTO);
	else if (way == PLAYED_BYTES)
		status = by_bytes(pool, &input, &request, &answer);
	else if (way == PLAYED_AUDIO || way == PLAYED_AUDIO_INTO)
		status = by_audio(pool, &input, &request, &answer, way == PLAYED_AUDIO_INTO);
	else if (way == PLAYED_PROBE)
		status = safe_probe(pool, &input, &request, &info, NULL);
	else
		status = by_stream(pool, &input, &request, &answer, way == PLAYED_STREAM_INTO);
	for (size_t i = MEMORY; i < sizeof(answer.memory); i++)
		promised(&answer, answer.memory[i] == 0x5a, "wrote behind the caller's memory");
	*broken = answer.broken;
	return status;
}
