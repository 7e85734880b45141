/* SPDX-License-Identifier: MIT */
/* How the samples of a page are stored: from its tags, checked. */
#include "tiff_decode.h"

#include <string.h>

#include "decoders/picture/exif_tags.h"
#include "decoders/picture/icc.h"

enum { ORIENTATIONS = 8, DEPTH_MAX = 16 };

static uint16_t short_tag(const struct decode *decode, uint32_t tag)
{
	uint16_t value = 0;

	(void)TIFFGetFieldDefaulted(decode->tiff, tag, &value);
	return value;
}

static bool is_fax(uint16_t compression)
{
	return compression == COMPRESSION_CCITTRLE || compression == COMPRESSION_CCITTRLEW ||
	       compression == COMPRESSION_CCITTFAX3 || compression == COMPRESSION_CCITTFAX4;
}

/* Where the file does not say what its colours are, as libtiff guesses. */
static uint16_t photometric(const struct decode *decode, uint16_t compression, unsigned samples)
{
	uint16_t value = 0;

	if (TIFFGetField(decode->tiff, TIFFTAG_PHOTOMETRIC, &value))
		return value;
	if (is_fax(compression))
		return PHOTOMETRIC_MINISWHITE;
	if (samples < 3)
		return PHOTOMETRIC_MINISBLACK;
	return compression == COMPRESSION_JPEG ? PHOTOMETRIC_YCBCR : PHOTOMETRIC_RGB;
}

static session_result choose_kind(struct decode *decode, uint16_t value)
{
	struct tiff_form *form = &decode->form;
	static const uint8_t colors[] = {
		[FORM_GRAY] = 1, [FORM_PALETTE] = 1, [FORM_RGB] = 3, [FORM_CMYK] = 4, [FORM_YCBCR] = 3, [FORM_LAB] = 3
	};

	switch (value) {
	case PHOTOMETRIC_MINISWHITE:
		form->inverted = true;
		break;
	case PHOTOMETRIC_MINISBLACK:
	case PHOTOMETRIC_MASK:
	case PHOTOMETRIC_LOGL:
		break;
	case PHOTOMETRIC_PALETTE:
		form->kind = FORM_PALETTE;
		break;
	case PHOTOMETRIC_RGB:
	case PHOTOMETRIC_LOGLUV:
		form->kind = FORM_RGB;
		break;
	case PHOTOMETRIC_SEPARATED:
		if (short_tag(decode, TIFFTAG_INKSET) != INKSET_CMYK)
			return WIRE_FAIL_UNSUPPORTED;
		form->kind = FORM_CMYK;
		break;
	case PHOTOMETRIC_YCBCR:
		form->kind = FORM_YCBCR;
		break;
	case PHOTOMETRIC_CIELAB:
	case PHOTOMETRIC_ICCLAB:
		form->kind = FORM_LAB;
		form->lab_offset = value == PHOTOMETRIC_ICCLAB;
		break;
	default:
		return WIRE_FAIL_UNSUPPORTED;
	}
	form->colors = colors[form->kind];
	return form->samples >= form->colors ? WIRE_OK : WIRE_FAIL_UNSUPPORTED;
}

/* Lets codecs that know how give what is easier to take. */
static void choose_codec_output(struct decode *decode, uint16_t compression, uint16_t value)
{
	TIFF *tiff = decode->tiff;

	if (compression == COMPRESSION_JPEG && value == PHOTOMETRIC_YCBCR && !decode->form.planar) {
		(void)TIFFSetField(tiff, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
		decode->form.kind = FORM_RGB;
	}
	if (compression == COMPRESSION_SGILOG || compression == COMPRESSION_SGILOG24)
		(void)TIFFSetField(tiff, TIFFTAG_SGILOGDATAFMT, SGILOGDATAFMT_8BIT);
}

static session_result choose_number(struct decode *decode)
{
	struct tiff_form *form = &decode->form;
	uint16_t format = short_tag(decode, TIFFTAG_SAMPLEFORMAT);

	form->bits = short_tag(decode, TIFFTAG_BITSPERSAMPLE);
	form->number = format == SAMPLEFORMAT_IEEEFP ? FORM_FLOAT
	               : format == SAMPLEFORMAT_INT  ? FORM_SIGNED
	                                             : FORM_UNSIGNED;
	if (form->bits == 0)
		return WIRE_FAIL_HEADER;
	if (format == SAMPLEFORMAT_COMPLEXINT || format == SAMPLEFORMAT_COMPLEXIEEEFP)
		return WIRE_FAIL_UNSUPPORTED;
	if (form->bits > 32 && form->bits != 64)
		return WIRE_FAIL_UNSUPPORTED;
	if (form->number == FORM_FLOAT && form->bits != 16 && form->bits != 32 && form->bits != 64)
		return WIRE_FAIL_UNSUPPORTED;
	if (form->number != FORM_UNSIGNED && (form->kind == FORM_PALETTE || form->kind == FORM_YCBCR))
		return WIRE_FAIL_UNSUPPORTED;
	if (form->kind == FORM_PALETTE && form->bits > 16)
		return WIRE_FAIL_UNSUPPORTED;
	if (form->kind == FORM_YCBCR && form->bits != 8)
		return WIRE_FAIL_UNSUPPORTED;
	/* a and b are signed, and some writers say so. */
	if (form->kind == FORM_LAB && (form->number == FORM_FLOAT || (form->bits != 8 && form->bits != 16)))
		return WIRE_FAIL_UNSUPPORTED;
	return WIRE_OK;
}

static void choose_alpha(struct decode *decode)
{
	struct tiff_form *form = &decode->form;
	uint16_t count = 0, *types = NULL;

	form->used = form->colors;
	if (form->clumped)
		return;
	/* libtiff makes extra samples of unknown use up for what the file does not tell: RGB with one more is RGBA. */
	if (!decode->extra_told) {
		if (form->kind == FORM_RGB && form->samples == 4)
			form->alpha = form->colors;
	} else if (TIFFGetField(decode->tiff, TIFFTAG_EXTRASAMPLES, &count, &types)) {
		for (unsigned i = 0; i < count && form->alpha == 0 && form->colors + i < form->samples; i++) {
			if (types[i] != EXTRASAMPLE_ASSOCALPHA && types[i] != EXTRASAMPLE_UNASSALPHA)
				continue;
			form->alpha = form->colors + i;
			form->associated = types[i] == EXTRASAMPLE_ASSOCALPHA;
		}
	}
	if (form->alpha > 0)
		form->used++;
	/* An index cannot have been multiplied. */
	if (form->kind == FORM_PALETTE)
		form->associated = false;
}

static session_result choose_chunks(struct decode *decode)
{
	struct tiff_form *form = &decode->form;
	uint16_t across = 1, down = 1;

	form->tiled = TIFFIsTiled(decode->tiff) != 0;
	form->chunk_width = decode->image.width;
	if (form->tiled) {
		if (!TIFFGetField(decode->tiff, TIFFTAG_TILEWIDTH, &form->chunk_width) ||
		    !TIFFGetField(decode->tiff, TIFFTAG_TILELENGTH, &form->chunk_height))
			return WIRE_FAIL_STRUCTURE;
	} else {
		(void)TIFFGetFieldDefaulted(decode->tiff, TIFFTAG_ROWSPERSTRIP, &form->chunk_height);
		if (form->chunk_height > decode->image.height)
			form->chunk_height = decode->image.height;
	}
	if (form->chunk_width == 0 || form->chunk_height == 0)
		return WIRE_FAIL_HEADER;
	if (form->kind == FORM_YCBCR) {
		(void)TIFFGetFieldDefaulted(decode->tiff, TIFFTAG_YCBCRSUBSAMPLING, &across, &down);
		form->across = across;
		form->down = down;
		if ((across != 1 && across != 2 && across != 4) || (down != 1 && down != 2 && down != 4))
			return WIRE_FAIL_HEADER;
		form->clumped = !form->planar && (across > 1 || down > 1);
		if (form->planar && (across > 1 || down > 1))
			return WIRE_FAIL_UNSUPPORTED;
		if (form->clumped && form->samples != 3)
			return WIRE_FAIL_UNSUPPORTED;
	}
	return WIRE_OK;
}

static void choose_layout(struct tiff_form *form)
{
	form->deep = form->bits > 8 && form->kind != FORM_PALETTE;
	form->layout = pixels_layout_of(form->deep ? 2 : 1, form->kind != FORM_GRAY, form->alpha > 0);
}

/* Whether the samples can be given as the floats that they are. */
static bool may_be_floats(const struct tiff_form *form)
{
	return form->number == FORM_FLOAT && (form->kind == FORM_GRAY || form->kind == FORM_RGB);
}

void tiff_choose_format(struct decode *decode)
{
	struct tiff_form *form = &decode->form;
	struct wire_image *image = &decode->image;

	image->pixel_format = session_choose_format(decode->session, image);
	form->floats = may_be_floats(form) && pixels_want_floats(image);
	if (form->floats)
		form->layout = pixels_layout_of(sizeof(float), form->kind != FORM_GRAY, form->alpha > 0);
}

/* ---- what the picture says of itself ---- */

static void send_texts(const struct decode *decode)
{
	static const struct {
		uint32_t tag;
		enum wire_tag name;
	} texts[] = {
		{ TIFFTAG_IMAGEDESCRIPTION, WIRE_TAG_DESCRIPTION },
		{ TIFFTAG_DOCUMENTNAME, WIRE_TAG_TITLE },
		{ TIFFTAG_ARTIST, WIRE_TAG_ARTIST },
		{ TIFFTAG_COPYRIGHT, WIRE_TAG_COPYRIGHT },
		{ TIFFTAG_SOFTWARE, WIRE_TAG_SOFTWARE },
		{ TIFFTAG_MAKE, WIRE_TAG_MAKE },
		{ TIFFTAG_MODEL, WIRE_TAG_MODEL },
		{ TIFFTAG_DATETIME, WIRE_TAG_DATE },
	};
	char *text = NULL;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (TIFFGetField(decode->tiff, texts[i].tag, &text) && text)
			session_picture_tag(decode->session, texts[i].name, text, strlen(text));
}

static void send_density(const struct decode *decode)
{
	float across = 0, down = 0;
	uint16_t unit = short_tag(decode, TIFFTAG_RESOLUTIONUNIT);
	double inch = unit == RESUNIT_CENTIMETER ? 2.54 : 1;

	if (unit != RESUNIT_NONE && TIFFGetField(decode->tiff, TIFFTAG_XRESOLUTION, &across) &&
	    TIFFGetField(decode->tiff, TIFFTAG_YRESOLUTION, &down))
		exif_send_density(decode->session, (double)across * inch, (double)down * inch);
}

static void send_metadata(const struct decode *decode)
{
	uint32_t size = 0;
	void *block = NULL;

	if (TIFFGetField(decode->tiff, TIFFTAG_ICCPROFILE, &size, &block) && block)
		icc_send(decode->session, block, size);
	if (TIFFGetField(decode->tiff, TIFFTAG_XMLPACKET, &size, &block) && block)
		session_blob(decode->session, WIRE_BLOB_XMP, block, size);
	if (!session_wants_tags(decode->session))
		return;
	send_texts(decode);
	send_density(decode);
}

static void describe_image(struct decode *decode, uint16_t value)
{
	static const uint8_t color[] = {
		[FORM_GRAY] = WIRE_COLOR_GRAY, [FORM_PALETTE] = WIRE_COLOR_PALETTE, [FORM_RGB] = WIRE_COLOR_RGB,
		[FORM_CMYK] = WIRE_COLOR_CMYK, [FORM_YCBCR] = WIRE_COLOR_YCBCR,     [FORM_LAB] = WIRE_COLOR_RGB
	};
	const struct tiff_form *form = &decode->form;
	struct wire_image *image = &decode->image;
	uint16_t orientation = 0;
	uint32_t profile_size = 0;
	void *profile = NULL;

	image->color = value == PHOTOMETRIC_YCBCR ? WIRE_COLOR_YCBCR : color[form->kind];
	image->channels = (form->kind == FORM_PALETTE ? 3 : form->colors) + (form->alpha > 0);
	if (image->channels > 4)
		image->channels = 4;
	image->depth = form->kind == FORM_PALETTE ? 8 : form->bits > DEPTH_MAX ? DEPTH_MAX : form->bits;
	if (may_be_floats(form)) {
		image->depth = form->bits;
		image->flags |= WIRE_IMAGE_FLOAT;
	}
	if (form->alpha > 0)
		image->flags |= WIRE_IMAGE_ALPHA;
	if (TIFFGetField(decode->tiff, TIFFTAG_ICCPROFILE, &profile_size, &profile))
		image->flags |= WIRE_IMAGE_ICC;
	if (TIFFGetField(decode->tiff, TIFFTAG_ORIENTATION, &orientation) && orientation <= ORIENTATIONS)
		image->orientation = orientation;
}

session_result tiff_describe(struct decode *decode)
{
	struct tiff_form *form = &decode->form;
	struct wire_image *image = &decode->image;
	uint16_t compression = 0;

	if (!TIFFGetField(decode->tiff, TIFFTAG_IMAGEWIDTH, &image->width) ||
	    !TIFFGetField(decode->tiff, TIFFTAG_IMAGELENGTH, &image->height))
		return WIRE_FAIL_HEADER;
	session_result result = session_check_size(decode->session, image->width, image->height, 1);
	if (result != WIRE_OK)
		return result;
	(void)TIFFGetFieldDefaulted(decode->tiff, TIFFTAG_COMPRESSION, &compression);
	if (!TIFFIsCODECConfigured(compression))
		return WIRE_FAIL_UNSUPPORTED;
	form->samples = short_tag(decode, TIFFTAG_SAMPLESPERPIXEL);
	form->planar = short_tag(decode, TIFFTAG_PLANARCONFIG) == PLANARCONFIG_SEPARATE && form->samples > 1;
	uint16_t value = photometric(decode, compression, form->samples);
	result = choose_kind(decode, value);
	if (result != WIRE_OK)
		return result;
	choose_codec_output(decode, compression, value);
	result = choose_number(decode);
	if (result == WIRE_OK)
		result = choose_chunks(decode);
	if (result != WIRE_OK)
		return result;
	choose_alpha(decode);
	choose_layout(form);
	describe_image(decode, value);
	send_metadata(decode);
	return WIRE_OK;
}
