/* SPDX-License-Identifier: MIT */
/* The part of a session that only audio needs. */
#include <string.h>

#include "session.h"

enum wire_sample_format session_choose_samples(const struct session *session, uint32_t depth, bool is_float)
{
	static const uint8_t for_16[] = { WIRE_S16, WIRE_S24, WIRE_S32, WIRE_F32, WIRE_SAMPLE_FORMATS };
	static const uint8_t for_24[] = { WIRE_S24, WIRE_S32, WIRE_F32, WIRE_S16, WIRE_SAMPLE_FORMATS };
	static const uint8_t for_32[] = { WIRE_S32, WIRE_F32, WIRE_S24, WIRE_S16, WIRE_SAMPLE_FORMATS };
	static const uint8_t for_float[] = { WIRE_F32, WIRE_S32, WIRE_S24, WIRE_S16, WIRE_SAMPLE_FORMATS };
	const uint8_t *order = is_float ? for_float : depth <= 16 ? for_16 : depth <= 24 ? for_24 : for_32;

	while (*order != WIRE_SAMPLE_FORMATS && !(session->request.sample_formats & WIRE_FORMAT_BIT(*order)))
		order++;
	return (enum wire_sample_format) * order;
}

/* How much of a value fits, so that no character of UTF-8 is cut in two. */
static size_t cut_value(const char *value, size_t size)
{
	size_t length = strnlen(value, size);

	if (length <= WIRE_VALUE_MAX)
		return length;
	length = WIRE_VALUE_MAX;
	for (size_t back = 0; back < 4 && ((uint8_t)value[length - back] & 0xc0) == 0x80; back++)
		if (((uint8_t)value[length - back - 1] & 0xc0) == 0xc0)
			return length - back - 1;
	return length;
}

void session_tag(struct session *session, enum wire_tag tag, const char *value, size_t size)
{
	struct wire_metadata metadata = { .tag = tag };
	size_t length = cut_value(value, size);

	if (length == 0 || length > session->metadata_left || session->tags == WIRE_METADATA_MAX ||
	    session->request.operation == WIRE_COVER)
		return;
	session->tags++;
	session->metadata_left -= (uint32_t)length;
	memcpy(metadata.value, value, length);
	(void)session_put(session, WIRE_METADATA, &metadata, offsetof(struct wire_metadata, value) + length);
}

/* One message for all the losses since the last flush: there may be very many, of which the caller wants the number. */
static session_result put_loss(struct session *session)
{
	struct wire_loss loss = { .parts = session->losses };

	if (session->loss != NO_BULK) {
		memcpy(session->output + session->loss, &loss, sizeof(loss));
		return WIRE_OK;
	}
	session_result result = session_put(session, WIRE_LOSS, &loss, sizeof(loss));
	session->loss = session->output_filled - sizeof(loss);
	return result;
}

session_result session_audio(struct session *session, const struct wire_audio *audio)
{
	if (session->request.operation == WIRE_COVER)
		return WIRE_FAIL_ABSENT;
	if (audio->rate == 0 || audio->channels == 0 || audio->depth == 0)
		return WIRE_FAIL_HEADER;
	if (audio->rate > WIRE_RATE_MAX || audio->channels > WIRE_CHANNELS_MAX || audio->depth > WIRE_DEPTH_MAX ||
	    audio->sample_format >= WIRE_SAMPLE_FORMATS)
		return WIRE_FAIL_UNSUPPORTED;
	session->sample_frame = (size_t)audio->channels * wire_sample_bytes[audio->sample_format];
	session->bytes_left = session->request.max_output;
	session->announced = true;
	(void)session_put(session, WIRE_AUDIO, audio, sizeof(*audio));
	if (session->request.operation == WIRE_INFO)
		return SESSION_STOP;
	return session->losses > 0 ? put_loss(session) : WIRE_OK;
}

session_result session_samples(struct session *session, uint8_t **samples, size_t *count)
{
	size_t size = 0;
	session_result result = session_bulk_room(session, session->sample_frame, samples, &size);

	*count = size / session->sample_frame;
	return result;
}

session_result session_commit_samples(struct session *session, size_t count)
{
	size_t size = count * session->sample_frame; /* no more than there was room for */

	if (size == 0)
		return WIRE_OK;
	if (size > session->bytes_left)
		return WIRE_FAIL_LIMIT_OUTPUT;
	session->bytes_left -= size;
	session_bulk_commit(session, WIRE_SAMPLES, size);
	return session->lost ? SESSION_STOP : WIRE_OK;
}

session_result session_send_samples(struct session *session, size_t count, session_put_samples *put,
                                    const void *context)
{
	for (size_t sent = 0; sent < count;) {
		uint8_t *room = NULL;
		size_t part = 0;
		session_result result = session_samples(session, &room, &part);
		if (result != WIRE_OK)
			return result;
		if (part > count - sent)
			part = count - sent;
		put(context, room, sent, part);
		result = session_commit_samples(session, part);
		if (result != WIRE_OK)
			return result;
		sent += part;
	}
	return WIRE_OK;
}

session_result session_loss(struct session *session, enum wire_failure failure)
{
	if (session->request.flags & WIRE_STRICT)
		return session_damage(session, failure);
	session->losses++;
	return session->announced ? put_loss(session) : WIRE_OK;
}
