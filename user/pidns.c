// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>

#include "core/await.h"
#include "core/proc.h"
#include "pidns.h"

/* So often in a row it has to be asleep. */
#define LOOKS 50

struct actor *pidns_init(const char *name)
{
	return spawn_clone(NULL, name, CLONE_NEWPID, SIGCHLD);
}

int64_t order_enter(const struct order *o)
{
	_cleanup_close_ int fd = -1;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/pid%s", (int)o->arg[0],
		 o->arg[1] ? "_for_children" : "");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 || setns(fd, CLONE_NEWPID) ? -errno : 0;
}

struct actor *pidns_outsider(struct actor *i, const char *name)
{
	struct actor *j = spawn(name);
	char what[32];

	snprintf(what, sizeof(what), "setns() in %s", name);
	expect_equal(ask(leader(j), order_enter, i->pid, 0), 0, what,
		     "pidns_install(): for its children");
	return j;
}

pid_t pidns_inner(struct thread *t, int levels)
{
	struct proc_status st;
	const char *at;

	if (proc_status(t->actor->pid, t->tid, &st))
		broken("%s %d is gone", t->name, t->tid);
	at = st.nspid;
	while (levels-- > 0) {
		at += strspn(at, " \t");
		at += strcspn(at, " \t");
	}
	if (!atoi(at))
		broken("NSpid of %s %d is '%s'", t->name, t->tid, st.nspid);
	return atoi(at);
}

struct look {
	struct actor *a;
	pid_t tid; /* out */
	char stack[4096];
};

/* The leader, or the thread that was the last. */
static bool zaps(void *arg)
{
	struct look *l = arg;
	pid_t tids[ACTOR_THREADS];
	int n = proc_tasks(l->a->pid, tids, ACTOR_THREADS);

	while (n-- > 0) {
		l->tid = tids[n];
		if (proc_read(l->a->pid, l->tid, "stack", l->stack,
			      sizeof(l->stack)) > 0 &&
		    strstr(l->stack, "zap_pid_ns_processes"))
			return true;
	}
	return false;
}

static bool stays_asleep(void *arg)
{
	struct look *l = arg;
	struct proc_status st;

	for (int look = 0; look < LOOKS; look++)
		if (proc_status(l->a->pid, l->tid, &st) ||
		    (st.state != 'S' && st.state != 'I'))
			return false;
	return true;
}

void expect_zaps(struct actor *i, const char *why)
{
	struct look l = { .a = i };

	expect(await_true(zaps, &l, AWAIT_MS), why,
	       "zap_pid_ns_processes() is in the stack of %s %d", i->name,
	       i->pid);
	/* It may have been woken in vain, by free_pid(): await it. */
	expect(await_true(stays_asleep, &l, AWAIT_MS), why,
	       "%s %d is asleep, at each of %d looks", i->name, i->pid, LOOKS);
	expect_no_sigchld(i, "exit_notify() has not run");
	expect_no_wakeup(i->pidfd, "its pidfd", "exit_notify() has not run");
}
