// SPDX-License-Identifier: GPL-2.0
/*
 * What a tracer has set up in its tracee ends with it: __ptrace_unlink(). Stops
 * at system calls, a trap that was asked for, a stop of the group that it had
 * lifted, its say in exec; and who was asleep is not disturbed.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../core/actor.h"
#include "../core/await.h"
#include "../core/dev.h"
#include "../scenario.h"

#ifndef PTRACE_SYSEMU
#define PTRACE_SYSEMU 31
#endif

#define EVENT_STOP(sig) (PTRACE_EVENT_STOP << 8 | (sig))

/* X has seized C. */
static struct actor *seize(struct actor *c)
{
	struct actor *x = spawn("X");

	trace(leader(x), PTRACE_SEIZE, leader(c), 0);
	return x;
}

static void interrupt(struct actor *x, struct actor *c)
{
	trace(leader(x), PTRACE_INTERRUPT, leader(c), 0);
	expect_wait(leader(x), c->pid, WSTOPPED,
		    WAITED(c->pid, CLD_TRAPPED, EVENT_STOP(SIGTRAP)),
		    "do_jobctl_trap(): PTRACE_EVENT_STOP");
}

static void end_tracer(struct actor *x)
{
	send_signal(x, SIGKILL);
	reap(x);
}

/* --- system calls ------------------------------------------------------- */

/* Of the runner and its children. */
struct spinner {
	atomic_int spins, enough;
};

/* No system call in it. */
static int64_t order_spin(const struct order *o)
{
	struct spinner *s = (struct spinner *)(uintptr_t)o->arg[0];

	s->spins = 1;
	while (!s->enough)
		;
	return getpid();
}

static bool spins(void *arg)
{
	return ((struct spinner *)arg)->spins;
}

static void left_with(int request, const char *why)
{
	struct spinner *s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct actor *c, *x;
	int64_t seen = 0;

	if (s == MAP_FAILED)
		broken("no memory: %m");
	c = spawn("C");
	tell(leader(c), order_spin, (int64_t)(uintptr_t)s, 0);
	if (!await_true(spins, s, AWAIT_MS))
		broken("C does not run");
	x = seize(c);
	interrupt(x, c);
	trace(leader(x), request, leader(c), 0);
	end_tracer(x);
	/* Of the next tracer no such thing was asked. */
	x = seize(c);
	s->enough = 1;
	thread_result(leader(c), AWAIT_MS, &seen);
	expect_equal(seen, c->pid, "getpid() by C, traced anew", why);
	end_tracer(x);
}

static void syscalls(void)
{
	step("C runs and shall stop at its next system call; X is killed");
	left_with(PTRACE_SYSCALL,
		  "__ptrace_unlink(): SYSCALL_TRACE is cleared");

	step("the next one of C shall be done by X; X is killed");
	left_with(PTRACE_SYSEMU, "__ptrace_unlink(): SYSCALL_EMU is cleared");
}

SCENARIO(tracer_leaves_syscalls) = {
	.name = "tracer-leaves-syscalls",
	.summary =
		"a tracer that stopped its tracee at system calls, or did them for it, is killed",
	.needs = NEED_ROOT,
	.rows = "PU1.2",
	.play = syscalls,
};

/* --- a trap that is pending --------------------------------------------- */

static void trap(void)
{
	struct actor *c, *x;
	int g = gate();

	step("C is in D; X seizes and interrupts it, and is killed");
	c = spawn("C");
	hold_read(leader(c), g);
	x = seize(c);
	trace(leader(x), PTRACE_INTERRUPT, leader(c), 0);
	end_tracer(x);

	step("C is released: nothing is left of the trap");
	expect_equal(release(g), 1, "threads released", "the gate held C");
	expect_state(leader(c), 'S',
		     "__ptrace_unlink(): JOBCTL_TRAP_MASK is cleared");
	exit_group(leader(c), 7);
	expect_death(c, 7 << 8, "do_group_exit()");
}

SCENARIO(tracer_leaves_trap) = {
	.name = "tracer-leaves-trap",
	.summary =
		"a tracer interrupts a tracee in D and is killed: the trap goes with it",
	.needs = NEED_ROOT | NEED_DEVICE,
	.rows = "PU1.2",
	.play = trap,
};

/* --- a stop that the tracer had lifted ---------------------------------- */

static void lifted(void)
{
	struct actor *c, *x;

	step("the group of C has stopped; X seizes it, and has it go on");
	c = spawn("C");
	send_signal(c, SIGSTOP);
	expect_wait(NULL, c->pid, WSTOPPED,
		    WAITED(c->pid, CLD_STOPPED, SIGSTOP), "do_signal_stop()");
	x = seize(c);
	expect_wait(leader(x), c->pid, WSTOPPED,
		    WAITED(c->pid, CLD_TRAPPED, EVENT_STOP(SIGSTOP)),
		    "ptrace_set_stopped(): JOBCTL_TRAP_STOP");
	trace(leader(x), PTRACE_CONT, leader(c), 0);
	expect_state(leader(c), 'S', "ptrace_resume()");

	step("X is killed: C stops again, with its group");
	end_tracer(x);
	expect_state(leader(c), 'T',
		     "__ptrace_unlink(): SIGNAL_STOP_STOPPED, so it is kicked");
	send_signal(c, SIGCONT);
	expect_state(leader(c), 'S', "prepare_signal(): SIGCONT");
}

SCENARIO(tracer_leaves_stopped) = {
	.name = "tracer-leaves-stopped",
	.summary =
		"the tracer that let a stopped tracee go on is killed: it stops again",
	.needs = NEED_ROOT,
	.rows = "PU1.1",
	.play = lifted,
};

/* --- sleep -------------------------------------------------------------- */

/* Of all waits this one tells of any disturbance: EINTR. */
static int64_t order_epoll(const struct order *o)
{
	struct epoll_event e = { .events = EPOLLIN };
	_cleanup_close_ int ep = epoll_create1(EPOLL_CLOEXEC);

	if (ep < 0 || epoll_ctl(ep, EPOLL_CTL_ADD, o->fd, &e))
		return -errno;
	return epoll_wait(ep, &e, 1, -1) < 0 ? -errno : 1;
}

static void asleep(void)
{
	struct actor *c, *x;
	int64_t result = 0;
	int err, end[2];

	step("C sleeps in epoll_wait(); X seizes it, and is killed");
	if (pipe2(end, O_CLOEXEC))
		broken("cannot make a pipe: %m");
	c = spawn("C");
	err = thread_tell(leader(c), order_epoll, end[0], 0, 0);
	if (err)
		broken("C takes no orders: %d", err);
	expect_asleep_in(leader(c), "epoll_wait", "ep_poll()");
	x = seize(c);
	end_tracer(x);

	step("there is something to read: that is what it hears of");
	if (write(end[1], "x", 1) != 1)
		broken("cannot write: %m");
	err = thread_result(leader(c), AWAIT_MS, &result);
	expect(!err && result == 1,
	       "__ptrace_unlink(): it was not traced, and is not kicked",
	       "epoll_wait() in C: %lld (expected 1)", (long long)result);
	close(end[0]);
	close(end[1]);
}

SCENARIO(tracer_leaves_asleep) = {
	.name = "tracer-leaves-asleep",
	.summary = "a tracer is killed, its tracee sleeps on",
	.needs = NEED_ROOT,
	.rows = "PU1.2",
	.play = asleep,
};

/* --- one that is dying -------------------------------------------------- */

static void dying(void)
{
	struct actor *p, *x;
	struct thread *t;
	int g = gate_of(1U << UNDEAD_POINT_FLUSH, UNDEAD_KIND_INTERRUPTIBLE);

	step("T, a thread of P, dies, and sleeps interruptibly in exit_files()");
	p = spawn("P");
	t = thread(p, "T");
	x = spawn("X");
	trace(leader(x), PTRACE_SEIZE, t, 0);
	hold_in_exit(t, g, IN_FILES, 5);

	step("the group stops, and X is killed: T has no part in it");
	send_signal(p, SIGSTOP);
	expect_wait(NULL, p->pid, WSTOPPED,
		    WAITED(p->pid, CLD_STOPPED, SIGSTOP), "do_signal_stop()");
	end_tracer(x);
	expect_state(t, 'S', "__ptrace_unlink(): it has PF_EXITING");
	expect_equal(release(g), 1, "threads released", "it slept on");
	expect_gone(t, "exit_notify(): autoreap");
	send_signal(p, SIGKILL);
	expect_death(p, SIGKILL, "complete_signal()");
}

SCENARIO(tracer_leaves_dying) = {
	.name = "tracer-leaves-dying",
	.summary =
		"a tracer is killed, its tracee is dying while the group is stopped",
	.needs = NEED_ROOT | NEED_DEVICE,
	.rows = "PU1.2",
	.play = dying,
};

/* --- exec of a program that is set-user-id ------------------------------- */

#define USER 60123

static char program[64];

/* This program, of root and set-user-id. */
static void make_program(void)
{
	_cleanup_close_ int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	_cleanup_close_ int to = -1;
	struct statvfs fs;

	if (!statvfs("/tmp", &fs) && fs.f_flag & (ST_NOSUID | ST_NOEXEC))
		skip("/tmp is mounted nosuid or noexec");
	snprintf(program, sizeof(program), "/tmp/undead-%d.suid", getpid());
	at_end_remove(program);
	to = open(program, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700);
	if (from < 0 || to < 0)
		broken("cannot make %s: %m", program);
	while (sendfile(to, from, NULL, 1 << 20) > 0)
		;
	if (fchmod(to, 04755) < 0)
		broken("cannot make %s set-user-id: %m", program);
}

static int64_t order_geteuid(const struct order *o)
{
	(void)o;
	return geteuid();
}

static void expect_exec(struct actor *c, int64_t user, const char *why)
{
	tell(leader(c), order_exec, 0, (int64_t)(uintptr_t)program);
	expect_execed(leader(c), "begin_new_exec()");
	expect_equal(ask(leader(c), order_geteuid, 0, 0), user,
		     "effective user of C", why);
}

/* A user, whom others of the same may trace. */
static struct actor *spawn_user(const char *name)
{
	struct actor *a = spawn(name);

	ask(leader(a), order_setuid, USER, 0);
	ask(leader(a), order_prctl, PR_SET_DUMPABLE, 1);
	return a;
}

static void setuid_exec(void)
{
	struct actor *c, *x;

	step("C and X are of user %d; X traces C, which executes a program of root",
	     USER);
	make_program();
	c = spawn_user("C");
	x = spawn_user("X");
	trace(leader(x), PTRACE_SEIZE, leader(c), 0);
	expect_exec(c, USER,
		    "cap_bprm_creds_from_file(): LSM_UNSAFE_PTRACE, ptracer_capable()");

	step("the same of another, whose tracer interrupts it and lets it go");
	c = spawn_user("C");
	trace(leader(x), PTRACE_SEIZE, leader(c), 0);
	interrupt(x, c);
	trace(leader(x), PTRACE_DETACH, leader(c), 0);
	expect_exec(c, 0, "__ptrace_unlink(): ptracer_cred is NULL");
}

SCENARIO(tracer_leaves_setuid) = {
	.name = "tracer-leaves-setuid",
	.summary =
		"exec of a set-user-id program: as who one is when traced, as its owner when no more",
	.needs = NEED_ROOT | NEED_VM,
	.rows = "PU1.2",
	.play = setuid_exec,
};
