/* SPDX-License-Identifier: GPL-2.0 */
/* The operations. In another order, or weighed otherwise, a seed means others. */
#ifndef FUZZ_OPS_H
#define FUZZ_OPS_H

#include "fuzz.h"

/* fd: what it is about. Return: it went as it should. */
typedef bool op_fn(int fd, const struct step *s);

/* The first of ops[]. */
enum { READ, CLOSE, CREATE };

#define BY_S       1
#define BY_THREAD  2
#define BY_PROCESS 4
#define BY_ACTOR   (BY_THREAD | BY_PROCESS)
#define BY_ANY     (BY_S | BY_ACTOR)

/* In .on. */
#define ON_CONTROL 1
#define ON_GATE    2
#define NO_FAULT   4 /* makes or ends what others rely on */

#define PAGE 4096UL

struct op {
	const char *name;
	op_fn *fn;
	unsigned int weight;
	unsigned int by;
	unsigned int on;
};

extern const struct op ops[];
extern const unsigned int op_count;

extern __thread bool faulty; /* this operation may fail for no reason */

bool can_inject(void);
void perform(const struct step *s, int fd);

/* Held and released: all that were admitted. */
__u64 sum(const struct undead_counters *c);

/* op-actor.c: what an actor is told */
op_fn op_read, op_hold, op_nonblock, op_map, op_touch, op_copy, op_aio,
	op_enrol_self, op_close, op_fork, op_tid_address, op_exit, op_exec;

/* op-any.c: what anybody may do */
op_fn op_release_hold, op_release_tid, op_release_oldest, op_release_all,
	op_gate_open, op_rearm, op_await, op_poll, op_info, op_list,
	op_counters;

/* op-bad.c: invalid calls */
op_fn op_bad_form, op_bad_gate_call, op_bad_create;

/* op-own.c: what S itself does */
op_fn op_open, op_close_control, op_create, op_hand_over, op_close_gate, op_dup,
	op_enrol, op_signal, op_kill, op_spawn, op_open_every, op_suspend,
	op_limit;

#endif
