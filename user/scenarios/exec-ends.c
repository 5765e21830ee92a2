// SPDX-License-Identifier: GPL-2.0
/*
 * An exec that does not come about: it fails before or after the point of no
 * return, it waits for a dead thread that only a tracer can take away, or it is
 * killed while it waits for the leader.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "../core/await.h"
#include "../core/pidfd.h"
#include "../core/proc.h"
#include "../scenario.h"

#define CODE(n) ((n) << 8)

/* --- it fails ----------------------------------------------------------- */

/* A program that no kernel knows. */
static int64_t order_exec_garbage(const struct order *o)
{
	char *argv[] = { "garbage", NULL };
	_cleanup_close_ int fd =
		(int)syscall(SYS_memfd_create, "garbage", MFD_CLOEXEC);

	(void)o;
	if (fd < 0 || write(fd, "garbage\n", 8) != 8)
		return -errno;
	syscall(SYS_execveat, fd, "", argv, NULL, AT_EMPTY_PATH);
	return -errno;
}

static int64_t order_exec_nothing(const struct order *o)
{
	char *argv[] = { "nothing", NULL };

	(void)o;
	execv("/proc/self/nothing", argv);
	return -errno;
}

/* Too little room for any program: this shows when the old one is gone. */
static int64_t order_no_room(const struct order *o)
{
	static const struct rlimit none = { 0, 0 }, little = { 65536, 65536 };

	(void)o;
	if (setrlimit(RLIMIT_CORE, &none) < 0 ||
	    setrlimit(RLIMIT_AS, &little) < 0)
		return -errno;
	return 0;
}

/* A thread that another's exec has ended has no code. */
static void expect_no_code(int pidfd, const char *name)
{
	struct pidfd_details d = { .mask = PIDFD_INFO_EXIT_BIT };

	if (pidfd < 0 || pidfd_details(pidfd, &d) ||
	    !(d.mask & PIDFD_INFO_EXIT_BIT)) {
		note("this kernel does not tell the code of a thread (6.15 has it)");
		return;
	}
	expect(!d.exit_code,
	       "do_group_exit(): group_exec_task is set, so the code is 0",
	       "%s: exit code %#x (expected 0)", name,
	       (unsigned int)d.exit_code);
}

static void fails(void)
{
	struct thread *t, *u, *all[3];
	struct actor *p;
	int pidfd;

	step("P: the threads T and U; T's exec fails before anything is lost");
	p = spawn("P");
	t = thread(p, "T");
	u = thread(p, "U");
	all[0] = leader(p);
	all[1] = t;
	all[2] = u;
	expect_equal(ask(t, order_exec_nothing, 0, 0), -ENOENT,
		     "execve() of nothing", "do_open_execat()");
	expect_equal(ask(t, order_exec_garbage, 0, 0), -ENOEXEC,
		     "execveat() of garbage", "search_binary_handler()");
	expect_tasks(p, all, 3, "begin_new_exec() was not called");
	expect_state(leader(p), 'S', "recvmsg(): L is healthy");
	expect_state(u, 'S', "recvmsg(): U is healthy");

	step("T's exec finds no room for the new program: SIGSEGV, blocked or not");
	pidfd = pidfd_of(u->tid, PIDFD_THREAD);
	ask(t, order_sigaction, SIGSEGV, DISPOSE_IGNORE);
	ask(t, order_sigmask, SIG_BLOCK, SIGSEGV);
	expect_equal(ask(t, order_no_room, 0, 0), 0, "setrlimit()",
		     "do_prlimit()");
	tell(t, order_exec, 0, 0);
	expect_death(p, SIGSEGV,
		     "bprm_execve(): point_of_no_return, force_fatal_sig()");
	expect_gone(u, "zap_other_threads()");
	expect_no_code(pidfd, "U");
}

SCENARIO(exec_fails) = {
	.name = "exec-fails",
	.summary =
		"exec fails: with an error and unharmed, or too late and by SIGSEGV",
	.rows = "EX1.1",
	.play = fails,
};

/* --- it waits for the leader and is killed ------------------------------ */

/*
 * T, whose code 9 is the group's, is gone before the leader, whose own code is
 * 3: what SIGCHLD and pidfd say then is the leader's, see exit-code-leader-last.
 */
static void expect_killed(struct actor *p)
{
	struct views seen, want = {
		.sigchld = CODE(3),
		.stat = SIGKILL,
		.wnowait = SIGKILL,
		.wait = SIGKILL,
		.info = CODE(3),
	};

	/* Before 907c311f37ba and 2d18f7f45620, 5.17: the task's own. */
	if (kernel_before(5, 17)) {
		want.stat = CODE(3);
		want.wnowait = CODE(3);
	}
	seen = view_death(p);
	expect_views(p, &seen, &want,
		     "complete_signal(): the group's code; exit_notify(): the leader's");
}

static void killed_leader(void)
{
	struct thread *t, *u;
	struct actor *p;
	int g = gate();

	step("P: the leader ends by SYS_exit(3) and is held in exit_files()");
	p = spawn("P");
	t = thread(p, "T");
	u = thread(p, "U");
	hold_in_exit(leader(p), g, IN_FILES, 3);

	step("T calls exec: U dies of it, T waits for the leader");
	tell(t, order_exec, 0, 0);
	expect_gone(u, "zap_other_threads()");
	expect_asleep_in(t, "begin_new_exec",
			 "de_thread(): leader->exit_state is 0, notify_count -1");
	expect_state(t, 'D', "de_thread(): TASK_KILLABLE");
	expect_verdict(p);

	step("P is killed: T gives up, the leader cannot");
	send_signal(p, SIGKILL);
	expect_gone(t,
		    "de_thread(): fatal_signal_pending() in the second loop");
	expect_state(leader(p), 'D', "wait_event()");
	expect_no_sigchld(p, "exit_notify() of the leader has not run");
	expect_no_wakeup(p->pidfd, "pidfd of P", "pidfd_poll(): no exit_state");

	step("the leader is released: P is dead");
	expect_equal(release(g), 1, "threads released", "the gate held L");
	expect_killed(p);
}

SCENARIO(exec_killed_leader) = {
	.name = "exec-killed-leader",
	.summary =
		"exec waits for the leader, which is stuck in exit, and is killed",
	.rows = "DT5.2 DT6.1",
	.needs = NEED_DEVICE | NEED_ROOT,
	.verdict = "exec-waits",
	.play = killed_leader,
};

/* --- it waits for a dead thread ----------------------------------------- */

/*
 * A dead thread stays until its tracer has waited for it, and exec counts it.
 * Meanwhile exec has cred_guard_mutex, which the tracer needs to attach.
 */
static struct actor *waits_for_zombie(struct actor **x, struct thread **t)
{
	struct actor *p;

	step("P: its thread T is traced by X and ends: X does not wait");
	p = spawn("P");
	*t = thread(p, "T");
	*x = spawn("X");
	trace(leader(*x), PTRACE_SEIZE, *t, 0);
	exit_thread(*t, 5);
	expect_state(*t, 'Z', "exit_notify(): traced, no autoreap");

	step("the leader calls exec: it waits for T, which is dead");
	tell(leader(p), order_exec, 0, 0);
	expect_asleep_in(leader(p), "begin_new_exec",
			 "zap_other_threads(): counts it; notify_count is 1");
	expect_state(leader(p), 'D', "de_thread(): TASK_KILLABLE");
	expect_verdict(p);
	return p;
}

static int64_t answer_of(struct thread *t)
{
	int64_t r = 0;

	if (thread_result(t, AWAIT_MS, &r))
		return -ETIMEDOUT;
	return r;
}

static void traced_zombie(void)
{
	struct thread *x2, *t;
	struct actor *x;
	struct actor *p = waits_for_zombie(&x, &t);

	step("another thread of X attaches to the leader: that waits, too");
	x2 = thread(x, "X2");
	tell(x2, order_ptrace, PTRACE_SEIZE, leader(p)->tid);
	expect_asleep_in(x2, "ptrace_attach",
			 "bprm_execve(): cred_guard_mutex is exec's");
	expect_state(x2, 'S', "mutex_lock_interruptible()");

	step("X waits for T: exec goes on, and then the attach does");
	expect_wait(leader(x), t->tid, WEXITED | (int)__WALL,
		    WAITED(t->tid, CLD_EXITED, 5),
		    "wait_task_zombie(): T's own code, the group lives");
	expect_execed(leader(p), "__exit_signal(T): notify_count is 0");
	expect_gone(t, "release_task(): by the tracer's wait");
	expect_equal(answer_of(x2), 0, "PTRACE_SEIZE of the leader",
		     "ptrace_attach(): cred_guard_mutex is free");
	expect_no_sigchld(p, "the process goes on");
	exit_group(leader(p), 7);
	expect_wait(x2, p->pid, WEXITED | (int)__WALL,
		    WAITED(p->pid, CLD_EXITED, 7), "wait_task_zombie()");
	expect_death(p, CODE(7), "do_group_exit()");
}

SCENARIO(exec_traced_zombie) = {
	.name = "exec-traced-zombie",
	.summary =
		"exec waits for a dead thread whose tracer does not wait; attaching waits for exec",
	.rows = "ZO1.1 DT4.2 A57",
	.needs = NEED_ROOT,
	.verdict = "tracer-holds",
	.play = traced_zombie,
};

static void traced_zombie_killed(void)
{
	struct thread *t;
	struct actor *x;
	struct actor *p = waits_for_zombie(&x, &t);

	step("P is killed: exec ends, the leader dies, T is still in the way");
	send_signal(p, SIGKILL);
	expect_state(leader(p), 'Z', "de_thread(): fatal_signal_pending()");
	expect_equal(ask(leader(x), order_ptrace, PTRACE_SEIZE, p->pid), -EPERM,
		     "PTRACE_SEIZE of the leader",
		     "ptrace_attach(): exit_state is set");
	expect_no_sigchld(p, "exit_notify(): thread_group_empty() is false");
	expect_no_wakeup(p->pidfd, "pidfd of P",
			 "pidfd_poll(): delayed leader");

	step("X waits for T, and is told the group's code: P is dead");
	expect_wait(leader(x), t->tid, WEXITED | (int)__WALL,
		    WAITED(t->tid, CLD_KILLED, SIGKILL),
		    "wait_task_zombie(): SIGNAL_GROUP_EXIT is set, group_exit_code");
	expect_death(p, SIGKILL, "release_task(T): zap_leader");
}

SCENARIO(exec_traced_zombie_killed) = {
	.name = "exec-traced-zombie-killed",
	.summary =
		"exec waits for a dead thread whose tracer does not wait, and is killed",
	.rows = "DT4.1 EX1.2 A57",
	.needs = NEED_ROOT,
	.verdict = "tracer-holds",
	.play = traced_zombie_killed,
};

/* --- whom the tracer means ---------------------------------------------- */

static int64_t order_event_message(const struct order *o)
{
	unsigned long message = 0;

	if (ptrace(PTRACE_GETEVENTMSG, (pid_t)o->arg[0], NULL, &message) < 0)
		return -errno;
	return (int64_t)message;
}

static const char *const watches[] = {
	"dbb5afad100a (\"ptrace: make ptrace() fail if the tracee changed its pid unexpectedly\")",
	NULL
};

static void spurious(void)
{
	const int64_t event =
		SIGTRAP | PTRACE_EVENT_EXEC << 8; /* si_status of the stop */
	struct actor *p, *x;
	struct thread *t;
	pid_t tid;

	step("X traces the thread T of P, not its leader; T calls exec");
	p = spawn("P");
	t = thread(p, "T");
	tid = t->tid;
	x = spawn("X");
	trace(leader(x), PTRACE_SEIZE, t, PTRACE_O_TRACEEXEC);
	tell(t, order_exec, 0, 0);
	expect_state(leader(p), 't', "ptrace_event(PTRACE_EVENT_EXEC)");
	expect_equal(ask(leader(x), order_event_message, p->pid, 0), -ESRCH,
		     "PTRACE_GETEVENTMSG of P before a wait",
		     "ptrace_freeze_traced(): looks_like_a_spurious_pid()");
	expect_wait(leader(x), p->pid, WSTOPPED | (int)__WALL,
		    WAITED(p->pid, CLD_TRAPPED, event), "wait_task_stopped()");
	expect_equal(ask(leader(x), order_event_message, p->pid, 0), tid,
		     "PTRACE_GETEVENTMSG of P after it",
		     "exec_binprm(): the old tid");
	trace(leader(x), PTRACE_CONT, leader(p), 0);
	expect_execed(t, "ptrace_resume()");

	step("the leader, which is traced now, calls exec: nothing unexpected");
	tell(leader(p), order_exec, 0, 0);
	expect_state(leader(p), 't', "ptrace_event(PTRACE_EVENT_EXEC)");
	expect_equal(ask(leader(x), order_event_message, p->pid, 0), p->pid,
		     "PTRACE_GETEVENTMSG of P before a wait",
		     "looks_like_a_spurious_pid(): the pid is that of before");
	trace(leader(x), PTRACE_CONT, leader(p), 0);
	expect_execed(leader(p), "ptrace_resume()");
}

SCENARIO(exec_traced_thread) = {
	.name = "exec-traced-thread",
	.summary =
		"a traced thread calls exec: under its new pid it takes orders after a wait",
	.rows = "A58",
	.watches = watches,
	.needs = NEED_ROOT,
	.play = spurious,
};
