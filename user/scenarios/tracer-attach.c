// SPDX-License-Identifier: GPL-2.0
/*
 * Who may trace whom, and when: ptrace_attach() and PTRACE_TRACEME.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "../core/await.h"
#include "../core/proc.h"
#include "../scenario.h"

#define EVENT_STOP(sig) (PTRACE_EVENT_STOP << 8 | (sig))
#define NO_OPTION       (1 << 30)
#ifndef PTRACE_O_SUSPEND_SECCOMP
#define PTRACE_O_SUSPEND_SECCOMP (1 << 21)
#endif

/* PTRACE_SEIZE has no use for an address. */
static int64_t order_seize_at(const struct order *o)
{
	return ptrace(PTRACE_SEIZE, (pid_t)o->arg[0], (void *)o->arg[1], NULL) <
			       0 ?
		       -errno :
		       0;
}

/* And wait(WNOHANG) before anybody else can do anything. */
static int64_t order_attach_look(const struct order *o)
{
	siginfo_t si = { 0 };

	if (ptrace((int)o->arg[1], (pid_t)o->arg[0], NULL, NULL) < 0 ||
	    waitid(P_PID, (id_t)o->arg[0], &si, WSTOPPED | WNOHANG) < 0)
		return -errno;
	return si.si_pid ? WAITED(si.si_pid, si.si_code, si.si_status) : 0;
}

static int64_t order_traceme(const struct order *o)
{
	(void)o;
	return ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0 ? -errno : 0;
}

static int64_t try_ptrace(struct thread *by, int request, pid_t tid,
			  int64_t data)
{
	return ask(by, order_ptrace, WITH_DATA(request, data), tid);
}

static void expect_seized(struct thread *by, struct thread *t, int64_t options,
			  int64_t wanted, const char *why)
{
	char what[64];

	snprintf(what, sizeof(what), "PTRACE_SEIZE of %s by %s", t->name,
		 by->name);
	expect_equal(try_ptrace(by, PTRACE_SEIZE, t->tid, options), wanted,
		     what, why);
}

static void expect_tracer(struct thread *t, pid_t tracer, const char *why)
{
	struct proc_status st;

	if (proc_status(t->actor->pid, t->tid, &st))
		broken("%s %d is gone", t->name, t->tid);
	expect_equal(st.tracer, tracer, "TracerPid", why);
}

/* --- refused ------------------------------------------------------------ */

static void kernel_thread(struct thread *x)
{
	struct proc_status st;

	if (proc_status(2, 0, &st) || strcmp(st.name, "kthreadd"))
		note("no kernel thread to be seen here");
	else
		expect_equal(try_ptrace(x, PTRACE_SEIZE, 2, 0), -EPERM,
			     "PTRACE_SEIZE of kthreadd",
			     "ptrace_attach(): PF_KTHREAD");
}

static void not_allowed(struct thread *x)
{
	struct actor *c = spawn_by(x->actor, "C"), *d, *e;
	int64_t may;

	step("X becomes another user: root's process is not for it");
	/* What a kernel without checkpoint/restore says of this option. */
	may = try_ptrace(x, PTRACE_SEIZE, c->pid, PTRACE_O_SUSPEND_SECCOMP);
	expect(!may || may == -EINVAL, "check_ptrace_options()",
	       "PTRACE_SEIZE with PTRACE_O_SUSPEND_SECCOMP by root: %lld",
	       (long long)may);
	d = spawn_by(x->actor, "D");
	e = spawn_by(x->actor, "E");
	ask(x, order_setuid, 60123, 0);
	expect_seized(x, leader(d), 0, -EPERM, "__ptrace_may_access()");
	expect_tracer(leader(d), 0, "__ptrace_may_access()");

	step("its own is, but not with every option");
	ask(leader(e), order_setuid, 60123, 0);
	ask(leader(e), order_prctl, PR_SET_DUMPABLE, 1);
	expect_seized(x, leader(e), PTRACE_O_SUSPEND_SECCOMP,
		      may ? may : -EPERM, "check_ptrace_options(): capable()");
	expect_tracer(leader(e), 0, "check_ptrace_options()");
	expect_seized(x, leader(e), 0, 0, "__ptrace_may_access(): same user");
	expect_tracer(leader(e), x->tid, "ptrace_link()");
}

static void refused(void)
{
	struct actor *x, *y, *c;
	struct thread *l, *t;

	step("X and its thread T; C is not traced");
	x = spawn("X");
	l = leader(x);
	t = thread(x, "T");
	c = spawn("C");
	expect_seized(t, l, 0, -EPERM, "ptrace_attach(): same_thread_group()");
	expect_equal(try_ptrace(t, PTRACE_ATTACH, l->tid, 0), -EPERM,
		     "PTRACE_ATTACH of X by T",
		     "ptrace_attach(): same_thread_group()");
	kernel_thread(l);
	expect_seized(l, leader(c), NO_OPTION, -EIO,
		      "ptrace_attach(): no such option");
	expect_equal(ask(l, order_seize_at, c->pid, 8), -EIO,
		     "PTRACE_SEIZE with an address",
		     "ptrace_attach(): addr is to be 0");
	expect_tracer(leader(c), 0, "ptrace_attach()");
	expect_equal(try_ptrace(l, PTRACE_INTERRUPT, c->pid, 0), -ESRCH,
		     "PTRACE_INTERRUPT of C", "ptrace_check_attach()");

	step("X has seized C: nobody else can, nor X once more");
	expect_seized(l, leader(c), 0, 0, "ptrace_attach()");
	expect_tracer(leader(c), x->pid, "ptrace_link()");
	y = spawn("Y");
	expect_seized(leader(y), leader(c), 0, -EPERM,
		      "ptrace_attach(): task->ptrace");
	expect_seized(l, leader(c), 0, -EPERM, "ptrace_attach(): task->ptrace");
	expect_seized(t, leader(c), 0, -EPERM, "ptrace_attach(): task->ptrace");
	expect_equal(try_ptrace(t, PTRACE_INTERRUPT, c->pid, 0), -ESRCH,
		     "PTRACE_INTERRUPT of C by T",
		     "ptrace_check_attach(): the tracer is a thread");
	expect_tracer(leader(c), x->pid, "ptrace_attach()");
	not_allowed(l);
}

SCENARIO(tracer_refused) = {
	.name = "tracer-refused",
	.summary =
		"who cannot be traced: my own group, a kernel thread, the traced, another's",
	.needs = NEED_ROOT,
	.rows = "PA1",
	.play = refused,
};

static void dead(void)
{
	struct thread *t, *l;
	struct actor *x, *p;

	step("P is a zombie: too late for X");
	x = spawn("X");
	l = leader(x);
	p = spawn("P");
	exit_group(leader(p), 7);
	expect_state(leader(p), 'Z', "exit_notify(): EXIT_ZOMBIE");
	expect_seized(l, leader(p), 0, -EPERM, "ptrace_attach(): exit_state");
	expect_equal(try_ptrace(l, PTRACE_ATTACH, p->pid, 0), -EPERM,
		     "PTRACE_ATTACH of P", "ptrace_attach(): exit_state");
	expect_death(p, 7 << 8, "ptrace_attach(): it was never traced");

	step("a delayed leader cannot be traced either, its thread T can");
	p = spawn("P");
	t = thread(p, "T");
	exit_thread(leader(p), 3);
	expect_state(leader(p), 'Z', "exit_notify(): EXIT_ZOMBIE, delayed");
	expect_seized(l, leader(p), 0, -EPERM, "ptrace_attach(): exit_state");
	expect_tracer(leader(p), 0, "ptrace_attach(): exit_state");
	expect_seized(l, t, 0, 0, "ptrace_attach(): T lives");
	expect_tracer(t, x->pid, "ptrace_link()");
	trace(l, PTRACE_INTERRUPT, t, 0);
	expect_wait(l, t->tid, WSTOPPED,
		    WAITED(t->tid, CLD_TRAPPED, EVENT_STOP(SIGTRAP)),
		    "ptrace_request(): JOBCTL_TRAP_STOP");
	expect_state(t, 't', "ptrace_stop()");
	trace(l, PTRACE_CONT, t, 0);

	step("T ends the group: a zombie for X, and P waits for that");
	exit_group(t, 7);
	expect_state(t, 'Z', "exit_notify(): a traced thread is no autoreap");
	expect_no_event(p, WEXITED,
			"wait_consider_task(): delay_group_leader()");
	expect_no_sigchld(p, "exit_notify(): T is no leader");
	expect_wait(l, t->tid, WEXITED, WAITED(t->tid, CLD_EXITED, 7),
		    "wait_task_zombie()");
	expect_wait(NULL, p->pid, WEXITED, WAITED(p->pid, CLD_EXITED, 7),
		    "release_task(T): zap_leader");
}

SCENARIO(tracer_attach_dead) = {
	.name = "tracer-attach-dead",
	.summary =
		"attach to a zombie, to a delayed leader, and to the thread that delays it",
	.needs = NEED_ROOT,
	.rows = "PA1",
	.play = dead,
};

/* --- stopped ------------------------------------------------------------ */

/* C has stopped already: it is trapped when ptrace() returns. */
static void attach_stopped(int request, int event, const char *name)
{
	struct actor *x, *c;
	struct thread *l;
	int64_t seen;

	step("C is stopped (T), X does %s: trapped at once, no new stop", name);
	x = spawn("X");
	l = leader(x);
	c = spawn("C");
	send_signal(c, SIGSTOP);
	expect_state(leader(c), 'T', "do_signal_stop()");
	expect_wait(NULL, c->pid, WSTOPPED,
		    WAITED(c->pid, CLD_STOPPED, SIGSTOP),
		    "wait_task_stopped()");
	seen = ask(l, order_attach_look, c->pid, request);
	expect(seen == WAITED(c->pid, CLD_TRAPPED, event),
	       "ptrace_attach(): waits for JOBCTL_TRAPPING",
	       "%s, then waitid(WNOHANG): %#llx (expected %#llx)", name,
	       (unsigned long long)seen,
	       (unsigned long long)WAITED(c->pid, CLD_TRAPPED, event));
	expect_state(leader(c), 't', "ptrace_set_stopped(): JOBCTL_TRAP_STOP");
	expect_wait(NULL, c->pid, WSTOPPED | WNOHANG, 0,
		    "do_signal_stop(): the group has not stopped anew");
	trace(l, PTRACE_DETACH, leader(c), 0);
	expect_state(leader(c), 'T', "__ptrace_unlink(): SIGNAL_STOP_STOPPED");
	send_signal(c, SIGCONT);
	expect_wait(NULL, c->pid, WCONTINUED,
		    WAITED(c->pid, CLD_CONTINUED, SIGCONT),
		    "prepare_signal(): SIGNAL_CLD_CONTINUED");
}

static void stopped(void)
{
	struct actor *x, *c;

	attach_stopped(PTRACE_ATTACH, SIGSTOP, "PTRACE_ATTACH");
	attach_stopped(PTRACE_SEIZE, EVENT_STOP(SIGSTOP), "PTRACE_SEIZE");

	step("C runs: PTRACE_ATTACH sends it SIGSTOP, PTRACE_SEIZE does not");
	x = spawn("X");
	c = spawn("C");
	expect_equal(try_ptrace(leader(x), PTRACE_ATTACH, c->pid, 0), 0,
		     "PTRACE_ATTACH", "ptrace_attach()");
	expect_wait(leader(x), c->pid, WSTOPPED,
		    WAITED(c->pid, CLD_TRAPPED, SIGSTOP),
		    "ptrace_set_stopped(): SIGSTOP");
	trace(leader(x), PTRACE_CONT, leader(c), 0);
	expect_equal(try_ptrace(leader(x), PTRACE_INTERRUPT, c->pid, 0), -EIO,
		     "PTRACE_INTERRUPT", "ptrace_request(): not seized");
	c = spawn("D");
	expect_equal(try_ptrace(leader(x), PTRACE_SEIZE, c->pid, 0), 0,
		     "PTRACE_SEIZE", "ptrace_attach()");
	expect_wait(leader(x), c->pid, WSTOPPED | WNOHANG, 0,
		    "ptrace_set_stopped(): not for PTRACE_SEIZE");
	expect_state(leader(c), 'S', "ptrace_set_stopped()");
	ask(leader(c), order_getppid, 0, 0);
}

SCENARIO(tracer_attach_stopped) = {
	.name = "tracer-attach-stopped",
	.summary =
		"attach to a stopped process: trapped when ptrace() returns, stopped when it ends",
	.needs = NEED_ROOT,
	.rows = "PU1.1 PA1.2",
	.play = stopped,
};

/* --- exec --------------------------------------------------------------- */

static bool in_ptrace(void *arg)
{
	struct thread *t = arg;
	struct proc_status st;

	return !proc_status(t->actor->pid, t->tid, &st) && st.state == 'S' &&
	       proc_syscall(t->actor->pid, t->tid) == SYS_ptrace;
}

static void expect_in_ptrace(struct thread *t, const char *why)
{
	bool asleep = await_true(in_ptrace, t, AWAIT_MS);

	expect(asleep && !await_readable(t->cmd, 0), why,
	       "%s %d, in ptrace(): %s", t->name, t->tid,
	       asleep ? "asleep" : "returned, expected to sleep");
}

static void attach_exec(void)
{
	const char *waits = "ptrace_attach(): cred_guard_mutex is the exec's";
	struct actor *p, *x, *y, *z;
	struct thread *u;
	int64_t result = 0;
	int err;

	step("P calls exec, which waits for its thread U, the zombie of Y");
	p = spawn("P");
	u = thread(p, "U");
	y = spawn("Y");
	x = spawn("X");
	z = spawn("Z");
	ask(leader(z), order_sigaction, SIGUSR1, DISPOSE_CATCH);
	trace(leader(y), PTRACE_SEIZE, u, 0);
	tell(leader(p), order_exec, 0, 0);
	expect_state(u, 'Z', "exit_notify(): a traced thread is no autoreap");

	step("X and Z want to trace P: they wait; SIGKILL ends that of X");
	tell(leader(x), order_ptrace, WITH_DATA(PTRACE_SEIZE, 0), p->pid);
	tell(leader(z), order_ptrace, WITH_DATA(PTRACE_SEIZE, 0), p->pid);
	expect_in_ptrace(leader(x), waits);
	expect_in_ptrace(leader(z), waits);
	expect_tracer(leader(p), 0, waits);
	send_signal(x, SIGKILL);
	expect_death(x, SIGKILL, "ptrace_attach(): mutex_lock_interruptible()");
	send_signal(z, SIGUSR1);
	expect_in_ptrace(leader(z), "ptrace_attach(): ERESTARTNOINTR");

	step("Y waits for U: the exec is done, and Z has P");
	expect_wait(leader(y), u->tid, WEXITED, WAITED(u->tid, CLD_EXITED, 0),
		    "do_group_exit(): group_exec_task is set, so the code is 0");
	expect_execed(leader(p), "de_thread(): nobody else is left");
	err = thread_result(leader(z), AWAIT_MS, &result);
	expect(!err && !result, "ptrace_attach(): it has cred_guard_mutex",
	       "PTRACE_SEIZE of P by Z: %s, %lld",
	       err ? "no reply" : "returned", (long long)result);
	expect_tracer(leader(p), z->pid, "ptrace_link()");
	expect_equal(ask(leader(z), order_caught, SIGUSR1, 0), 1,
		     "times Z caught SIGUSR1",
		     "get_signal(): before it restarts");
}

SCENARIO(tracer_attach_exec) = {
	.name = "tracer-attach-exec",
	.summary =
		"attach to a process whose exec waits for a thread: waits as well",
	.needs = NEED_ROOT,
	.rows = "A57",
	.play = attach_exec,
};

/* --- PTRACE_TRACEME ----------------------------------------------------- */

static void by_child(void)
{
	struct actor *r, *c;
	struct thread *u;

	step("C, child of R's thread U, asks to be traced: by U");
	r = spawn("R");
	u = thread(r, "U");
	c = spawn_from(u, "C");
	expect_equal(ask(leader(c), order_traceme, 0, 0), 0,
		     "PTRACE_TRACEME by C", "ptrace_traceme()");
	expect_tracer(leader(c), u->tid, "ptrace_link(): to real_parent");
	expect_equal(ask(leader(c), order_traceme, 0, 0), -EPERM,
		     "PTRACE_TRACEME by C, again",
		     "ptrace_traceme(): traced already");

	step("it stops for any signal then, and U is told");
	begin_wait(u, c->pid, WSTOPPED);
	send_signal(c, SIGUSR1);
	expect_wait_ends(u, WAITED(c->pid, CLD_TRAPPED, SIGUSR1),
			 "ptrace_signal(): ptrace_stop()");

	step("U ends: C goes on, with its signal cancelled, and dies untraced");
	exit_thread(u, 5);
	expect_gone(u, "exit_notify(): autoreap");
	expect_tracer(leader(c), 0, "exit_ptrace()");
	begin_wait(leader(r), c->pid, WEXITED);
	exit_group(leader(c), 7);
	expect_wait_ends(leader(r), WAITED(c->pid, CLD_EXITED, 7),
			 "find_new_reaper(): R's leader, U's sibling");
}

SCENARIO(traceme) = {
	.name = "traceme",
	.summary = "PTRACE_TRACEME: the tracer is the thread that forked",
	.needs = NEED_ROOT,
	.rows = "PT1.2 FP1.1",
	.play = by_child,
};

static void by_stronger_child(void)
{
	struct actor *r, *c;

	step("R is root no more; its child C, which is, asks to be traced by it");
	r = spawn("R");
	c = spawn_by(r, "C");
	ask(leader(r), order_setuid, 60123, 0);
	expect_equal(ask(leader(c), order_traceme, 0, 0), -EPERM,
		     "PTRACE_TRACEME by C", "cap_ptrace_traceme()");
	expect_tracer(leader(c), 0, "ptrace_traceme(): it was refused");
}

SCENARIO(traceme_stronger) = {
	.name = "traceme-stronger",
	.summary = "PTRACE_TRACEME by who may do more than its parent: refused",
	.needs = NEED_ROOT,
	.rows = "PT1.2",
	.play = by_stronger_child,
};

static void by_child_of_dying(void)
{
	struct actor *r, *c;
	struct thread *u;
	int g = gate();

	step("C is the child of U, a thread of R that is held in exit_files()");
	r = spawn("R");
	u = thread(r, "U");
	c = spawn_from(u, "C");
	hold_in_exit(u, g, IN_FILES, 5);

	step("C asks to be traced: that says yes, and is not done");
	expect_equal(ask(leader(c), order_traceme, 0, 0), 0,
		     "PTRACE_TRACEME by C",
		     "ptrace_traceme(): U has PF_EXITING, it is pretended");
	expect_tracer(leader(c), 0, "ptrace_traceme(): PF_EXITING");

	step("U is released: its sibling, the leader, is the parent of C");
	expect_equal(release(g), 1, "threads released", "the gate held U");
	expect_gone(u, "exit_notify(): autoreap");
	expect_tracer(leader(c), 0, "ptrace_traceme(): PF_EXITING");
	expect_equal(ask(leader(c), order_traceme, 0, 0), 0,
		     "PTRACE_TRACEME by C, again",
		     "ptrace_traceme(): it was not traced");
	expect_tracer(leader(c), r->pid, "find_new_reaper(): R's leader");
}

SCENARIO(traceme_dying) = {
	.name = "traceme-dying",
	.summary =
		"PTRACE_TRACEME when the parent thread is held in exit: yes, but not traced",
	.needs = NEED_DEVICE | NEED_ROOT,
	.rows = "PT1.1",
	.play = by_child_of_dying,
};
