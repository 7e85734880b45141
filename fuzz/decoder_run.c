/* SPDX-License-Identifier: MIT */
#include "decoder_run.h"

#include <string.h>

#include "broker/recognise/recognise.h"
#include "consumer.h"
#include "decoders/runtime/decoder.h"
#include "poison.h"

struct run {
	struct checked checked;
	struct wire_reader reader;
	const uint8_t *input;
	size_t input_left, piece, out_piece;
	bool random;
	const uint8_t *all;    /* of the input */
	struct wire_part part; /* which was asked for; its bytes are the input then */
	size_t part_left;      /* of this */
	size_t request_sent;
	uint8_t *hidden; /* what of the session's input buffer holds no input */
	size_t hidden_size;
	const uint8_t *message; /* bytes that the reader has not taken yet */
	size_t message_left;
};

/* Returns whether that was all. */
static bool give_part(struct run *run, void *data, size_t *size)
{
	bool before = run->part_left > 0;
	const uint8_t *from = before ? (const uint8_t *)(&run->part + 1) - run->part_left : run->input;
	size_t *left = before ? &run->part_left : &run->input_left;

	/* Who has not asked would wait for ever. */
	REQUIRE(run->reader.part_wanted);
	if (*size > *left)
		*size = *left;
	if (*size > run->piece)
		*size = run->piece;
	if (*size > 0)
		memcpy(data, from, *size);
	*left -= *size;
	run->input += before ? 0 : *size;
	return run->part_left == 0 && run->input_left == 0;
}

/* The request first, then the input.  What the buffer has room for besides must not be looked at, as if the input lay
 * flush against a page that is not there. */
static ssize_t give_input(void *context, void *data, size_t size)
{
	struct run *run = context;
	size_t request_left = sizeof(run->checked.request) - run->request_sent;

	if (request_left > 0) {
		size_t part = size < request_left ? size : request_left;
		memcpy(data, (const uint8_t *)&run->checked.request + run->request_sent, part);
		run->request_sent += part;
		return (ssize_t)part;
	}
	if (run->random) {
		run->reader.part_wanted = !give_part(run, data, &size);
		return (ssize_t)size;
	}
	UNPOISON(run->hidden, run->hidden_size);
	size_t part = size < run->input_left ? size : run->input_left;
	if (part > run->piece)
		part = run->piece;
	if (part > 0)
		memcpy(data, run->input, part);
	run->input += part;
	run->input_left -= part;
	run->hidden = (uint8_t *)data + part;
	run->hidden_size = size - part;
	POISON(run->hidden, run->hidden_size);
	return (ssize_t)part;
}

static ssize_t give_message(void *context, void *data, size_t size)
{
	struct run *run = context;
	size_t part = size < run->message_left ? size : run->message_left;

	REQUIRE(part > 0);
	memcpy(data, run->message, part);
	run->message += part;
	run->message_left -= part;
	return (ssize_t)part;
}

static void find_part(struct run *run)
{
	run->input = run->all + (size_t)run->reader.part_offset;
	run->input_left = run->part.length = run->reader.part_length;
	run->part_left = sizeof(run->part);
}

static ssize_t take_output(void *context, const void *data, size_t size)
{
	struct run *run = context;

	if (size > run->out_piece)
		size = run->out_piece;
	run->message = data;
	run->message_left = size;
	while (run->message_left > 0) {
		bool wanted = run->reader.part_wanted;
		enum wire_progress progress = wire_reader_step(&run->reader, give_message, run);
		if (run->reader.part_wanted && !wanted)
			find_part(run);
		REQUIRE(progress == WIRE_PROGRESS_MORE || (progress == WIRE_PROGRESS_OVER && run->message_left == 0));
	}
	return (ssize_t)size;
}

static uint32_t choose_operation(size_t size)
{
	if (!decoder.gives_covers)
		return WIRE_DECODE;
	return size % 16 == 1 ? WIRE_INFO : size % 16 == 2 ? WIRE_COVER : WIRE_DECODE;
}

static uint32_t choose_flags(size_t size)
{
	return (size & 128 ? WIRE_PREVIEW : 0) | (size & 8 ? WIRE_PARTIAL : 0) | (size & 32 ? WIRE_STRICT : 0) |
	       (size & 64 ? WIRE_FINITE : 0) | (size & 2 ? WIRE_TAGS_TOO : 0) |
	       (size & 4 ? WIRE_BLOB_FLAG(WIRE_BLOB_ICC) : 0) |
	       (size & 16 ? WIRE_BLOB_FLAG(WIRE_BLOB_EXIF) | WIRE_BLOB_FLAG(WIRE_BLOB_XMP) : 0);
}

/* Of one in two, something else than the whole picture is wanted. */
static void choose_view(struct wire_request *request, size_t size)
{
	uint32_t way = (uint32_t)(size / 7 % 8), number = (uint32_t)(size % 50);

	if (way & 1) {
		request->flags |= WIRE_UPRIGHT | (way & 2 ? WIRE_FLATTEN : 0) | (way & 4 ? WIRE_ENLARGE : 0);
		request->view.background = (uint32_t)size & 0xffffff;
	}
	if (way == 1 || way == 3)
		request->view = (struct wire_view){
			.crop_x = number / 2, .crop_y = number, .crop_width = 1 + number * 2, .crop_height = 30
		};
	if (way == 3 || way == 5) {
		request->scale = 1;
		request->view.fit_width = number;
		request->view.fit_height = 40;
		request->view.fit = number % WIRE_FITS;
	}
}

/* A few bytes can stand for hours of silence, and each input is to be quick; some may be larger. */
static uint64_t choose_most_output(size_t size)
{
	return size % 8 == 7 ? 1 << 19 : 1 << 16;
}

struct decoder_answer run_decoder(const struct decoder_run *plan, const uint8_t *data, size_t size)
{
	struct run run = {
		.checked.request = { .version = WIRE_VERSION,
		                     .operation = choose_operation(size),
		                     .variant = plan->variant,
		                     .pixel_formats = WIRE_FORMAT_BIT(size % WIRE_PIXEL_FORMATS),
		                     .flags = choose_flags(size),
		                     .max_side = 65535,
		                     .max_frames = size % 3 == 0 ? 50U : 1U,
		                     .max_metadata = 1 << 16,
		                     .max_pixels = 1 << 18,
		                     .max_output = choose_most_output(size),
		                     .scale = 1U << (size / 16 % 4),
		                     .sample_formats = WIRE_FORMAT_BIT(size % WIRE_SAMPLE_FORMATS) },
		.input = data,
		.input_left = size,
		.random = plan->random && size > 0,
		.all = data,
		.piece = plan->piece,
		.out_piece = plan->out_piece,
	};
	const struct wire_consumer consumer = checked_consumer(&run.checked);
	const struct session_io io = { .read = give_input, .write = take_output, .context = &run };

	choose_view(&run.checked.request, size);
	if (run.random) {
		run.checked.request.flags |= WIRE_RANDOM;
		run.checked.request.input_total = size;
	}
	wire_reader_init(&run.reader, &run.checked.request, &consumer);
	REQUIRE(session_serve(&decoder, &io));
	/* It had the last word, and what it said was no lie. */
	REQUIRE(run.reader.state == WIRE_STATE_OVER && run.reader.outcome.status != SDEC_KILLED);
	return (struct decoder_answer){
		.status = run.reader.outcome.status,
		.reason = run.reader.outcome.reason,
		.sound =
		        run.reader.outcome.status == SDEC_OK && run.reader.damage == WIRE_OK && run.checked.losses == 0,
		.size = run.checked.total,
		.hash = run.checked.hash,
	};
}

static const struct format *find_format(const uint8_t *data, size_t size)
{
	struct recognition result;

	return recognise(data, size < RECOGNISE_MOST ? size : RECOGNISE_MOST, true, NULL, &result) == RECOGNISE_KNOWN
	               ? result.format
	               : NULL;
}

bool decoder_is_told(const struct format *format, const uint8_t *data, size_t size)
{
	bool has_evidence = format->marks || format->look || format->guess;

	return !has_evidence || find_format(data, size) == format;
}

static bool may_be(const struct format *format, const uint8_t *data, size_t size)
{
	if (strcmp(format->program, decoder.name) != 0)
		return false;
	const struct format *found = find_format(data, size);
	return found ? found == format : true;
}

const struct format *decoder_next_format(size_t *index, const uint8_t *data, size_t size)
{
	const struct format *format = NULL;

	do
		format = registry_at((*index)++);
	while (format && !may_be(format, data, size));
	return format;
}

size_t decoder_survives(void)
{
	/* libtiff 4.5 counts a tag before it has the room for it, and then there is no closing. */
	if (strcmp(decoder.name, "tiff") == 0)
		return 3;
	/* The session's two, and of WebP the input, the pixels and libwebp's first: release 1.2.4 walks a list that it
	 * has not begun where there is no memory for its tables. */
	if (strcmp(decoder.name, "webp") == 0)
		return 5;
	return strcmp(decoder.name, "vorbis") == 0 ? 2 : SIZE_MAX;
}

void decoder_prepare(void)
{
	static bool prepared;

	if (!prepared && decoder.initialise)
		decoder.initialise();
	prepared = true;
}
