/* SPDX-License-Identifier: GPL-2.0 */
/* What the scenarios of pid namespaces have in common. */
#ifndef UNDEAD_PIDNS_H
#define UNDEAD_PIDNS_H

#include "scenario.h"

/**
 * pidns_init() - the init of a new pid namespace, a child of the runner
 */
struct actor *pidns_init(const char *name);

/**
 * order_enter() - put the children of the caller into a pid namespace
 *
 * That of process arg[0], or with arg[1] that of its children.
 */
int64_t order_enter(const struct order *o);

/**
 * pidns_outsider() - a process whose children are members of the namespace of @i
 */
struct actor *pidns_outsider(struct actor *i, const char *name);

/**
 * pidns_inner() - the pid that @t has in its own namespace
 * @levels: how deep that is below ours
 */
pid_t pidns_inner(struct thread *t, int levels);

/**
 * expect_zaps() - @i waits in zap_pid_ns_processes(), asleep, nobody is told
 *
 * A thread that loops there instead of sleeping is seen running.
 */
void expect_zaps(struct actor *i, const char *why);

#endif
