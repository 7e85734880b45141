/* SPDX-License-Identifier: MIT */
/* What is taken from the markers that libjpeg does not care for: EXIF, XMP, a colour profile in parts, a comment. */
#include <stdlib.h>
#include <string.h>

#include "decoders/picture/exif.h"
#include "decoders/picture/exif_tags.h"
#include "decoders/picture/icc.h"
#include "decoders/runtime/input.h"
#include "jpeg_decode.h"

static const char exif_mark[6] = "Exif\0";
static const char xmp_mark[29] = "http://ns.adobe.com/xap/1.0/";
static const char icc_mark[12] = "ICC_PROFILE";

/* Reads a marker's length, and returns that of its content. */
static size_t start_marker(struct decode *decode)
{
	uint8_t bytes[2];

	if (jpeg_take_input(decode, bytes, sizeof(bytes)) < sizeof(bytes))
		return 0;
	size_t length = input_be16(bytes);
	return length > 2 ? length - 2 : 0;
}

/* Whether the content goes on with these bytes, which are taken; where it is shorter, none are. */
static bool take_mark(struct decode *decode, size_t *left, const char *mark, size_t size)
{
	uint8_t bytes[sizeof(xmp_mark)] = { 0 };

	if (*left < size || jpeg_take_input(decode, bytes, size) < size)
		return false;
	*left -= size;
	return memcmp(bytes, mark, size) == 0;
}

/* Up to `most` bytes of what is left; NULL where there is no memory.  The caller frees it. */
static uint8_t *take_rest(struct decode *decode, size_t *left, size_t most, size_t *size)
{
	size_t wanted = *left < most ? *left : most;
	uint8_t *data = malloc(wanted > 0 ? wanted : 1);

	*size = data ? jpeg_take_input(decode, data, wanted) : 0;
	*left -= *size;
	return data;
}

static void take_exif(struct decode *decode, size_t *left)
{
	size_t size = 0, whole = *left;
	uint8_t *exif = decode->exif_seen
	                        ? NULL
	                        : take_rest(decode, left, session_request(decode->session)->max_metadata, &size);

	decode->exif_seen = true;
	if (!exif)
		return;
	decode->orientation = exif_orientation(exif, size);
	if (size == whole)
		exif_send(decode->session, exif, size);
	free(exif);
}

static void take_xmp(struct decode *decode, size_t *left)
{
	size_t size = 0, whole = *left;

	if (!session_wants_blob(decode->session, WIRE_BLOB_XMP))
		return;
	uint8_t *xmp = take_rest(decode, left, whole, &size);
	if (xmp && size == whole)
		session_blob(decode->session, WIRE_BLOB_XMP, xmp, size);
	free(xmp);
}

static boolean read_app1(j_decompress_ptr info)
{
	struct decode *decode = jpeg_decode_of(info);
	size_t left = start_marker(decode);
	uint8_t start[sizeof(exif_mark)];

	if (left >= sizeof(start) && jpeg_take_input(decode, start, sizeof(start)) == sizeof(start)) {
		left -= sizeof(start);
		if (memcmp(start, exif_mark, sizeof(start)) == 0)
			take_exif(decode, &left);
		else if (memcmp(start, xmp_mark, sizeof(start)) == 0 &&
		         take_mark(decode, &left, xmp_mark + sizeof(start), sizeof(xmp_mark) - sizeof(start)))
			take_xmp(decode, &left);
	}
	jpeg_skip_input(decode, left);
	return TRUE;
}

/* ---- a profile, which may be longer than a marker ---- */

void jpeg_free_profile(struct decode *decode)
{
	for (size_t i = 0; i < JPEG_PARTS_MAX; i++) {
		free(decode->parts[i].data);
		decode->parts[i].data = NULL;
	}
}

/* Once all parts are there. */
static void send_profile(struct decode *decode, size_t count)
{
	size_t size = 0;

	for (size_t i = 0; i < count; i++) {
		if (!decode->parts[i].data)
			return;
		size += decode->parts[i].size;
	}
	uint8_t *profile = malloc(size > 0 ? size : 1);
	for (size_t i = 0, at = 0; profile && i < count; i++) {
		memcpy(profile + at, decode->parts[i].data, decode->parts[i].size);
		at += decode->parts[i].size;
	}
	if (profile)
		icc_send(decode->session, profile, size);
	free(profile);
	jpeg_free_profile(decode);
}

/* Number and count of the part, both from 1, and then its bytes. */
static void take_part(struct decode *decode, size_t *left)
{
	uint8_t bytes[2];
	size_t size = 0, whole = 0;

	if (*left < sizeof(bytes) || jpeg_take_input(decode, bytes, sizeof(bytes)) < sizeof(bytes))
		return;
	*left -= sizeof(bytes);
	whole = *left;
	if (bytes[0] == 0 || bytes[0] > bytes[1] || decode->parts[bytes[0] - 1].data ||
	    whole > session_request(decode->session)->max_metadata - decode->parts_size)
		return;
	uint8_t *part = take_rest(decode, left, whole, &size);
	if (!part || size < whole) {
		free(part);
		return;
	}
	decode->parts[bytes[0] - 1] = (struct jpeg_part){ part, size };
	decode->parts_size += size;
	send_profile(decode, bytes[1]);
}

static boolean read_app2(j_decompress_ptr info)
{
	struct decode *decode = jpeg_decode_of(info);
	size_t left = start_marker(decode);

	if (take_mark(decode, &left, icc_mark, sizeof(icc_mark))) {
		decode->icc_seen = true;
		if (icc_is_wanted(decode->session))
			take_part(decode, &left);
	}
	jpeg_skip_input(decode, left);
	return TRUE;
}

static boolean read_comment(j_decompress_ptr info)
{
	struct decode *decode = jpeg_decode_of(info);
	size_t left = start_marker(decode), size = 0;

	if (session_wants_tags(decode->session)) {
		uint8_t *text = take_rest(decode, &left, WIRE_VALUE_MAX + 4, &size);
		if (text)
			session_picture_tag(decode->session, WIRE_TAG_COMMENT, (const char *)text, size);
		free(text);
	}
	jpeg_skip_input(decode, left);
	return TRUE;
}

void jpeg_send_density(struct decode *decode)
{
	enum { DOTS_A_CENTIMETRE = 2 };
	const struct jpeg_decompress_struct *info = &decode->info;
	double scale = info->density_unit == DOTS_A_CENTIMETRE ? 2.54 : 1;

	/* EXIF knows better. */
	if (info->saw_JFIF_marker && info->density_unit > 0 && !decode->exif_seen)
		exif_send_density(decode->session, info->X_density * scale, info->Y_density * scale);
}

void jpeg_open_markers(struct decode *decode)
{
	jpeg_set_marker_processor(&decode->info, JPEG_APP0 + 1, read_app1);
	jpeg_set_marker_processor(&decode->info, JPEG_APP0 + 2, read_app2);
	jpeg_set_marker_processor(&decode->info, JPEG_COM, read_comment);
}
