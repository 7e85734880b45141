/* SPDX-License-Identifier: MIT */
/* How a decode can end; the statuses themselves are in safe-decode.h. */
#ifndef SAFE_DECODE_STATUS_H
#define SAFE_DECODE_STATUS_H

#include <stdbool.h>
#include <stdint.h>

#include "broker/safe-decode.h"
#include "wire.h"

/* A status and its reason.  `reason` is a static string of printable ASCII, never codec text; NULL when SAFE_OK. */
struct safe_outcome {
	enum safe_status status;
	const char *reason;
	int error_number; /* errno that explains it, or 0 */
	int signal;       /* signal that ended the decoder, or 0 */
	bool of_output;   /* it is about the output, not about the input */
	enum safe_limit limit;
	uint64_t needed; /* bytes that would be enough: of SAFE_LIMIT_MEMORY, as the decoder says; of SAFE_LIMIT_INPUT,
	                  * of a file or memory; 0: not known */
};

/* The outcome that a FAIL or DAMAGE message with this code stands for; `failure` must be below WIRE_FAILURES and not
 * WIRE_OK. */
struct safe_outcome outcome_of_failure(enum wire_failure failure);

/* One-word name of a status, as in the design: "malformed". */
const char *status_name(enum safe_status status);

/* Outcomes in one expression. */
struct safe_outcome outcome_ok(void);
struct safe_outcome outcome_of(enum safe_status status, const char *reason);
struct safe_outcome outcome_of_limit(enum safe_limit limit, const char *reason);
struct safe_outcome outcome_of_errno(enum safe_status status, const char *reason, int error_number);

/* Of something that a decoder needs and that could not be made: SAFE_EXHAUSTED where the system has none left, else
 * SAFE_NO_SANDBOX. */
struct safe_outcome outcome_of_making(const char *reason, int error_number);
bool status_is_exhaustion(int error_number);

/* SAFE_IO, and it is the output's fault. */
struct safe_outcome outcome_of_output(const char *reason, int error_number);

#endif
