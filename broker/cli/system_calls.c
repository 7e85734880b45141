/* SPDX-License-Identifier: MIT */
#include "system_calls.h"

#include <linux/audit.h>
#include <stddef.h>
#include <stdint.h>

/* Made by tools/compile_filters.c. */
#include "system_call_names.h"

#define X32_BIT UINT32_C(0x40000000)

static const struct {
	uint32_t architecture;
	const char *names;
	const uint16_t *offsets; /* of the name of each number; 0: there is none */
	size_t count;
} tables[] = {
	{ AUDIT_ARCH_X86_64, names_x86_64, offsets_x86_64, sizeof(offsets_x86_64) / sizeof(offsets_x86_64[0]) },
	{ AUDIT_ARCH_I386, names_x86, offsets_x86, sizeof(offsets_x86) / sizeof(offsets_x86[0]) },
};

const char *system_call_name(const struct wire_forbidden *forbidden)
{
	uint32_t number = forbidden->system_call & ~X32_BIT;

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		if (tables[i].architecture == forbidden->architecture && number < tables[i].count &&
		    tables[i].offsets[number] != 0)
			return tables[i].names + tables[i].offsets[number];
	return NULL;
}
