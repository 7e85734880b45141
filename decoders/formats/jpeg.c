/* SPDX-License-Identifier: MIT */
/*
 * JPEG, by libjpeg-turbo: sequential and progressive, Huffman and arithmetic coding, 8 bits a sample.
 *
 * pkg-config: libjpeg
 *
 * libjpeg goes on after almost any damage and makes the lost pixels up.  So what it warns about is sorted in
 * jpeg_errors.c: what cost no pixel is noted, anything else is damage.
 */
#include "jpeg_decode.h"

enum {
	SCANS_MAX = 500,   /* real files have about ten; each one walks the whole picture, whatever it costs in bytes */
	ROWS_AT_ONCE = 16, /* libjpeg gives a row group, 4 rows at most, a call */
	REDUCTION_MOST = 8,
	ROWS_HELD = 128, /* more than libjpeg holds of samples, before and after each step */
};

/* ---- pictures ---- */

static session_result announce(struct decode *decode)
{
	static const uint8_t color[] = {
		[JCS_GRAYSCALE] = WIRE_COLOR_GRAY, [JCS_RGB] = WIRE_COLOR_RGB,   [JCS_YCbCr] = WIRE_COLOR_YCBCR,
		[JCS_CMYK] = WIRE_COLOR_CMYK,      [JCS_YCCK] = WIRE_COLOR_YCCK,
	};
	const struct jpeg_decompress_struct *info = &decode->info;

	if (info->jpeg_color_space == JCS_UNKNOWN)
		return WIRE_FAIL_UNSUPPORTED;
	struct wire_image image = {
		.width = info->output_width,
		.height = info->output_height,
		.frames = 1,
		.color = color[info->jpeg_color_space],
		.channels = (uint32_t)info->num_components,
		.depth = (uint32_t)info->data_precision,
		.flags = (info->progressive_mode ? WIRE_IMAGE_PROGRESSIVE : 0) |
		         (info->arith_code ? WIRE_IMAGE_ARITHMETIC : 0) | (decode->icc_seen ? WIRE_IMAGE_ICC : 0),
		.orientation = decode->orientation,
	};
	image.pixel_format = session_choose_format(decode->session, &image);
	decode->pixel_format = image.pixel_format;
	jpeg_send_density(decode);
	session_result result = session_image(decode->session, &image);
	return result == WIRE_OK ? session_frame(decode->session, 0) : result;
}

/* Notes what the scans so far have brought: something of every component, or all that there can be. */
static void look_at_scans(struct decode *decode)
{
	const struct jpeg_decompress_struct *info = &decode->info;

	decode->all_begun = decode->all_complete = true;
	for (int i = 0; i < info->num_components; i++) {
		/* For each coefficient: low bits that are still unknown, or -1 for all. */
		const int *unknown = info->coef_bits ? info->coef_bits[i] : NULL;
		decode->all_begun &= info->comp_info[i].quant_table && (!unknown || unknown[0] >= 0);
		for (int k = 0; unknown && k < DCTSIZE2; k++)
			decode->all_complete &= unknown[k] == 0;
	}
	decode->all_complete &= decode->all_begun;
}

static session_result decode_rows(struct decode *decode);

/* Between two scans: shows what there is. */
static void show_preview(struct decode *decode)
{
	struct jpeg_decompress_struct *info = &decode->info;
	session_result result = session_begin_preview(decode->session);

	decode->previewed = true;
	/* No scan is read meanwhile. */
	info->progress = NULL;
	jpeg_start_output(info, info->input_scan_number);
	if (result == WIRE_OK)
		result = decode_rows(decode);
	if (result != WIRE_OK)
		jpeg_escape(decode, result);
	session_end_preview(decode->session);
	info->progress = &decode->progress;
	decode->output_open = true;
	jpeg_finish_output(info);
	decode->output_open = false;
}

/* libjpeg calls this before each row of MCUs that it reads ahead of the first output, and before each scan's header. */
static void watch_scans(j_common_ptr common)
{
	struct decode *decode = jpeg_decode_of((j_decompress_ptr)common);
	uint32_t row = decode->info.input_iMCU_row; /* the last one read was above it */

	if (decode->info.input_scan_number > SCANS_MAX)
		jpeg_escape(decode, WIRE_FAIL_STRUCTURE);
	if (jpeg_data_ran_out(decode))
		jpeg_found_damage(decode, WIRE_FAIL_TRUNCATED, jpeg_rows_known(decode, row > 0 ? row - 1 : 0));
	/* What refused to be a scan has changed what libjpeg knows of them. */
	if (!decode->resumed)
		look_at_scans(decode);
	decode->scans_begun = true;
}

/* Looks for what none of the scans brought. */
static void check_scans(struct decode *decode)
{
	if (!decode->all_begun)
		jpeg_found_damage(decode, WIRE_FAIL_STRUCTURE, 0);
	/* An encoder may leave bits out, but here the scans that had them are lost. */
	if (decode->input_ended && !decode->all_complete)
		jpeg_found_damage(decode, WIRE_FAIL_TRUNCATED, UINT32_MAX);
}

/* Lets libjpeg read on.  Returns whether it came to the end; if an error that leaves a picture to be shown has kept it
 * from that, the decode's damage or flaw is set.  Apart, because what changes between setjmp() and the jump must not be
 * a local. */
static bool read_on(struct decode *decode, boolean (*read)(j_decompress_ptr info))
{
	decode->resumable = true;
	if (setjmp(decode->resume) != 0)
		return false;
	bool ended = read(&decode->info);
	decode->resumable = false;
	return ended;
}

/* Once something of every component is there, and before nothing is missing any more. */
static bool preview_is_due(struct decode *decode)
{
	look_at_scans(decode);
	return decode->all_begun && !decode->all_complete && !decode->previewed && decode->damage == WIRE_OK &&
	       session_wants_preview(decode->session);
}

/* As jpeg_start_decompress() of several scans: reads all that there is. */
static boolean read_ahead(j_decompress_ptr info)
{
	struct decode *decode = jpeg_decode_of(info);

	if (!decode->buffered)
		return jpeg_start_decompress(info);
	if (!decode->resumed)
		jpeg_start_decompress(info);
	/* It was left while it read the header of the next scan. */
	if (decode->output_open)
		jpeg_finish_output(info);
	decode->output_open = false;
	int event = JPEG_SUSPENDED;
	do {
		watch_scans((j_common_ptr)info);
		event = jpeg_consume_input(info);
		if (event == JPEG_SCAN_COMPLETED && info->progressive_mode && preview_is_due(decode))
			show_preview(decode);
	} while (event != JPEG_REACHED_EOI);
	return jpeg_start_output(info, info->input_scan_number);
}

/* Reads all scans.  What cannot be read as the start of another one ends them. */
static void read_scans(struct decode *decode)
{
	struct jpeg_decompress_struct *info = &decode->info;
	const struct jpeg_decompress_struct header = *info;

	if (!read_on(decode, read_ahead)) {
		/* A second frame's header has gone here before it was refused. */
		info->image_width = header.image_width;
		info->image_height = header.image_height;
		info->num_components = header.num_components;
		info->data_precision = header.data_precision;
		info->progressive_mode = header.progressive_mode;
		info->arith_code = header.arith_code;
		jpeg_end_scans(decode);
		(void)read_ahead(info);
	}
	check_scans(decode);
}

/* Gets ready for the first row, for which a picture in several scans must be read to its end. */
static void start(struct decode *decode)
{
	struct jpeg_decompress_struct *info = &decode->info;

	jpeg_choose_conversion(decode);
	jpeg_calc_output_dimensions(info);
	if (decode->convert_row)
		decode->samples = info->mem->alloc_sarray((j_common_ptr)info, JPOOL_IMAGE,
		                                          info->output_width * (JDIMENSION)info->output_components, 1);
	info->progress = decode->multiple_scans ? &decode->progress : NULL;
	if (decode->multiple_scans)
		read_scans(decode);
	else
		jpeg_start_decompress(info);
	info->progress = NULL;
}

/* Decodes 1 to `count` rows to `room`.  Returns how many. */
static uint32_t read_rows(struct decode *decode, uint8_t *room, uint32_t count)
{
	size_t stride = (size_t)decode->info.output_width * wire_pixel_bytes[decode->pixel_format];
	JSAMPROW rows[ROWS_AT_ONCE];

	if (decode->convert_row) {
		count = jpeg_read_scanlines(&decode->info, decode->samples, 1);
		decode->convert_row(decode, decode->samples[0], room);
		return count;
	}
	if (count > ROWS_AT_ONCE)
		count = ROWS_AT_ONCE;
	for (uint32_t i = 0; i < count; i++)
		rows[i] = room + i * stride;
	return jpeg_read_scanlines(&decode->info, rows, count);
}

static session_result decode_rows(struct decode *decode)
{
	session_result result = WIRE_OK;

	while (decode->info.output_scanline < decode->rows_wanted && result == WIRE_OK) {
		uint32_t done = decode->info.output_scanline;
		uint32_t left = decode->rows_wanted - done;
		uint8_t *room = NULL;
		size_t count = 0;
		result = session_rows(decode->session, &room, &count);
		if (result != WIRE_OK)
			break;
		count = read_rows(decode, room, count < left ? (uint32_t)count : left);
		uint32_t row = decode->info.input_iMCU_row;
		if (!decode->multiple_scans && jpeg_data_ran_out(decode))
			jpeg_found_damage(decode, WIRE_FAIL_TRUNCATED, jpeg_rows_known(decode, row > 0 ? row - 1 : 0));
		/* Of these, some may have turned out to be made up. */
		left = decode->rows_wanted > done ? decode->rows_wanted - done : 0;
		result = session_commit_rows(decode->session, count < left ? count : left);
	}
	return result;
}

/* All rows are there: what is behind them costs none. */
static session_result read_end(struct decode *decode)
{
	session_result result = WIRE_OK;

	decode->rows_done = true;
	if (decode->buffered)
		jpeg_finish_output(&decode->info);
	/* It does not end at another scan, for which there is no room. */
	if (!read_on(decode, jpeg_finish_decompress) && decode->flaw == WIRE_OK)
		decode->flaw = WIRE_FAIL_STRUCTURE;
	if (decode->input_ended)
		decode->flaw = WIRE_FAIL_TRUNCATED;
	if (decode->flaw != WIRE_OK)
		result = session_flaw(decode->session, WIRE_NOTE_END, decode->flaw);
	if (result == WIRE_OK && !decode->input_ended && jpeg_has_more_input(decode))
		result = session_flaw(decode->session, WIRE_NOTE_TRAILING, WIRE_FAIL_TRAILING);
	return result;
}

/* Coefficients of a picture in several scans, and rows of samples in all states. */
static uint64_t memory_of(const struct decode *decode)
{
	const struct jpeg_decompress_struct *info = &decode->info;
	uint64_t memory = (uint64_t)info->image_width * (unsigned)info->num_components * ROWS_HELD;

	for (int i = 0; i < info->num_components && decode->multiple_scans; i++) {
		const jpeg_component_info *component = &info->comp_info[i];
		uint64_t width = component->width_in_blocks + (unsigned)component->h_samp_factor;
		uint64_t height = component->height_in_blocks + (unsigned)component->v_samp_factor;
		memory += width * height * sizeof(JBLOCK);
	}
	return memory;
}

static session_result decode_picture(struct decode *decode)
{
	struct jpeg_decompress_struct *info = &decode->info;

	jpeg_read_header(info, TRUE);
	/* There are libraries that know how to read these, but not by the functions that are called here. */
	if (info->data_precision != BITS_IN_JSAMPLE)
		return info->data_precision == 12 ? WIRE_FAIL_JPEG_12_BITS : WIRE_FAIL_UNSUPPORTED;
	decode->multiple_scans = jpeg_has_multiple_scans(info);
	/* An arithmetic decoder reads ahead, so that rows are known to be good only once it has come to the end. */
	decode->buffered = !decode->multiple_scans && info->arith_code && session_partial(decode->session);
	decode->multiple_scans |= decode->buffered;
	session_result result = session_check_size(decode->session, info->image_width, info->image_height, 1);
	if (result != WIRE_OK)
		return result;
	session_needs(decode->session, memory_of(decode));
	/* libjpeg reduces as it transforms, and so saves most of the work. */
	info->scale_num = 1;
	info->scale_denom = session_take_scale(decode->session, info->image_width, info->image_height,
	                                       decode->orientation, REDUCTION_MOST);
	jpeg_calc_output_dimensions(info);
	decode->rows_wanted = info->output_height;
	result = announce(decode);
	if (result != WIRE_OK)
		return result;
	decode->buffered |= decode->multiple_scans && session_wants_preview(decode->session);
	info->buffered_image = decode->buffered;
	start(decode);
	result = decode_rows(decode);
	if (result != WIRE_OK)
		return result;
	return decode->damage != WIRE_OK ? session_damage(decode->session, decode->damage) : read_end(decode);
}

/* All of libjpeg runs in here, so that its errors end here. */
static session_result guarded(struct decode *decode)
{
	struct jpeg_decompress_struct *info = &decode->info;

	if (setjmp(decode->escape) != 0)
		return decode->result;
	jpeg_create_decompress(info);
	info->mem->max_memory_to_use = 0; /* the arena is the limit, whatever $JPEGMEM says */
	jpeg_open_input(decode);
	return decode_picture(decode);
}

static session_result decode_jpeg(struct session *session)
{
	struct decode decode = { .session = session, .progress = { .progress_monitor = watch_scans } };

	jpeg_open_errors(&decode);
	session_result result = guarded(&decode);
	jpeg_destroy_decompress(&decode.info);
	jpeg_free_profile(&decode);
	return result;
}

/* ---- once ---- */

/* One gray pixel; libjpeg-turbo has default Huffman tables for files without. */
/* clang-format off */
static const uint8_t one_pixel[] = {
	0xff, 0xd8,                                      /* SOI */
	0xff, 0xdb, 0, 67, 0, [7 ... 70] = 1,            /* DQT: all ones */
	0xff, 0xc0, 0, 11, 8, 0, 1, 0, 1, 1, 1, 0x11, 0, /* SOF0: 8 bits, 1 x 1, 1 component */
	0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0,             /* SOS */
	0x2b,                                            /* no difference, end of block, padding */
	0xff, 0xd9,                                      /* EOI */
};
/* clang-format on */

static _Noreturn void give_up(j_common_ptr common)
{
	longjmp(*(jmp_buf *)common->client_data, 1);
}

/* Decoding once makes libjpeg-turbo look at the processor and the environment, as it does on first use. */
static void initialise(void)
{
	struct jpeg_decompress_struct info = { 0 };
	struct jpeg_error_mgr errors;
	jmp_buf escape;
	JSAMPLE pixel[4];
	JSAMPROW row = pixel;

	info.err = jpeg_std_error(&errors);
	errors.error_exit = give_up;
	info.client_data = &escape;
	if (setjmp(escape) == 0) {
		jpeg_create_decompress(&info);
		jpeg_mem_src(&info, one_pixel, sizeof(one_pixel));
		jpeg_read_header(&info, TRUE);
		info.out_color_space = JCS_EXT_RGBA;
		jpeg_start_decompress(&info);
		jpeg_read_scanlines(&info, &row, 1);
		jpeg_finish_decompress(&info);
	}
	jpeg_destroy_decompress(&info);
}

DECODER_SAMPLE(jpeg_sample, "samples/jpeg/pjw-thumbnail.jpeg");

#define STRING(number) #number
#define STRING_OF(number) STRING(number)

/* The library does not tell which it is: this is the one with which the program was built. */
static const char *version(void)
{
	return STRING_OF(LIBJPEG_TURBO_VERSION);
}

const struct decoder decoder = {
	.name = "jpeg",
	.library = "libjpeg-turbo",
	.version = version,
	.initialise = initialise,
	.decode = decode_jpeg,
	.sample = jpeg_sample,
	.sample_end = jpeg_sample_end,
};
