// SPDX-License-Identifier: GPL-2.0
/*
 * Races between those who wait, played often: several threads of one parent
 * want the same children; a tracer reaps while the parent exits, or looks.
 */
#include <errno.h>
#include <linux/sched.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "../core/await.h"
#include "../scenario.h"

#define ROUNDS   10
#define LOOKS    50 /* rounds that are short */
#define REAPERS  4
#define CHILDREN 4

/* All rounds, in one thread of an actor; a lost wake-up never answers. */
static void expect_rounds(struct thread *t, order_fn fn, int rounds,
			  const char *what, const char *why)
{
	int64_t result = 0;

	tell(t, fn, rounds, 0);
	if (thread_result(t, AWAIT_MS, &result))
		expect(false, why, "%s: hangs", what);
	else
		expect_equal(result, rounds, what, why);
}

/* --- threads that reap -------------------------------------------------- */

static atomic_int reaped;

/* Reap all there is; not an error: NULL. */
static void *reaper(void *arg)
{
	siginfo_t si;

	(void)arg;
	while (!waitid(P_ALL, 0, &si, WEXITED))
		reaped++;
	return errno == ECHILD ? NULL : (void *)1;
}

/* In a child that is no actor: end when its parent does. */
static void die_with(pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
}

/* A child that lives until somebody writes to @go. */
static void __attribute__((noreturn)) end_when_told(int go, int status)
{
	char byte;

	_exit(read(go, &byte, 1) == 1 ? status : 1);
}

static bool reap_together(const int *go)
{
	pthread_t t[REAPERS];
	pid_t me = getpid();
	bool ok = true;
	void *failed;

	reaped = 0;
	for (int i = 0; i < CHILDREN; i++)
		if (!fork()) {
			die_with(me);
			end_when_told(go[0], 7);
		}
	for (int i = 0; i < REAPERS; i++)
		if (pthread_create(&t[i], NULL, reaper, NULL))
			return false;
	ok = write(go[1], "xxxx", CHILDREN) == CHILDREN;
	for (int i = 0; i < REAPERS; i++)
		ok = !pthread_join(t[i], &failed) && !failed && ok;
	return ok && reaped == CHILDREN;
}

static int64_t order_reap_together(const struct order *o)
{
	int go[2], n = 0;

	if (pipe2(go, O_CLOEXEC) < 0)
		return -errno;
	while (n < o->arg[0] && reap_together(go))
		n++;
	close(go[0]);
	close(go[1]);
	return n;
}

static void threads_reap(void)
{
	struct actor *r;

	step("%d threads of R wait for its %d children, which end at once",
	     REAPERS, CHILDREN);
	r = spawn("R");
	expect_rounds(leader(r), order_reap_together, ROUNDS,
		      "rounds in which each child was reaped once and each thread got ECHILD after that",
		      "wait_task_zombie(): cmpxchg() of exit_state; wait_consider_task() reads it once");
}

static const char *const reap_watches[] = {
	"3245d6acab98 (\"exit: fix race between wait_consider_task() and wait_task_zombie()\")",
	NULL
};

SCENARIO(wait_race_threads) = {
	.name = "wait-race-threads",
	.summary =
		"threads that wait for the same children: each is reaped once, none hangs",
	.watches = reap_watches,
	.rows = "A21",
	.play = threads_reap,
};

/* --- the tracer reaps, the parent exits --------------------------------- */

/* A child that ends without SIGCHLD. */
static pid_t fork_silently(void)
{
	struct clone_args args = { 0 };

	return (pid_t)syscall(SYS_clone3, &args, sizeof(args));
}

/* H, and the three pipes of all rounds. */
struct round {
	pid_t h;
	int go[2], die[2], up[2];
};

static void __attribute__((noreturn)) parent(const struct round *r)
{
	pid_t me = getpid(), c;

	die_with(r->h);
	c = fork();
	if (!c) {
		die_with(me);
		end_when_told(r->die[0], 7);
	}
	if (write(r->up[1], &c, sizeof(c)) != sizeof(c))
		_exit(1);
	end_when_told(r->go[0], 3);
}

/* With rusage the reaping takes a little longer. */
static void __attribute__((noreturn)) tracer(const struct round *r, pid_t c)
{
	siginfo_t si = { 0 };
	struct rusage ru;
	char byte = 0;

	die_with(r->h);
	if (ptrace(PTRACE_SEIZE, c, NULL, NULL) ||
	    write(r->die[1], "x", 1) != 1 ||
	    waitid(P_PID, (id_t)c, &si, WEXITED | WNOWAIT) ||
	    write(r->up[1], &c, sizeof(c)) != sizeof(c) ||
	    read(r->go[0], &byte, 1) != 1 ||
	    syscall(SYS_waitid, P_PID, c, &si, WEXITED, &ru))
		_exit(1);
	_exit(si.si_status == 7 ? 5 : 1);
}

static bool exits_with(pid_t pid, int status)
{
	siginfo_t si = { 0 };

	return !waitid(P_PID, (id_t)pid, &si, WEXITED | (int)__WALL) &&
	       si.si_code == CLD_EXITED && si.si_status == status;
}

/* One SIGCHLD, of this child, and no other. */
static bool told_once_of(pid_t c)
{
	const struct timespec now = { 0 };
	siginfo_t si;
	sigset_t chld;

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	return sigtimedwait(&chld, &si, &now) == SIGCHLD && si.si_pid == c &&
	       sigtimedwait(&chld, &si, &now) < 0;
}

static bool open_pipes(struct round *r)
{
	return !pipe2(r->go, O_CLOEXEC) && !pipe2(r->die, O_CLOEXEC) &&
	       !pipe2(r->up, O_CLOEXEC);
}

static bool reap_and_exit(const struct round *r)
{
	pid_t c = 0, p, x;

	p = fork_silently();
	if (!p)
		parent(r);
	if (p < 0 || read(r->up[0], &c, sizeof(c)) != sizeof(c))
		return false;
	x = fork_silently();
	if (!x)
		tracer(r, c);
	if (x < 0 || read(r->up[0], &c, sizeof(c)) != sizeof(c) ||
	    write(r->go[1], "xx", 2) != 2)
		return false;
	return exits_with(p, 3) && exits_with(x, 5) && told_once_of(c) &&
	       exits_with(c, 7);
}

static int64_t order_reap_and_exit(const struct order *o)
{
	struct round r = { .h = getpid() };
	sigset_t chld;
	int n = 0;

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, NULL);
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0 || !open_pipes(&r))
		return -errno;
	while (n < o->arg[0] && reap_and_exit(&r))
		n++;
	return n;
}

static void tracer_reaps(void)
{
	struct actor *h;

	step("X reaps C, its tracee, while C's parent R exits; H adopts");
	h = spawn("H");
	expect_rounds(leader(h), order_reap_and_exit, ROUNDS,
		      "rounds in which X reaped C, H was told once, and reaped it too",
		      "wait_task_zombie(): EXIT_TRACE, not EXIT_DEAD, until the parent is told");
}

static const char *const trace_watches[] = {
	"abd50b39e783 (\"wait: introduce EXIT_TRACE to avoid the racy EXIT_DEAD->EXIT_ZOMBIE transition\")",
	NULL
};

SCENARIO(wait_race_tracer) = {
	.name = "wait-race-tracer",
	.summary =
		"a tracer reaps a child while its parent exits: the adopter is told, once",
	.needs = NEED_ROOT,
	.watches = trace_watches,
	.rows = "A22 WZ4.1",
	.play = tracer_reaps,
};

/* --- the tracer reaps, the parent looks --------------------------------- */

static bool reap_under_eyes(const struct round *r)
{
	siginfo_t si = { 0 };
	pid_t c, x;

	c = fork();
	if (!c) {
		die_with(r->h);
		end_when_told(r->die[0], 7);
	}
	x = c < 0 ? -1 : fork_silently();
	if (!x)
		tracer(r, c);
	if (x < 0 || read(r->up[0], &c, sizeof(c)) != sizeof(c) ||
	    write(r->go[1], "x", 1) != 1)
		return false;
	while (!si.si_pid)
		if (waitid(P_PID, (id_t)c, &si, WEXITED | WNOHANG))
			return false;
	return si.si_status == 7 && exits_with(x, 5);
}

static int64_t order_reap_under_eyes(const struct order *o)
{
	struct round r = { .h = getpid() };
	int n = 0;

	if (!open_pipes(&r))
		return -errno;
	while (n < o->arg[0] && reap_under_eyes(&r))
		n++;
	return n;
}

static void parent_looks(void)
{
	struct actor *r;

	step("X reaps C, its tracee, while C's parent R asks for it all the time");
	r = spawn("R");
	expect_rounds(leader(r), order_reap_under_eyes, LOOKS,
		      "rounds in which R was never told ECHILD before it had C",
		      "wait_consider_task(): EXIT_TRACE, there is a child");
}

SCENARIO(wait_race_parent) = {
	.name = "wait-race-parent",
	.summary =
		"a tracer reaps a child while its parent looks: never ECHILD, then the child",
	.rows = "WC2.1",
	.play = parent_looks,
};
