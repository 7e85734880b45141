/* SPDX-License-Identifier: MIT */
/*
 * Chunks: some rows of the data window, or a tile.  The library reads and decompresses one; the samples are taken from
 * what it has decompressed, row by row and channel by channel, so that there is no second copy of a chunk.
 */
#include <stdlib.h>

#include "decoders/runtime/input.h"
#include "exr_decode.h"

enum {
	OFFSET_SIZE = 8,            /* of an entry of the table of chunks */
	MEMORY_OF_ZLIB = 48 << 10,  /* for which the library has no word of its own */
	MEMORY_OF_PIZ = 1100 << 10, /* tables of a code */
};

static bool has_memory(size_t size)
{
	void *some = malloc(size);

	free(some);
	return some != NULL;
}

enum wire_failure exr_failure(const struct decode *decode, exr_result_t result, enum wire_failure otherwise)
{
	if (decode->input.no_memory || result == EXR_ERR_OUT_OF_MEMORY)
		return WIRE_FAIL_LIMIT_MEMORY;
	if (decode->input.past_end)
		return WIRE_FAIL_TRUNCATED;
	if (result == EXR_ERR_FEATURE_NOT_IMPLEMENTED)
		return WIRE_FAIL_UNSUPPORTED;
	return otherwise;
}

/* ---- sizes ---- */

static size_t samples_size(const exr_attr_chlist_entry_t *entry, uint32_t width)
{
	return (size_t)(width / (uint32_t)entry->x_sampling) * (entry->pixel_type == EXR_PIXEL_HALF ? 2 : 4);
}

static bool is_in_row(const exr_attr_chlist_entry_t *entry, int64_t y)
{
	return entry->y_sampling == 1 || y % entry->y_sampling == 0;
}

/* Bytes of some rows with all their channels. */
static uint64_t rows_size(const struct exr_form *form, uint32_t width, int64_t y, int64_t end)
{
	uint64_t size = 0;

	for (int i = 0; i < form->channels->num_channels; i++) {
		const exr_attr_chlist_entry_t *entry = &form->channels->entries[i];
		int64_t rows = end - y;
		/* The first of a chunk is one that has them all, unless it is the only one. */
		if (entry->y_sampling > 1)
			rows = rows > 1 ? rows / entry->y_sampling : is_in_row(entry, y);
		size += (uint64_t)rows * samples_size(entry, width);
	}
	return size;
}

/* ---- one chunk ---- */

static session_result open_pipeline(struct decode *decode, const exr_chunk_info_t *info)
{
	exr_decode_pipeline_t *pipeline = &decode->pipeline;
	int part = decode->form.part;
	exr_result_t result = EXR_ERR_SUCCESS;

	if (decode->pipeline_ready) {
		result = exr_decoding_update(decode->context, part, info, pipeline);
		return result == EXR_ERR_SUCCESS ? WIRE_OK : exr_failure(decode, result, WIRE_FAIL_STRUCTURE);
	}
	result = exr_decoding_initialize(decode->context, part, info, pipeline);
	decode->pipeline_ready = result == EXR_ERR_SUCCESS;
	if (result == EXR_ERR_SUCCESS)
		result = exr_decoding_choose_default_routines(decode->context, part, pipeline);
	if (result != EXR_ERR_SUCCESS)
		return exr_failure(decode, result, WIRE_FAIL_STRUCTURE);
	pipeline->unpack_and_convert_fn = NULL;
	decode->decompress = pipeline->decompress_fn;
	return WIRE_OK;
}

/* Decodes the chunk; it has the rows from `y` up to before `end`. */
static session_result run_chunk(struct decode *decode, const exr_chunk_info_t *info, int64_t y, int64_t end)
{
	exr_decode_pipeline_t *pipeline = &decode->pipeline;
	bool stored = info->packed_size == info->unpacked_size;
	session_result failure = WIRE_OK;

	if (info->unpacked_size != rows_size(&decode->form, (uint32_t)info->width, y, end))
		return WIRE_FAIL_STRUCTURE;
	/* What would become larger is stored as it is, whatever the compression. */
	if (info->packed_size == 0 || info->packed_size > info->unpacked_size ||
	    (decode->form.compression == EXR_COMPRESSION_NONE && !stored))
		return WIRE_FAIL_DATA;
	if (decode->in_order)
		decode->input.keep = info->data_offset;
	/* The library takes zeros for what lacks of a chunk that is not compressed. */
	if (!exr_bytes(&decode->input, info->data_offset, (size_t)info->packed_size))
		return exr_failure(decode, EXR_ERR_SUCCESS, WIRE_FAIL_DATA);
	failure = open_pipeline(decode, info);
	if (failure != WIRE_OK)
		return failure;
	pipeline->decompress_fn = stored ? NULL : decode->decompress;
	exr_result_t result = exr_decoding_run(decode->context, decode->form.part, pipeline);
	if (result != EXR_ERR_SUCCESS)
		return !has_memory(MEMORY_OF_ZLIB) ? WIRE_FAIL_LIMIT_MEMORY
		                                   : exr_failure(decode, result, WIRE_FAIL_DATA);
	decode->chunk = stored ? pipeline->packed_buffer : pipeline->unpacked_buffer;
	decode->chunk_next = y;
	decode->chunk_end = end;
	return WIRE_OK;
}

static session_result read_chunk(struct decode *decode, int64_t y)
{
	exr_chunk_info_t info = { 0 };
	exr_result_t result = exr_read_scanline_chunk_info(decode->context, decode->form.part, (int)y, &info);

	if (result != EXR_ERR_SUCCESS)
		return exr_failure(decode, result, WIRE_FAIL_DATA);
	return run_chunk(decode, &info, info.start_y, (int64_t)info.start_y + info.height);
}

session_result exr_read_tile(struct decode *decode, int column, int row, uint32_t *width, uint32_t *height)
{
	exr_chunk_info_t info = { 0 };
	exr_result_t result = exr_read_tile_chunk_info(decode->context, decode->form.part, column, row, 0, 0, &info);

	if (result != EXR_ERR_SUCCESS)
		return exr_failure(decode, result, WIRE_FAIL_DATA);
	if (info.width < 1 || info.height < 1)
		return WIRE_FAIL_STRUCTURE;
	*width = (uint32_t)info.width;
	*height = (uint32_t)info.height;
	return run_chunk(decode, &info, 0, info.height);
}

/* ---- rows ---- */

void exr_next_row(struct decode *decode, uint32_t width, const uint8_t *planes[EXR_PLANES])
{
	const struct exr_form *form = &decode->form;

	for (unsigned i = 0; i < EXR_PLANES; i++)
		planes[i] = NULL;
	for (int i = 0; i < form->channels->num_channels; i++) {
		const exr_attr_chlist_entry_t *entry = &form->channels->entries[i];
		if (!is_in_row(entry, decode->chunk_next))
			continue;
		for (unsigned plane = 0; plane < EXR_PLANES; plane++)
			if (form->planes[plane] == i)
				planes[plane] = decode->chunk;
		decode->chunk += samples_size(entry, width);
	}
	decode->chunk_next++;
}

session_result exr_read_row(struct decode *decode, int64_t y, const uint8_t *planes[EXR_PLANES])
{
	const exr_attr_box2i_t *data = &decode->form.data;
	uint32_t width = (uint32_t)((int64_t)data->max.x - data->min.x + 1);

	if (y >= decode->chunk_end) {
		session_result result = read_chunk(decode, y);
		if (result != WIRE_OK)
			return result;
	}
	do
		exr_next_row(decode, width, planes);
	while (decode->chunk_next <= y);
	return WIRE_OK;
}

/* ---- the page ---- */

/* Whether each chunk stands behind the one before it; that its table is there was seen to. */
static bool is_in_order(struct decode *decode, size_t count)
{
	uint64_t last = 0;

	if (decode->multipart)
		return false;
	for (size_t i = 0; i < count; i++) {
		const uint8_t *entry = exr_bytes(&decode->input, decode->header_end + i * OFFSET_SIZE, OFFSET_SIZE);
		if (!entry || input_le64(entry) <= last)
			return false;
		last = input_le64(entry);
	}
	return true;
}

static void tell_needs(struct decode *decode)
{
	enum { COPIES = 3 }; /* as it is in the input, unpacked, and on the way between */
	const struct exr_form *form = &decode->form;
	size_t pixel = EXR_PLANES * sizeof(float) + pixels_layout_bytes[form->layout];
	uint64_t chunk = 0, needs = 0,
	         beside = form->compression == EXR_COMPRESSION_PIZ ? MEMORY_OF_PIZ : MEMORY_OF_ZLIB;
	uint64_t width = (uint64_t)((int64_t)form->data.max.x - form->data.min.x + 1) + decode->image.width;

	if (exr_get_chunk_unpacked_size(decode->context, form->part, &chunk) == EXR_ERR_SUCCESS &&
	    !__builtin_mul_overflow(chunk, COPIES, &needs) &&
	    !__builtin_add_overflow(needs, width * pixel + exr_chroma_memory(decode) + beside, &needs))
		session_needs(decode->session, needs + session_request(decode->session)->input_total);
}

session_result exr_prepare_chunks(struct decode *decode)
{
	int32_t count = 0;
	uint64_t end = decode->header_end;

	decode->chunk_end = INT64_MIN;
	tell_needs(decode);
	/* At most 2^10 times 2^31 times 2^3. */
	for (int part = 0; part <= decode->form.part; part++) {
		if (exr_get_chunk_count(decode->context, part, &count) != EXR_ERR_SUCCESS || count < 1)
			return WIRE_FAIL_STRUCTURE;
		end += (uint64_t)count * OFFSET_SIZE;
	}
	/* The library allocates a table that the input may not have. */
	if (!exr_bytes(&decode->input, end - 1, 1))
		return exr_failure(decode, EXR_ERR_SUCCESS, WIRE_FAIL_TRUNCATED);
	decode->in_order = is_in_order(decode, (size_t)count);
	return WIRE_OK;
}

void exr_end_chunks(struct decode *decode)
{
	if (decode->pipeline_ready)
		(void)exr_decoding_destroy(decode->context, &decode->pipeline);
	decode->pipeline_ready = false;
	decode->chunk = NULL;
}
