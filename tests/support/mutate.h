/* SPDX-License-Identifier: MIT */
/* Damage of the kinds that find bugs. */
#ifndef SAFE_DECODE_TESTS_MUTATE_H
#define SAFE_DECODE_TESTS_MUTATE_H

#include <stddef.h>
#include <stdint.h>

/* Damages `size` bytes, for which there is room for `room`, and returns how many they are then.  `other` is another
 * input, of which parts may be taken. */
size_t mutate(uint8_t *data, size_t size, size_t room, const uint8_t *other, size_t other_size, uint64_t *dice);

#endif
