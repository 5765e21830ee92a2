// SPDX-License-Identifier: GPL-2.0
/*
 * reboot() in a pid namespace ends its init, by a signal that says which kind
 * of reboot it was. Or so wait() says: SIGCHLD and pidfd are told what init
 * died of, SIGKILL. Of the same kind as exit-code-leader-last.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/reboot.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../core/pidfd.h"
#include "../core/proc.h"
#include "../scenario.h"

/* PROC_PID_INIT_INO: the namespace in which reboot() is one. */
#define FIRST_PID_NS 0xEFFFFFFCU

static int64_t order_reboot(const struct order *o)
{
	struct stat st;

	/* The last thing that may go wrong here. */
	if (stat("/proc/thread-self/ns/pid", &st) < 0 ||
	    st.st_ino == FIRST_PID_NS || getpid() > 3)
		return -EPERM;
	return reboot((int)o->arg[0]) < 0 ? -errno : 0;
}

static void one(int command, const char *name, int sig)
{
	/* Until 5.17 these took the task's own code, see exit-code-group. */
	int other = kernel_before(5, 17) ? SIGKILL : sig;
	struct views want = { SIGKILL, other, other, sig, SIGKILL, -1 };
	struct views seen;
	struct actor *i, *c;

	step("I is init of a pid namespace, its child C calls reboot(%s)",
	     name);
	i = spawn_clone(NULL, "I", CLONE_NEWPID, SIGCHLD);
	c = spawn_by(i, "C");
	expect_equal(ask(leader(c), order_reboot, LINUX_REBOOT_CMD_CAD_ON, 0),
		     -EINVAL, "reboot(CAD_ON)",
		     "reboot_pid_ns(): not in a pid namespace");
	tell(leader(c), order_reboot, command, 0);
	seen = view_death(i);
	expect_views(i, &seen, &want,
		     "zap_pid_ns_processes(): group_exit_code is the reboot's; tsk->exit_code is not");
}

static void play(void)
{
	one(LINUX_REBOOT_CMD_RESTART, "RESTART", SIGHUP);
	one(LINUX_REBOOT_CMD_RESTART2, "RESTART2", SIGHUP);
	one(LINUX_REBOOT_CMD_POWER_OFF, "POWER_OFF", SIGINT);
	one(LINUX_REBOOT_CMD_HALT, "HALT", SIGINT);
}

static const char *const watches[] = {
	"cf3f89214ef6 (\"pidns: add reboot_pid_ns() to handle the reboot syscall\")",
	NULL
};

SCENARIO(reboot_namespace) = {
	.name = "reboot-namespace",
	.summary =
		"known divergence: reboot() in a pid namespace, wait and SIGCHLD disagree",
	.rows = "A6 ZP5 RB1",
	.needs = NEED_ROOT,
	.watches = watches,
	.play = play,
};

#define CODE(n) ((n) << 8)

/* reboot_pid_ns() ends who calls it by do_exit(0), and that is init here. */
static void by_itself(void)
{
	int other = kernel_before(5, 17) ? 0 : SIGHUP;
	struct views want = { CODE(0), other, other, SIGHUP, CODE(0), -1 };
	struct views seen;
	struct actor *i;

	step("I, init of a pid namespace, calls reboot(RESTART) itself");
	i = spawn_clone(NULL, "I", CLONE_NEWPID, SIGCHLD);
	tell(leader(i), order_reboot, LINUX_REBOOT_CMD_RESTART, 0);
	seen = view_death(i);
	expect_views(i, &seen, &want,
		     "zap_pid_ns_processes(): group_exit_code is the reboot's; tsk->exit_code is that of do_exit(0)");
}

SCENARIO(reboot_itself) = {
	.name = "reboot-itself",
	.summary =
		"known divergence: the init of a pid namespace calls reboot(): killed, or exited 0",
	.rows = "A6 ZP5.1",
	.needs = NEED_ROOT,
	.watches = watches,
	.play = by_itself,
};

/*
 * With a leader that is dead before, release_task() of the last thread gives it
 * the group's code: here all agree. Commit 9133607de37a, 6.15, see exit-code.c.
 */
static void delayed(void)
{
	int other = kernel_before(5, 17) ? CODE(3) : SIGINT;
	struct views want = { SIGINT, other, other, SIGINT, SIGINT, -1 };
	struct views seen;
	struct actor *i, *c;
	struct thread *t;

	step("the leader of I has ended, its thread T is the init; C reboots");
	i = spawn_clone(NULL, "I", CLONE_NEWPID, SIGCHLD);
	t = thread(i, "T");
	c = spawn_from(t, "C");
	exit_thread(leader(i), 3);
	expect_state(leader(i), 'Z', "exit_notify(): EXIT_ZOMBIE, delayed");
	tell(leader(c), order_reboot, LINUX_REBOOT_CMD_HALT, 0);
	seen = view_death(i);
	if (kernel_before(6, 15) && seen.sigchld == CODE(3)) {
		note("SIGCHLD has the leader's own code: before commit 9133607de37a");
		want.sigchld = CODE(3);
		want.info = CODE(3);
	}
	expect_views(i, &seen, &want,
		     "zap_pid_ns_processes(), then release_task(T): zap_leader");
	expect_gone(t, "release_task(T)");
}

SCENARIO(reboot_delayed) = {
	.name = "reboot-delayed",
	.summary =
		"reboot() in a pid namespace whose init has lost its leader: all agree",
	.rows = "A6 ZP1.1 ZP5.1",
	.needs = NEED_ROOT,
	.watches = watches,
	.play = delayed,
};

#define CTRL_ALT_DEL "/proc/sys/kernel/ctrl-alt-del"

static void set_cad(const char *value)
{
	_cleanup_close_ int fd = open(CTRL_ALT_DEL, O_WRONLY | O_CLOEXEC);

	if (fd >= 0 && write(fd, value, strlen(value)) < 0)
		fprintf(stderr, CTRL_ALT_DEL ": %m\n");
}

/* What Ctrl-Alt-Del does, the one order of reboot() that ends nothing. */
static void expect_cad(int command, char wanted)
{
	char seen[8] = "";
	int err = reboot(command) ? -errno : 0;

	proc_read(1, 0, "../sys/kernel/ctrl-alt-del", seen, sizeof(seen));
	expect(!err && seen[0] == wanted,
	       "reboot_pid_ns(): the first namespace is left to reboot() itself",
	       "reboot(%#x): %d, ctrl-alt-del %c (expected 0, %c)", command,
	       err, seen[0], wanted);
}

static void of_the_machine(void)
{
	static char before[8];

	step("outside of any: what Ctrl-Alt-Del does is set, and set back");
	if (proc_read(1, 0, "../sys/kernel/ctrl-alt-del", before,
		      sizeof(before)) <= 0)
		skip("no " CTRL_ALT_DEL);
	at_end(set_cad, before);
	expect_cad(LINUX_REBOOT_CMD_CAD_ON, '1');
	expect_cad(LINUX_REBOOT_CMD_CAD_OFF, '0');
}

SCENARIO(reboot_machine) = {
	.name = "reboot-machine",
	.summary = "reboot() outside of a pid namespace is of the machine",
	.rows = "RB1",
	.needs = NEED_ROOT | NEED_VM,
	.play = of_the_machine,
};
