/* SPDX-License-Identifier: GPL-2.0 */
/* What came of many repetitions, kept in a file, so that they can go on later. */
#ifndef UNDEAD_RECORD_H
#define UNDEAD_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "core/event.h"

/**
 * struct record - one scenario, played many times on one kernel
 * @name:    of the scenario
 * @count:   how often, by outcome
 * @slowest: ms
 */
struct record {
	const char *name;
	int count[OUTCOMES];
	int64_t slowest;
};

/**
 * record_find() - was it played so many times on the running kernel
 * @path:  the file; one that is not there has nothing
 * @times: how many
 * @r:     in: name; out: the rest
 */
bool record_find(const char *path, int times, struct record *r);

/**
 * record_add() - one line more
 * Return: 0 or a negative errno.
 */
int record_add(const char *path, const struct record *r);

#endif
