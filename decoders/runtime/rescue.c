/* SPDX-License-Identifier: MIT */
#include "rescue.h"

#include <setjmp.h>

#include "broker/wire/entry.h"

static jmp_buf place;
static bool armed, happened;

void decoder_out_of_memory(void)
{
	if (!armed)
		return;
	armed = false;
	happened = true;
	longjmp(place, 1);
}

session_result rescue_run(session_result (*work)(void *context), void *context)
{
	happened = false;
	if (setjmp(place) != 0)
		return WIRE_FAIL_LIMIT_MEMORY;
	armed = true;
	session_result result = work(context);
	armed = false;
	return result;
}

bool rescue_happened(void)
{
	return happened;
}
