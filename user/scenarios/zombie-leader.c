// SPDX-License-Identifier: GPL-2.0
/*
 * The delayed leader: P is killed while its thread T sleeps in D in a driver.
 * The leader L becomes a zombie, but it is not the last of its group, so
 * delay_group_leader() holds: the parent is not told and cannot reap it.
 *
 * Told four times: the parent lives; the parent is killed before P, or after;
 * P is adopted by a subreaper (the runner), or by init.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "../core/out.h"
#include "../core/proc.h"
#include "../scenario.h"

/* Who is P's parent: the runner, or R, who is killed. */
enum parent {
	RUNNER,
	KILLED_BEFORE,
	KILLED_AFTER,
};

/**
 * struct cast - the processes of the story
 * @parent:   how P loses its parent
 * @by_init:  orphans go to init, so nobody here can wait for P
 * @ours:     P is the runner's child now
 * @r, @p:    R is NULL when the runner is P's parent
 * @l, @t:    the two threads of P
 * @gate:     where T sleeps
 * @w:        a thread blocked in waitid(P), NULL when it is not our child
 * @l_pidfd, @t_pidfd: PIDFD_THREAD ones, -1 where there are none
 */
struct cast {
	enum parent parent;
	bool by_init, ours;
	struct actor *r, *p;
	struct thread *l, *t;
	int gate;
	struct waiter *w;
	int l_pidfd, t_pidfd;
};

static bool has(uint64_t mask, int sig)
{
	return mask >> (sig - 1) & 1;
}

static struct proc_status status(struct thread *t)
{
	struct proc_status st;
	int err = proc_status(t->actor->pid, t->tid, &st);

	if (err)
		broken("cannot read the status of %s %d: %s", t->name, t->tid,
		       strerror(-err));
	return st;
}

static void expect_both_listed(struct cast *c, const char *why)
{
	struct thread *both[] = { c->l, c->t };

	expect_tasks(c->p, both, 2, why);
	expect_equal(status(c->l).threads, 2, "Threads of P", why);
}

static void expect_identity(struct thread *t, pid_t ppid)
{
	struct proc_status st = status(t);

	expect(st.tgid == t->actor->pid && st.ppid == ppid,
	       "__task_pid_nr_ns(): the group's leader; task_tgid_nr_ns(real_parent)",
	       "%s %d: Tgid %d, PPid %d (expected %d, %d)", t->name, t->tid,
	       st.tgid, st.ppid, t->actor->pid, ppid);
}

static pid_t parent_of_p(struct cast *c)
{
	return status(c->l).ppid;
}

/* --- the steps ---------------------------------------------------------- */

static void open_thread_pidfds(struct cast *c)
{
	c->l_pidfd = pidfd_of(c->l->tid, PIDFD_THREAD);
	c->t_pidfd = pidfd_of(c->t->tid, PIDFD_THREAD);
	if (c->t_pidfd < 0)
		note("this kernel has no PIDFD_THREAD (6.9 has)");
}

static void make_p(struct cast *c)
{
	step("a process P with a leader L and a thread T");
	if (c->parent != RUNNER)
		c->r = spawn("R");
	c->p = c->r ? spawn_by(c->r, "P") : spawn("P");
	c->l = leader(c->p);
	snprintf(c->l->name, sizeof(c->l->name), "L");
	c->t = thread(c->p, "T");
	c->gate = gate();
	open_thread_pidfds(c);
	note("P is %d, T is %d, the parent is %d", c->p->pid, c->t->tid,
	     parent_of_p(c));
}

static void hold_t(struct cast *c)
{
	pid_t parent = c->r ? c->r->pid : getpid();

	step("T reads from the device and sleeps there");
	hold_read(c->t, c->gate);
	expect_state(c->l, 'S', "recvmsg(): waits for orders, interruptible");
	expect_state(c->t, 'D',
		     "wait_event(): TASK_UNINTERRUPTIBLE, no signal wakes it");
	expect_asleep_in(c->t, "undead_gate_read",
			 "vfs_read() called our read(), which has not returned");
	expect_both_listed(c, "copy_process(): T joined the thread group of L");
	expect_identity(c->l, parent);
	expect_identity(c->t, parent);
}

/* The adopter of orphans here, found by making one. */
static pid_t expect_orphan_reaped(void)
{
	struct actor *r = spawn("parent"), *o = spawn_by(r, "orphan");
	struct proc_status st;
	pid_t adopter;
	char comm[64] = "?", safe[80];

	send_signal(r, SIGKILL);
	reap(r);
	if (proc_status(o->pid, 0, &st))
		broken("the orphan %d is gone too early", o->pid);
	adopter = st.ppid;
	proc_read(adopter, 0, "comm", comm, sizeof(comm));
	comm[strcspn(comm, "\n")] = '\0';
	note("orphans are adopted by %d (%s)", adopter,
	     out_safe(safe, sizeof(safe), comm));
	send_signal(o, SIGKILL);
	expect_gone(leader(o),
		    "do_notify_parent(): the adopter got SIGCHLD and waited");
	return adopter;
}

static void kill_parent(struct cast *c)
{
	pid_t adopter = getpid();

	if (c->by_init)
		adopter = expect_orphan_reaped();
	send_signal(c->r, SIGKILL);
	reap(c->r);
	expect_equal(parent_of_p(c), adopter, "PPid of P",
		     "forget_original_parent(): find_new_reaper() chose it");
	c->r = NULL;
	c->ours = !c->by_init;
}

static void kill_p(struct cast *c)
{
	step("P is killed: kill(P, SIGKILL)");
	send_signal(c->p, SIGKILL);
}

static void expect_zombie(struct cast *c)
{
	const char *listed =
		"release_task() has not run for either, both stay hashed";
	struct proc_status l, t;
	int64_t code = -1;

	expect_state(c->l, 'Z', "exit_notify(): exit_state is EXIT_ZOMBIE");
	expect_state(c->t, 'D',
		     "signal_wake_up_state(): wakes no uninterruptible sleeper");
	expect_both_listed(c, listed);
	l = status(c->l);
	t = status(c->t);
	expect(has(l.shdpnd, SIGKILL) && has(t.shdpnd, SIGKILL),
	       "__send_signal_locked(): queued for the group, nobody took it",
	       "SIGKILL in ShdPnd of L and of T: %d, %d",
	       has(l.shdpnd, SIGKILL), has(t.shdpnd, SIGKILL));
	expect(has(t.sigpnd, SIGKILL),
	       "complete_signal(): a fatal signal is put into every thread",
	       "SIGKILL in SigPnd of T: %d", has(t.sigpnd, SIGKILL));
	expect(l.vm_size_kb < 0, "exit_mm(): L has let go of the memory",
	       "Vm lines of L: %s", l.vm_size_kb < 0 ? "none" : "present");
	expect(t.vm_rss_kb > 0, "mm_users is held by T, which cannot exit",
	       "VmRSS of T: %ld kB", t.vm_rss_kb);
	proc_stat_field(c->p->pid, 0, 52, &code);
	expect_equal(code, SIGKILL, "exit code in /proc/P/stat",
		     "do_task_stat(): the group's code, set by complete_signal()");
}

/* In R: the pid that waitid() would report, 0 for none. */
static int64_t order_look(const struct order *o)
{
	siginfo_t si = { 0 };

	return waitid(P_PID, (id_t)o->arg[0], &si,
		      WEXITED | WNOHANG | WNOWAIT) < 0 ?
		       -errno :
		       si.si_pid;
}

static void expect_nobody_told(struct cast *c)
{
	const char *empty =
		"exit_notify(): thread_group_empty() is false, do_notify_parent() is not called";
	const char *delayed =
		"wait_consider_task(): delay_group_leader(), not to be reaped yet";

	if (c->r)
		expect_equal(ask(leader(c->r), order_look, c->p->pid, 0), 0,
			     "waitid(P, WNOHANG) of R: pid reported", delayed);
	if (c->ours) {
		expect_no_sigchld(c->p, empty);
		expect_no_event(c->p, WEXITED, delayed);
		expect_no_event(c->p, WEXITED | WNOWAIT, delayed);
	}
	if (c->w)
		expect_still_waiting(c->w, delayed);
	expect_no_wakeup(c->p->pidfd, "pidfd of P",
			 "pidfd_poll(): a delayed leader has not exited");
	if (c->l_pidfd >= 0)
		expect_no_wakeup(c->l_pidfd, "PIDFD_THREAD pidfd of L",
				 "commit 0fb482728ba1 (\"pidfs: improve multi-threaded exec and premature thread-group leader exit polling\")");
	if (c->t_pidfd >= 0)
		expect_no_wakeup(c->t_pidfd, "PIDFD_THREAD pidfd of T",
				 "pidfd_poll(): T has no exit_state");
}

static void expect_no_change(struct cast *c)
{
	expect_state(c->l, 'Z', "a zombie takes no signal");
	expect_state(c->t, 'D', "SIGKILL is pending already, it adds nothing");
	expect_nobody_told(c);
}

static void try_to_help(struct cast *c)
{
	step("it cannot be helped: SIGKILL to P again, SIGKILL to T, SIGCONT");
	send_signal(c->p, SIGKILL);
	send_thread(c->t, SIGKILL);
	send_signal(c->p, SIGCONT);
	expect_no_change(c);
	if (c->parent != KILLED_AFTER)
		return;
	step("it cannot be helped: P's parent is killed");
	kill_parent(c);
	expect_both_listed(c,
			   "reparent_leader(): a zombie with threads is only moved");
	expect_no_change(c);
}

static void release_t(struct cast *c)
{
	step("T is released");
	expect_equal(release(c->gate), 1, "threads released",
		     "the gate held T and nobody else");
	expect_wakeup(c->p->pidfd, "pidfd of P",
		      "release_task(T): zap_leader, do_notify_parent(), do_notify_pidfd()");
	if (c->w)
		expect_waited(c->w, CLD_KILLED, SIGKILL,
			      "wait_task_zombie(): the group's exit code");
	if (c->ours)
		expect_sigchld(c->p, CLD_KILLED, SIGKILL,
			       "do_notify_parent(): once, when the group is empty");
	expect_gone(c->t, "release_task(): a thread reaps itself");
	expect_gone(c->l,
		    c->by_init ?
			    "release_task(): init has reaped it" :
			    "release_task(): the waiting thread has reaped it");
	expect_equal(release(c->gate), 0, "holds left at the gate",
		     "the device counted T out");
}

static void zombie_leader(enum parent parent, bool by_init)
{
	struct cast c = {
		.parent = parent,
		.by_init = by_init,
		.ours = parent == RUNNER,
	};

	make_p(&c);
	hold_t(&c);
	if (parent == KILLED_BEFORE) {
		step("P's parent is killed, P is adopted");
		kill_parent(&c);
	}
	if (c.ours)
		c.w = waiter(c.p);
	kill_p(&c);
	expect_zombie(&c);
	step("nobody is told");
	expect_nobody_told(&c);
	try_to_help(&c);
	expect_verdict(c.p);
	/* Only now is it our child. */
	if (parent == KILLED_AFTER)
		c.w = waiter(c.p);
	release_t(&c);
}

static const char *const watches[] = {
	"0fb482728ba1 (\"pidfs: improve multi-threaded exec and premature thread-group leader exit polling\")",
	"9133607de37a (\"exit: fix the usage of delay_group_leader->exit_code in do_notify_parent() and pidfs_exit()\")",
	NULL
};

static void parent_lives(void)
{
	zombie_leader(RUNNER, false);
}

SCENARIO(zombie_leader_plain) = {
	.name = "zombie-leader",
	.summary =
		"killed, its leader a zombie, one thread in D: its parent hears nothing",
	.rows = "EN6.2 RT1.1 RT3.2 A37 WC4",
	.needs = NEED_DEVICE | NEED_ROOT,
	.watches = watches,
	.verdict = "delayed-leader",
	.play = parent_lives,
};

static void adopted_by_subreaper(void)
{
	zombie_leader(KILLED_BEFORE, false);
}

SCENARIO(zombie_leader_subreaper) = {
	.name = "zombie-leader-subreaper",
	.summary =
		"the same when the parent died first and a subreaper adopted it",
	.rows = "EN6.2 RT1.1 WC4",
	.needs = NEED_DEVICE | NEED_ROOT,
	.watches = watches,
	.verdict = "delayed-leader",
	.play = adopted_by_subreaper,
};

static void parent_killed_after(void)
{
	zombie_leader(KILLED_AFTER, false);
}

SCENARIO(zombie_leader_orphaned) = {
	.name = "zombie-leader-orphaned",
	.summary =
		"the same when the parent is killed afterwards: PPid changes, nothing else",
	.rows = "EN6.2 RT1.1 WC4",
	.needs = NEED_DEVICE | NEED_ROOT,
	.watches = watches,
	.verdict = "delayed-leader",
	.play = parent_killed_after,
};

static void adopted_by_init(void)
{
	zombie_leader(KILLED_BEFORE, true);
}

SCENARIO(zombie_leader_init) = {
	.name = "zombie-leader-init",
	.summary =
		"the same when init adopted it: an init that reaps is no help",
	.rows = "EN6.2 RT1.1",
	.needs = NEED_DEVICE | NEED_ROOT,
	.adopted_by_init = true,
	.watches = watches,
	.verdict = "delayed-leader",
	.play = adopted_by_init,
};
