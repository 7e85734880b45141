/* SPDX-License-Identifier: MIT */
#include "status.h"

#include <errno.h>
#include <stddef.h>

static const struct {
	enum sdec_status status;
	enum sdec_limit limit;
	const char *reason;
} failures[WIRE_FAILURES] = {
	[WIRE_FAIL_EMPTY] = { SDEC_MALFORMED, SDEC_LIMIT_NONE, "the input is empty" },
	[WIRE_FAIL_SIGNATURE] = { SDEC_MALFORMED, SDEC_LIMIT_NONE, "does not start with the signature of its format" },
	[WIRE_FAIL_TRUNCATED] = { SDEC_MALFORMED, SDEC_LIMIT_NONE, "ends early" },
	[WIRE_FAIL_HEADER] = { SDEC_MALFORMED, SDEC_LIMIT_NONE, "the header is not valid" },
	[WIRE_FAIL_STRUCTURE] = { SDEC_MALFORMED, SDEC_LIMIT_NONE, "parts are missing, doubled or out of order" },
	[WIRE_FAIL_DATA] = { SDEC_MALFORMED, SDEC_LIMIT_NONE, "the compressed data is damaged" },
	[WIRE_FAIL_CHECKSUM] = { SDEC_MALFORMED, SDEC_LIMIT_NONE, "a checksum does not match" },
	[WIRE_FAIL_LENGTH] = { SDEC_MALFORMED, SDEC_LIMIT_NONE, "a stored length does not match" },
	[WIRE_FAIL_TRAILING] = { SDEC_MALFORMED, SDEC_LIMIT_NONE, "there is more data after its end" },
	[WIRE_FAIL_UNSUPPORTED] = { SDEC_UNSUPPORTED, SDEC_LIMIT_NONE,
	                            "uses a variant of its format that is not supported" },
	[WIRE_FAIL_LIMIT_SIDE] = { SDEC_LIMIT, SDEC_LIMIT_SIDE, "more pixels a side than the limit allows" },
	[WIRE_FAIL_LIMIT_PIXELS] = { SDEC_LIMIT, SDEC_LIMIT_PIXELS, "more pixels than the limit allows" },
	[WIRE_FAIL_LIMIT_OUTPUT] = { SDEC_LIMIT, SDEC_LIMIT_OUTPUT, "more output than the limit allows" },
	[WIRE_FAIL_LIMIT_MEMORY] = { SDEC_LIMIT, SDEC_LIMIT_MEMORY, "needs more memory than the limit allows" },
	[WIRE_FAIL_LIMIT_METADATA] = { SDEC_LIMIT, SDEC_LIMIT_METADATA, "more metadata than the limit allows" },
	[WIRE_FAIL_ABSENT] = { SDEC_UNSUPPORTED, SDEC_LIMIT_NONE, "has no cover picture" },
	[WIRE_FAIL_FRAME] = { SDEC_UNSUPPORTED, SDEC_LIMIT_NONE, "has no such frame or page" },
	[WIRE_FAIL_REGION] = { SDEC_UNSUPPORTED, SDEC_LIMIT_NONE, "has no pixel in the region to crop" },
	[WIRE_FAIL_JPEG_LOSSLESS] = { SDEC_UNSUPPORTED, SDEC_LIMIT_NONE, "lossless JPEG (SOF3) is not supported" },
	[WIRE_FAIL_JPEG_LOSSLESS_ARITHMETIC] = { SDEC_UNSUPPORTED, SDEC_LIMIT_NONE,
	                                         "lossless JPEG with arithmetic coding (SOF11) is not supported" },
	[WIRE_FAIL_JPEG_HIERARCHICAL] = { SDEC_UNSUPPORTED, SDEC_LIMIT_NONE, "hierarchical JPEG is not supported" },
	[WIRE_FAIL_JPEG_HIERARCHICAL_ARITHMETIC] = { SDEC_UNSUPPORTED, SDEC_LIMIT_NONE,
	                                             "hierarchical JPEG with arithmetic coding is not supported" },
	[WIRE_FAIL_JPEG_ARITHMETIC] = { SDEC_UNSUPPORTED, SDEC_LIMIT_NONE,
	                                "JPEG with arithmetic coding is not supported by this libjpeg" },
	[WIRE_FAIL_JPEG_12_BITS] = { SDEC_UNSUPPORTED, SDEC_LIMIT_NONE, "12-bit JPEG is not supported" },
	[WIRE_FAIL_JPEG_DNL] = { SDEC_UNSUPPORTED, SDEC_LIMIT_NONE,
	                         "JPEG whose height follows in a DNL marker is not supported" },
	[WIRE_FAIL_PNG_CGBI] = { SDEC_UNSUPPORTED, SDEC_LIMIT_NONE, "iPhone PNG (CgBI) is not supported" },
	[WIRE_FAIL_PNG_TEXT_IN_DATA] = { SDEC_MALFORMED, SDEC_LIMIT_NONE, "chunk tEXt between IDAT: out of order" },
	[WIRE_FAIL_PNG_ZTXT_IN_DATA] = { SDEC_MALFORMED, SDEC_LIMIT_NONE, "chunk zTXt between IDAT: out of order" },
	[WIRE_FAIL_PNG_ITXT_IN_DATA] = { SDEC_MALFORMED, SDEC_LIMIT_NONE, "chunk iTXt between IDAT: out of order" },
	[WIRE_FAIL_PNG_CHUNK_IN_DATA] = { SDEC_MALFORMED, SDEC_LIMIT_NONE, "another chunk between IDAT: out of order" },
	[WIRE_FAIL_WINDOW] = { SDEC_UNSUPPORTED, SDEC_LIMIT_NONE,
	                       "needs a larger window than its library can have: not supported" },
	[WIRE_FAIL_EXR_DWAA] = { SDEC_UNSUPPORTED, SDEC_LIMIT_NONE, "EXR with DWAA compression is not supported" },
	[WIRE_FAIL_EXR_DWAB] = { SDEC_UNSUPPORTED, SDEC_LIMIT_NONE, "EXR with DWAB compression is not supported" },
	[WIRE_FAIL_EXR_DEEP] = { SDEC_UNSUPPORTED, SDEC_LIMIT_NONE, "deep EXR is not supported" },
	[WIRE_FAIL_EXR_CHANNELS] = { SDEC_UNSUPPORTED, SDEC_LIMIT_NONE,
	                             "EXR without a channel named R, G, B or Y is not supported" },
};

static const char *const names[] = {
	[SDEC_OK] = "ok",
	[SDEC_USAGE] = "usage",
	[SDEC_IO] = "io",
	[SDEC_MALFORMED] = "malformed",
	[SDEC_LIMIT] = "limit",
	[SDEC_KILLED] = "killed",
	[SDEC_NO_SANDBOX] = "no-sandbox",
	[SDEC_UNSUPPORTED] = "unsupported",
	[SDEC_EXHAUSTED] = "exhausted",
	[SDEC_TOO_SMALL] = "too-small",
	[SDEC_WRONG_KIND] = "wrong-kind",
};

struct outcome outcome_of_failure(enum wire_failure failure)
{
	return (struct outcome){
		.status = failures[failure].status,
		.limit = failures[failure].limit,
		.reason = failures[failure].reason,
	};
}

const char *status_name(enum sdec_status status)
{
	return names[status];
}

struct outcome outcome_ok(void)
{
	return outcome_of(SDEC_OK, NULL);
}

struct outcome outcome_of(enum sdec_status status, const char *reason)
{
	return outcome_of_errno(status, reason, 0);
}

struct outcome outcome_of_limit(enum sdec_limit limit, const char *reason)
{
	return (struct outcome){ .status = SDEC_LIMIT, .limit = limit, .reason = reason };
}

struct outcome outcome_of_errno(enum sdec_status status, const char *reason, int error_number)
{
	return (struct outcome){ .status = status, .reason = reason, .error_number = error_number };
}

bool status_is_exhaustion(int error_number)
{
	return error_number == EAGAIN || error_number == ENOMEM || error_number == EMFILE || error_number == ENFILE;
}

struct outcome outcome_of_making(const char *reason, int error_number)
{
	return outcome_of_errno(status_is_exhaustion(error_number) ? SDEC_EXHAUSTED : SDEC_NO_SANDBOX, reason,
	                        error_number);
}

struct outcome outcome_of_output(const char *reason, int error_number)
{
	return (struct outcome){
		.status = SDEC_IO,
		.reason = reason,
		.error_number = error_number,
		.of_output = true,
	};
}
