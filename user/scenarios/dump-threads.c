// SPDX-License-Identifier: GPL-2.0
/*
 * Whom a core dump waits for, and who is in it. K, the parent, has a folder of
 * its own to dump to and looks at what is there.
 */
#include <elf.h>
#include <errno.h>
#include <glob.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/procfs.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../core/await.h"
#include "../core/proc.h"
#include "../scenario.h"

/* A mount of its own, which goes with the processes that are in it. */
static int64_t order_folder(const struct order *o)
{
	static const struct rlimit much = { 64 << 20, 64 << 20 };

	(void)o;
	if (unshare(CLONE_NEWNS) < 0 ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("none", "/tmp", "tmpfs", 0, NULL) < 0 || chdir("/tmp") < 0 ||
	    setrlimit(RLIMIT_CORE, &much) < 0)
		return -errno;
	return 0;
}

/* Notes of one thread each, in @size bytes of notes at the file's place. */
static int count_threads(int fd, size_t size)
{
	size_t seen = 0;
	int n = 0;
	Elf64_Nhdr h;

	while (seen < size && read(fd, &h, sizeof(h)) == sizeof(h)) {
		size_t body =
			(h.n_namesz + 3UL) / 4 * 4 + (h.n_descsz + 3UL) / 4 * 4;

		n += h.n_type == NT_PRSTATUS;
		if (lseek(fd, (off_t)body, SEEK_CUR) < 0)
			return -errno;
		seen += sizeof(h) + body;
	}
	return n;
}

static int threads_in(const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	Elf64_Phdr note;
	Elf64_Ehdr e;

	if (fd < 0)
		return -errno;
	/* The notes come first in what the kernel writes. */
	if (read(fd, &e, sizeof(e)) != sizeof(e) ||
	    pread(fd, &note, sizeof(note), (off_t)e.e_phoff) != sizeof(note) ||
	    note.p_type != PT_NOTE ||
	    lseek(fd, (off_t)note.p_offset, SEEK_SET) < 0)
		return -ENODATA;
	return count_threads(fd, note.p_filesz);
}

/* How many threads are in the core file, which is removed; 0: there is none. */
static int64_t order_core(const struct order *o)
{
	glob_t found = { 0 };
	int n = 0;

	(void)o;
	if (!glob("core*", 0, NULL, &found)) {
		n = found.gl_pathc > 1 ? -EEXIST :
					 threads_in(found.gl_pathv[0]);
		unlink(found.gl_pathv[0]);
	}
	globfree(&found);
	return n;
}

/* Of this thread, which then is where an order cannot return from. */
static int64_t order_signal_me(const struct order *o)
{
	syscall(SYS_tgkill, getpid(), gettid(), (int)o->arg[0]);
	return 0;
}

static struct actor *keeper(void)
{
	char pattern[128] = "";
	struct actor *k;

	proc_read(1, 0, "../sys/kernel/core_pattern", pattern, sizeof(pattern));
	if (strncmp(pattern, "core", 4))
		skip("core_pattern is not core: a dump would go elsewhere");
	k = spawn("K");
	if (ask(leader(k), order_folder, 0, 0))
		broken("K cannot make a folder of its own");
	return k;
}

static void expect_core(struct actor *k, int threads, const char *why)
{
	expect_equal(ask(leader(k), order_core, 0, 0), threads,
		     "threads in the core file, 0: no file", why);
}

static void expect_dumped(struct actor *k, struct actor *p, int sig)
{
	expect_wait(leader(k), p->pid, WEXITED, WAITED(p->pid, CLD_DUMPED, sig),
		    "coredump_finish(): 0x80 in the group's code");
}

/* --- one that is in do_exit() ------------------------------------------- */

/* P: T is held in do_exit(), and the leader aborts. */
static struct actor *dying_at(struct actor *k, enum exit_point where, int *g,
			      struct thread **t, struct thread **u)
{
	struct actor *p = spawn_by(k, "P");

	*g = gate();
	*t = thread(p, "T");
	*u = thread(p, "U");
	hold_in_exit(*t, *g, where, 5);
	tell(leader(p), order_signal_me, SIGABRT, 0);
	return p;
}

static void dying(void)
{
	struct actor *k = keeper(), *p;
	struct thread *t, *u;
	int g;

	step("P: T is held in exit_files(), the leader aborts: a dump without T");
	p = dying_at(k, IN_FILES, &g, &t, &u);
	expect_gone(u, "coredump_finish(): nobody waits for T");
	expect_state(leader(p), 'Z', "exit_notify(): delayed leader");
	expect_state(t, 'D', "wait_event()");
	expect_core(k, 2, "coredump_task_exit(): the leader and U");
	expect_wait(leader(k), p->pid, WEXITED | WNOHANG, 0,
		    "wait_consider_task(): delay_group_leader()");
	expect_equal(release(g), 1, "threads released", "the gate held T");
	expect_dumped(k, p, SIGABRT);

	step("T is held in exit_mm(), in a fault: the dump waits, and is without T");
	p = dying_at(k, IN_MM_RELEASE, &g, &t, &u);
	expect_asleep_in(leader(p), "coredump",
			 "dump_vma_snapshot(): mmap_write_lock(), T reads");
	/* Before 92307383082d, 5.16, coredump_wait() takes that lock first. */
	if (kernel_before(5, 16))
		expect_state(u, 'S', "zap_threads() was not called yet");
	else
		expect_asleep_in(u, "do_exit", "coredump_task_exit()");
	expect_state(leader(p), 'D', "mmap_write_lock_killable()");
	expect_state(t, 'D', "wait_event()");
	expect_equal(release(g), 1, "threads released", "the gate held T");
	expect_dumped(k, p, SIGABRT);
	expect_core(k, 2, "coredump_task_exit(): T is not in the list");
}

static const char *const watches[] = {
	"77f6ab8b7768 (\"don't dump the threads that had been already exiting when zapped.\")",
	"92307383082d (\"coredump: Don't perform any cleanups before dumping core\")",
	NULL
};

SCENARIO(dump_dying) = {
	.name = "dump-without-dying",
	.summary =
		"a core dump does not wait for a thread that is in do_exit(), and is without it",
	.rows = "CD2.1 A60",
	.needs = NEED_DEVICE | NEED_ROOT,
	.watches = watches,
	.play = dying,
};

/* --- one that is in D --------------------------------------------------- */

static bool pending(struct actor *p, int sig)
{
	struct proc_status st;

	if (proc_status(p->pid, 0, &st))
		broken("%s %d is gone", p->name, p->pid);
	return st.shdpnd >> (sig - 1) & 1;
}

static void waits(void)
{
	struct actor *k = keeper(), *p;
	struct thread *t, *u;
	int g = gate();

	step("P: T is in D in the device, the leader aborts: the dump waits");
	p = spawn_by(k, "P");
	t = thread(p, "T");
	u = thread(p, "U");
	hold_read(t, g);
	tell(leader(p), order_signal_me, SIGABRT, 0);
	expect_asleep_in(leader(p), "coredump",
			 "coredump_wait(): T is not dying yet");
	expect_state(leader(p), 'D', "coredump_wait(): uninterruptible");
	expect_asleep_in(u, "do_exit", "coredump_task_exit()");
	expect_verdict(p);

	step("no other signal is let in: SIGTERM is lost");
	send_signal(p, SIGTERM);
	expect(!pending(p, SIGTERM),
	       "prepare_signal(): core_state lets SIGKILL in only",
	       "SIGTERM pending for P: %s", pending(p, SIGTERM) ? "yes" : "no");
	expect_core(k, 0, "coredump_wait(): has not begun");

	step("T is released: all three are in the dump");
	expect_equal(release(g), 1, "threads released", "the gate held T");
	expect_dumped(k, p, SIGABRT);
	expect_core(k, 3, "coredump_task_exit(): T and U, parked");
}

SCENARIO(dump_waits) = {
	.name = "dump-waits",
	.summary =
		"a core dump waits for a thread in D; SIGTERM is lost; all threads are in it",
	.rows = "CD2.2 CD3.1 CD4.1 CD5",
	.needs = NEED_DEVICE | NEED_ROOT,
	.verdict = "core-dump",
	.play = waits,
};

/* --- one that is traced ------------------------------------------------- */

/* @before: the event comes before the thread parks, so that the dump waits. */
static void traced(void)
{
	bool before = kernel_before(5, 16);
	const int64_t event = SIGTRAP | PTRACE_EVENT_EXIT << 8;
	struct actor *k = keeper(), *p, *x;
	struct thread *t;

	step("X wants to know when T of P ends; the leader of P aborts");
	p = spawn_by(k, "P");
	t = thread(p, "T");
	x = spawn("X");
	trace(leader(x), PTRACE_SEIZE, t, PTRACE_O_TRACEEXIT);
	tell(leader(p), order_signal_me, SIGABRT, 0);
	expect_wait(leader(x), t->tid, WSTOPPED | (int)__WALL,
		    WAITED(t->tid, CLD_TRAPPED, event),
		    "do_exit(): ptrace_event(PTRACE_EVENT_EXIT)");
	expect_state(t, 't', "ptrace_stop()");
	if (before) {
		expect_state(leader(p), 'D', "coredump_wait(): T is not there");
		expect_core(k, 0, "coredump_wait(): has not begun");
	} else {
		expect_state(leader(p), 'Z', "exit_notify(): delayed leader");
		expect_core(k, 2,
			    "synchronize_group_exit(): T parked before that");
	}
	trace(leader(x), PTRACE_CONT, t, 0);
	expect_wait(leader(x), t->tid, WEXITED | (int)__WALL,
		    WAITED(t->tid, CLD_DUMPED, SIGABRT),
		    "wait_task_zombie(): the group's code");
	expect_dumped(k, p, SIGABRT);
	if (before)
		expect_core(k, 2, "exit_mm(): T parked after that");
}

SCENARIO(dump_traced) = {
	.name = "dump-traced",
	.summary =
		"a traced thread tells of its end after the core dump, before 5.16 in its way",
	.rows = "CD4.1 A60",
	.needs = NEED_ROOT,
	.watches = watches,
	.play = traced,
};

/* --- one of another process --------------------------------------------- */

static const char *const twin_watches[] = {
	"0258b5fd7c71 (\"coredump: Limit coredumps to a single thread group\")",
	NULL
};

static void twin(void)
{
	struct actor *k = keeper(), *p, *e;

	step("E has the memory of P, and aborts: %s",
	     kernel_before(5, 16) ? "P dies, too" : "P lives");
	p = spawn_by(k, "P");
	e = spawn_twin(leader(p), "E", 0, 0);
	expect_state(leader(e), 'S', "rt_sigtimedwait()");
	send_signal(e, SIGABRT);
	if (kernel_before(5, 16)) {
		expect_wait(leader(k), p->pid, WEXITED,
			    WAITED(p->pid, CLD_KILLED, SIGABRT),
			    "zap_threads(): whoever has that memory");
		return;
	}
	expect_wait(leader(p), e->pid, WEXITED,
		    WAITED(e->pid, CLD_DUMPED, SIGABRT),
		    "coredump_finish(): 0x80 in the group's code");
	expect_core(k, 1, "zap_process(): the threads of E only");
	exit_group(leader(p), 7);
	expect_wait(leader(k), p->pid, WEXITED, WAITED(p->pid, CLD_EXITED, 7),
		    "wait_task_zombie()");
}

SCENARIO(dump_twin) = {
	.name = "dump-shared-memory",
	.summary =
		"a process dumps core that shares its memory: the other lives, before 5.16 not",
	.rows = "A59",
	.needs = NEED_ROOT,
	.watches = twin_watches,
	.play = twin,
};

/* --- it is refused ------------------------------------------------------ */

static const char *const refused_why =
	"zap_threads(): -EAGAIN, and since 5.17 get_signal() before it";

/**
 * struct crasher - P, whose T is about to take SIGSEGV, if its tracer X says so
 */
struct crasher {
	struct actor *p, *x;
	struct thread *t, *u;
};

static struct crasher about_to_dump(struct actor *k)
{
	struct crasher c = { .p = spawn_by(k, "P"), .x = spawn("X") };

	c.t = thread(c.p, "T");
	c.u = thread(c.p, "U");
	trace(leader(c.x), PTRACE_SEIZE, c.t, 0);
	tell(c.t, order_signal_me, SIGSEGV, 0);
	expect_wait(leader(c.x), c.t->tid, WSTOPPED | (int)__WALL,
		    WAITED(c.t->tid, CLD_TRAPPED, SIGSEGV),
		    "get_signal(): ptrace_signal()");
	expect_state(c.t, 't', "ptrace_stop()");
	return c;
}

/* T is dead, a zombie for X until it waits. */
static void expect_t_gone(struct crasher *c, int code, int status)
{
	expect_wait(leader(c->x), c->t->tid, WEXITED | (int)__WALL,
		    WAITED(c->t->tid, code, status), refused_why);
}

static void expect_p_gone(struct actor *k, struct crasher *c, int code,
			  int status)
{
	expect_wait(leader(k), c->p->pid, WEXITED,
		    WAITED(c->p->pid, code, status), refused_why);
	expect_core(k, 0, refused_why);
}

static void refused(void)
{
	struct actor *k = keeper();
	struct crasher c;

	step("T of P is about to dump core, U calls exit_group(7): no dump");
	c = about_to_dump(k);
	exit_group(c.u, 7);
	expect_t_gone(&c, CLD_EXITED, 7);
	expect_p_gone(k, &c, CLD_EXITED, 7);

	step("the same, and P is killed: no dump");
	c = about_to_dump(k);
	send_signal(c.p, SIGKILL);
	expect_t_gone(&c, CLD_KILLED, SIGKILL);
	expect_p_gone(k, &c, CLD_KILLED, SIGKILL);

	step("the same, and U calls exec: no dump, T dies without a code");
	c = about_to_dump(k);
	tell(c.u, order_exec, 0, 0);
	expect_t_gone(&c, CLD_EXITED, 0);
	expect_execed(c.u, "de_thread(): T and the leader are gone");
	exit_group(leader(c.p), 3);
	expect_p_gone(k, &c, CLD_EXITED, 3);

	step("X says yes, and nothing else happens: a dump");
	c = about_to_dump(k);
	trace(leader(c.x), PTRACE_CONT, c.t, SIGSEGV);
	expect_t_gone(&c, CLD_DUMPED, SIGSEGV);
	expect_dumped(k, c.p, SIGSEGV);
	expect_core(k, 3, "zap_threads(): no exit and no exec under way");
}

/* Two threads at once: the second finds an exit under way. */
#define ROUNDS 10

static void both(void)
{
	struct actor *k = keeper(), *p;
	struct thread *t, *u;

	step("T and U of P take SIGSEGV at once, %d times: one dump with all three",
	     ROUNDS);
	for (int i = 0; i < ROUNDS; i++) {
		p = spawn_by(k, "P");
		t = thread(p, "T");
		u = thread(p, "U");
		tell(t, order_signal_me, SIGSEGV, 0);
		tell(u, order_signal_me, SIGSEGV, 0);
		expect_dumped(k, p, SIGSEGV);
		expect_core(k, 3, "zap_threads(): the first one only");
	}
}

SCENARIO(dump_both) = {
	.name = "dump-twice",
	.summary = "two threads are to dump core at once: one does",
	.rows = "CD1",
	.needs = NEED_ROOT,
	.play = both,
};

SCENARIO(dump_refused) = {
	.name = "dump-refused",
	.summary =
		"a thread is to dump core, while the process ends or calls exec: no dump",
	.rows = "CD1.1",
	.needs = NEED_ROOT,
	.play = refused,
};
