// SPDX-License-Identifier: GPL-2.0
/*
 * CLONE_PIDFD_AUTOKILL: the close of the pidfd that clone3() gave kills; and
 * which flags it and CLONE_AUTOREAP go with. K is such a child, of R.
 */
#include <errno.h>
#include <linux/sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../core/await.h"
#include "../core/pidfd.h"
#include "../core/proc.h"
#include "../scenario.h"

#define AUTOKILL (CLONE_PIDFD_AUTOKILL | CLONE_AUTOREAP | CLONE_PIDFD)

/* It reads what it was sent, if that holds it, and does nothing else. */
static void __attribute__((noreturn)) child(int gate_fd, pid_t parent)
{
	char byte;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	if (gate_fd >= 0 && read(gate_fd, &byte, 1) < 0)
		_exit(2);
	for (;;)
		pause();
}

/* Clone with flags arg[0]: the pidfd and the pid, or -errno. */
static int64_t order_clone(const struct order *o)
{
	int pidfd = 0; /* and so it stays without CLONE_PIDFD */
	struct clone_args args = {
		.flags = (uint64_t)o->arg[0],
		.exit_signal = (uint64_t)o->arg[1],
		.pidfd = (uintptr_t)&pidfd,
	};
	pid_t me = getpid();
	long pid = syscall(SYS_clone3, &args, sizeof(args));

	if (!pid)
		child(o->fd, me);
	return pid < 0 ? -errno : (int64_t)pidfd << 32 | pid;
}

static int64_t order_close(const struct order *o)
{
	return close((int)o->arg[0]) < 0 ? -errno : 0;
}

static int64_t order_dup(const struct order *o)
{
	int fd = dup((int)o->arg[0]);

	return fd < 0 ? -errno : fd;
}

static int64_t try_clone(struct actor *r, uint64_t flags, int exit_signal)
{
	return ask(leader(r), order_clone, (int64_t)flags, exit_signal);
}

static void need_flags(struct actor *r)
{
	if (try_clone(r, AUTOKILL, 0) == -EINVAL)
		skip("no CLONE_PIDFD_AUTOKILL: commit c8134b5f13ae (\"pidfd: add CLONE_PIDFD_AUTOKILL\")");
}

static const char *const watches[] = {
	"12ae2c81b21c (\"clone: add CLONE_AUTOREAP\")",
	"24baca56fafc (\"clone: add CLONE_NNP\")",
	"c8134b5f13ae (\"pidfd: add CLONE_PIDFD_AUTOKILL\")", NULL
};

/* --- flags -------------------------------------------------------------- */

static void expect_clone(struct actor *r, uint64_t flags, int exit_signal,
			 int wanted, const char *what)
{
	int64_t seen = try_clone(r, flags, exit_signal);
	char text[96];

	snprintf(text, sizeof(text), "clone3(%s) by %s", what, r->name);
	expect_equal(seen < 0 ? seen : 0, wanted, text, "copy_process()");
}

static void expect_nnp(struct actor *r, uint64_t flags, bool wanted)
{
	int64_t k = try_clone(r, flags, 0);
	char text[8192] = "";
	const char *line;

	if (k < 0)
		broken("clone3(%#llx): %s", (unsigned long long)flags,
		       strerror((int)-k));
	proc_read((pid_t)k, 0, "status", text, sizeof(text));
	line = strstr(text, "\nNoNewPrivs:\t");
	expect(line && line[13] == '0' + wanted,
	       "copy_process(): task_set_no_new_privs()",
	       "NoNewPrivs of the child: %c (expected %d)",
	       line ? line[13] : '?', wanted);
}

static void flags(void)
{
	const uint64_t thread = CLONE_THREAD | CLONE_SIGHAND | CLONE_VM;
	struct actor *r, *c, *d;

	step("what does not go with what");
	r = spawn("R");
	need_flags(r);
	expect_clone(r, CLONE_AUTOREAP, SIGCHLD, -EINVAL, "AUTOREAP, SIGCHLD");
	expect_clone(r, CLONE_AUTOREAP | CLONE_PARENT, 0, -EINVAL,
		     "AUTOREAP | PARENT");
	expect_clone(r, CLONE_AUTOREAP | thread, 0, -EINVAL,
		     "AUTOREAP | THREAD");
	expect_clone(r, CLONE_NNP | thread, 0, -EINVAL, "NNP | THREAD");
	expect_clone(r, CLONE_PIDFD_AUTOKILL | CLONE_AUTOREAP, 0, -EINVAL,
		     "AUTOKILL | AUTOREAP");
	expect_clone(r, CLONE_PIDFD_AUTOKILL | CLONE_PIDFD, 0, -EINVAL,
		     "AUTOKILL | PIDFD");
	expect_clone(r, AUTOKILL, 0, 0, "AUTOKILL | PIDFD | AUTOREAP");
	expect_nnp(r, CLONE_AUTOREAP, false);
	expect_nnp(r, CLONE_AUTOREAP | CLONE_NNP, true);

	step("C of CLONE_AUTOREAP makes no brother, its child D is as others");
	c = spawn_clone(r, "C", CLONE_AUTOREAP, 0);
	expect_clone(c, CLONE_PARENT, 0, -EINVAL, "PARENT");
	d = spawn_by(c, "D");
	exit_group(leader(d), 7);
	expect_state(leader(d), 'Z', "copy_process(): not inherited");
	expect_wait(leader(c), d->pid, WEXITED, WAITED(d->pid, CLD_EXITED, 7),
		    "wait_task_zombie()");

	step("R is no longer root: AUTOKILL wants NNP");
	ask(leader(r), order_setuid, 60123, 0);
	expect_clone(r, AUTOKILL, 0, -EPERM, "AUTOKILL");
	expect_clone(r, AUTOKILL | CLONE_NNP, 0, 0, "AUTOKILL | NNP");
}

SCENARIO(clone_flags_autokill) = {
	.name = "clone-autokill-flags",
	.summary =
		"CLONE_AUTOREAP, CLONE_NNP, CLONE_PIDFD_AUTOKILL: which flags go together",
	.needs = NEED_ROOT,
	.watches = watches,
	.rows = "FK3 A20",
	.play = flags,
};

/* --- close -------------------------------------------------------------- */

/* K as an actor that takes no orders, to be looked at. */
struct victim {
	struct actor k;
	int fd; /* of R */
};

static struct victim *victim(struct actor *r, int gate_fd)
{
	struct victim *v = calloc(1, sizeof(*v));
	int64_t result = 0;
	int err = thread_tell(leader(r), order_clone, gate_fd,
			      (int64_t)AUTOKILL, 0);

	if (!v)
		broken("no memory for K");
	if (!err)
		err = thread_result(leader(r), AWAIT_MS, &result);
	if (err || result < 0)
		broken("cannot make K: %s",
		       strerror(err ? -err : (int)-result));
	snprintf(v->k.name, sizeof(v->k.name), "K");
	v->k.pid = (pid_t)result;
	v->k.pidfd = pidfd_of(v->k.pid, 0);
	v->k.nr = 1;
	v->k.threads[0].actor = &v->k;
	v->k.threads[0].tid = v->k.pid;
	v->k.threads[0].cmd = -1;
	snprintf(v->k.threads[0].name, sizeof(v->k.threads[0].name), "K");
	v->fd = (int)(result >> 32);
	return v;
}

static void expect_killed(struct victim *v)
{
	struct pidfd_details d = { .mask = PIDFD_INFO_EXIT_BIT };

	expect_wakeup(v->k.pidfd, "pidfd of K", "do_notify_pidfd()");
	expect_gone(leader(&v->k), "do_notify_parent(): autoreap");
	expect(!pidfd_details(v->k.pidfd, &d) && d.mask & PIDFD_INFO_EXIT_BIT &&
		       d.exit_code == SIGKILL,
	       "pidfs_file_release(): SIGKILL",
	       "exit code of K: %#x (expected %#x)", (unsigned int)d.exit_code,
	       SIGKILL);
}

static void closed(void)
{
	struct victim *v;
	struct actor *r;
	int64_t copy;
	int fd;

	step("R has K, and its pidfd twice; another pidfd of K is closed");
	r = spawn("R");
	need_flags(r);
	ask(leader(r), order_sigaction, SIGCHLD, DISPOSE_CATCH);
	v = victim(r, -1);
	copy = ask(leader(r), order_dup, v->fd, 0);
	fd = pidfd_of(v->k.pid, 0);
	close(fd);
	expect_equal(ask(leader(r), order_close, copy, 0), 0, "close() in R",
		     "fput(): not the last one of that file");
	expect_state(leader(&v->k), 'S',
		     "pidfs_file_release(): no PIDFD_AUTOKILL");
	expect_no_wakeup(v->k.pidfd, "pidfd of K",
			 "pidfs_file_release(): not that file");

	step("R closes the last of that one: K is dead, and R not told");
	expect_equal(ask(leader(r), order_close, v->fd, 0), 0, "close() in R",
		     "pidfs_file_release()");
	expect_killed(v);
	expect_equal(ask(leader(r), order_caught, SIGCHLD, 0), 0,
		     "times R caught SIGCHLD", "do_notify_parent(): autoreap");
	expect_wait(leader(r), v->k.pid, WEXITED | (int)__WALL, -ECHILD,
		    "do_notify_parent(): autoreap");

	step("K has ended before: the close kills nobody");
	v = victim(r, -1);
	if (kill(v->k.pid, SIGTERM) < 0)
		broken("cannot end K: %m");
	expect_gone(leader(&v->k), "do_notify_parent(): autoreap");
	expect_equal(ask(leader(r), order_close, v->fd, 0), 0, "close() in R",
		     "pidfs_file_release(): no task");

	step("R is killed: K goes with its files");
	v = victim(r, -1);
	send_signal(r, SIGKILL);
	reap(r);
	expect_killed(v);
}

SCENARIO(pidfd_autokill) = {
	.name = "pidfd-autokill",
	.summary =
		"CLONE_PIDFD_AUTOKILL: the close of that pidfd kills, of another one not",
	.needs = NEED_ROOT,
	.watches = watches,
	.rows = "PF6 A20",
	.play = closed,
};

static void closed_held(void)
{
	struct victim *v;
	struct actor *r;
	int g = gate();

	step("R has K, which sleeps in D");
	r = spawn("R");
	need_flags(r);
	v = victim(r, g);
	await_held(leader(&v->k), g, 1);

	step("R closes its pidfd: K is killed, and does not hear of it");
	expect_equal(ask(leader(r), order_close, v->fd, 0), 0, "close() in R",
		     "pidfs_file_release()");
	expect_state(leader(&v->k), 'D',
		     "TASK_UNINTERRUPTIBLE is deaf to SIGKILL");
	expect_no_wakeup(v->k.pidfd, "pidfd of K", "pidfd_poll(): alive");
	expect_verdict(&v->k);

	step("K is released");
	expect_equal(release(g), 1, "threads released", "the gate held K");
	expect_killed(v);
}

SCENARIO(pidfd_autokill_held) = {
	.name = "pidfd-autokill-held",
	.summary =
		"CLONE_PIDFD_AUTOKILL of a process in D: closed, killed, dead when it is released",
	.needs = NEED_DEVICE | NEED_ROOT,
	.watches = watches,
	.rows = "PF6.2",
	.verdict = "killed-in-kernel",
	.play = closed_held,
};
