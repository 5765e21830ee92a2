/* SPDX-License-Identifier: GPL-2.0 */
/*
 * All processes in one pass over /proc: one file of each, and of that the few
 * lines by which a healthy one is told. Nothing here can block, and nothing
 * grows with their number.
 */
#ifndef CORE_WALK_H
#define CORE_WALK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * struct glance - what one pass sees of a task
 * @state:   the letter
 * @threads: of its process
 * @pending: signals, for it and for its process
 */
struct glance {
	pid_t pid, ppid;
	char state;
	int threads;
	uint64_t pending;
};

/**
 * glance_parse() - from a status file
 * @complete: false: the file goes on, and may have what was not found
 * Return: 0, -EBADMSG what has no State, -EAGAIN more of it is wanted.
 */
int glance_parse(const char *text, bool complete, struct glance *g);

/**
 * walk() - every process once
 * @threads: every thread of those that have several, too
 * @seen: return anything but 0 to end the walk with it
 *
 * Return: 0, -errno, or what @seen returned. Who goes meanwhile is not seen.
 */
int walk(bool threads,
	 int (*seen)(const struct glance *g, pid_t tgid, void *arg), void *arg);

#endif
