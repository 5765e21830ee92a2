// SPDX-License-Identifier: GPL-2.0
/* Expectations: look, compare, say. */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "core/await.h"
#include "core/proc.h"
#include "doctor.h"
#include "stage.h"

void expect(bool ok, const char *why, const char *fmt, ...)
{
	struct event e = { .type = EVENT_EXPECT, .ok = ok };
	va_list args;

	snprintf(e.why, sizeof(e.why), "%s", why);
	va_start(args, fmt);
	vsnprintf(e.text, sizeof(e.text), fmt, args);
	va_end(args);
	stage_send(&e);
	if (!ok && !stage.failed) {
		stage.failed = true;
		stage_dump();
	}
}

void expect_equal(int64_t seen, int64_t wanted, const char *what,
		  const char *why)
{
	if (seen == wanted)
		expect(true, why, "%s: %" PRId64, what, seen);
	else
		expect(false, why, "%s: %" PRId64 ", expected %" PRId64, what,
		       seen, wanted);
}

/* A state letter for people: '?' for a thread that is gone. */
static char letter(char state)
{
	return state ? state : '?';
}

void expect_state(struct thread *t, char state, const char *why)
{
	char seen = await_state(t->actor->pid, t->tid, state, AWAIT_MS);

	if (seen == state)
		expect(true, why, "%s %d is %c", t->name, t->tid, state);
	else
		expect(false, why, "%s %d is %c, expected %c", t->name, t->tid,
		       letter(seen), state);
}

struct sleeper {
	struct thread *t;
	const char *function;
	char stack[4096], wchan[128];
};

static bool asleep_in(void *arg)
{
	struct sleeper *s = arg;
	pid_t pid = s->t->actor->pid, tid = s->t->tid;

	if (proc_read(pid, tid, "stack", s->stack, sizeof(s->stack)) < 0)
		s->stack[0] = '\0';
	if (proc_read(pid, tid, "wchan", s->wchan, sizeof(s->wchan)) < 0)
		s->wchan[0] = '\0';
	return strstr(s->stack, s->function);
}

void expect_asleep_in(struct thread *t, const char *function, const char *why)
{
	struct sleeper s = { .t = t, .function = function };
	/* Its state is D a moment before schedule() takes it off the CPU. */
	bool found = await_true(asleep_in, &s, AWAIT_MS);
	char top[64] = "?";

	sscanf(s.stack, "[<%*[^>]>] %63[^+\n]", top);
	expect(found && (strncmp(top, "undead_", 7) ||
			 !strncmp(s.wchan, "undead_", 7) ||
			 !strcmp(s.wchan, "0")),
	       why, "%s %d sleeps in %s, wchan %s, called from %s%s", t->name,
	       t->tid, top, s.wchan, function,
	       found ? "()" : "()? not in its stack");
}

void expect_gone(struct thread *t, const char *why)
{
	bool ok = await_gone(t->actor->pid, t->tid, AWAIT_MS);

	expect(ok, why, "%s %d is %s /proc", t->name, t->tid,
	       ok ? "gone from" : "still in");
}

static int rising(const void *a, const void *b)
{
	pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;

	return (x > y) - (x < y);
}

void expect_tasks(struct actor *p, struct thread *const *t, int n,
		  const char *why)
{
	pid_t wanted[ACTOR_THREADS] = { 0 }, seen[ACTOR_THREADS] = { 0 };
	int count = proc_tasks(p->pid, seen, ACTOR_THREADS);
	char text[256] = "";
	size_t at = 0;

	for (int i = 0; i < n; i++)
		wanted[i] = t[i]->tid;
	qsort(wanted, (size_t)n, sizeof(*wanted), rising);
	for (int i = 0; i < count && i < ACTOR_THREADS; i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at, " %d",
				       seen[i]);
	expect(count == n && !memcmp(seen, wanted, sizeof(wanted)), why,
	       "/proc/%d/task lists%s", p->pid, count > 0 ? text : " nothing");
}

/* --- nobody is told, somebody is told ----------------------------------- */

void barrier(void)
{
	siginfo_t si;

	/* do_wait() takes tasklist_lock for reading, for P_ALL always. */
	waitid(P_ALL, 0, &si, WEXITED | WNOHANG | WNOWAIT);
}

/* SIGCHLD for @p so far; one signal tells of one child. */
static int sigchlds(struct actor *p, struct signalfd_siginfo *last)
{
	int n = 0;

	stage_read_sigchld();
	for (int i = 0; i < stage.nr_told; i++) {
		if ((pid_t)stage.told[i].ssi_pid != p->pid)
			continue;
		if (last)
			*last = stage.told[i];
		n++;
	}
	return n;
}

void expect_no_sigchld(struct actor *p, const char *why)
{
	int n;

	barrier();
	n = sigchlds(p, NULL);
	expect(!n, why, "SIGCHLD for %s %d: %s", p->name, p->pid,
	       n ? "yes, expected none" : "none");
}

static bool told_of(void *p)
{
	return sigchlds(p, NULL);
}

void expect_sigchld(struct actor *p, int code, int status, const char *why)
{
	struct signalfd_siginfo si = { 0 };
	int n;

	await_true(told_of, p, AWAIT_MS);
	barrier();
	n = sigchlds(p, &si);
	expect(n == 1 && si.ssi_code == code && si.ssi_status == status, why,
	       "SIGCHLD for %s %d: %d, si_code %d, si_status %d (expected 1, %d, %d)",
	       p->name, p->pid, n, si.ssi_code, si.ssi_status, code, status);
}

struct catcher {
	struct thread *t;
	int sig, times;
};

static bool caught_enough(void *arg)
{
	struct catcher *c = arg;

	return ask(c->t, order_caught, c->sig, 0) >= c->times;
}

void expect_caught(struct thread *t, int sig, int times, const char *why)
{
	struct catcher c = { t, sig, times };
	char what[64];

	await_true(caught_enough, &c, AWAIT_MS);
	barrier();
	snprintf(what, sizeof(what), "times %s caught SIG%s", t->actor->name,
		 sigabbrev_np(sig));
	expect_equal(ask(t, order_caught, sig, 0), times, what, why);
}

struct pending {
	struct actor *actor;
	int sig;
};

static bool is_pending(void *arg)
{
	const struct pending *p = arg;
	struct proc_status st;

	return !proc_status(p->actor->pid, 0, &st) &&
	       st.shdpnd & 1ULL << (p->sig - 1);
}

void await_pending(struct actor *p, int sig)
{
	struct pending arg = { p, sig };

	await_true(is_pending, &arg, AWAIT_MS);
}

void expect_no_event(struct actor *p, int options, const char *why)
{
	siginfo_t si = { 0 };
	int r;

	barrier();
	r = waitid(P_PID, (id_t)p->pid, &si, WNOHANG | options);
	expect(!r && !si.si_pid, why, "waitid(%s %d, WNOHANG%s%s): %s", p->name,
	       p->pid, options & WEXITED ? "|WEXITED" : "",
	       options & WNOWAIT ? "|WNOWAIT" : "",
	       r         ? strerror(errno) :
	       si.si_pid ? "an event, expected none" :
			   "nothing to report");
}

void expect_no_wakeup(int fd, const char *what, const char *why)
{
	bool told;

	barrier();
	told = await_readable(fd, 0);
	expect(!told, why, "%s: %s", what,
	       told ? "readable, expected silence" : "silent");
}

void expect_wakeup(int fd, const char *what, const char *why)
{
	bool told = await_readable(fd, AWAIT_MS);

	expect(told, why, "%s: %s", what,
	       told ? "readable" : "silent, expected to be readable");
}

/* --- somebody who waits ------------------------------------------------- */

struct waiter {
	struct actor *target;
	pthread_t thread;
	pid_t tid;
	int tid_told, done;
	int ret;
	siginfo_t si;
};

static void *wait_main(void *arg)
{
	struct waiter *w = arg;

	w->tid = gettid();
	eventfd_write(w->tid_told, 1);
	w->ret = waitid(P_PID, (id_t)w->target->pid, &w->si, WEXITED) < 0 ?
			 -errno :
			 0;
	eventfd_write(w->done, 1);
	return NULL;
}

static bool asleep_in_waitid(void *arg)
{
	struct waiter *w = arg;
	struct proc_status st;

	return !proc_status(getpid(), w->tid, &st) && st.state == 'S' &&
	       proc_syscall(getpid(), w->tid) == SYS_waitid;
}

static bool asleep_or_back(void *arg)
{
	struct waiter *w = arg;

	return asleep_in_waitid(w) || await_readable(w->done, 0);
}

struct waiter *waiter(struct actor *p)
{
	struct waiter *w = calloc(1, sizeof(*w));
	int err;

	if (!w)
		broken("no memory for a waiter");
	w->target = p;
	w->tid_told = eventfd(0, EFD_CLOEXEC);
	w->done = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	err = pthread_create(&w->thread, NULL, wait_main, w);
	if (err)
		broken("cannot make a thread that waits: %s", strerror(err));
	if (await_readable(w->tid_told, AWAIT_MS) &&
	    await_true(asleep_or_back, w, AWAIT_MS) &&
	    !await_readable(w->done, 0))
		return w;
	if (await_readable(w->done, 0))
		expect(false, "do_wait(): nothing to report yet, so it sleeps",
		       "a thread in waitid(%s %d): returned at once", p->name,
		       p->pid);
	broken("the waiting thread is not seen asleep in waitid()");
}

void expect_still_waiting(struct waiter *w, const char *why)
{
	bool asleep;

	barrier();
	/* A wake-up in vain would put it back to sleep: await it. */
	asleep = await_true(asleep_in_waitid, w, AWAIT_MS);
	expect(asleep && !await_readable(w->done, 0), why,
	       "a thread blocked in waitid(%s %d): %s", w->target->name,
	       w->target->pid,
	       asleep ? "still asleep" : "returned, expected to sleep");
}

void expect_waited(struct waiter *w, int code, int status, const char *why)
{
	bool done = await_readable(w->done, AWAIT_MS);

	if (!done) {
		expect(false, why,
		       "the thread blocked in waitid(%s %d): still asleep",
		       w->target->name, w->target->pid);
		return;
	}
	pthread_join(w->thread, NULL);
	expect(!w->ret && w->si.si_pid == w->target->pid &&
		       w->si.si_code == code && w->si.si_status == status,
	       why,
	       "the thread blocked in waitid(%s %d): %s, si_code %d, si_status %d (expected %d, %d)",
	       w->target->name, w->target->pid,
	       w->ret ? strerror(-w->ret) : "returned", w->si.si_code,
	       w->si.si_status, code, status);
}

static void tell_lines(const char *what, const struct lines *l)
{
	for (int i = 0; i < l->nr; i++)
		note("%-8s %s", i ? "" : what, l->text[i]);
}

static void keep_snapshot(const struct snap *s)
{
	_cleanup_file_ FILE *f = NULL;
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", stage_snapshots, stage.sc->name);
	f = fopen(path, "we");
	if (!f || snap_save(s, f))
		broken("cannot write %s: %m", path);
}

void expect_verdict(struct actor *p)
{
	static struct finding f;
	struct snap *s = snap_live();
	const struct verdict *v;
	struct patient patient = { .asked = p->pid };

	if (s && stage_snapshots)
		snap_to_save(s);
	if (s)
		examine(s, &patient, 1);
	if (s && stage_snapshots)
		keep_snapshot(s);
	if (!s || patient.err)
		broken("cannot examine %s %d: %s", p->name, p->pid,
		       strerror(s ? -patient.err : ENOMEM));
	v = judge(&patient, &f);
	expect(v && !strcmp(v->name, stage.sc->verdict),
	       "what /proc shows at two looks",
	       "undead why %d: %s (expected %s)", p->pid,
	       v ? v->name : "nothing", stage.sc->verdict);
	tell_lines("evidence", &f.evidence);
	tell_lines("blocker", &f.blocker);
	tell_lines("parent", &f.parent);
	tell_lines("helps", &f.helps);
	tell_lines("no use", &f.no_use);
	patient_free(&patient);
	snap_free(s);
}
