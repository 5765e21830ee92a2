/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How often a trace event happened, by perf_event_open(2): whose end is that of
 * its descriptors, so that nothing is left switched on when we are killed.
 */
#ifndef UNDEAD_COUNT_H
#define UNDEAD_COUNT_H

#include <stdint.h>

/**
 * struct counter - of one event, on all CPUs
 * @fd: one for each CPU: a counter that belongs to a thread is detached before
 *      exit_mm() since commit 4f6fc7821283 ("perf: Fix sample vs do_exit()")
 * @nr: how many
 */
struct counter {
	int fd[256];
	int nr;
};

/**
 * count_open() - from now on
 * @event: "sched/sched_process_exit", as in tracefs
 * @filter: "pid==4711", as of its file 'filter'
 * Return: 0 or -errno: -ENOENT no such event, or no tracefs in
 * /sys/kernel/tracing; -EINVAL it does not have what the filter names;
 * -EXDEV not in the initial pid name space, whose numbers these are.
 */
int count_open(struct counter *c, const char *event, const char *filter);

/**
 * count() - how often until now
 * Return: or -EIO.
 */
int64_t count(const struct counter *c);

#endif
