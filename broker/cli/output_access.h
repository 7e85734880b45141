/* SPDX-License-Identifier: MIT */
/* Who may read and write a file that takes the place of another one. */
#ifndef SAFE_DECODE_OUTPUT_ACCESS_H
#define SAFE_DECODE_OUTPUT_ACCESS_H

#include <sys/stat.h>

/* Gives the file at `fd` the owner, group, permissions and access control list of the one at `existing`, an O_PATH
 * descriptor, as far as that can be done; else nobody gets more access than before.  Returns 0, or -1 with errno set.
 */
int output_access_copy(int fd, int existing, const struct stat *status);

#endif
