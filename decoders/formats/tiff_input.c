/* SPDX-License-Identifier: MIT */
/* What libtiff calls: for bytes, and to complain. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tiff_decode.h"

size_t tiff_read_at(struct decode *decode, uint64_t offset, void *to, size_t size)
{
	return seekable_read_at(&decode->input, offset, to, size);
}

static tmsize_t read_next(thandle_t handle, void *to, tmsize_t size)
{
	struct decode *decode = handle;
	size_t got = size > 0 ? tiff_read_at(decode, decode->position, to, (size_t)size) : 0;

	decode->past_end = decode->past_end || got < (size_t)size;
	decode->position += got;
	return (tmsize_t)got;
}

static tmsize_t write_nothing(thandle_t handle, void *from, tmsize_t size)
{
	(void)handle;
	(void)from;
	(void)size;
	return -1;
}

/* Any place may be gone to: what is not there is found out when it is read. */
static toff_t seek(thandle_t handle, toff_t offset, int whence)
{
	struct decode *decode = handle;

	if (whence == SEEK_CUR)
		offset += decode->position;
	else if (whence == SEEK_END)
		offset += decode->input.size;
	decode->position = offset;
	return offset;
}

static int close_nothing(thandle_t handle)
{
	(void)handle;
	return 0;
}

static toff_t tell_size(thandle_t handle)
{
	const struct decode *decode = handle;

	return decode->input.size;
}

/* libtiff says what is wrong in words alone, and these are not even all its own. */
static enum wire_failure name_failure(const struct decode *decode, const char *message)
{
	static const struct {
		const char *words;
		enum wire_failure failure;
	} named[] = {
		{ "greater than filesize", WIRE_FAIL_TRUNCATED },
		{ "emory", WIRE_FAIL_LIMIT_MEMORY },
		{ "o space for", WIRE_FAIL_LIMIT_MEMORY },
		{ "llocat", WIRE_FAIL_LIMIT_MEMORY },
		{ "ot supported", WIRE_FAIL_UNSUPPORTED },
		{ "nsupported", WIRE_FAIL_UNSUPPORTED },
		{ "ot configured", WIRE_FAIL_UNSUPPORTED },
		{ "ot implemented", WIRE_FAIL_UNSUPPORTED },
		{ "annot handle", WIRE_FAIL_UNSUPPORTED },
		{ "an not handle", WIRE_FAIL_UNSUPPORTED },
		{ "ead error", WIRE_FAIL_TRUNCATED },
		{ "remature end of JPEG file", WIRE_FAIL_TRUNCATED },
	};
	for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++)
		if (strstr(message, named[i].words))
			return named[i].failure;
	return decode->past_end ? WIRE_FAIL_TRUNCATED : WIRE_FAIL_DATA;
}

static int complain(TIFF *tiff, void *context, const char *module, const char *format, va_list values)
{
	struct decode *decode = context;
	char message[256];

	(void)tiff;
	(void)module;
	(void)vsnprintf(message, sizeof(message), format, values);
	enum wire_failure failure = name_failure(decode, message);
	if (decode->complaint == WIRE_OK || failure == WIRE_FAIL_LIMIT_MEMORY)
		decode->complaint = failure;
	/* libtiff has counted an entry that it has no room for, and would read and free what stands there. */
	if (strstr(message, "space for list of custom values"))
		decode->lost = true;
	return 1;
}

/* Where pixels are made up, libtiff and what it calls only warn. */
static bool costs_pixels(const char *message)
{
	return strstr(message, "Premature E") || strstr(message, "Premature end of JPEG") ||
	       (strstr(message, "Corrupt JPEG data") && !strstr(message, "extraneous bytes"));
}

static int warn(TIFF *tiff, void *context, const char *module, const char *format, va_list values)
{
	struct decode *decode = context;
	char message[256];

	(void)tiff;
	(void)module;
	(void)vsnprintf(message, sizeof(message), format, values);
	if (decode->complaint == WIRE_OK && costs_pixels(message))
		decode->complaint = name_failure(decode, message);
	session_note(decode->session, WIRE_NOTE_WARNINGS);
	return 1;
}

enum wire_failure tiff_failure(const struct decode *decode, enum wire_failure otherwise)
{
	if (decode->complaint != WIRE_OK && decode->complaint != WIRE_FAIL_DATA)
		return decode->complaint;
	return decode->past_end ? WIRE_FAIL_TRUNCATED : otherwise;
}

session_result tiff_open(struct decode *decode)
{
	TIFFOpenOptions *options = TIFFOpenOptionsAlloc();

	if (!options)
		return WIRE_FAIL_LIMIT_MEMORY;
	TIFFOpenOptionsSetErrorHandlerExtR(options, complain, decode);
	TIFFOpenOptionsSetWarningHandlerExtR(options, warn, decode);
	/* m: nothing is mapped. */
	decode->tiff = TIFFClientOpenExt("input", "rm", decode, read_next, write_nothing, seek, close_nothing,
	                                 tell_size, NULL, NULL, options);
	TIFFOpenOptionsFree(options);
	/* It goes on without a tag that it had no memory for. */
	if (decode->complaint == WIRE_FAIL_LIMIT_MEMORY)
		return WIRE_FAIL_LIMIT_MEMORY;
	if (decode->tiff)
		return WIRE_OK;
	/* It does not say so where there is no memory for the first thing of all. */
	return decode->complaint == WIRE_OK && !decode->past_end ? WIRE_FAIL_LIMIT_MEMORY
	                                                         : tiff_failure(decode, WIRE_FAIL_STRUCTURE);
}

/* For what has no handle. */
void tiff_silence(void)
{
	(void)TIFFSetErrorHandler(NULL);
	(void)TIFFSetErrorHandlerExt(NULL);
	(void)TIFFSetWarningHandler(NULL);
	(void)TIFFSetWarningHandlerExt(NULL);
}
