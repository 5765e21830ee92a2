// SPDX-License-Identifier: GPL-2.0
/*
 * What do_exit() does for the last thread of a group only, leader or not:
 * group_dead is when signal->live comes to 0.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "../core/await.h"
#include "../core/proc.h"
#include "../scenario.h"

static bool hup_caught(void *t)
{
	return ask(t, order_caught, SIGHUP, 0) > 0;
}

static bool hup_pending(struct actor *j)
{
	struct proc_status st;

	if (proc_status(j->pid, 0, &st))
		broken("%s %d is gone", j->name, j->pid);
	return st.shdpnd >> (SIGHUP - 1) & 1;
}

static void orphaned_group(void)
{
	struct actor *s, *a, *b;
	struct thread *t;

	step("session S; in it the group of A, and of A's child B, who is stopped");
	s = spawn("S");
	expect_equal(ask(leader(s), order_setsid, 0, 0), 0, "setsid() in S",
		     "the adopter is in another session");
	a = spawn_by(s, "A");
	t = thread(a, "T");
	expect_equal(ask(leader(a), order_setpgid, 0, 0), 0, "setpgid() in A",
		     "by A, whose parent is S, the group is not orphaned");
	b = spawn_by(a, "B");
	ask(leader(b), order_sigaction, SIGHUP, DISPOSE_CATCH);
	send_signal(b, SIGSTOP);
	expect_state(leader(b), 'T', "do_signal_stop()");

	step("the leader of A ends, its thread T lives: nothing");
	exit_thread(leader(a), 3);
	expect_state(leader(a), 'Z', "exit_notify(): EXIT_ZOMBIE");
	barrier();
	expect(!hup_pending(b), "exit_notify(): group_dead is false",
	       "SIGHUP pending for B: %s", hup_pending(b) ? "yes" : "no");
	expect_state(leader(b), 'T', "no SIGCONT either");

	step("T ends, the last of A: B is told, by SIGHUP and SIGCONT");
	exit_thread(t, 5);
	await_true(hup_caught, leader(b), AWAIT_MS);
	expect_equal(ask(leader(b), order_caught, SIGHUP, 0), 1,
		     "times B caught SIGHUP",
		     "exit_notify(): group_dead, kill_orphaned_pgrp(leader)");
	expect_state(leader(b), 'S', "prepare_signal(): SIGCONT woke it");
}

SCENARIO(last_thread_orphans) = {
	.name = "last-thread-orphans",
	.summary =
		"a stopped group is orphaned by the last thread of a process, not by its leader",
	.rows = "EN1",
	.needs = NEED_ROOT,
	.play = orphaned_group,
};

/* --- the terminal ------------------------------------------------------- */

static int master = -1;

/* The first terminal that the leader of a session opens is its own. */
static int64_t order_take_terminal(const struct order *o)
{
	char path[32];

	snprintf(path, sizeof(path), "/dev/pts/%d", (int)o->arg[0]);
	return open(path, O_RDWR | O_CLOEXEC) < 0 ? -errno : 0;
}

/* The group arg[0] is in the foreground. */
static int64_t order_foreground(const struct order *o)
{
	_cleanup_close_ int fd = open("/dev/tty", O_RDWR | O_CLOEXEC);

	return fd < 0 || tcsetpgrp(fd, (pid_t)o->arg[0]) < 0 ? -errno : 0;
}

/* A terminal, whose master the runner keeps open. */
static int new_terminal(void)
{
	char name[64];
	int nr;

	master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (master < 0 || grantpt(master) || unlockpt(master) ||
	    ptsname_r(master, name, sizeof(name)) ||
	    sscanf(name, "/dev/pts/%d", &nr) != 1)
		skip("no pseudo terminals here: %m");
	return nr;
}

static void terminal(void)
{
	struct actor *s, *j;
	struct thread *t;
	int nr = new_terminal();

	step("S has a terminal; its child J is in the foreground");
	s = spawn("S");
	t = thread(s, "T");
	expect_equal(ask(leader(s), order_setsid, 0, 0), 0, "setsid() in S",
		     "ksys_setsid()");
	expect_equal(ask(leader(s), order_take_terminal, nr, 0), 0,
		     "open() of the terminal in S", "tty_open_proc_set_tty()");
	j = spawn_by(s, "J");
	ask(leader(j), order_setpgid, 0, 0);
	ask(leader(j), order_sigaction, SIGHUP, DISPOSE_CATCH);
	expect_equal(ask(leader(s), order_foreground, j->pid, 0), 0,
		     "tcsetpgrp() in S", "tiocspgrp()");

	step("the leader of S ends, its thread T lives: nothing");
	exit_thread(leader(s), 3);
	expect_state(leader(s), 'Z', "exit_notify(): EXIT_ZOMBIE");
	barrier();
	expect_equal(ask(leader(j), order_caught, SIGHUP, 0), 0,
		     "times J caught SIGHUP", "do_exit(): group_dead is false");

	step("T ends, the last of S: the terminal hangs up");
	exit_thread(t, 5);
	await_true(hup_caught, leader(j), AWAIT_MS);
	expect_equal(ask(leader(j), order_caught, SIGHUP, 0), 1,
		     "times J caught SIGHUP",
		     "do_exit(): group_dead, disassociate_ctty(1)");
	close(master);
}

SCENARIO(last_thread_terminal) = {
	.name = "last-thread-terminal",
	.summary =
		"a session loses its terminal with the last thread of its leader, not the first",
	.rows = "DE3",
	.needs = NEED_ROOT,
	.play = terminal,
};
