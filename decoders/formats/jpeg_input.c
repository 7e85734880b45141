/* SPDX-License-Identifier: MIT */
/* How input reaches libjpeg. */
#include "jpeg_decode.h"

#include <string.h>

/* libjpeg-turbo's fast Huffman decoder, for when 512 bytes are at hand, passes over invalid codes in silence.  Whether
 * they are found must not hang on how the pipe cuts the input, and looking costs 3 % of the time. */
enum { SLICE_SIZE = 511 };

static void source_nothing(j_decompress_ptr info)
{
	(void)info;
}

/* At the end libjpeg gets an EOI.  Having met that, an arithmetic decoder goes on with zeros in silence.  Sound data
 * makes it need three at most, unless the encoder has left final zeros of a flat picture out.  So it gets three first,
 * and if it comes to the EOI all the same, data is taken to be missing.  In a marker zeros could have a meaning. */
static void end_input(struct decode *decode)
{
	static const JOCTET padding_and_eoi[] = { 0, 0, 0, 0xff, JPEG_EOI };
	bool in_data = decode->info.arith_code && decode->info.unread_marker == 0;
	size_t skip = in_data && !decode->input_ended ? 0 : sizeof(padding_and_eoi) - 2;

	if (!decode->input_ended)
		decode->end_row = decode->info.input_iMCU_row;
	decode->input_ended = true;
	decode->source.next_input_byte = padding_and_eoi + skip;
	decode->source.bytes_in_buffer = sizeof(padding_and_eoi) - skip;
}

static boolean fill_input_buffer(j_decompress_ptr info)
{
	static const JOCTET marker_start = 0xff;
	struct decode *decode = jpeg_decode_of(info);

	if (decode->run_size == 0)
		decode->run_size = session_read(decode->session, &decode->run);
	size_t size = decode->run_size < SLICE_SIZE ? decode->run_size : SLICE_SIZE;
	const JOCTET *next = decode->run;
	/* A marker's first byte waits for the second.  Half a marker at the end is none: what end_input() gives would
	 * make data of it. */
	if (size > 1 && next[size - 1] == marker_start) {
		size--;
	} else if (size == 1 && *next == marker_start) {
		next = &marker_start; /* looking for more may overwrite it */
		size = session_has_more(decode->session) ? 1 : 0;
	}
	if (size == 0) {
		decode->run_size = 0; /* half a marker is not looked at again */
		end_input(decode);
		return TRUE;
	}
	decode->source.next_input_byte = next;
	decode->source.bytes_in_buffer = size;
	decode->run += size;
	decode->run_size -= size;
	return TRUE;
}

void jpeg_end_scans(struct decode *decode)
{
	static const JOCTET end[] = { 0xff, JPEG_EOI };

	decode->info.unread_marker = 0;
	/* What lies in the buffer is part of what follows. */
	decode->more_input = !decode->input_ended && decode->source.bytes_in_buffer > 0;
	decode->source.next_input_byte = end;
	decode->source.bytes_in_buffer = sizeof(end);
}

/* A marker whose number is far from the one expected is taken for that one, and nothing is lost.  In all other cases
 * libjpeg looks for another, and makes up what is missing. */
static boolean resynchronise(j_decompress_ptr info, int expected)
{
	struct decode *decode = jpeg_decode_of(info);
	bool restart = info->unread_marker >= JPEG_RST0 && info->unread_marker < JPEG_RST0 + 8;
	int ahead = (info->unread_marker - JPEG_RST0 - expected) & 7;

	decode->resynchronised = restart && ahead > 2 && ahead < 8 - 2;
	return jpeg_resync_to_restart(info, expected);
}

static void skip_input_data(j_decompress_ptr info, long count)
{
	struct decode *decode = jpeg_decode_of(info);
	struct jpeg_source_mgr *source = &decode->source;

	while (count > 0) {
		size_t step = source->bytes_in_buffer < (size_t)count ? source->bytes_in_buffer : (size_t)count;
		source->next_input_byte += step;
		source->bytes_in_buffer -= step;
		count -= (long)step;
		if (count > 0)
			fill_input_buffer(info);
		if (decode->input_ended)
			return;
	}
}

size_t jpeg_take_input(struct decode *decode, uint8_t *data, size_t size)
{
	struct jpeg_source_mgr *source = &decode->source;
	size_t filled = 0;

	while (filled < size) {
		if (source->bytes_in_buffer == 0)
			fill_input_buffer(&decode->info);
		if (decode->input_ended)
			break;
		size_t step = source->bytes_in_buffer < size - filled ? source->bytes_in_buffer : size - filled;
		memcpy(data + filled, source->next_input_byte, step);
		source->next_input_byte += step;
		source->bytes_in_buffer -= step;
		filled += step;
	}
	return filled;
}

bool jpeg_data_ran_out(const struct decode *decode)
{
	return decode->info.arith_code && decode->input_ended && decode->source.bytes_in_buffer == 0;
}

bool jpeg_has_more_input(struct decode *decode)
{
	return decode->more_input || decode->source.bytes_in_buffer > 0 || decode->run_size > 0 ||
	       session_has_more(decode->session);
}

void jpeg_skip_input(struct decode *decode, size_t size)
{
	skip_input_data(&decode->info, (long)size);
}

void jpeg_open_input(struct decode *decode)
{
	decode->source = (struct jpeg_source_mgr){
		.init_source = source_nothing,
		.fill_input_buffer = fill_input_buffer,
		.skip_input_data = skip_input_data,
		.resync_to_restart = resynchronise,
		.term_source = source_nothing,
	};
	decode->info.src = &decode->source;
	jpeg_open_markers(decode);
}
