/* SPDX-License-Identifier: MIT */
/*
 * JPEG, by libjpeg-turbo: sequential and progressive, Huffman and arithmetic coding, 8 bits a sample.
 *
 * pkg-config: libjpeg
 *
 * libjpeg goes on after almost any damage and makes the lost pixels up.  So what it warns about is sorted here: what
 * cost no pixel is noted, anything else is damage.
 */
#include "jpeg_decode.h"

#include <jerror.h>

enum {
	SCANS_MAX = 500,   /* real files have about ten; each one walks the whole picture, whatever it costs in bytes */
	ROWS_AT_ONCE = 16, /* libjpeg gives a row group, 4 rows at most, a call */
};

/* ---- errors ---- */

/* What libjpeg's fatal errors mean; those not listed are damaged data. */
static const uint8_t failure_of_error[JMSG_LASTMSGCODE] = {
	[JERR_OUT_OF_MEMORY] = WIRE_FAIL_LIMIT_MEMORY,
	[JERR_NO_BACKING_STORE] = WIRE_FAIL_LIMIT_MEMORY,
	[JERR_IMAGE_TOO_BIG] = WIRE_FAIL_LIMIT_SIDE,
	[JERR_WIDTH_OVERFLOW] = WIRE_FAIL_LIMIT_SIDE,

#if JPEG_LIB_VERSION < 70
	[JERR_ARITH_NOTIMPL] = WIRE_FAIL_UNSUPPORTED,
#endif
	[JERR_BAD_PRECISION] = WIRE_FAIL_UNSUPPORTED,
	[JERR_CCIR601_NOTIMPL] = WIRE_FAIL_UNSUPPORTED,
	[JERR_CONVERSION_NOTIMPL] = WIRE_FAIL_UNSUPPORTED,
	[JERR_EMPTY_IMAGE] = WIRE_FAIL_UNSUPPORTED, /* the height may follow in a DNL marker */
	[JERR_FRACT_SAMPLE_NOTIMPL] = WIRE_FAIL_UNSUPPORTED,
	[JERR_NOT_COMPILED] = WIRE_FAIL_UNSUPPORTED,
	[JERR_SOF_UNSUPPORTED] = WIRE_FAIL_UNSUPPORTED,

	[JERR_NO_SOI] = WIRE_FAIL_SIGNATURE,

	[JERR_EOI_EXPECTED] = WIRE_FAIL_STRUCTURE,
	[JERR_NO_HUFF_TABLE] = WIRE_FAIL_STRUCTURE,
	[JERR_NO_IMAGE] = WIRE_FAIL_STRUCTURE,
	[JERR_NO_QUANT_TABLE] = WIRE_FAIL_STRUCTURE,
	[JERR_SOF_DUPLICATE] = WIRE_FAIL_STRUCTURE,
	[JERR_SOF_NO_SOS] = WIRE_FAIL_STRUCTURE,
	[JERR_SOI_DUPLICATE] = WIRE_FAIL_STRUCTURE,
	[JERR_SOS_NO_SOF] = WIRE_FAIL_STRUCTURE,
	[JERR_UNKNOWN_MARKER] = WIRE_FAIL_STRUCTURE,

	[JERR_BAD_COMPONENT_ID] = WIRE_FAIL_HEADER,
	[JERR_BAD_HUFF_TABLE] = WIRE_FAIL_HEADER,
	[JERR_BAD_LENGTH] = WIRE_FAIL_HEADER,
	[JERR_BAD_MCU_SIZE] = WIRE_FAIL_HEADER,
	[JERR_BAD_PROGRESSION] = WIRE_FAIL_HEADER,
	[JERR_BAD_SAMPLING] = WIRE_FAIL_HEADER,
	[JERR_COMPONENT_COUNT] = WIRE_FAIL_HEADER,
	[JERR_DAC_INDEX] = WIRE_FAIL_HEADER,
	[JERR_DAC_VALUE] = WIRE_FAIL_HEADER,
	[JERR_DHT_INDEX] = WIRE_FAIL_HEADER,
	[JERR_DQT_INDEX] = WIRE_FAIL_HEADER,
};

static _Noreturn void escape(struct decode *decode, session_result result)
{
	decode->result = result;
	longjmp(decode->escape, 1);
}

/* Whether the input itself is at fault, so that what was decoded before may be kept. */
static bool is_damage(enum wire_failure failure)
{
	return failure < WIRE_FAIL_UNSUPPORTED;
}

static _Noreturn void error_exit(j_common_ptr common)
{
	struct decode *decode = jpeg_decode_of((j_decompress_ptr)common);
	int code = decode->errors.msg_code;
	enum wire_failure failure = WIRE_FAIL_DATA;

	if (code >= 0 && code < JMSG_LASTMSGCODE && failure_of_error[code] != WIRE_OK)
		failure = failure_of_error[code];
	if (code == JERR_EMPTY_IMAGE && (decode->info.image_width == 0 || decode->info.num_components == 0))
		failure = WIRE_FAIL_HEADER;
	/* libjpeg has a limit of its own, which no option raises. */
	if (code == JERR_IMAGE_TOO_BIG &&
	    session_check_size(decode->session, decode->info.image_width, decode->info.image_height, 1) == WIRE_OK)
		failure = WIRE_FAIL_UNSUPPORTED;
	/* After the end libjpeg trips over what was made up for it. */
	if (decode->input_ended && failure <= WIRE_FAIL_UNSUPPORTED && failure != WIRE_FAIL_SIGNATURE)
		failure = WIRE_FAIL_TRUNCATED;
	escape(decode, is_damage(failure) ? session_damage(decode->session, failure) : failure);
}

/* How many rows have at least their DC coefficients when damage is found in this row of MCUs. */
static uint32_t rows_with_dc(const struct jpeg_decompress_struct *info, uint32_t mcu_row)
{
	bool later_pass = info->progressive_mode && (info->Ss != 0 || info->Ah != 0);
	uint32_t rows = mcu_row * (uint32_t)info->max_v_samp_factor * DCTSIZE / info->scale_denom;

	if (later_pass)
		return UINT32_MAX;
	/* The last one mixes in the chroma of the next where that is subsampled. */
	return rows > 0 && info->max_v_samp_factor > 1 ? rows - 1 : rows;
}

/* libjpeg has to make pixels up.  A picture in one scan ends here, with the rows that are committed.  One in several
 * scans is still worth showing to those who take partial results: `rows` rows of it, at the quality received. */
static void found_damage(struct decode *decode, enum wire_failure failure, uint32_t rows)
{
	if (decode->input_ended)
		failure = WIRE_FAIL_TRUNCATED;
	if (!decode->multiple_scans || !session_partial(decode->session))
		escape(decode, session_damage(decode->session, failure));
	if (decode->damage == WIRE_OK)
		decode->damage = failure;
	if (rows < decode->rows_wanted)
		decode->rows_wanted = rows;
}

static void emit_message(j_common_ptr common, int level)
{
	struct decode *decode = jpeg_decode_of((j_decompress_ptr)common);

	if (level >= 0) /* not a warning */
		return;
	switch (decode->errors.msg_code) {
	case JWRN_ADOBE_XFORM:
	case JWRN_BOGUS_ICC:
	case JWRN_BOGUS_PROGRESSION:
	case JWRN_EXTRANEOUS_DATA:
	case JWRN_JFIF_MAJOR:
	case JWRN_NOT_SEQUENTIAL:
		session_note(decode->session, WIRE_NOTE_WARNINGS);
		break;
	default:
		found_damage(decode, WIRE_FAIL_DATA, rows_with_dc(&decode->info, decode->info.input_iMCU_row));
	}
}

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
		.file_frames = 1,
		.color = color[info->jpeg_color_space],
		.channels = (uint32_t)info->num_components,
		.depth = (uint32_t)info->data_precision,
		.flags = (info->progressive_mode ? WIRE_IMAGE_PROGRESSIVE : 0) |
		         (info->arith_code ? WIRE_IMAGE_ARITHMETIC : 0) | (decode->icc_seen ? WIRE_IMAGE_ICC : 0),
		.orientation = decode->orientation,
	};
	image.pixel_format = session_choose_format(decode->session, &image);
	decode->pixel_format = image.pixel_format;
	session_result result = session_image(decode->session, &image);
	return result == WIRE_OK ? session_frame(decode->session, 0) : result;
}

/* libjpeg calls this before each row of MCUs that it reads ahead of the first output. */
static void watch_scans(j_common_ptr common)
{
	struct decode *decode = jpeg_decode_of((j_decompress_ptr)common);
	uint32_t row = decode->info.input_iMCU_row; /* the last one read was above it */

	if (decode->info.input_scan_number > SCANS_MAX)
		escape(decode, WIRE_FAIL_STRUCTURE);
	if (jpeg_data_ran_out(decode))
		found_damage(decode, WIRE_FAIL_TRUNCATED, rows_with_dc(&decode->info, row > 0 ? row - 1 : 0));
}

/* Looks for what none of the scans brought. */
static void check_scans(struct decode *decode)
{
	const struct jpeg_decompress_struct *info = &decode->info;

	for (int i = 0; i < info->num_components; i++) {
		/* For each coefficient: low bits that are still unknown, or -1 for all. */
		const int *unknown = info->coef_bits ? info->coef_bits[i] : NULL;
		if (!info->comp_info[i].quant_table || (unknown && unknown[0] < 0))
			found_damage(decode, WIRE_FAIL_STRUCTURE, 0);
		/* An encoder may leave bits out, but here the scans that had them are lost. */
		for (int k = 0; unknown && decode->input_ended && k < DCTSIZE2; k++) {
			if (unknown[k] != 0)
				found_damage(decode, WIRE_FAIL_TRUNCATED, UINT32_MAX);
		}
	}
}

/* Gets ready for the first row, for which a picture in several scans must be read to its end. */
static void start(struct decode *decode)
{
	struct jpeg_decompress_struct *info = &decode->info;

	jpeg_choose_conversion(decode);
	if (decode->multiple_scans)
		info->progress = &decode->progress;
	jpeg_start_decompress(info);
	info->progress = NULL;
	if (decode->multiple_scans)
		check_scans(decode);
	if (decode->convert_row)
		decode->samples = info->mem->alloc_sarray((j_common_ptr)info, JPOOL_IMAGE,
		                                          info->output_width * (JDIMENSION)info->output_components, 1);
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
		uint32_t left = decode->rows_wanted - decode->info.output_scanline;
		uint8_t *room = NULL;
		size_t count = 0;
		result = session_rows(decode->session, &room, &count);
		if (result != WIRE_OK)
			break;
		count = read_rows(decode, room, count < left ? (uint32_t)count : left);
		if (!decode->multiple_scans && jpeg_data_ran_out(decode))
			found_damage(decode, WIRE_FAIL_TRUNCATED, 0);
		result = session_commit_rows(decode->session, count);
	}
	return result;
}

static session_result decode_picture(struct decode *decode)
{
	struct jpeg_decompress_struct *info = &decode->info;

	jpeg_read_header(info, TRUE);
	decode->multiple_scans = jpeg_has_multiple_scans(info);
	/* libjpeg reduces as it transforms, and so saves most of the work. */
	session_result result = session_check_size(decode->session, info->image_width, info->image_height, 1);
	if (result != WIRE_OK)
		return result;
	info->scale_num = 1;
	info->scale_denom = session_take_scale(decode->session);
	jpeg_calc_output_dimensions(info);
	decode->rows_wanted = info->output_height;
	result = announce(decode);
	if (result != WIRE_OK)
		return result;
	start(decode);
	result = decode_rows(decode);
	if (result != WIRE_OK)
		return result;
	if (decode->damage != WIRE_OK)
		return session_damage(decode->session, decode->damage);
	jpeg_finish_decompress(info);
	if (decode->input_ended)
		session_note(decode->session, WIRE_NOTE_WARNINGS);
	else if (jpeg_has_more_input(decode))
		session_note(decode->session, WIRE_NOTE_TRAILING);
	return WIRE_OK;
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

	decode.info.err = jpeg_std_error(&decode.errors);
	decode.errors.error_exit = error_exit;
	decode.errors.emit_message = emit_message;
	session_result result = guarded(&decode);
	jpeg_destroy_decompress(&decode.info);
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
