// SPDX-License-Identifier: GPL-2.0
/*
 * Whom a wait is for: all children, one by pid, a process group, a pidfd; what
 * is nobody's child; and arguments that the kernel does not accept.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "../scenario.h"

#define LOOK (WEXITED | WNOHANG | WNOWAIT)

static const char *const eligible = "eligible_pid()";
static const char *const nobody =
	"do_wait(): notask_error stays ECHILD, nobody is eligible";

static void exit_to_zombie(struct actor *c, int status)
{
	exit_group(leader(c), status);
	expect_state(leader(c), 'Z', "exit_notify(): EXIT_ZOMBIE");
}

static void idtypes(void)
{
	struct actor *r, *a, *b;
	struct thread *l;
	int64_t a7, b5;

	step("R has two children, A in R's process group, B alone in another");
	r = spawn("R");
	l = leader(r);
	ask(l, order_setpgid, 0, 0);
	a = spawn_by(r, "A");
	b = spawn_by(r, "B");
	a7 = WAITED(a->pid, CLD_EXITED, 7);
	b5 = WAITED(b->pid, CLD_EXITED, 5);
	expect_wait(l, WHO(P_PGID, b->pid), WEXITED, -ECHILD, nobody);
	ask(leader(b), order_setpgid, 0, 0);
	expect_wait(l, WHO(P_PGID, b->pid), LOOK, 0,
		    "eligible_pid(): the group that B has now; B is alive");

	step("both end: each wait finds the one it is for, and no other");
	exit_to_zombie(a, 7);
	exit_to_zombie(b, 5);
	expect_wait(l, b->pid, LOOK, b5, eligible);
	expect_wait(l, a->pid, LOOK, a7, eligible);
	expect_wait(l, WHO(P_PGID, r->pid), LOOK, a7, eligible);
	expect_wait(l, WHO(P_PGID, 0), LOOK, a7,
		    "commit 821cc7b0b205 (\"waitid: Add support for waiting for the current process group\")");
	expect_wait(l, WHO(P_PGID, b->pid), LOOK, b5, eligible);
	expect_wait(l, 0, LOOK, a7,
		    "do_wait_thread(): PIDTYPE_MAX, the eldest child first");

	step("reaped by group: nobody of that group is left, B is");
	expect_wait(l, WHO(P_PGID, r->pid), WEXITED, a7, eligible);
	expect_wait(l, WHO(P_PGID, r->pid), WEXITED, -ECHILD, nobody);
	expect_wait(l, WHO(P_PGID, 0), WEXITED, -ECHILD, nobody);
	expect_wait(l, a->pid, WEXITED, -ECHILD, nobody);
	expect_wait(l, 0, WEXITED, b5, eligible);
	expect_wait(l, 0, WEXITED, -ECHILD, nobody);
}

static const char *const idtypes_watches[] = {
	"821cc7b0b205 (\"waitid: Add support for waiting for the current process group\")",
	"5449162ac001 (\"do_wait: make PIDTYPE_PID case O(1) instead of O(n)\")",
	NULL
};

SCENARIO(wait_idtypes) = {
	.name = "wait-idtypes",
	.summary =
		"waitid() for all, for one, for a process group: who is found, who not",
	.watches = idtypes_watches,
	.rows = "EC1 KW1 A27",
	.play = idtypes,
};

static void by_pidfd(void)
{
	struct actor *c, *g;
	int64_t seven, pidfd;

	step("a living child C, by its pidfd");
	c = spawn("C");
	g = spawn_by(c, "G");
	pidfd = WHO(P_PIDFD, c->pidfd);
	seven = WAITED(c->pid, CLD_EXITED, 7);
	expect_wait(NULL, pidfd, LOOK, 0, "eligible_pid(): it is alive");
	fcntl(c->pidfd, F_SETFL, O_NONBLOCK);
	expect_wait(NULL, pidfd, WEXITED, -EAGAIN,
		    "kernel_waitid(): a non-blocking pidfd is WNOHANG, but says EAGAIN");
	expect_wait(NULL, pidfd, WEXITED | WNOHANG, 0,
		    "kernel_waitid(): asked for WNOHANG, so no EAGAIN");

	step("C ends: it is found, and once");
	exit_to_zombie(c, 7);
	expect_wait(NULL, pidfd, WEXITED | WNOWAIT, seven, eligible);
	expect_wait(NULL, pidfd, WEXITED, seven, eligible);
	expect_wait(NULL, pidfd, WEXITED, -ECHILD,
		    "do_wait(): pid_has_task() is false, the pidfd remembers");

	step("what is no pidfd of a child");
	expect_wait(NULL, WHO(P_PIDFD, INT_MAX), WEXITED, -EBADF,
		    "pidfd_get_pid(): no such descriptor");
	expect_wait(NULL, WHO(P_PIDFD, STDIN_FILENO), WEXITED, -EBADF,
		    "pidfd_pid(): a descriptor, but no pidfd");
	expect_wait(NULL, WHO(P_PIDFD, -1), WEXITED, -EINVAL,
		    "kernel_waitid(): a negative descriptor");
	send_signal(g, SIGKILL);
	reap(g);
}

static const char *const pidfd_watches[] = {
	"ba7d25f3dff6 (\"exit: support non-blocking pidfds\")", NULL
};

SCENARIO(wait_pidfd) = {
	.name = "wait-pidfd",
	.summary =
		"waitid(P_PIDFD): alive, non-blocking, dead, reaped, and no pidfd at all",
	.watches = pidfd_watches,
	.rows = "EC1 KW1 DW1 A15",
	.play = by_pidfd,
};

static void nobodys_child(void)
{
	struct actor *r, *s, *c, *g;
	struct thread *l, *t;

	step("R with a thread T, a child C and a grandchild G; S is a stranger");
	s = spawn("S");
	r = spawn("R");
	l = leader(r);
	t = thread(r, "T");
	c = spawn_by(r, "C");
	g = spawn_by(c, "G");

	step("nobody of them is R's child: ECHILD at once, from any thread");
	expect_wait(l, t->tid, WEXITED | __WALL, -ECHILD,
		    "do_wait_pid(): no process has that pid, and T is not traced");
	expect_wait(t, t->tid, WEXITED | __WALL, -ECHILD, "do_wait_pid()");
	expect_wait(l, r->pid, WEXITED | __WALL, -ECHILD,
		    "do_wait_pid(): R is not its own child");
	expect_wait(l, s->pid, WEXITED | __WALL, -ECHILD,
		    "do_wait_pid(): the runner's child");
	expect_wait(l, getpid(), WEXITED | __WALL, -ECHILD,
		    "do_wait_pid(): R's parent");
	expect_wait(l, g->pid, WEXITED | __WALL, -ECHILD,
		    "do_wait_pid(): C's child, and C is alive");
	expect_wait(l, c->pid, LOOK, 0, "do_wait_pid(): R's child");

	step("C has been reaped: its pid is free, and so is that of its thread");
	t = thread(c, "U");
	exit_group(leader(c), 7);
	expect_wait(l, c->pid, WEXITED, WAITED(c->pid, CLD_EXITED, 7),
		    "wait_task_zombie()");
	expect_wait(l, c->pid, WEXITED | __WALL, -ECHILD,
		    "do_wait(): pid_has_task() is false");
	expect_wait(l, t->tid, WEXITED | __WALL, -ECHILD,
		    "do_wait(): pid_has_task() is false");
}

static const char *const nobody_watches[] = {
	"5449162ac001 (\"do_wait: make PIDTYPE_PID case O(1) instead of O(n)\")",
	NULL
};

SCENARIO(wait_nobody) = {
	.name = "wait-nobody",
	.summary =
		"a thread, oneself, the parent, a grandchild, a free pid: ECHILD at once",
	.watches = nobody_watches,
	.rows = "DW1 A26",
	.play = nobodys_child,
};

static void of_another_tracer(void)
{
	const char *not_ours =
		"do_wait_pid(): is_effectively_child() is false, X is its tracer";
	struct actor *r, *x, *p;
	struct thread *t;

	step("R: neither parent nor tracer of P, whose thread T is traced by X");
	r = spawn("R");
	x = spawn("X");
	p = spawn("P");
	t = thread(p, "T");
	trace(leader(x), PTRACE_SEIZE, t, 0);
	expect_wait(leader(r), t->tid, LOOK | (int)__WALL, -ECHILD, not_ours);
	expect_wait(leader(x), t->tid, LOOK | (int)__WALL, 0,
		    "do_wait_pid(): a tracee is found by its own tid");
	expect_wait(leader(x), p->pid, LOOK | (int)__WALL, -ECHILD,
		    "do_wait_pid(): only T is traced");

	step("T ends: its tracer has it, nobody else");
	exit_thread(t, 5);
	expect_state(t, 'Z', "exit_notify(): traced, no autoreap");
	expect_wait(leader(r), t->tid, LOOK | (int)__WALL, -ECHILD, not_ours);
	expect_wait(leader(x), t->tid, WEXITED | (int)__WALL,
		    WAITED(t->tid, CLD_EXITED, 5), "do_wait_pid()");
	expect_gone(t, "wait_task_zombie(): no leader, EXIT_DEAD");
	expect_wait(leader(x), t->tid, LOOK | (int)__WALL, -ECHILD,
		    "ptrace_release_task(): nothing is left to wait for");
}

SCENARIO(wait_other_tracer) = {
	.name = "wait-other-tracer",
	.summary =
		"a traced thread, by its tid: its tracer finds it, nobody else does",
	.needs = NEED_ROOT,
	.rows = "DW1",
	.play = of_another_tracer,
};

/* wait4(arg[0], arg[1] options): the pid it returns */
static int64_t order_wait4(const struct order *o)
{
	int status;
	long pid = syscall(SYS_wait4, (pid_t)o->arg[0], &status, (int)o->arg[1],
			   NULL);

	return pid < 0 ? -errno : pid;
}

static void expect_wait4(struct thread *t, pid_t pid, int options,
			 int64_t wanted, const char *why)
{
	char what[64];

	barrier();
	snprintf(what, sizeof(what), "wait4(%d, %#x) in R", pid,
		 (unsigned int)options);
	expect_equal(ask(t, order_wait4, pid, options), wanted, what, why);
}

static void bad_waitid(struct thread *l)
{
	static const struct {
		int type, id, options;
		const char *why;
	} bad[] = {
		{ P_ALL, 0, 0, "waits for nothing" },
		{ P_ALL, 0, WNOHANG | WNOWAIT | (int)__WALL,
		  "waits for nothing" },
		{ P_ALL, 0, WEXITED | 0x100, "an option that is none" },
		{ P_PID, 0, WEXITED, "upid <= 0" },
		{ P_PID, -1, WEXITED, "upid <= 0" },
		{ P_PGID, -1, WEXITED, "upid < 0" },
		{ P_PGID, INT_MIN, WEXITED, "upid < 0" },
		{ P_PIDFD, -1, WEXITED, "upid < 0" },
		{ P_PIDFD + 1, 1, WEXITED, "no such idtype" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		char why[64];

		snprintf(why, sizeof(why), "kernel_waitid(): %s", bad[i].why);
		expect_wait(l, WHO(bad[i].type, bad[i].id), bad[i].options,
			    -EINVAL, why);
	}
}

static void arguments(void)
{
	const char *group = "kernel_wait4(): 0 and less than -1 are groups";
	struct actor *r, *a, *b;
	struct thread *l;

	step("waitid(): nothing is waited for, though R has a dead child A");
	r = spawn("R");
	l = leader(r);
	ask(l, order_setpgid, 0, 0);
	a = spawn_by(r, "A");
	b = spawn_by(r, "B");
	ask(leader(b), order_setpgid, 0, 0);
	exit_to_zombie(a, 7);
	bad_waitid(l);

	step("wait4(): the same");
	expect_wait4(l, INT_MIN, WNOHANG, -ESRCH,
		     "commit dd83c161fbcc (\"kernel/exit.c: avoid undefined behaviour when calling wait4()\")");
	expect_wait4(l, -1, WNOHANG | WEXITED, -EINVAL,
		     "kernel_wait4(): WEXITED is for waitid()");
	expect_wait4(l, -1, WNOHANG | WNOWAIT, -EINVAL,
		     "kernel_wait4(): WNOWAIT is for waitid()");

	step("wait4() by group");
	expect_wait4(l, -b->pid, WNOHANG, 0, group);
	expect_wait4(l, 0, WNOHANG, a->pid, group);
	expect_wait4(l, 0, WNOHANG, -ECHILD, group);
	exit_to_zombie(b, 5);
	expect_wait4(l, 0, WNOHANG, -ECHILD, group);
	expect_wait4(l, -b->pid, WNOHANG, b->pid, group);

	step("wait4() for any child, and for one");
	a = spawn_by(r, "A");
	exit_to_zombie(a, 7);
	expect_wait4(l, -1, 0, a->pid, "kernel_wait4(): PIDTYPE_MAX");
	a = spawn_by(r, "A");
	exit_to_zombie(a, 7);
	expect_wait4(l, a->pid, 0, a->pid, "kernel_wait4(): PIDTYPE_PID");
	expect_wait4(l, a->pid, 0, -ECHILD, "kernel_wait4(): PIDTYPE_PID");
}

static const char *const argument_watches[] = {
	"dd83c161fbcc (\"kernel/exit.c: avoid undefined behaviour when calling wait4()\")",
	NULL
};

SCENARIO(wait_arguments) = {
	.name = "wait-arguments",
	.summary =
		"wait4() and waitid() with arguments that are none, and each kind of pid",
	.watches = argument_watches,
	.rows = "KW1 EC1 A28",
	.play = arguments,
};
