// SPDX-License-Identifier: GPL-2.0
/*
 * The adopter does not do its duty: a subreaper, or the init of a container,
 * that computes for ever and never waits. And init, which does.
 */
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "../core/await.h"
#include "../core/out.h"
#include "../core/proc.h"
#include "../scenario.h"

static int64_t order_spin(const struct order *o)
{
	volatile bool forever = true;

	(void)o;
	while (forever)
		;
	return 0;
}

static pid_t ppid(struct actor *c)
{
	struct proc_status st;

	if (proc_status(c->pid, 0, &st))
		broken("%s %d is gone", c->name, c->pid);
	return st.ppid;
}

static void await_end(struct actor *p)
{
	if (!await_readable(p->pidfd, AWAIT_MS))
		broken("%s %d does not die", p->name, p->pid);
	barrier();
}

/* S, which never waits, adopts C from R. Both are dead, and stay. */
static void pile_up(struct actor *s, struct actor **r, struct actor **c)
{
	*r = spawn_by(s, "R");
	*c = spawn_by(*r, "C");
	ask(leader(s), order_sigaction, SIGCHLD, DISPOSE_CATCH);
	tell(leader(s), order_spin, 0, 0);
	send_signal(*r, SIGKILL);
	await_end(*r);
	expect_equal(ppid(*c), s->pid, "PPid of C", "find_new_reaper()");
	exit_group(leader(*c), 7);
	await_end(*c);

	step("kill -9 of the two zombies is no use");
	send_signal(*r, SIGKILL);
	send_signal(*c, SIGKILL);
	barrier();
	expect_state(leader(*r), 'Z', "exit_notify(): S has SIGCHLD caught");
	expect_state(leader(*c), 'Z', "exit_notify(): S has SIGCHLD caught");
	expect_state(leader(s), 'R', "S never calls wait()");
	expect_verdict(*c);
}

static void subreaper(void)
{
	struct actor *s, *r, *c;

	step("S, a subreaper, is in a loop; R, its child, dies and leaves it C");
	s = spawn("S");
	ask(leader(s), order_prctl, PR_SET_CHILD_SUBREAPER, true);
	pile_up(s, &r, &c);

	step("S is killed: the next one adopts them, one SIGCHLD is for all");
	send_signal(s, SIGKILL);
	expect_sigchld(r, CLD_KILLED, SIGKILL,
		       "reparent_leader(): R is the first, the others find one pending");
	await_end(s);
	expect_wait(NULL, c->pid, WEXITED, WAITED(c->pid, CLD_EXITED, 7),
		    "wait_task_zombie(): it is a child now");
	expect_wait(NULL, r->pid, WEXITED, WAITED(r->pid, CLD_KILLED, SIGKILL),
		    "wait_task_zombie(): it is a child now");
	expect_wait(NULL, s->pid, WEXITED, WAITED(s->pid, CLD_KILLED, SIGKILL),
		    "wait_task_zombie()");
}

SCENARIO(adopter_busy) = {
	.name = "adopter-busy",
	.summary =
		"a subreaper that never waits: what it adopts stays until it ends",
	.needs = NEED_ROOT,
	.verdict = "parent-does-not-wait",
	.play = subreaper,
};

static void container(void)
{
	struct actor *i, *r, *c;

	step("I, init of a pid namespace, is in a loop; R dies and leaves it C");
	i = spawn_clone(NULL, "I", CLONE_NEWPID, SIGCHLD);
	pile_up(i, &r, &c);

	step("I is killed from outside: it reaps them, dying");
	send_signal(i, SIGKILL);
	reap(i);
	expect_gone(leader(r), "zap_pid_ns_processes(): kernel_wait4()");
	expect_gone(leader(c), "zap_pid_ns_processes(): kernel_wait4()");
}

SCENARIO(adopter_busy_init) = {
	.name = "adopter-busy-init",
	.summary =
		"a container's init that never waits: zombies stay until it ends",
	.needs = NEED_ROOT,
	.verdict = "reaper-does-not-reap",
	.play = container,
};

static void say_who(pid_t pid)
{
	char comm[64] = "?", safe[80];

	proc_read(pid, 0, "comm", comm, sizeof(comm));
	comm[strcspn(comm, "\n")] = '\0';
	note("orphans are adopted by %d (%s)", pid,
	     out_safe(safe, sizeof(safe), comm));
}

static void init_reaps(void)
{
	struct actor *r, *alive, *zombie, *half;
	struct thread *t;

	step("R has a child that lives, a zombie, and one without its leader");
	r = spawn("R");
	alive = spawn_by(r, "A");
	zombie = spawn_by(r, "Z");
	half = spawn_by(r, "H");
	t = thread(half, "T");
	exit_group(leader(zombie), 7);
	await_end(zombie);
	exit_thread(leader(half), 3);
	expect_state(leader(half), 'Z', "exit_notify(): EXIT_ZOMBIE, delayed");

	step("R is killed: the zombie is reaped at once, the others are not");
	send_signal(r, SIGKILL);
	reap(r);
	say_who(ppid(alive));
	expect(ppid(alive) != getpid(), "find_new_reaper(): no subreaper",
	       "PPid of A: %d", ppid(alive));
	expect_equal(ppid(half), ppid(alive), "PPid of H, as that of A",
		     "find_new_reaper()");
	expect_gone(leader(zombie), "reparent_leader(): the adopter was told");
	expect_state(leader(alive), 'S', "it takes orders");
	expect_state(leader(half), 'Z', "delay_group_leader()");

	step("they end, and are reaped");
	exit_group(leader(alive), 2);
	expect_gone(leader(alive), "do_notify_parent(): the adopter waits");
	exit_group(t, 5);
	expect_gone(leader(half),
		    "release_task(T): zap_leader, the adopter waits");
}

SCENARIO(adopter_init) = {
	.name = "adopter-init",
	.summary =
		"a real init reaps what it adopts: zombies at once, the others when they end",
	.needs = NEED_ROOT,
	.adopted_by_init = true,
	.rows = "RL3",
	.play = init_reaps,
};

/* --- a zombie that is traced -------------------------------------------- */

static void traced_zombie(void)
{
	struct actor *r, *c, *x;

	step("C, a child of R, is traced by X, and a zombie that X does not reap");
	r = spawn("R");
	c = spawn_by(r, "C");
	x = spawn("X");
	ask(leader(x), order_sigaction, SIGCHLD, DISPOSE_CATCH);
	trace(leader(x), PTRACE_SEIZE, leader(c), 0);
	exit_group(leader(c), 7);
	expect_state(leader(c), 'Z', "exit_notify(): a tracee is no autoreap");
	expect_caught(leader(x), SIGCHLD, 1,
		      "exit_notify(): do_notify_parent()");

	step("R ends: we adopt C, and nobody is told while it is traced");
	exit_group(leader(r), 0);
	reap(r);
	expect_caught(leader(x), SIGCHLD, 1, "reparent_leader(): p->ptrace");
	expect_no_sigchld(c, "reparent_leader(): p->ptrace");
	expect_no_event(c, WEXITED, "wait_consider_task(): traced by another");

	step("X reaps it: now we are");
	expect_wait(leader(x), c->pid, WEXITED, WAITED(c->pid, CLD_EXITED, 7),
		    "wait_task_zombie(): EXIT_TRACE");
	expect_death(c, 7 << 8, "wait_task_zombie(): do_notify_parent()");
}

SCENARIO(adopter_traced_zombie) = {
	.name = "adopter-traced-zombie",
	.summary =
		"who adopts a traced zombie is told when the tracer has reaped it, not before",
	.needs = NEED_ROOT,
	.play = traced_zombie,
};
