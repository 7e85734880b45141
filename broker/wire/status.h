/* SPDX-License-Identifier: MIT */
/* How a decode can end; the statuses themselves are in safe-decode.h. */
#ifndef SAFE_DECODE_STATUS_H
#define SAFE_DECODE_STATUS_H

#include <stdbool.h>
#include <stdint.h>

#include "broker/safe-decode.h"
#include "wire.h"

/* A status and its reason.  `reason` is a static string of printable ASCII, never codec text; NULL when SDEC_OK. */
struct outcome {
	enum sdec_status status;
	const char *reason;
	int error_number; /* errno that explains it, or 0 */
	int signal;       /* signal that ended the decoder, or 0 */
	bool of_output;   /* it is about the output, not about the input */
	enum sdec_limit limit;
	uint64_t needed; /* bytes that would be enough: of SDEC_LIMIT_MEMORY, as the decoder says; of SDEC_LIMIT_INPUT,
	                  * of a file or memory; 0: not known */
};

/* The outcome that a FAIL or DAMAGE message with this code stands for; `failure` must be below WIRE_FAILURES and not
 * WIRE_OK. */
struct outcome outcome_of_failure(enum wire_failure failure);

/* One-word name of a status, as in the design: "malformed". */
const char *status_name(enum sdec_status status);

/* Outcomes in one expression. */
struct outcome outcome_ok(void);
struct outcome outcome_of(enum sdec_status status, const char *reason);
struct outcome outcome_of_limit(enum sdec_limit limit, const char *reason);
struct outcome outcome_of_errno(enum sdec_status status, const char *reason, int error_number);

/* Of something that a decoder needs and that could not be made: SDEC_EXHAUSTED where the system has none left, else
 * SDEC_NO_SANDBOX. */
struct outcome outcome_of_making(const char *reason, int error_number);
bool status_is_exhaustion(int error_number);

/* SDEC_IO, and it is the output's fault. */
struct outcome outcome_of_output(const char *reason, int error_number);

#endif
