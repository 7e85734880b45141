/* SPDX-License-Identifier: MIT */
#include "reader.h"

#include <errno.h>
#include <string.h>

#include "announcements.h"

/* ---- what each message must be, besides what the table says ---- */

static struct outcome lied(const char *reason)
{
	return outcome_of(SDEC_KILLED, reason);
}

static struct outcome take_hello(struct wire_reader *reader)
{
	struct wire_hello hello;

	memcpy(&hello, reader->payload, sizeof(hello));
	if (hello.version != WIRE_VERSION)
		return lied("the decoder lied: it speaks another version of the wire");
	reader->state = WIRE_STATE_READY;
	return reader->consumer->hello(reader->consumer->context);
}

/* Whether one frame more is within the limits, which are on all frames together. */
static bool frame_fits(const struct wire_reader *reader)
{
	const struct wire_request *request = &reader->request;

	return reader->frame_pixels <= request->max_pixels - reader->pixels &&
	       (request->operation == WIRE_INFO || reader->frame_size <= request->max_output - reader->promised);
}

/* Sets the sizes that the geometry implies.  Returns false where they overflow or one frame goes over a limit. */
static bool image_fits(struct wire_reader *reader, const struct wire_image *image)
{
	reader->frame_pixels = (uint64_t)image->width * image->height; /* two 32-bit factors */
	return !__builtin_mul_overflow(reader->frame_pixels, wire_pixel_bytes[image->pixel_format],
	                               &reader->frame_size) &&
	       frame_fits(reader);
}

/* A picture that is no animation has one frame, and another may come after it, as the next page. */
static bool page_may_follow(const struct wire_reader *reader, const struct wire_image *image)
{
	bool animation = ((reader->image_flags | image->flags) & WIRE_IMAGE_ANIMATION) != 0;

	return reader->state == WIRE_STATE_READY || (!animation && reader->frames > 0 && reader->frames_left > 0);
}

static struct outcome take_image(struct wire_reader *reader)
{
	struct wire_image image;

	memcpy(&image, reader->payload, sizeof(image));
	if (reader->request.operation == WIRE_COVER || !announcement_is_good_image(&image, &reader->request) ||
	    !page_may_follow(reader, &image) || !image_fits(reader, &image))
		return lied("the decoder lied: it announced a picture that was not asked for");
	reader->image_flags = image.flags;
	reader->width = image.width;
	reader->height = image.height;
	reader->frames = reader->previews = 0;
	reader->state = WIRE_STATE_IMAGE;
	return reader->consumer->image(reader->consumer->context, &image);
}

static bool preview_is_allowed(const struct wire_reader *reader)
{
	return (reader->request.flags & WIRE_PREVIEW) && reader->frames == 0 && reader->previews < WIRE_PREVIEWS_MAX;
}

static struct outcome take_frame(struct wire_reader *reader)
{
	struct wire_frame frame;

	memcpy(&frame, reader->payload, sizeof(frame));
	reader->previewing = (frame.flags & WIRE_FRAME_PREVIEW) != 0;
	if ((frame.flags & ~WIRE_FRAME_FLAGS) != 0 || (reader->previewing && !preview_is_allowed(reader)))
		return lied("the decoder lied: it sent a preview that was not asked for");
	if (reader->request.operation == WIRE_INFO || reader->frames_left == 0 || !frame_fits(reader) ||
	    (reader->frames > 0 && !(reader->image_flags & WIRE_IMAGE_ANIMATION)))
		return lied("the decoder lied: it sent more frames than were asked for");
	if (frame.x > reader->width || frame.width > reader->width - frame.x || frame.y > reader->height ||
	    frame.height > reader->height - frame.y)
		return lied("the decoder lied: it changed what is outside of the picture");
	reader->previews += reader->previewing;
	reader->frames += !reader->previewing;
	reader->frames_left -= !reader->previewing;
	reader->pixels += reader->frame_pixels;
	reader->promised += reader->frame_size;
	reader->frame_left = reader->frame_size;
	reader->state = WIRE_STATE_FRAME;
	return reader->consumer->frame(reader->consumer->context, &frame);
}

/* Of a frame, or of a block. */
static struct outcome take_part(struct wire_reader *reader)
{
	if (reader->header.length > reader->frame_left)
		return lied("the decoder lied: it sent more than it announced");
	reader->frame_left -= reader->header.length;
	reader->bulk_left = reader->header.length;
	return outcome_ok();
}

static struct outcome take_bytes(struct wire_reader *reader)
{
	reader->state = WIRE_STATE_BYTES;
	return reader->consumer->bytes(reader->consumer->context);
}

static struct outcome take_data(struct wire_reader *reader)
{
	if (reader->request.operation == WIRE_INFO ||
	    reader->header.length > reader->request.max_output - reader->output)
		return lied("the decoder lied: it sent more bytes than the limit allows");
	reader->bulk_left = reader->header.length;
	return outcome_ok();
}

static struct outcome take_audio(struct wire_reader *reader)
{
	struct wire_audio audio;

	memcpy(&audio, reader->payload, sizeof(audio));
	if (reader->request.operation == WIRE_COVER || !announcement_is_good_audio(&audio, &reader->request))
		return lied("the decoder lied: it announced audio that was not asked for");
	reader->frame_size = (uint64_t)audio.channels * wire_sample_bytes[audio.sample_format];
	reader->state = WIRE_STATE_AUDIO;
	if (!reader->consumer->audio)
		return outcome_of(SDEC_UNSUPPORTED, "gives audio, which is not taken here");
	return reader->consumer->audio(reader->consumer->context, &audio);
}

static struct outcome take_samples(struct wire_reader *reader)
{
	if (reader->header.length % reader->frame_size != 0)
		return lied("the decoder lied: it sent a part of a sample frame");
	return take_data(reader);
}

static struct outcome take_metadata(struct wire_reader *reader)
{
	const struct wire_consumer *consumer = reader->consumer;
	const char *value = (const char *)reader->payload + offsetof(struct wire_metadata, value);
	size_t size = reader->header.length - offsetof(struct wire_metadata, value);
	uint32_t tag = 0;

	memcpy(&tag, reader->payload, sizeof(tag));
	reader->payload[reader->header.length] = '\0';
	/* At most WIRE_METADATA_MAX short values: the sum cannot overflow. */
	reader->metadata_size += size;
	if (reader->metadata_left == 0 || reader->metadata_size > reader->request.max_metadata)
		return lied("the decoder lied: it sent more metadata than the limit allows");
	reader->metadata_left--;
	if (tag >= WIRE_TAGS || strlen(value) != size)
		return lied("the decoder lied: it sent metadata that makes no sense");
	return consumer->metadata ? consumer->metadata(consumer->context, (enum wire_tag)tag, value, size)
	                          : outcome_ok();
}

static struct outcome take_blob(struct wire_reader *reader)
{
	struct wire_blob blob;

	memcpy(&blob, reader->payload, sizeof(blob));
	if (blob.kind >= WIRE_BLOBS || !(reader->blobs_wanted & WIRE_BLOB_FLAG(blob.kind)) ||
	    reader->request.operation == WIRE_COVER || blob.size == 0 || blob.size > reader->request.max_metadata)
		return lied("the decoder lied: it sent a block that was not asked for");
	reader->blobs_wanted &= ~WIRE_BLOB_FLAG(blob.kind);
	reader->frame_left = blob.size;
	reader->state = WIRE_STATE_BLOB;
	return reader->consumer->blob(reader->consumer->context, (enum wire_blob_kind)blob.kind, blob.size);
}

static struct outcome take_loss(struct wire_reader *reader)
{
	const struct wire_consumer *consumer = reader->consumer;
	struct wire_loss loss;

	memcpy(&loss, reader->payload, sizeof(loss));
	if ((reader->request.flags & WIRE_STRICT) || reader->request.operation == WIRE_INFO ||
	    loss.parts <= reader->losses)
		return lied("the decoder lied: it reported a loss that makes no sense");
	reader->losses = loss.parts;
	return consumer->loss ? consumer->loss(consumer->context, loss.parts) : outcome_ok();
}

/* The failure in the payload, or WIRE_OK if it is not one of the list; *detail may be any number. */
static enum wire_failure failure_in_payload(const struct wire_reader *reader, uint64_t *detail)
{
	struct wire_fail fail;

	memcpy(&fail, reader->payload, sizeof(fail));
	*detail = fail.detail;
	return fail.failure < WIRE_FAILURES ? (enum wire_failure)fail.failure : WIRE_OK;
}

static struct outcome take_damage(struct wire_reader *reader)
{
	uint64_t detail = 0;

	reader->damage = failure_in_payload(reader, &detail);
	/* Where nothing is decoded, nothing can be missing. */
	if (!(reader->request.flags & WIRE_PARTIAL) || reader->request.operation == WIRE_INFO ||
	    reader->damage == WIRE_OK || reader->previewing)
		return lied("the decoder lied: it reported damage that makes no sense");
	reader->state = WIRE_STATE_DAMAGED;
	return outcome_ok();
}

static struct outcome take_end(struct wire_reader *reader)
{
	struct wire_end end;

	memcpy(&end, reader->payload, sizeof(end));
	if ((end.notes & ~WIRE_NOTES) != 0)
		return lied("the decoder lied: it sent a note that does not exist");
	if (reader->state == WIRE_STATE_IMAGE && reader->frames == 0 && reader->request.operation != WIRE_INFO)
		return lied("the decoder lied: it announced a picture and sent none");
	reader->state = WIRE_STATE_OVER;
	return reader->consumer->end(reader->consumer->context, reader->damage, end.notes);
}

static struct outcome take_fail(struct wire_reader *reader)
{
	uint64_t detail = 0;
	enum wire_failure failure = failure_in_payload(reader, &detail);

	if (failure == WIRE_OK)
		return lied("the decoder lied: it failed for a reason that does not exist");
	reader->state = WIRE_STATE_OVER;
	struct outcome outcome = outcome_of_failure(failure);
	outcome.needed = outcome.limit == SDEC_LIMIT_MEMORY ? detail : 0;
	return outcome;
}

static struct outcome take_forbidden(struct wire_reader *reader)
{
	const struct wire_consumer *consumer = reader->consumer;
	struct wire_forbidden forbidden;

	memcpy(&forbidden, reader->payload, sizeof(forbidden));
	if (!(reader->request.flags & WIRE_DIAGNOSE))
		return lied("the decoder lied: it reported what it was not asked for");
	if (consumer->forbidden)
		consumer->forbidden(consumer->context, &forbidden);
	return outcome_of(SDEC_KILLED, "the decoder tried a forbidden system call");
}

/* What is behind the input's end is cut off. */
static struct outcome take_read(struct wire_reader *reader)
{
	uint64_t total = reader->request.input_total;
	struct wire_read read;

	memcpy(&read, reader->payload, sizeof(read));
	if (!(reader->request.flags & WIRE_RANDOM) || reader->part_wanted || read.length < 1 ||
	    read.length > WIRE_READ_MAX)
		return lied("the decoder lied: it asked for a part of its input that it cannot have");
	reader->part_wanted = true;
	reader->part_offset = read.offset < total ? read.offset : total;
	total -= reader->part_offset;
	reader->part_length = read.length < total ? read.length : (uint32_t)total;
	return outcome_ok();
}

/* ---- the table ---- */

/* Which message may come when, how long it may be, and who checks the rest.  Once-only messages move the session to a
 * state in which they are not allowed any more.  What is not here ends the decode. */
static const struct rule {
	uint32_t states;            /* WIRE_STATE_... in which it is allowed */
	uint32_t shortest, longest; /* payload, bytes */
	bool bulk;                  /* the payload goes to the consumer */
	struct outcome (*take)(struct wire_reader *reader);
} rules[] = {
	[WIRE_HELLO] = { WIRE_STATE_START, sizeof(struct wire_hello), sizeof(struct wire_hello), false, take_hello },
	[WIRE_IMAGE] = { WIRE_STATE_READY | WIRE_STATE_IMAGE, sizeof(struct wire_image), sizeof(struct wire_image),
	                 false, take_image },
	[WIRE_FRAME] = { WIRE_STATE_IMAGE, sizeof(struct wire_frame), sizeof(struct wire_frame), false, take_frame },
	[WIRE_PIXELS] = { WIRE_STATE_FRAME, 1, WIRE_BULK_MAX, true, take_part },
	[WIRE_BYTES] = { WIRE_STATE_READY, 0, 0, false, take_bytes },
	[WIRE_DATA] = { WIRE_STATE_BYTES, 1, WIRE_BULK_MAX, true, take_data },
	[WIRE_DAMAGE] = { WIRE_STATE_IMAGE | WIRE_STATE_FRAME | WIRE_STATE_BYTES | WIRE_STATE_AUDIO,
	                  sizeof(struct wire_fail), sizeof(struct wire_fail), false, take_damage },
	[WIRE_END] = { WIRE_STATE_IMAGE | WIRE_STATE_BYTES | WIRE_STATE_AUDIO | WIRE_STATE_DAMAGED,
	               sizeof(struct wire_end), sizeof(struct wire_end), false, take_end },
	[WIRE_FAIL] = { WIRE_STATE_READY | WIRE_STATE_IMAGE | WIRE_STATE_FRAME | WIRE_STATE_BYTES | WIRE_STATE_AUDIO,
	                sizeof(struct wire_fail), sizeof(struct wire_fail), false, take_fail },
	[WIRE_AUDIO] = { WIRE_STATE_READY, sizeof(struct wire_audio), sizeof(struct wire_audio), false, take_audio },
	[WIRE_SAMPLES] = { WIRE_STATE_AUDIO, 1, WIRE_BULK_MAX, true, take_samples },
	[WIRE_METADATA] = { WIRE_STATE_READY | WIRE_STATE_AUDIO, offsetof(struct wire_metadata, value) + 1,
	                    sizeof(struct wire_metadata), false, take_metadata },
	[WIRE_FORBIDDEN] = { WIRE_STATE_READY | WIRE_STATE_IMAGE | WIRE_STATE_FRAME | WIRE_STATE_BYTES |
	                             WIRE_STATE_AUDIO | WIRE_STATE_DAMAGED | WIRE_STATE_BLOB,
	                     sizeof(struct wire_forbidden), sizeof(struct wire_forbidden), false, take_forbidden },
	[WIRE_LOSS] = { WIRE_STATE_AUDIO, sizeof(struct wire_loss), sizeof(struct wire_loss), false, take_loss },
	[WIRE_READ] = { WIRE_STATE_READY | WIRE_STATE_IMAGE | WIRE_STATE_FRAME | WIRE_STATE_BYTES | WIRE_STATE_AUDIO,
	                sizeof(struct wire_read), sizeof(struct wire_read), false, take_read },
	[WIRE_BLOB] = { WIRE_STATE_READY, sizeof(struct wire_blob), sizeof(struct wire_blob), false, take_blob },
	[WIRE_BLOB_DATA] = { WIRE_STATE_BLOB, 1, WIRE_BULK_MAX, true, take_part },
};

_Static_assert(sizeof(struct wire_image) < sizeof(((struct wire_reader *)0)->payload), "the longest small message");

/* A message takes this side the same time however short it is, and the child next to none, so they must not come
 * without end: a quarter of a million whatever they are, one more for each KiB of output, and one for each piece of
 * input, for what comes slowly is decoded at once. */
enum { MESSAGES_FREE = 1 << 18, MESSAGE_SHORT = 1 << 10 };

/* ---- the machine ---- */

void wire_reader_init(struct wire_reader *reader, const struct wire_request *request,
                      const struct wire_consumer *consumer)
{
	*reader = (struct wire_reader){ .consumer = consumer,
		                        .request = *request,
		                        .state = WIRE_STATE_START,
		                        .metadata_left = WIRE_METADATA_MAX,
		                        .frames_left = request->max_frames,
		                        .blobs_wanted = request->flags };
}

static enum wire_progress finish(struct wire_reader *reader, struct outcome outcome)
{
	reader->state = WIRE_STATE_OVER;
	reader->outcome = outcome;
	return WIRE_PROGRESS_OVER;
}

/* Goes on after a handler: over if it failed or ended the session. */
static enum wire_progress proceed(struct wire_reader *reader, struct outcome outcome)
{
	if (outcome.status != SDEC_OK || reader->state == WIRE_STATE_OVER)
		return finish(reader, outcome);
	return WIRE_PROGRESS_MORE;
}

/* Reads up to `size` bytes and sets *got.  Returns MORE when there were some. */
static enum wire_progress read_once(struct wire_reader *reader, wire_read_function *read_function, void *context,
                                    void *data, size_t size, size_t *got)
{
	ssize_t result = 0;

	do
		result = read_function(context, data, size);
	while (result < 0 && errno == EINTR);
	if (result == 0)
		return WIRE_PROGRESS_EOF;
	if (result < 0 && errno == EAGAIN)
		return WIRE_PROGRESS_WAIT;
	if (result < 0 || (size_t)result > size)
		return finish(reader, outcome_of_errno(SDEC_IO, "cannot read from the decoder", errno));
	*got = (size_t)result;
	return WIRE_PROGRESS_MORE;
}

static const struct rule *rule_of(const struct wire_reader *reader)
{
	const struct wire_header *header = &reader->header;

	if (header->kind >= sizeof(rules) / sizeof(rules[0]))
		return NULL;
	const struct rule *rule = &rules[header->kind];
	bool allowed = (rule->states & (uint32_t)reader->state) != 0 && header->length >= rule->shortest &&
	               header->length <= rule->longest;
	return allowed ? rule : NULL;
}

/* The header is complete: refuse it, or take what needs no payload of its own. */
static enum wire_progress take_header(struct wire_reader *reader)
{
	const struct rule *rule = rule_of(reader);

	if (!rule)
		return finish(reader, lied("the decoder lied: it sent a message that is not allowed here"));
	if (++reader->messages > MESSAGES_FREE + reader->output / MESSAGE_SHORT + reader->input_pieces)
		return finish(reader, lied("the decoder lied: it sent too many messages"));
	if (rule->bulk || reader->header.length == 0) {
		reader->header_filled = 0;
		return proceed(reader, rule->take(reader));
	}
	return WIRE_PROGRESS_MORE;
}

static enum wire_progress step_header(struct wire_reader *reader, wire_read_function *read_function, void *context)
{
	size_t got = 0;
	uint8_t *header = (uint8_t *)&reader->header;
	enum wire_progress progress = read_once(reader, read_function, context, header + reader->header_filled,
	                                        sizeof(reader->header) - reader->header_filled, &got);

	if (progress != WIRE_PROGRESS_MORE)
		return progress;
	reader->header_filled += got;
	return reader->header_filled == sizeof(reader->header) ? take_header(reader) : WIRE_PROGRESS_MORE;
}

static enum wire_progress step_payload(struct wire_reader *reader, wire_read_function *read_function, void *context)
{
	size_t got = 0;
	enum wire_progress progress =
	        read_once(reader, read_function, context, reader->payload + reader->payload_filled,
	                  reader->header.length - reader->payload_filled, &got);

	if (progress != WIRE_PROGRESS_MORE)
		return progress;
	reader->payload_filled += got;
	if (reader->payload_filled < reader->header.length)
		return WIRE_PROGRESS_MORE;
	reader->header_filled = 0;
	reader->payload_filled = 0;
	return proceed(reader, rules[reader->header.kind].take(reader));
}

/* `got` more bytes of the current message have gone to the consumer. */
static enum wire_progress note_bulk(struct wire_reader *reader, size_t got, struct outcome outcome)
{
	reader->bulk_left -= got;
	reader->output += reader->state == WIRE_STATE_BLOB ? 0 : got;
	if (reader->bulk_left == 0 && reader->frame_left == 0) {
		if (reader->state == WIRE_STATE_FRAME)
			reader->state = WIRE_STATE_IMAGE;
		else if (reader->state == WIRE_STATE_BLOB)
			reader->state = WIRE_STATE_READY;
	}
	return proceed(reader, outcome);
}

/* Returns how much went past this process's memory.  What cannot is read and written, which also names a failure. */
static size_t move_bulk(struct wire_reader *reader, void *context)
{
	const struct wire_consumer *consumer = reader->consumer;
	int outlet = reader->move && consumer->outlet ? consumer->outlet(consumer->context) : -1;
	ssize_t moved = outlet >= 0 ? reader->move(context, outlet, (size_t)reader->bulk_left) : 0;

	if (moved < 0)
		reader->move = NULL;
	return moved > 0 ? (size_t)moved : 0;
}

static enum wire_progress step_bulk(struct wire_reader *reader, wire_read_function *read_function, void *context)
{
	const struct wire_consumer *consumer = reader->consumer;
	size_t room = 0;
	size_t got = move_bulk(reader, context);

	if (got > 0)
		return note_bulk(reader, got, consumer->moved(consumer->context, got));
	void *data = consumer->reserve(consumer->context, &room);

	if (!data || room == 0)
		return finish(reader, outcome_of_errno(SDEC_IO, "no memory for the output", ENOMEM));
	if (room > reader->bulk_left)
		room = (size_t)reader->bulk_left;
	enum wire_progress progress = read_once(reader, read_function, context, data, room, &got);
	if (progress != WIRE_PROGRESS_MORE)
		return progress;
	return note_bulk(reader, got, consumer->commit(consumer->context, got));
}

enum wire_progress wire_reader_step(struct wire_reader *reader, wire_read_function *read_function, void *context)
{
	if (reader->state == WIRE_STATE_OVER)
		return WIRE_PROGRESS_OVER;
	if (reader->bulk_left > 0)
		return step_bulk(reader, read_function, context);
	if (reader->header_filled == sizeof(reader->header))
		return step_payload(reader, read_function, context);
	return step_header(reader, read_function, context);
}
