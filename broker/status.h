/* SPDX-License-Identifier: MIT */
/* How a decode can end. */
#ifndef SAFE_DECODE_STATUS_H
#define SAFE_DECODE_STATUS_H

#include <stdint.h>

#include "wire.h"

/* The values are the exit codes of the command line. */
enum safe_status {
	SAFE_OK = 0,          /* complete, or partial where partial results were asked for */
	SAFE_USAGE = 1,       /* the command line or an argument is wrong */
	SAFE_IO = 2,          /* the caller's own input or output failed */
	SAFE_MALFORMED = 3,   /* the input is not valid, or ends early */
	SAFE_LIMIT = 4,       /* a limit was reached */
	SAFE_KILLED = 5,      /* the decoder crashed, broke a rule of the sandbox, or lied on the wire */
	SAFE_NO_SANDBOX = 6,  /* the sandbox could not be set up or verified: nothing was decoded */
	SAFE_UNSUPPORTED = 7, /* no decoder for this format or variant */
};

/* A status and its reason.  `reason` is a static string of printable ASCII, never codec text; NULL when SAFE_OK. */
struct safe_outcome {
	enum safe_status status;
	const char *reason;
	int error_number; /* errno that explains it, or 0 */
	int signal;       /* signal that ended the decoder, or 0 */
};

/* The outcome that a FAIL or DAMAGE message with this code stands for; `failure` must be below WIRE_FAILURES and not
 * WIRE_OK. */
struct safe_outcome outcome_of_failure(enum wire_failure failure);

/* One-word name of a status, as in the design: "malformed". */
const char *status_name(enum safe_status status);

/* Outcomes in one expression. */
struct safe_outcome outcome_ok(void);
struct safe_outcome outcome_of(enum safe_status status, const char *reason);
struct safe_outcome outcome_of_errno(enum safe_status status, const char *reason, int error_number);

#endif
