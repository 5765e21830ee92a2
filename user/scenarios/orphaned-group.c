// SPDX-License-Identifier: GPL-2.0
/*
 * A process group is orphaned when no member has its parent in another group of
 * the same session: nobody is left who could continue a stopped job. Whoever
 * makes it so by ending has SIGHUP and SIGCONT sent to a group with a stopped
 * member. The runner, which adopts, is in a session of its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../core/await.h"
#include "../core/proc.h"
#include "../scenario.h"

/* A session leader, as a shell is. */
static struct actor *session(void)
{
	struct actor *s = spawn("S");

	expect_equal(ask(leader(s), order_setsid, 0, 0), 0, "setsid() in S",
		     "the adopter is in another session");
	return s;
}

/* A child of @by in process group @group, 0: a new one; it counts signals. */
static struct actor *member(struct actor *by, const char *name, pid_t group)
{
	struct actor *j = spawn_by(by, name);
	struct thread *l = leader(j);

	if (ask(l, order_setpgid, 0, group) ||
	    ask(l, order_sigaction, SIGHUP, DISPOSE_CATCH) ||
	    ask(l, order_sigaction, SIGCONT, DISPOSE_CATCH))
		broken("cannot prepare %s %d", name, j->pid);
	return j;
}

static void stop(struct actor *j)
{
	send_signal(j, SIGSTOP);
	expect_state(leader(j), 'T', "do_signal_stop()");
}

/* It ends; not all of them are children of the runner. */
static void await_end(struct actor *p)
{
	if (!await_readable(p->pidfd, AWAIT_MS))
		broken("%s %d does not die", p->name, p->pid);
	barrier();
}

static bool hup_caught(void *t)
{
	return ask(t, order_caught, SIGHUP, 0) > 0;
}

static void expect_told(struct actor *j, const char *why)
{
	/* A stopped one takes no order. */
	expect_state(leader(j), 'S', "prepare_signal(): SIGCONT woke it");
	await_true(hup_caught, leader(j), AWAIT_MS);
	expect_equal(ask(leader(j), order_caught, SIGHUP, 0), 1,
		     "times it caught SIGHUP", why);
}

/* It is still stopped; continued by us, it knows of no SIGHUP. */
static void expect_left_alone(struct actor *j, const char *why)
{
	barrier();
	expect_state(leader(j), 'T', why);
	send_signal(j, SIGCONT);
	expect_state(leader(j), 'S', "prepare_signal(): SIGCONT woke it");
	expect_equal(ask(leader(j), order_caught, SIGHUP, 0), 0,
		     "times it caught SIGHUP", why);
}

static bool not_pending(void *arg)
{
	struct actor *j = arg;
	struct proc_status st;

	return !proc_status(j->pid, 0, &st) && !st.shdpnd;
}

/* A signal of job control is sent to J: does it stop. */
static void job_control(struct actor *j, int sig, char state, const char *why)
{
	send_signal(j, sig);
	await_true(not_pending, j, AWAIT_MS);
	expect_state(leader(j), state, why);
	if (state == 'T')
		send_signal(j, SIGCONT);
	expect_state(leader(j), 'S', "it goes on, or had not stopped");
}

static void shell_dies(void)
{
	const char *tells = "reparent_leader(): kill_orphaned_pgrp(J, S)";
	struct actor *s, *j;

	step("a stopped job J, its shell S is killed: SIGHUP, then SIGCONT");
	s = session();
	j = member(s, "J", 0);
	stop(j);
	send_signal(s, SIGKILL);
	reap(s);
	expect_told(j, tells);
	expect_equal(ask(leader(j), order_caught, SIGCONT, 0), 1,
		     "times J caught SIGCONT", tells);

	step("the same, and J does not catch SIGHUP: it dies");
	s = session();
	j = member(s, "J", 0);
	ask(leader(j), order_sigaction, SIGHUP, DISPOSE_DEFAULT);
	stop(j);
	send_signal(s, SIGKILL);
	reap(s);
	await_end(j);
	expect_wait(NULL, j->pid, WEXITED, WAITED(j->pid, CLD_KILLED, SIGHUP),
		    tells);

	step("a running job J, its shell S is killed: nothing");
	s = session();
	j = member(s, "J", 0);
	send_signal(s, SIGKILL);
	reap(s);
	barrier();
	expect_equal(ask(leader(j), order_caught, SIGHUP, 0), 0,
		     "times J caught SIGHUP",
		     "kill_orphaned_pgrp(): has_stopped_jobs() is false");
}

SCENARIO(orphaned_group) = {
	.name = "orphaned-group",
	.summary =
		"the shell of a stopped job dies: SIGHUP and SIGCONT; of a running one: nothing",
	.needs = NEED_ROOT,
	.rows = "OP5.1 OP6 RL4.1",
	.play = shell_dies,
};

/* The end of S changes nothing for J. */
static void expect_no_difference(struct actor *s, struct actor *j,
				 const char *why)
{
	stop(j);
	send_signal(s, SIGKILL);
	reap(s);
	expect_left_alone(j, why);
}

static void no_shell(void)
{
	struct actor *s, *j;

	step("J is stopped in the group of S, its parent, which is killed");
	s = session();
	j = member(s, "J", s->pid);
	expect_no_difference(s, j,
			     "kill_orphaned_pgrp(): S was in the same group");

	step("J is stopped in a session of its own; S is killed");
	s = session();
	j = spawn_by(s, "J");
	if (ask(leader(j), order_setsid, 0, 0) ||
	    ask(leader(j), order_sigaction, SIGHUP, DISPOSE_CATCH))
		broken("cannot prepare J");
	expect_no_difference(s, j,
			     "kill_orphaned_pgrp(): S was in another session");
}

SCENARIO(orphaned_group_before) = {
	.name = "orphaned-group-before",
	.summary =
		"the parent of a stopped job dies, and the job was orphaned before: nothing",
	.needs = NEED_ROOT,
	.rows = "OP5.2 RL4.2",
	.play = no_shell,
};

static void adopted_in_session(void)
{
	struct actor *s, *p, *j;

	step("S adopts; J is stopped, and its parent P, a child of S, is killed");
	s = session();
	ask(leader(s), order_prctl, PR_SET_CHILD_SUBREAPER, 1);
	p = member(s, "P", 0);
	j = member(p, "J", 0);
	stop(j);
	send_signal(p, SIGKILL);
	await_end(p);
	expect_left_alone(j,
			  "kill_orphaned_pgrp(): J itself counts, S is its parent now");
}

SCENARIO(orphaned_group_adopter) = {
	.name = "orphaned-group-adopter",
	.summary =
		"the parent of a stopped job dies, its adopter is in the session: nothing",
	.needs = NEED_ROOT,
	.rows = "RL4.2",
	.play = adopted_in_session,
};

/* S, its child P, and J below P, stopped; K is in J's group, a child of S. */
static void group_of_two(struct actor **p, struct actor **j, struct actor **k)
{
	struct actor *s = session();

	*p = member(s, "P", 0);
	*j = member(*p, "J", 0);
	*k = member(s, "K", (*j)->pid);
	stop(*j);
}

static void end(struct actor *p)
{
	send_signal(p, SIGKILL);
	await_end(p);
}

static void members(void)
{
	struct actor *p, *j, *k;
	struct thread *t;

	step("J is stopped; its parent P ends, that of K in J's group lives");
	group_of_two(&p, &j, &k);
	end(p);
	expect_left_alone(j,
			  "will_become_orphaned_pgrp(): K has a parent in the session");

	step("K ends: it does not count any more");
	stop(j);
	end(k);
	expect_told(j, "will_become_orphaned_pgrp(): ignored_task is K");

	step("K is a child of J, in its group: it is no way out");
	p = member(session(), "P", 0);
	j = member(p, "J", 0);
	member(j, "K", j->pid);
	stop(j);
	end(p);
	expect_told(j,
		    "will_become_orphaned_pgrp(): K's parent is in the same group");

	step("K is a zombie, then P ends");
	group_of_two(&p, &j, &k);
	end(k);
	expect_left_alone(j, "will_become_orphaned_pgrp(): J has P");
	stop(j);
	end(p);
	expect_told(j, "will_become_orphaned_pgrp(): a dead member is ignored");

	step("the leader of K is a zombie, its thread T lives; P ends");
	group_of_two(&p, &j, &k);
	t = thread(k, "T");
	exit_thread(leader(k), 3);
	expect_state(leader(k), 'Z', "exit_notify(): EXIT_ZOMBIE");
	end(p);
	expect_left_alone(j,
			  "will_become_orphaned_pgrp(): K is not dead while it has T");

	step("T ends, the last of K");
	stop(j);
	exit_thread(t, 5);
	await_end(k);
	expect_told(j,
		    "exit_notify(): group_dead, kill_orphaned_pgrp(leader of K)");
}

SCENARIO(orphaned_group_members) = {
	.name = "orphaned-group-members",
	.summary =
		"who keeps a stopped group from being orphaned: the living, not zombies",
	.needs = NEED_ROOT,
	.rows = "OP1 OP2 OP4 EN1 A54",
	.play = members,
};

/*
 * group_dead is decided on the way into do_exit(), thread_group_empty() holds
 * only when the last thread has left it. Whoever asks in between counts K as
 * alive, and the last thread does not ask again.
 */
static void missed(void)
{
	struct actor *p, *j, *k;
	struct thread *t;
	int g = gate();

	step("K's thread T is held in exit_files(), its leader ends");
	group_of_two(&p, &j, &k);
	t = thread(k, "T");
	hold_in_exit(t, g, IN_FILES, 5);
	exit_thread(leader(k), 3);
	expect_state(leader(k), 'Z', "exit_notify(): EXIT_ZOMBIE, group_dead");

	step("J is stopped, its parent P is killed");
	end(p);
	expect_state(leader(j), 'T',
		     "will_become_orphaned_pgrp(): K is not dead while it has T");

	step("T is released: the group is orphaned, and nobody tells J");
	expect_equal(release(g), 1, "threads released", "the gate held T");
	expect_gone(t, "release_task()");
	await_end(k);
	expect_left_alone(j, "exit_notify(): group_dead is false for T");
	job_control(j, SIGTSTP, 'S',
		    "get_signal(): is_current_pgrp_orphaned(), it is");
}

SCENARIO(orphaned_group_missed) = {
	.name = "orphaned-group-missed",
	.summary =
		"known divergence: a stopped group is orphaned by a thread stuck in exit: no SIGHUP",
	.needs = NEED_DEVICE | NEED_ROOT,
	.rows = "EN1.2 OP2.2",
	.play = missed,
};

static void init_adopts(void)
{
	struct proc_status st;
	struct actor *p, *j;

	step("J is stopped; its parent P is killed, init adopts J");
	p = member(session(), "P", 0);
	j = member(p, "J", 0);
	stop(j);
	end(p);
	if (proc_status(j->pid, 0, &st))
		broken("J is gone");
	if (st.ppid != 1)
		skip("not init, but a subreaper above us (%d) adopts here",
		     st.ppid);
	expect_told(j,
		    "will_become_orphaned_pgrp(): init is no parent to count on");
}

/*
 * is_global_init() alone decides only if init is in the session of the group:
 * who is adopted by an init in another session has no parent there anyway.
 */
SCENARIO(orphaned_group_init) = {
	.name = "orphaned-group-init",
	.summary =
		"the parent of a stopped job dies and init adopts it: SIGHUP and SIGCONT",
	.needs = NEED_ROOT,
	.adopted_by_init = true,
	.rows = "OP3",
	.play = init_adopts,
};

/* --- at a terminal ------------------------------------------------------- */

/* A new terminal, and the caller, a session leader, gets it. */
static int64_t order_terminal(const struct order *o)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), slave;

	(void)o;
	if (master < 0 || grantpt(master) || unlockpt(master))
		return -errno;
	slave = open(ptsname(master), O_RDWR | O_CLOEXEC);
	return slave < 0 || ioctl(slave, TIOCSCTTY, 0) ? -errno : 0;
}

static int64_t order_read_tty(const struct order *o)
{
	_cleanup_close_ int fd = open("/dev/tty", O_RDWR | O_CLOEXEC);
	char byte;

	(void)o;
	return fd < 0 || read(fd, &byte, 1) < 0 ? -errno : 0;
}

static int64_t order_take_tty(const struct order *o)
{
	_cleanup_close_ int fd = open("/dev/tty", O_RDWR | O_CLOEXEC);

	(void)o;
	return fd < 0 || tcsetpgrp(fd, getpgrp()) ? -errno : 0;
}

static void terminal(void)
{
	const char *stops = "get_signal(): do_signal_stop()";
	const char *dropped =
		"get_signal(): is_current_pgrp_orphaned(), dropped";
	const char *eio = "__tty_check_change(): the group is orphaned";
	static const int sigs[] = { SIGTSTP, SIGTTIN, SIGTTOU };
	struct actor *s, *p, *j;
	int64_t result = 0;
	int err;

	step("a terminal with the session leader S; J, a job in the background");
	s = session();
	result = ask(leader(s), order_terminal, 0, 0);
	if (result)
		skip("no pseudo-terminal: %s", strerror((int)-result));
	p = member(s, "P", 0);
	j = member(p, "J", 0);
	for (size_t i = 0; i < ARRAY_SIZE(sigs); i++)
		job_control(j, sigs[i], 'T', stops);

	step("J reads from the terminal and is stopped by SIGTTIN");
	tell(leader(j), order_read_tty, 0, 0);
	expect_state(leader(j), 'T',
		     "__tty_check_change(): SIGTTIN, and -ERESTARTSYS");

	step("P, the parent of J, is killed: J is told, its read() fails");
	end(p);
	err = thread_result(leader(j), AWAIT_MS, &result);
	expect(!err && result == -EIO, eio, "read() in J: %s",
	       err ? "no reply" : strerror((int)-result));
	expect_told(j, "reparent_leader(): kill_orphaned_pgrp(J, P)");
	expect_equal(ask(leader(j), order_read_tty, 0, 0), -EIO,
		     "another read() in J", eio);
	expect_equal(ask(leader(j), order_take_tty, 0, 0), -ENOTTY,
		     "tcsetpgrp() in J", "tiocspgrp(): makes ENOTTY of EIO");

	step("orphaned, J is stopped by SIGSTOP only");
	for (size_t i = 0; i < ARRAY_SIZE(sigs); i++)
		job_control(j, sigs[i], 'S', dropped);
	job_control(j, SIGSTOP, 'T', stops);
}

SCENARIO(orphaned_group_tty) = {
	.name = "orphaned-group-tty",
	.summary =
		"SIGTSTP, SIGTTIN, SIGTTOU stop a job, but not an orphaned one: its read() says EIO",
	.needs = NEED_ROOT,
	.rows = "OP7",
	.play = terminal,
};
