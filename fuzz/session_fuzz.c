/* SPDX-License-Identifier: MIT */
/*
 * The child's side of the wire: the request is the input's first bytes, whatever they are, and the decoder does what
 * the rest says, by the rules of decoder.h.  A request that makes no sense is refused before anything is decoded; what
 * is said in answer to any other, the trusted reader must find true.
 */
#include <errno.h>

#include "consumer.h"
#include "decoders/runtime/decoder.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct world {
	struct checked checked;
	struct wire_reader reader;
	const uint8_t *script;
	size_t script_left;
	size_t request_sent, input_left;
	struct wire_part part;  /* which was asked for */
	size_t part_sent;       /* of this, and of its bytes */
	const uint8_t *message; /* bytes that the reader has not taken yet */
	size_t message_left;
	uint64_t dice;
	bool fickle; /* calls are interrupted, move less than they could, */
	bool leaves; /* and the other side may be gone */
	bool has_gone;
};

static struct world world;

/* ---- the other side ---- */

static bool interrupted(void)
{
	errno = EINTR;
	return world.fickle && hash_dice(&world.dice, 8) == 0;
}

static size_t some(size_t most)
{
	return world.fickle && most > 0 ? 1 + hash_dice(&world.dice, most > 4096 ? 4096 : (uint32_t)most) : most;
}

/* Of a part, the length first.  The input may have become shorter, or it is not known of what. */
static ssize_t give_part(uint8_t *data, size_t size)
{
	size_t length = sizeof(world.part) + world.part.length;

	REQUIRE(world.reader.part_wanted);
	size = some(size < length - world.part_sent ? size : length - world.part_sent);
	for (size_t i = 0; i < size; i++, world.part_sent++)
		data[i] = world.part_sent < sizeof(world.part) ? ((uint8_t *)&world.part)[world.part_sent] : 'i';
	if (world.part_sent == length)
		world.reader.part_wanted = false;
	return (ssize_t)size;
}

static void find_part(void)
{
	uint32_t most = (uint32_t)world.input_left;

	world.part.length = world.reader.part_length < most ? world.reader.part_length : most;
	world.part_sent = 0;
}

static ssize_t give(void *context, void *data, size_t size)
{
	(void)context;
	if (interrupted())
		return -1;
	size_t left = sizeof(world.checked.request) - world.request_sent;
	if (left > 0) {
		size = some(size < left ? size : left);
		memcpy(data, (const uint8_t *)&world.checked.request + world.request_sent, size);
		world.request_sent += size;
		return (ssize_t)size;
	}
	if (world.checked.request.flags & WIRE_RANDOM)
		return give_part(data, size);
	size = some(size < world.input_left ? size : world.input_left);
	memset(data, 'i', size);
	world.input_left -= size;
	return (ssize_t)size;
}

static ssize_t give_message(void *context, void *data, size_t size)
{
	(void)context;
	if (size > world.message_left)
		size = world.message_left;
	REQUIRE(size > 0);
	memcpy(data, world.message, size);
	world.message += size;
	world.message_left -= size;
	return (ssize_t)size;
}

static ssize_t take(void *context, const void *data, size_t size)
{
	(void)context;
	REQUIRE(size > 0 && !world.has_gone);
	if (interrupted())
		return -1;
	if (world.leaves && hash_dice(&world.dice, 16) == 0) {
		world.has_gone = true;
		errno = EPIPE;
		return -1;
	}
	size = some(size);
	world.message = data;
	world.message_left = size;
	while (world.message_left > 0) {
		bool wanted = world.reader.part_wanted;
		enum wire_progress progress = wire_reader_step(&world.reader, give_message, NULL);
		if (world.reader.part_wanted && !wanted)
			find_part();
		REQUIRE(progress == WIRE_PROGRESS_MORE || (progress == WIRE_PROGRESS_OVER && world.message_left == 0));
	}
	REQUIRE(world.reader.state != WIRE_STATE_OVER || world.reader.outcome.status != SDEC_KILLED);
	return (ssize_t)size;
}

/* ---- a decoder that does what the script says ---- */

static uint32_t next_byte(void)
{
	if (world.script_left == 0)
		return 0;
	world.script_left--;
	return *world.script++;
}

static uint32_t next_number(void)
{
	uint32_t low = next_byte();

	return next_byte() << 8 | low;
}

/* A failure of the list, or none. */
static session_result next_failure(void)
{
	return next_byte() % WIRE_FAILURES;
}

static void note_and_read(struct session *session)
{
	const uint8_t *input = NULL;
	uint32_t what = next_byte();

	if (what & 1)
		session_note(session, what >> 1 & WIRE_NOTES);
	if (what & 8) {
		uint64_t before = session_consumed(session);
		size_t size = session_read(session, &input);
		REQUIRE(session_consumed(session) == before + size);
		for (size_t i = 0; i < size; i += 100)
			REQUIRE(input[i] == 'i');
	}
	if (what & 16)
		(void)session_has_more(session);
	if ((what & 32) && session_is_random(session)) {
		static uint8_t part[(2 << 20) + 1];
		uint64_t offset = (uint64_t)next_number() << next_byte() % 64;
		size_t size = (size_t)next_number() << next_byte() % 6;
		size_t got = session_read_at(session, offset, part, size < sizeof(part) ? size : sizeof(part));
		REQUIRE(got <= size);
		for (size_t i = 0; i < got; i += 100)
			REQUIRE(part[i] == 'i');
	}
}

static session_result give_rows(struct session *session, const struct wire_image *image, uint32_t height)
{
	size_t row = (size_t)image->width * wire_pixel_bytes[image->pixel_format];

	while (height > 0) {
		uint8_t *rows = NULL;
		size_t count = 0;
		uint32_t what = next_byte();
		session_result result = session_rows(session, &rows, &count);
		if (result != WIRE_OK)
			return result;
		REQUIRE(count >= 1 && count <= height);
		if (what % 32 == 31)
			return session_damage(session, 1 + next_byte() % (WIRE_FAILURES - 1));
		if (what % 4 == 3)
			count = what / 4 % (count + 1);
		memset(rows, (int)what, count * row);
		height -= (uint32_t)count;
		result = session_commit_rows(session, count);
		if (result != WIRE_OK)
			return result;
		if (count == 0 && world.script_left == 0)
			return WIRE_FAIL_TRUNCATED;
	}
	return WIRE_OK;
}

/* A still picture has one frame, and only another may follow it. */
static session_result give_page(struct session *session, uint32_t flags)
{
	struct wire_image image = {
		.width = next_number(),
		.height = next_number() % 512,
		.frames = next_byte(),
		.loops = next_byte(),
		.color = next_byte() % WIRE_COLORS,
		.channels = 1 + next_byte() % 4,
		.depth = 1 + next_byte() % 16,
		.flags = next_byte() & flags,
		.orientation = next_byte() % 9,
	};
	session_result result = session_check_size(session, image.width, image.height, 1);

	if (result != WIRE_OK)
		return result;
	if ((uint64_t)image.width * image.height > 1 << 17)
		return WIRE_FAIL_UNSUPPORTED; /* each input is to be quick */
	image.pixel_format = session_choose_format(session, &image);
	if (next_byte() % 4 == 0) {
		uint32_t scale = session_take_scale(session, image.width, image.height, image.orientation,
		                                    UINT32_C(1) << next_byte() % 4);
		image.width = (image.width + scale - 1) / scale;
		image.height = (image.height + scale - 1) / scale;
	}
	result = session_image(session, &image);
	uint32_t frames = next_byte() % (image.flags & WIRE_IMAGE_ANIMATION ? 8 : 2);
	/* No page follows one without a frame. */
	if (result == WIRE_OK && frames == 0)
		return session_damage(session, WIRE_FAIL_STRUCTURE);
	for (; result == WIRE_OK && frames > 0; frames--) {
		result = session_frame_part(session, next_byte(), next_byte() % (image.width + 1),
		                            next_byte() % (image.height + 1), 0, 0);
		while (result == WIRE_OK && session_wants_preview(session) && next_byte() % 4 != 0) {
			result = session_begin_preview(session);
			if (result == WIRE_OK)
				result = give_rows(session, &image, image.height);
			if (result == WIRE_OK)
				session_end_preview(session);
		}
		if (result == WIRE_OK)
			result = give_rows(session, &image, image.height);
		note_and_read(session);
	}
	return result;
}

static session_result give_picture(struct session *session)
{
	/* That it is upright says the session. */
	const uint32_t flags = WIRE_IMAGE_FLAGS & ~(WIRE_IMAGE_UPRIGHT | WIRE_IMAGE_ANIMATION);
	bool animated = next_byte() % 2 == 0;
	session_result result = give_page(session, animated ? flags | WIRE_IMAGE_ANIMATION : flags);

	while (result == WIRE_OK && !animated && next_byte() % 4 == 0)
		result = give_page(session, flags);
	return result;
}

static void give_tag(struct session *session)
{
	char value[1200];
	size_t size = next_number() % sizeof(value);

	memset(value, (int)next_byte(), size);
	session_tag(session, (enum wire_tag)(next_byte() % WIRE_TAGS), value, size);
}

static session_result give_samples(struct session *session, size_t sample_frame)
{
	uint8_t *samples = NULL;
	size_t count = 0;
	session_result result = session_samples(session, &samples, &count);

	if (result != WIRE_OK)
		return result;
	REQUIRE(count >= 1);
	size_t wanted = next_number();
	if (count > wanted)
		count = wanted;
	memset(samples, 's', count * sample_frame);
	return session_commit_samples(session, count);
}

static session_result give_sound(struct session *session)
{
	struct wire_audio audio = {
		.rate = next_number() * 16,
		.channels = next_byte(),
		.depth = next_byte(),
		.flags = next_byte() & (WIRE_AUDIO_FLAGS & ~WIRE_AUDIO_VORBIS_ORDER),
		.frames = next_byte() % 4 == 0 ? WIRE_UNKNOWN : next_number(),
	};

	audio.sample_format = session_choose_samples(session, audio.depth, (audio.flags & WIRE_AUDIO_FLOAT) != 0);
	if (audio.channels >= 1 && audio.channels <= WIRE_SPEAKERS && next_byte() % 2 == 0)
		audio.channel_layout = WIRE_SPEAKER_BIT(audio.channels) - 1;
	if (audio.channels <= 8 && next_byte() % 2 == 0)
		audio.flags |= WIRE_AUDIO_VORBIS_ORDER;
	while (next_byte() % 4 == 1)
		give_tag(session);
	session_result result = session_audio(session, &audio);
	while (result == WIRE_OK && world.script_left > 0) {
		size_t frame = (size_t)audio.channels * wire_sample_bytes[audio.sample_format];
		uint32_t what = next_byte() % 8;
		if (what == 0)
			give_tag(session);
		else if (what == 1)
			result = session_loss(session, WIRE_FAIL_DATA);
		else if (what == 2)
			note_and_read(session);
		else
			result = give_samples(session, frame);
	}
	return result;
}

static session_result give_bytes(struct session *session)
{
	session_result result = session_bytes(session);

	while (result == WIRE_OK && world.script_left > 0) {
		uint8_t *data = NULL;
		size_t size = 0;
		size_t wanted = next_number();
		result = session_data(session, &data, &size);
		if (result != WIRE_OK)
			return result;
		REQUIRE(size >= 1);
		if (size > wanted)
			size = wanted;
		memset(data, 'd', size);
		result = session_commit_data(session, size);
		if (wanted % 8 == 7)
			note_and_read(session);
	}
	return result;
}

static session_result decode(struct session *session)
{
	uint32_t what = next_byte() % 4;

	note_and_read(session);
	if (what == 0 && session_request(session)->operation == WIRE_COVER)
		return WIRE_FAIL_ABSENT; /* pictures are not in pictures */
	session_result result = what == 0   ? give_picture(session)
	                        : what == 1 ? give_sound(session)
	                        : what == 2 ? give_bytes(session)
	                                    : 1 + next_byte() % (WIRE_FAILURES - 1);
	if (result != WIRE_OK)
		return result;
	result = next_failure();
	return result == WIRE_OK || world.leaves ? WIRE_OK : session_damage(session, result);
}

static const struct decoder scripted = { .name = "scripted", .gives_covers = true, .decode = decode };

/* Each input is to be quick: a box that is allowed is small. */
static void limit_box(struct wire_view *view)
{
	enum { BOX_MOST = 300 };

	if (view->fit_width <= WIRE_SIDE_MAX && view->fit_height <= WIRE_SIDE_MAX) {
		view->fit_width %= BOX_MOST;
		view->fit_height %= BOX_MOST;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum { OPTIONS = 3 };

	if (size < sizeof(struct wire_request) + OPTIONS)
		return 0;
	world = (struct world){ .dice = hash_add(HASH_START, data, size) };
	memcpy(&world.checked.request, data, sizeof(world.checked.request));
	limit_box(&world.checked.request.view);
	data += sizeof(world.checked.request);
	world.script = data + OPTIONS;
	world.script_left = size - sizeof(world.checked.request) - OPTIONS;
	world.fickle = data[0] & 1;
	world.leaves = (data[0] & 6) == 6;
	world.input_left = (size_t)data[1] << (data[2] % 12);
	const struct wire_consumer consumer = checked_consumer(&world.checked);
	const struct session_io io = { .read = give, .write = take };
	wire_reader_init(&world.reader, &world.checked.request, &consumer);
	bool served = session_serve(&scripted, &io);
	REQUIRE(!served || (world.reader.state == WIRE_STATE_OVER && !world.has_gone));
	/* Refused: nothing but HELLO was said. */
	REQUIRE(served || world.has_gone || world.reader.state == WIRE_STATE_READY);
	return 0;
}
