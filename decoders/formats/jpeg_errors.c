/* SPDX-License-Identifier: MIT */
/* What libjpeg complains about, and what becomes of the picture then. */
#include "jpeg_decode.h"

#include <jerror.h>

enum { /* markers that jpeglib.h does not name */
       SOF3 = 0xc3,
       SOF5 = 0xc5,
       SOF7 = 0xc7,
       SOF11 = 0xcb,
       SOF13 = 0xcd,
       SOF15 = 0xcf,
       DHP = 0xde,
       EXP = 0xdf,
};

/* What libjpeg's fatal errors mean; those not listed are damaged data. */
static const uint8_t failure_of_error[JMSG_LASTMSGCODE] = {
	[JERR_OUT_OF_MEMORY] = WIRE_FAIL_LIMIT_MEMORY,
	[JERR_NO_BACKING_STORE] = WIRE_FAIL_LIMIT_MEMORY,
	[JERR_IMAGE_TOO_BIG] = WIRE_FAIL_LIMIT_SIDE,
	[JERR_WIDTH_OVERFLOW] = WIRE_FAIL_LIMIT_SIDE,

#if JPEG_LIB_VERSION < 70
	[JERR_ARITH_NOTIMPL] = WIRE_FAIL_JPEG_ARITHMETIC,
#endif
	[JERR_BAD_PRECISION] = WIRE_FAIL_UNSUPPORTED,
	[JERR_CCIR601_NOTIMPL] = WIRE_FAIL_UNSUPPORTED,
	[JERR_CONVERSION_NOTIMPL] = WIRE_FAIL_UNSUPPORTED,
	[JERR_EMPTY_IMAGE] = WIRE_FAIL_JPEG_DNL, /* the height may follow in a DNL marker */
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

_Noreturn void jpeg_escape(struct decode *decode, session_result result)
{
	decode->result = result;
	longjmp(decode->escape, 1);
}

/* Whether the input itself is at fault, so that what was decoded before may be kept. */
static bool is_damage(enum wire_failure failure)
{
	return failure < WIRE_FAIL_UNSUPPORTED;
}

static bool is_limit(enum wire_failure failure)
{
	return failure >= WIRE_FAIL_LIMIT_SIDE && failure <= WIRE_FAIL_LIMIT_METADATA;
}

/* The process that a frame of this kind takes; all others are known to the library. */
static enum wire_failure name_process(int marker)
{
	if (marker == SOF3)
		return WIRE_FAIL_JPEG_LOSSLESS;
	if (marker == SOF11)
		return WIRE_FAIL_JPEG_LOSSLESS_ARITHMETIC;
	if (marker >= SOF5 && marker <= SOF7)
		return WIRE_FAIL_JPEG_HIERARCHICAL;
	if (marker >= SOF13 && marker <= SOF15)
		return WIRE_FAIL_JPEG_HIERARCHICAL_ARITHMETIC;
	return WIRE_FAIL_UNSUPPORTED;
}

/* What the error means by its code and by its numbers. */
static enum wire_failure name_failure(const struct decode *decode)
{
	const struct jpeg_decompress_struct *info = &decode->info;
	int code = decode->errors.msg_code;
	int number = decode->errors.msg_parm.i[0];

	switch (code) {
	case JERR_SOF_UNSUPPORTED:
		return name_process(number);
	case JERR_UNKNOWN_MARKER:
		return number == DHP || number == EXP ? WIRE_FAIL_JPEG_HIERARCHICAL : WIRE_FAIL_STRUCTURE;
	case JERR_BAD_PRECISION:
		return info->data_precision == 12 ? WIRE_FAIL_JPEG_12_BITS : WIRE_FAIL_UNSUPPORTED;
	case JERR_EMPTY_IMAGE:
		return info->image_width == 0 || info->num_components == 0 ? WIRE_FAIL_HEADER : WIRE_FAIL_JPEG_DNL;
	case JERR_IMAGE_TOO_BIG:
		/* libjpeg has a limit of its own, which no option raises. */
		return session_check_size(decode->session, info->image_width, info->image_height, 1) == WIRE_OK
		               ? WIRE_FAIL_UNSUPPORTED
		               : WIRE_FAIL_LIMIT_SIDE;
	default:
		return code >= 0 && code < JMSG_LASTMSGCODE && failure_of_error[code] != WIRE_OK
		               ? (enum wire_failure)failure_of_error[code]
		               : WIRE_FAIL_DATA;
	}
}

/* Leaves for where libjpeg was called, if there is a picture all the same. */
static void try_to_resume(struct decode *decode, enum wire_failure failure)
{
	bool whole = decode->rows_done || (decode->all_complete && decode->damage == WIRE_OK);

	if (!decode->resumable || (!whole && !(decode->scans_begun && session_partial(decode->session))))
		return;
	decode->resumable = false;
	decode->resumed = true;
	if (whole)
		decode->flaw = failure;
	else if (decode->damage == WIRE_OK)
		decode->damage = failure;
	longjmp(decode->resume, 1);
}

static _Noreturn void error_exit(j_common_ptr common)
{
	struct decode *decode = jpeg_decode_of((j_decompress_ptr)common);
	enum wire_failure failure = name_failure(decode);

	/* After the end libjpeg trips over what was made up for it. */
	if (decode->input_ended && !is_limit(failure) && failure != WIRE_FAIL_SIGNATURE)
		failure = WIRE_FAIL_TRUNCATED;
	if (is_damage(failure))
		try_to_resume(decode, failure);
	jpeg_escape(decode, is_damage(failure) ? session_damage(decode->session, failure) : failure);
}

uint32_t jpeg_rows_known(const struct decode *decode, uint32_t mcu_row)
{
	const struct jpeg_decompress_struct *info = &decode->info;
	bool later_pass = info->progressive_mode && (info->Ss != 0 || info->Ah != 0);

	/* An arithmetic decoder reads ahead: what is missing has changed pixels before it was missed. */
	if (info->arith_code && decode->input_ended && decode->end_row < mcu_row)
		mcu_row = decode->end_row;
	uint32_t rows = mcu_row * (uint32_t)info->max_v_samp_factor * DCTSIZE / info->scale_denom;
	bool mixes = false;

	if (later_pass)
		return UINT32_MAX;
	/* The last one mixes in the chroma of the next where that is subsampled. */
	for (int i = 0; i < info->num_components; i++)
		mixes |= info->comp_info[i].v_samp_factor < info->max_v_samp_factor;
	return rows > 0 && mixes ? rows - 1 : rows;
}

void jpeg_found_damage(struct decode *decode, enum wire_failure failure, uint32_t rows)
{
	if (decode->input_ended)
		failure = WIRE_FAIL_TRUNCATED;
	if (!session_partial(decode->session))
		jpeg_escape(decode, failure);
	if (decode->damage == WIRE_OK)
		decode->damage = failure;
	if (rows < decode->rows_wanted)
		decode->rows_wanted = rows;
}

/* A warning that costs pixels, unless there are none any more that it could. */
static void take_warning(struct decode *decode, int code)
{
	enum wire_failure failure = WIRE_FAIL_DATA;

	if (code == JWRN_HIT_MARKER && decode->info.unread_marker == JPEG_EOI)
		failure = WIRE_FAIL_TRUNCATED;
	if (decode->rows_done)
		decode->flaw = failure;
	else
		jpeg_found_damage(decode, failure, jpeg_rows_known(decode, decode->info.input_iMCU_row));
}

static void emit_message(j_common_ptr common, int level)
{
	struct decode *decode = jpeg_decode_of((j_decompress_ptr)common);
	int code = decode->errors.msg_code;

	if (level >= 0) /* not a warning */
		return;
	/* Bytes where the end should be. */
	if (code == JWRN_EXTRANEOUS_DATA && decode->errors.msg_parm.i[1] == JPEG_EOI)
		decode->flaw = WIRE_FAIL_STRUCTURE;
	switch (code) {
	case JWRN_ADOBE_XFORM:
	case JWRN_BOGUS_ICC:
	case JWRN_BOGUS_PROGRESSION:
	case JWRN_EXTRANEOUS_DATA:
	case JWRN_JFIF_MAJOR:
	case JWRN_NOT_SEQUENTIAL:
		session_note(decode->session, WIRE_NOTE_WARNINGS);
		break;
	case JWRN_MUST_RESYNC:
		if (decode->resynchronised)
			session_note(decode->session, WIRE_NOTE_WARNINGS);
		else
			take_warning(decode, code);
		break;
	default:
		take_warning(decode, code);
	}
}

void jpeg_open_errors(struct decode *decode)
{
	decode->info.err = jpeg_std_error(&decode->errors);
	decode->errors.error_exit = error_exit;
	decode->errors.emit_message = emit_message;
}
