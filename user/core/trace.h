/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The tracepoint signal:signal_generate: who sent SIGCHLD to whom.
 *
 * Read through perf_event_open(2), whose end is that of its descriptors: an
 * instance of tracefs would stay behind when we are killed. libtraceevent knows
 * where the fields are.
 */
#ifndef UNDEAD_TRACE_H
#define UNDEAD_TRACE_H

#include <stdbool.h>
#include <sys/types.h>

/**
 * struct trace_signal - one SIGCHLD, pending or lost because one was pending
 * @by:   the thread in whose context it was sent
 * @to:   the process it was sent to
 * @code: si_code
 */
struct trace_signal {
	pid_t by, to;
	int code;
};

/**
 * trace_open() - begin to look; once in a process
 * Return: 0, or -errno: -ENOENT no tracefs in /sys/kernel/tracing, -EACCES no
 * right to, -EXDEV not in the initial pid name space, whose numbers these are.
 */
int trace_open(void);

/**
 * trace_next() - the oldest of a CPU not yet fetched; those of two CPUs come in
 * no order
 * Return: false when there is none.
 */
bool trace_next(struct trace_signal *s);

#endif
