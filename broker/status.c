/* SPDX-License-Identifier: MIT */
#include "status.h"

#include <errno.h>
#include <stddef.h>

static const struct {
	enum safe_status status;
	enum safe_limit limit;
	const char *reason;
} failures[WIRE_FAILURES] = {
	[WIRE_FAIL_EMPTY] = { SAFE_MALFORMED, SAFE_LIMIT_NONE, "the input is empty" },
	[WIRE_FAIL_SIGNATURE] = { SAFE_MALFORMED, SAFE_LIMIT_NONE, "does not start as its format must" },
	[WIRE_FAIL_TRUNCATED] = { SAFE_MALFORMED, SAFE_LIMIT_NONE, "ends early" },
	[WIRE_FAIL_HEADER] = { SAFE_MALFORMED, SAFE_LIMIT_NONE, "the header is not valid" },
	[WIRE_FAIL_STRUCTURE] = { SAFE_MALFORMED, SAFE_LIMIT_NONE, "parts are missing, doubled or out of order" },
	[WIRE_FAIL_DATA] = { SAFE_MALFORMED, SAFE_LIMIT_NONE, "the compressed data is damaged" },
	[WIRE_FAIL_CHECKSUM] = { SAFE_MALFORMED, SAFE_LIMIT_NONE, "a checksum does not match" },
	[WIRE_FAIL_LENGTH] = { SAFE_MALFORMED, SAFE_LIMIT_NONE, "a stored length does not match" },
	[WIRE_FAIL_TRAILING] = { SAFE_MALFORMED, SAFE_LIMIT_NONE, "there is more data after its end" },
	[WIRE_FAIL_UNSUPPORTED] = { SAFE_UNSUPPORTED, SAFE_LIMIT_NONE,
	                            "uses a variant of its format that is not supported" },
	[WIRE_FAIL_LIMIT_SIDE] = { SAFE_LIMIT, SAFE_LIMIT_SIDE, "more pixels a side than the limit allows" },
	[WIRE_FAIL_LIMIT_PIXELS] = { SAFE_LIMIT, SAFE_LIMIT_PIXELS, "more pixels than the limit allows" },
	[WIRE_FAIL_LIMIT_OUTPUT] = { SAFE_LIMIT, SAFE_LIMIT_OUTPUT, "more output than the limit allows" },
	[WIRE_FAIL_LIMIT_MEMORY] = { SAFE_LIMIT, SAFE_LIMIT_MEMORY, "needs more memory than the limit allows" },
	[WIRE_FAIL_LIMIT_METADATA] = { SAFE_LIMIT, SAFE_LIMIT_METADATA, "more metadata than the limit allows" },
	[WIRE_FAIL_ABSENT] = { SAFE_UNSUPPORTED, SAFE_LIMIT_NONE, "has no cover picture" },
	[WIRE_FAIL_JPEG_LOSSLESS] = { SAFE_UNSUPPORTED, SAFE_LIMIT_NONE, "lossless JPEG (SOF3) is not supported" },
	[WIRE_FAIL_JPEG_LOSSLESS_ARITHMETIC] = { SAFE_UNSUPPORTED, SAFE_LIMIT_NONE,
	                                         "lossless JPEG with arithmetic coding (SOF11) is not supported" },
	[WIRE_FAIL_JPEG_HIERARCHICAL] = { SAFE_UNSUPPORTED, SAFE_LIMIT_NONE, "hierarchical JPEG is not supported" },
	[WIRE_FAIL_JPEG_HIERARCHICAL_ARITHMETIC] = { SAFE_UNSUPPORTED, SAFE_LIMIT_NONE,
	                                             "hierarchical JPEG with arithmetic coding is not supported" },
	[WIRE_FAIL_JPEG_ARITHMETIC] = { SAFE_UNSUPPORTED, SAFE_LIMIT_NONE,
	                                "JPEG with arithmetic coding is not supported by this libjpeg" },
	[WIRE_FAIL_JPEG_12_BITS] = { SAFE_UNSUPPORTED, SAFE_LIMIT_NONE, "12-bit JPEG is not supported" },
	[WIRE_FAIL_JPEG_DNL] = { SAFE_UNSUPPORTED, SAFE_LIMIT_NONE,
	                         "JPEG whose height follows in a DNL marker is not supported" },
	[WIRE_FAIL_PNG_CGBI] = { SAFE_UNSUPPORTED, SAFE_LIMIT_NONE, "iPhone PNG (CgBI) is not supported" },
	[WIRE_FAIL_PNG_TEXT_IN_DATA] = { SAFE_MALFORMED, SAFE_LIMIT_NONE, "chunk tEXt between IDAT: out of order" },
	[WIRE_FAIL_PNG_ZTXT_IN_DATA] = { SAFE_MALFORMED, SAFE_LIMIT_NONE, "chunk zTXt between IDAT: out of order" },
	[WIRE_FAIL_PNG_ITXT_IN_DATA] = { SAFE_MALFORMED, SAFE_LIMIT_NONE, "chunk iTXt between IDAT: out of order" },
	[WIRE_FAIL_PNG_CHUNK_IN_DATA] = { SAFE_MALFORMED, SAFE_LIMIT_NONE, "another chunk between IDAT: out of order" },
	[WIRE_FAIL_WINDOW] = { SAFE_UNSUPPORTED, SAFE_LIMIT_NONE,
	                       "needs a larger window than its library can have: not supported" },
};

static const char *const names[] = {
	[SAFE_OK] = "ok",
	[SAFE_USAGE] = "usage",
	[SAFE_IO] = "io",
	[SAFE_MALFORMED] = "malformed",
	[SAFE_LIMIT] = "limit",
	[SAFE_KILLED] = "killed",
	[SAFE_NO_SANDBOX] = "no-sandbox",
	[SAFE_UNSUPPORTED] = "unsupported",
	[SAFE_EXHAUSTED] = "exhausted",
};

struct safe_outcome outcome_of_failure(enum wire_failure failure)
{
	return (struct safe_outcome){
		.status = failures[failure].status,
		.limit = failures[failure].limit,
		.reason = failures[failure].reason,
	};
}

const char *status_name(enum safe_status status)
{
	return names[status];
}

struct safe_outcome outcome_ok(void)
{
	return outcome_of(SAFE_OK, NULL);
}

struct safe_outcome outcome_of(enum safe_status status, const char *reason)
{
	return outcome_of_errno(status, reason, 0);
}

struct safe_outcome outcome_of_limit(enum safe_limit limit, const char *reason)
{
	return (struct safe_outcome){ .status = SAFE_LIMIT, .limit = limit, .reason = reason };
}

struct safe_outcome outcome_of_errno(enum safe_status status, const char *reason, int error_number)
{
	return (struct safe_outcome){ .status = status, .reason = reason, .error_number = error_number };
}

bool status_is_exhaustion(int error_number)
{
	return error_number == EAGAIN || error_number == ENOMEM || error_number == EMFILE || error_number == ENFILE;
}

struct safe_outcome outcome_of_making(const char *reason, int error_number)
{
	return outcome_of_errno(status_is_exhaustion(error_number) ? SAFE_EXHAUSTED : SAFE_NO_SANDBOX, reason,
	                        error_number);
}

struct safe_outcome outcome_of_output(const char *reason, int error_number)
{
	return (struct safe_outcome){
		.status = SAFE_IO,
		.reason = reason,
		.error_number = error_number,
		.of_output = true,
	};
}
