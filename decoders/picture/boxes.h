/* SPDX-License-Identifier: MIT */
/* Files that consist of boxes, as those of MPEG-4 and its relatives do. */
#ifndef SAFE_DECODE_BOXES_H
#define SAFE_DECODE_BOXES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether the input ends inside of one of its outermost boxes: then what is wrong with it is most likely that. */
bool boxes_are_cut(const uint8_t *data, size_t size);

#endif
