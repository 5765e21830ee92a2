// SPDX-License-Identifier: GPL-2.0
/*
 * What do_exit() does for the last thread of a group only, leader or not:
 * group_dead is when signal->live comes to 0.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/acct.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "../core/await.h"
#include "../core/proc.h"
#include "../scenario.h"

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
	expect_caught(leader(b), SIGHUP, 1,
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

/* --- the timer ---------------------------------------------------------- */

/* SIGALRM every arg[0] ms, 0: no more. */
static int64_t order_alarm(const struct order *o)
{
	struct itimerval every = {
		.it_interval.tv_usec = o->arg[0] * 1000,
		.it_value.tv_usec = o->arg[0] * 1000,
	};

	return setitimer(ITIMER_REAL, &every, NULL) < 0 ? -errno : 0;
}

struct alarms {
	struct thread *by;
	int64_t more_than;
};

static bool rung(void *arg)
{
	struct alarms *a = arg;

	return ask(a->by, order_caught, SIGALRM, 0) > a->more_than;
}

static void expect_alarms(struct thread *by, const char *why)
{
	struct alarms a = { by, ask(by, order_caught, SIGALRM, 0) };

	expect(await_true(rung, &a, AWAIT_MS), why,
	       "SIGALRM caught by then: %lld, and again",
	       (long long)a.more_than);
}

static void timer(void)
{
	struct actor *p;
	struct thread *t, *u;

	step("P has a timer; its thread T ends, then the leader");
	p = spawn("P");
	t = thread(p, "T");
	u = thread(p, "U");
	ask(leader(p), order_sigaction, SIGALRM, DISPOSE_CATCH);
	expect_equal(ask(leader(p), order_alarm, 5, 0), 0, "setitimer()",
		     "do_setitimer()");
	expect_alarms(u, "it_real_fn()");
	exit_thread(t, 5);
	expect_gone(t, "release_task(T)");
	expect_alarms(u, "do_exit(): group_dead is false");
	exit_thread(leader(p), 3);
	expect_state(leader(p), 'Z', "exit_notify(): EXIT_ZOMBIE");
	expect_alarms(u, "do_exit(): group_dead is false");

	step("U ends, the last of P: the timer is no reason to wait");
	exit_thread(u, 7);
	expect_wakeup(p->pidfd, "pidfd of P",
		      "do_exit(): group_dead, hrtimer_cancel()");
	reap(p);
}

SCENARIO(last_thread_timer) = {
	.name = "last-thread-timer",
	.summary =
		"a process keeps its timer until its last thread ends, leader or not",
	.rows = "DE3",
	.needs = NEED_ROOT,
	.play = timer,
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

static void expect_terminal(struct actor *p, bool wanted, const char *why)
{
	int64_t nr = 0;

	proc_stat_field(p->pid, 0, 7, &nr);
	expect((nr != 0) == wanted, why,
	       "tty_nr in /proc/%s/stat: %lld (expected %s)", p->name,
	       (long long)nr, wanted ? "one" : "none");
}

static void terminal(void)
{
	struct actor *s, *j;
	struct thread *t, *u;
	int nr = new_terminal();

	step("S has a terminal; its child J is in the foreground");
	s = spawn("S");
	t = thread(s, "T");
	u = thread(s, "U");
	expect_equal(ask(leader(s), order_setsid, 0, 0), 0, "setsid() in S",
		     "ksys_setsid()");
	expect_equal(ask(leader(s), order_take_terminal, nr, 0), 0,
		     "open() of the terminal in S", "tty_open_proc_set_tty()");
	j = spawn_by(s, "J");
	ask(leader(j), order_setpgid, 0, 0);
	ask(leader(j), order_sigaction, SIGHUP, DISPOSE_CATCH);
	expect_equal(ask(leader(s), order_foreground, j->pid, 0), 0,
		     "tcsetpgrp() in S", "tiocspgrp()");

	step("a thread U of S ends: nothing");
	exit_thread(u, 5);
	expect_gone(u, "release_task(U)");
	expect_terminal(s, true, "__exit_signal(): U is no leader");
	expect_caught(leader(j), SIGHUP, 0, "do_exit(): group_dead is false");

	step("the leader of S ends, its thread T lives: nothing");
	exit_thread(leader(s), 3);
	expect_state(leader(s), 'Z', "exit_notify(): EXIT_ZOMBIE");
	expect_caught(leader(j), SIGHUP, 0, "do_exit(): group_dead is false");

	step("T ends, the last of S: the terminal hangs up");
	exit_thread(t, 5);
	expect_caught(leader(j), SIGHUP, 1,
		      "do_exit(): group_dead, disassociate_ctty(1)");
	expect_terminal(s, false, "disassociate_ctty(): session_clear_tty()");
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

/* --- the account -------------------------------------------------------- */

#define ACCOUNT "/tmp/undead-account"

static void stop_account(const char *path)
{
	acct(NULL);
	unlink(path);
}

static void keep_account(void)
{
	int fd;

	at_end(stop_account, ACCOUNT);
	fd = open(ACCOUNT, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		broken("cannot make " ACCOUNT ": %m");
	close(fd);
	if (acct(ACCOUNT) < 0)
		skip("acct(): %m");
}

/* How often @p is in the account; @last: the record. */
static int records(struct actor *p, struct acct_v3 *last)
{
	_cleanup_close_ int fd = open(ACCOUNT, O_RDONLY | O_CLOEXEC);
	struct acct_v3 a;
	int n = 0;

	while (read(fd, &a, sizeof(a)) == sizeof(a)) {
		/* Records of version 2 do not tell the pid. */
		if ((a.ac_version & 0x0f) != 3)
			skip("wants records of version 3: CONFIG_BSD_PROCESS_ACCT_V3");
		if ((pid_t)a.ac_pid != p->pid)
			continue;
		*last = a;
		n++;
	}
	return n;
}

/* The same; @code: the exit code written there. */
static int accounted(struct actor *p, uint32_t *code)
{
	struct acct_v3 a = { .ac_exitcode = *code };
	int n = records(p, &a);

	*code = a.ac_exitcode;
	return n;
}

static void account(void)
{
	uint32_t code = 0;
	struct actor *p;
	struct thread *t;

	step("with accounting on, the leader of P ends by SYS_exit(3)");
	keep_account();
	p = spawn("P");
	t = thread(p, "T");
	exit_thread(leader(p), 3);
	expect_state(leader(p), 'Z', "exit_notify(): EXIT_ZOMBIE");
	expect_equal(accounted(p, &code), 0, "records of P",
		     "do_exit(): group_dead is false");

	step("T ends by SYS_exit(5), the last of P: one record");
	exit_thread(t, 5);
	expect_wakeup(p->pidfd, "pidfd of P", "release_task(T): zap_leader");
	expect_equal(accounted(p, &code), 1, "records of P",
		     "do_exit(): group_dead, acct_process()");
	expect_equal(code, 3 << 8, "exit code in the record",
		     "acct_collect(): that of the leader, whatever the group's is");
	reap(p);
}

SCENARIO(last_thread_account) = {
	.name = "last-thread-account",
	.summary =
		"process accounting writes one record, when the last thread ends",
	.rows = "DE3",
	.needs = NEED_ROOT | NEED_VM,
	.play = account,
};

/* In ticks of the account, as of now. */
static int64_t age(struct actor *p)
{
	int64_t hz = sysconf(_SC_CLK_TCK), started = 0;
	struct timespec now;

	proc_stat_field(p->pid, 0, 22, &started);
	clock_gettime(CLOCK_BOOTTIME, &now);
	return (now.tv_sec * hz + now.tv_nsec / (1000000000 / hz) - started) *
	       AHZ / hz;
}

static bool grown_up(void *p)
{
	return age(p) > AHZ / 2;
}

static void account_exec(void)
{
	struct acct_v3 a = { 0 };
	struct actor *p;
	struct thread *t;
	int64_t wanted;
	float ticks;

	step("P is half a second old when its thread T is made, and calls exec");
	keep_account();
	p = spawn("P");
	await_true(grown_up, p, AWAIT_MS);
	t = thread(p, "T");
	tell(t, order_exec, 0, 0);
	expect_execed(t, "de_thread()");
	expect_equal(records(p, &a), 0, "records of P", "P goes on");

	step("P ends: its account is that of the leader's time, too");
	wanted = age(p);
	exit_group(leader(p), 7);
	expect_wakeup(p->pidfd, "pidfd of P", "do_notify_pidfd()");
	expect_equal(records(p, &a), 1, "records of P", "acct_process()");
	expect_equal(a.ac_exitcode, 7 << 8, "exit code in the record",
		     "acct_collect()");
	memcpy(&ticks, &a.ac_etime, sizeof(ticks));
	expect(ticks >= (float)wanted - 2,
	       "de_thread(): start_time of the leader",
	       "P was alive for %.0f ticks (expected %lld or more)",
	       (double)ticks, (long long)wanted);
	reap(p);
}

SCENARIO(exec_account) = {
	.name = "exec-account",
	.summary =
		"process accounting after exec by a thread: the age is that of the process",
	.rows = "DT8",
	.needs = NEED_ROOT | NEED_VM,
	.play = account_exec,
};
