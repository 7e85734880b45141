/* SPDX-License-Identifier: MIT */
#include "broker/decode/source.h"

#include <stddef.h>

static bool check(struct child_source *source, struct want *want)
{
	(void)source;
	return want->done;
}

static void wait_for(struct child_source *source, struct want *want, int milliseconds)
{
	(void)source;
	(void)want;
	(void)milliseconds; /* it is there */
}

static void forget(struct child_source *source, struct want *want)
{
	(void)source;
	if (want->child.owner)
		want->child.owner->end(&want->child, false);
}

static int no_descriptor(struct child_source *source, const struct want *want)
{
	(void)source;
	(void)want;
	return -1;
}

static bool is_ours(const struct child_source *source)
{
	(void)source;
	return true;
}

struct child_source source_at_once(bool (*want)(struct child_source *source, struct want *want))
{
	return (struct child_source){ .want = want,
		                      .check = check,
		                      .wait = wait_for,
		                      .forget = forget,
		                      .descriptor = no_descriptor,
		                      .is_ours = is_ours };
}
