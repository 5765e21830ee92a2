// SPDX-License-Identifier: GPL-2.0
/*
 * Somebody sleeps in poll() of a pidfd, without a timeout: whatever makes it
 * readable has to wake who sleeps, and who looks again later does not notice if
 * it did not.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>

#include "../core/await.h"
#include "../core/proc.h"
#include "../scenario.h"

/* poll() of a pidfd of arg[0], opened with flags arg[1]: what comes. */
static int64_t order_poll(const struct order *o)
{
	struct pollfd p = { .events = POLLIN };
	int n;

	p.fd = pidfd_of((pid_t)o->arg[0], (unsigned int)o->arg[1]);
	if (p.fd < 0)
		return p.fd;
	n = poll(&p, 1, -1);
	close(p.fd);
	return n < 0 ? -errno : p.revents;
}

static bool asleep(void *arg)
{
	struct thread *w = arg;
	struct proc_status st;

	return !proc_status(w->actor->pid, w->tid, &st) && st.state == 'S' &&
	       proc_syscall(w->actor->pid, w->tid) == SYS_poll;
}

/* A new thread of @r, which sleeps until @tid ends. */
static struct thread *watch(struct actor *r, pid_t tid, unsigned int flags)
{
	struct thread *w = thread(r, "W");

	tell(w, order_poll, tid, flags);
	expect(await_true(asleep, w, AWAIT_MS) && !await_readable(w->cmd, 0),
	       "pidfd_poll(): nobody has ended",
	       "%s %d sleeps in poll() of a pidfd of %d", w->name, w->tid, tid);
	return w;
}

static void expect_woken(struct thread *w, const char *why)
{
	int64_t events = 0;
	int err = thread_result(w, AWAIT_MS, &events);

	expect(!err && events > 0 && events & POLLIN, why,
	       "poll() in %s %d: %s, events %#llx (POLLIN expected)", w->name,
	       w->tid, err ? "sleeps on" : "returned",
	       (unsigned long long)events);
}

static void processes(struct actor *r)
{
	struct actor *c, *i;
	struct thread *t, *w, *v;

	step("C ends");
	c = spawn("C");
	w = watch(r, c->pid, 0);
	v = watch(r, c->pid, 0);
	exit_group(leader(c), 7);
	expect_woken(w, "do_notify_parent(): do_notify_pidfd()");
	expect_woken(v, "do_notify_pidfd(): wakes all who sleep");
	reap(c);

	step("the leader of C ends, then its last thread T");
	c = spawn("C");
	t = thread(c, "T");
	w = watch(r, c->pid, 0);
	exit_thread(leader(c), 3);
	expect_state(leader(c), 'Z', "exit_notify(): EXIT_ZOMBIE");
	barrier();
	expect(await_true(asleep, w, AWAIT_MS) && !await_readable(w->cmd, 0),
	       "pidfd_poll(): a delayed leader has not exited",
	       "W %d sleeps on", w->tid);
	exit_thread(t, 5);
	expect_woken(w, "release_task(T): zap_leader, do_notify_parent()");
	reap(c);

	step("I ignores SIGCHLD: its child C ends and is gone");
	i = spawn("I");
	ask(leader(i), order_sigaction, SIGCHLD, DISPOSE_IGNORE);
	c = spawn_by(i, "C");
	w = watch(r, c->pid, 0);
	exit_group(leader(c), 7);
	expect_woken(w, "do_notify_parent(): do_notify_pidfd(), and autoreap");
}

static void play(void)
{
	struct actor *r = spawn("R"), *c;
	struct thread *t, *w;
	int probe;

	processes(r);
	step("T, a thread of C, ends");
	probe = pidfd_of(getpid(), PIDFD_THREAD);
	if (probe < 0) {
		note("no PIDFD_THREAD: commit 64bef697d33b (\"pidfd: implement PIDFD_THREAD flag for pidfd_open()\"), 6.9");
		return;
	}
	close(probe);
	c = spawn("C");
	t = thread(c, "T");
	w = watch(r, t->tid, PIDFD_THREAD);
	exit_thread(t, 5);
	expect_woken(w, "exit_notify(): do_notify_pidfd() for a thread");
}

static const char *const watches[] = {
	"64bef697d33b (\"pidfd: implement PIDFD_THREAD flag for pidfd_open()\")",
	NULL
};

SCENARIO(pidfd_sleeps) = {
	.name = "pidfd-sleeps",
	.summary =
		"asleep in poll() of a pidfd: woken by a death, by that of the last thread, by a thread's",
	.rows = "PF1",
	.needs = NEED_ROOT,
	.watches = watches,
	.play = play,
};
