/* SPDX-License-Identifier: MIT */
/*
 * EXR, by OpenEXRCore: scan lines and tiles, all compressions that it has; the flat parts of a file are its pages.
 *
 * The library parses headers and decompresses chunks, in an input of which no more is held than must be.  Light is
 * given as it is, without an exposure; colours, which are multiplied by alpha, are divided by it.
 *
 * pkg-config: OpenEXRCore
 */
#include <stdio.h>
#include <stdlib.h>

#include "exr_decode.h"

static int64_t read_at(exr_const_context_t context, void *user, void *to, uint64_t size, uint64_t offset,
                       exr_stream_error_func_ptr_t complain)
{
	struct decode *decode = user;

	(void)context;
	(void)complain;
	return size <= SIZE_MAX ? exr_copy(&decode->input, offset, to, (size_t)size) : -1;
}

/* The result says it, too. */
static void hear_error(exr_const_context_t context, exr_result_t code, const char *message)
{
	(void)context;
	(void)code;
	(void)message;
}

static session_result open_input(struct decode *decode)
{
	exr_context_initializer_t start = EXR_DEFAULT_CONTEXT_INITIALIZER;
	session_result result = exr_walk_headers(decode);

	if (result != WIRE_OK)
		return result;
	start.user_data = decode;
	start.read_fn = read_at;
	start.error_handler_fn = hear_error;
	start.flags = EXR_CONTEXT_FLAG_SILENT_HEADER_PARSE;
	exr_result_t opened = exr_start_read(&decode->context, "input", &start);
	/* It reads in blocks, beyond the header. */
	decode->input.past_end = false;
	if (opened != EXR_ERR_SUCCESS) {
		decode->context = NULL;
		return exr_failure(decode, opened, WIRE_FAIL_HEADER);
	}
	return exr_find_pages(decode);
}

static session_result decode_page(struct decode *decode, int part)
{
	struct wire_image *image = &decode->image;
	session_result result = exr_describe(decode, part);

	if (result != WIRE_OK)
		return result;
	image->frames = decode->page_count;
	image->pixel_format = session_choose_format(decode->session, image);
	result = session_image(decode->session, image);
	if (result == WIRE_OK)
		result = session_frame(decode->session, 0);
	if (result == WIRE_OK)
		result = exr_prepare_chunks(decode);
	if (result != WIRE_OK)
		return result < WIRE_FAIL_UNSUPPORTED ? session_damage(decode->session, (enum wire_failure)result)
		                                      : result;
	result = exr_prepare_rows(decode);
	return result == WIRE_OK ? exr_send_rows(decode) : result;
}

static void end_page(struct decode *decode)
{
	exr_end_chunks(decode);
	exr_end_chroma(decode);
	free(decode->rows);
	free(decode->floats);
	decode->rows = NULL;
	decode->floats = NULL;
	decode->form = (struct exr_form){ 0 };
	decode->image = (struct wire_image){ 0 };
}

static session_result decode_pages(struct decode *decode)
{
	const struct wire_request *request = session_request(decode->session);
	uint64_t end = (uint64_t)request->first_frame + request->max_frames;
	session_result result = open_input(decode);

	for (uint32_t page = 0; result == WIRE_OK && page < decode->page_count && page < end; page++) {
		if (session_pass_frame(decode->session))
			continue;
		result = decode_page(decode, decode->pages[page]);
		end_page(decode);
	}
	return result;
}

static session_result decode_exr(struct session *session)
{
	struct decode *decode = calloc(1, sizeof(*decode));

	if (!decode)
		return WIRE_FAIL_LIMIT_MEMORY;
	decode->session = decode->input.session = session;
	session_result result = decode_pages(decode);
	if (decode->context)
		(void)exr_finish(&decode->context);
	free(decode->input.data);
	free(decode);
	return result;
}

static void initialise(void)
{
	session_rehearse(&decoder, 0);
}

static const char *version(void)
{
	static char text[16];
	int major = 0, minor = 0, patch = 0;
	const char *extra = NULL;

	exr_get_library_version(&major, &minor, &patch, &extra);
	(void)snprintf(text, sizeof(text), "%d.%d.%d", major, minor, patch);
	return text;
}

DECODER_SAMPLE(sample, "samples/exr/zip.exr");

const struct decoder decoder = {
	.name = "exr",
	.library = "OpenEXRCore",
	.version = version,
	.initialise = initialise,
	.decode = decode_exr,
	.sample = sample,
	.sample_end = sample_end,
};
