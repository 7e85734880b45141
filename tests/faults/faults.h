/* SPDX-License-Identifier: MIT */
/*
 * What a test and the programs that tests/faults/faults.c is linked into share: a file named "faults" beside the
 * program, which both map.  tests/faults/faults_support.py has the same in Python.
 */
#ifndef SAFE_DECODE_TESTS_FAULTS_H
#define SAFE_DECODE_TESTS_FAULTS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum faults_mode {
	FAULTS_NONE,
	FAULTS_FAIL,      /* call number `target` fails, from 0 on, over all processes */
	FAULTS_INTERRUPT, /* half of the calls that may be interrupted are */
	FAULTS_SHORT,     /* calls that move bytes move one */
};

enum faults_where { FAULTS_PROGRAM = 1, FAULTS_BROKER = 2 };

struct faults {
	_Atomic uint32_t mode;  /* enum faults_mode */
	_Atomic uint32_t where; /* FAULTS_ bits: in which program, and its children */
	_Atomic uint32_t target;
	_Atomic uint32_t calls; /* so far */
	_Atomic uint32_t fired; /* how many did less than they were asked for */
	_Atomic uint32_t left;  /* descriptors that a program had more at its end than at its start */
	char name[44];          /* of the last that fired */
	char only[44];          /* calls of this name alone are counted and fail; "": all */
};

_Static_assert(sizeof(struct faults) == 112, "as in faults_support.py");

/* For a program that has this itself: holds for all calls that follow, until the end. */
void faults_begin(struct faults *faults, enum faults_mode mode, uint32_t target);
void faults_end(void);

/* Whether the call that is about to be made fails: then errno is ENOMEM. */
bool faults_fails(const char *name);

#endif
