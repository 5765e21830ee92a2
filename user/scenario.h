/* SPDX-License-Identifier: GPL-2.0 */
/*
 * All that the author of a scenario reads.
 *
 * A scenario is one file in scenarios/: a function that tells the story, and
 * one SCENARIO() at its end. Nothing else needs an edit.
 *
 *	static void play(void)
 *	{
 *		struct actor *p;
 *		struct thread *t;
 *
 *		step("a process with one thread");
 *		p = spawn("P");
 *		t = thread(p, "T");
 *		step("the thread sleeps in the device");
 *		hold_read(t, gate());
 *		expect_state(t, 'D', "wait_event() sleeps in TASK_UNINTERRUPTIBLE");
 *	}
 *
 *	SCENARIO(asleep) = {
 *		.name = "asleep",
 *		.summary = "a thread sleeps in D",
 *		.needs = NEED_DEVICE,
 *		.play = play,
 *	};
 *
 * The story runs in a process of its own, the runner: it owns the gates, it is
 * a child subreaper (unless .adopted_by_init), and it has SIGCHLD blocked and
 * read from a signalfd. The processes of the story are its children, made by
 * spawn(). When it ends, well or not, they end with it (core/actor.h).
 *
 * What goes wrong while the scene is set (a fork that fails, a thread that does
 * not answer) ends the story as BROKEN: the functions that set it do not
 * return errors. An expectation that does not hold is a FAIL, and the story
 * goes on. States are awaited, never slept for.
 */
#ifndef UNDEAD_SCENARIO_H
#define UNDEAD_SCENARIO_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/actor.h"
#include "core/util.h"
#include "needs.h"

/**
 * struct scenario - one situation, as data
 * @name:     what the user types: lower case, digits and dashes
 * @summary:  one line, for 'undead list' and the documentation
 * @needs:    NEED_*
 * @deadline_ms: the whole story, default 60000; then the runner is killed and
 *            the outcome is BROKEN
 * @adopted_by_init: the runner and its guardian are no subreapers
 * @watches:  commits of the kernel whose behaviour it pins, NULL-terminated
 * @verdict:  name of the doctor's verdict while the scene holds
 * @rows:     decisions of the exit path that it pins, by their names in the
 *            map: "WC4 EN5.2 A24" is both outcomes of WC4, only the second
 *            (false) of EN5, and item 24 of the catalogue of behaviours
 * @play:     the story
 */
struct scenario {
	const char *name;
	const char *summary;
	unsigned int needs;
	unsigned int deadline_ms;
	bool adopted_by_init;
	const char *const *watches;
	const char *verdict;
	const char *rows;
	void (*play)(void);
};

/* Pointers to all scenarios stand in one section; nothing else lists them. */
#define SCENARIO(id)                                                       \
	static const struct scenario id;                                   \
	static const struct scenario *const id##_entry                     \
		__attribute__((used, retain, section("scenarios"))) = &id; \
	static const struct scenario id

/* --- telling ------------------------------------------------------------ */

/**
 * step() - the next part of the story begins
 *
 * Returns when the guardian has shown it; steps are numbered from 1.
 */
void step(const char *fmt, ...) __printf(1, 2);

/**
 * note() - say something that is no expectation
 */
void note(const char *fmt, ...) __printf(1, 2);

/**
 * broken() - the scene cannot be set; ends the story
 */
void broken(const char *fmt, ...) __printf(1, 2) __attribute__((noreturn));

/**
 * skip() - this kernel or user lacks what the story needs; ends it
 */
void skip(const char *fmt, ...) __printf(1, 2) __attribute__((noreturn));

/* --- setting the scene -------------------------------------------------- */

/**
 * spawn() - a process whose parent is the runner
 * spawn_by() - a process whose parent is another actor
 * spawn_from() - the same, forked by a thread that need not be the leader
 * @name: up to 15 characters, as the story calls it
 * Return: the process, its leader waiting for orders.
 */
struct actor *spawn(const char *name);
struct actor *spawn_by(struct actor *parent, const char *name);
struct actor *spawn_from(struct thread *parent, const char *name);

/**
 * spawn_clone() - the same by clone3()
 * @parent: NULL: the runner
 * @flags, @exit_signal: as clone3(2); SKIP where the kernel does not know them
 */
struct actor *spawn_clone(struct actor *parent, const char *name,
			  uint64_t flags, int exit_signal);

/**
 * spawn_twin() - a process that shares the memory of its parent
 * @tid: address in the parent where the kernel writes 0 when it ends, 0: none
 * @flags: of clone(2), more than CLONE_VM: CLONE_PARENT
 *
 * It takes no orders: it waits for signals, see actor_twin().
 */
struct actor *spawn_twin(struct thread *parent, const char *name, int64_t tid,
			 int flags);

/**
 * at_end() - undo what would outlive the story: a folder, a setting
 * @undo: runs in a process of its own when the runner has ended, be it by
 *        kill -9; the actors may still be dying
 * @arg:  for @undo
 *
 * Before the thing is done.
 */
void at_end(void (*undo)(const char *arg), const char *arg);

/**
 * at_end_remove() - the same for a file; before it is made
 */
void at_end_remove(const char *path);

/**
 * thread() - a second, third, ... thread of a process
 */
struct thread *thread(struct actor *p, const char *name);

/**
 * leader() - the thread-group leader of a process
 */
struct thread *leader(struct actor *p);

/**
 * gate() - a gate of our own, uninterruptible
 *
 * It holds whoever reads from it, and at the points flush and fault those who
 * are told to be held there, by hold_in_exit().
 *
 * Its deadline is far beyond the scenario's: a hold that ended by it fails the
 * scenario at its end.
 * Return: the gate fd; it lives as long as the runner.
 */
int gate(void);

/**
 * gate_of() - the same with other points, or of another kind
 * @points: 1 << UNDEAD_POINT_*, ored (core/dev.h)
 * @kind:   UNDEAD_KIND_*
 */
int gate_of(unsigned int points, unsigned int kind);

/**
 * hold_read() - @t calls read() on a gate and is held there
 * @t: takes no more orders until it is released
 * @gate_fd: nobody else may come to this gate at the same time
 *
 * Returns when the device counts it and /proc shows the state of the gate's
 * kind: D unless gate_of() said otherwise.
 */
void hold_read(struct thread *t, int gate_fd);

/**
 * enum exit_point - where in do_exit() a thread is held
 * @IN_MM_RELEASE: exit_mm(): its tid is cleared in a page of the gate; mm and
 *                 files are there; the process needs a second thread
 * @IN_FILES:      exit_files(): flush of a file that only it has open; no mm,
 *                 no files
 * @IN_AIO:        exit_aio(): an asynchronous read does not end; no mm; it is
 *                 the last to use the address space; a gate of point aio
 * @IN_MMAP:       exit_mmap(): the end of a mapping; as IN_AIO; point vma-close
 * @IN_TASK_WORK:  exit_task_work(): release of a file that only it has open; no
 *                 mm, no files; at a gate of its own: give -1, and let it go
 *                 by release_thread()
 *
 * All are after PF_EXITING and after the group's code is decided, and before
 * exit_notify(). The first two are for gate(), the next for a gate_of() that
 * has their point alone.
 */
enum exit_point {
	IN_MM_RELEASE,
	IN_FILES,
	IN_AIO,
	IN_MMAP,
	IN_TASK_WORK,
};

/**
 * hold_in_exit() - @t ends by SYS_exit(@status) and is held on its way
 *
 * Returns when it is seen in D there.
 */
void hold_in_exit(struct thread *t, int gate_fd, enum exit_point where,
		  int status);

/**
 * arm_exit() - the first half of it: however @t ends, it will be held there
 * await_held() - the second half: wait until it is
 * @count: how many are held at the gate then
 */
void arm_exit(struct thread *t, int gate_fd, enum exit_point where);
void await_held(struct thread *t, int gate_fd, uint64_t count);

/**
 * map_gate() - a page of a gate in the memory of @t, which may be held there
 * @gate_fd: of point fault: at its first touch; of vma-close: at its end
 * Return: its address in @t; it reads as zeroes.
 */
int64_t map_gate(struct thread *t, int gate_fd);

/**
 * release() - let all threads held at a gate go on
 * Return: how many they were.
 */
int64_t release(int gate_fd);

/**
 * release_thread() - let one thread go on, wherever it is held
 * Return: 1
 */
int64_t release_thread(struct thread *t);

/**
 * tell() - give an order and do not wait
 * ask() - give an order and wait for the reply
 * @fn: see core/actor.h
 */
void tell(struct thread *t, order_fn fn, int64_t arg0, int64_t arg1);
int64_t ask(struct thread *t, order_fn fn, int64_t arg0, int64_t arg1);

/**
 * trace() - ptrace(2) by a thread, BROKEN if that fails
 * @by: the tracer, PTRACE_SEIZE makes it one
 * @data: as for the request
 */
void trace(struct thread *by, int request, struct thread *t, int64_t data);

/**
 * send_signal() - kill(2) to a process
 * send_thread() - tgkill(2) to a thread
 *
 * BROKEN if the call fails: to a zombie that is still there it must not.
 */
void send_signal(struct actor *p, int sig);
void send_thread(struct thread *t, int sig);

/**
 * reap() - wait for a child of the runner that is dying, look, and reap it
 *
 * All views of its death (view_death()) must agree, whatever they say.
 */
void reap(struct actor *p);

/**
 * exit_thread() - the thread ends by SYS_exit, alone
 * exit_group() - it ends the process by exit_group()
 * @status: 0 to 255; give every thread its own
 */
void exit_thread(struct thread *t, int status);
void exit_group(struct thread *t, int status);

/**
 * expect_execed() - the process of @t, told order_exec, runs the new program
 * @t: gone; the leader takes the orders
 */
void expect_execed(struct thread *t, const char *why);

/**
 * kernel_before() - is the running kernel older
 *
 * Only where no feature tells, and beside the commit that made the difference.
 */
bool kernel_before(int major, int minor);

/* --- expectations ------------------------------------------------------- */
/*
 * @why is the reason: the kernel function, and what it does. What was seen is
 * in the text that is printed, so that a failure explains itself.
 */

/**
 * expect() - a fact
 * @ok: does it hold
 * @why: the kernel function that makes it so
 * @fmt: the fact, with what was seen
 */
void expect(bool ok, const char *why, const char *fmt, ...) __printf(3, 4);

/**
 * expect_equal() - a number
 * @what: what is counted
 */
void expect_equal(int64_t seen, int64_t wanted, const char *what,
		  const char *why);

/**
 * expect_state() - the letter in /proc/PID/task/TID/status; awaited
 */
void expect_state(struct thread *t, char state, const char *why);

/**
 * expect_asleep_in() - the kernel stack of @t has a function of this name
 *
 * And where it sleeps in one of ours, its wchan says so, if the kernel tells:
 * 5.10 says "0".
 */
void expect_asleep_in(struct thread *t, const char *function, const char *why);

/**
 * expect_gone() - the thread is no longer in /proc; awaited
 */
void expect_gone(struct thread *t, const char *why);

/**
 * expect_verdict() - the doctor, asked for @p now, gives the verdict declared
 *
 * It knows nothing of the story and sees /proc only, as 'undead why' does.
 */
void expect_verdict(struct actor *p);

/**
 * expect_tasks() - /proc/PID/task lists exactly the @n threads of @t
 */
void expect_tasks(struct actor *p, struct thread *const *t, int n,
		  const char *why);

/**
 * barrier() - whatever exit_notify() was about to tell has been told after it
 *
 * /proc shows Z before do_notify_parent() has run; both happen under
 * tasklist_lock, which this takes (waitid() of the runner). Every expectation
 * with a "no" in its name begins with it.
 */
void barrier(void);

/**
 * expect_no_sigchld() - the runner has got no SIGCHLD for @p
 */
void expect_no_sigchld(struct actor *p, const char *why);

/**
 * expect_sigchld() - the runner gets exactly one SIGCHLD for @p; awaited
 * @code: CLD_*
 * @status: si_status
 */
void expect_sigchld(struct actor *p, int code, int status, const char *why);

/**
 * expect_no_event() - waitid(WNOHANG) has nothing to say of @p
 * @options: WEXITED, and WNOWAIT or not
 */
void expect_no_event(struct actor *p, int options, const char *why);

/**
 * expect_caught() - a thread has run its handler of @sig so many times
 * @t: takes orders; order_sigaction() has it caught
 *
 * As many as wanted are awaited, then it is looked, behind the barrier, whether
 * there was one more.
 */
void expect_caught(struct thread *t, int sig, int times, const char *why);

/**
 * await_pending() - until a signal is pending for @p, which blocks it
 *
 * Not an expectation: what is there is looked at afterwards. A child has stopped
 * a moment before it tells its parent: do_signal_stop().
 */
void await_pending(struct actor *p, int sig);

/**
 * expect_no_wakeup() - a pidfd is not readable
 * @fd: pidfd
 * @what: how to call it in the text
 */
void expect_no_wakeup(int fd, const char *what, const char *why);

/**
 * expect_wakeup() - a pidfd becomes readable; awaited
 */
void expect_wakeup(int fd, const char *what, const char *why);

/* --- one death, all its views ------------------------------------------- */

/**
 * struct views - what is said of one death, each as a wait status
 * @sigchld: si_code and si_status of the SIGCHLD
 * @stat:    field 52 of /proc/PID/stat of the zombie
 * @wnowait: waitid(WEXITED | WNOWAIT)
 * @wait:    wait4(), which reaps
 * @info:    PIDFD_GET_INFO after that (6.15 has it)
 * @code:    CLD_* of the SIGCHLD to the runner that a thread of it sent, as the
 *           tracepoint signal:signal_generate has it, which sees also one that
 *           was lost because another was pending; 0: more than one. Compared
 *           with @sigchld, never wanted by itself.
 *
 * -1: not to be had on this kernel.
 */
struct views {
	int sigchld, stat, wnowait, wait, info, code;
};

/**
 * view_death() - wait for a child of the runner to die, look, and reap it
 */
struct views view_death(struct actor *p);

/**
 * expect_views() - every view is as wanted
 * @want: the views wanted, with -1 for those not looked at
 */
void expect_views(struct actor *p, const struct views *seen,
		  const struct views *want, const char *why);

/**
 * expect_death() - view_death(), and all views agree
 * @status: wait status: 7 << 8 for exit(7), 9 for SIGKILL
 */
void expect_death(struct actor *p, int status, const char *why);

/* --- somebody who waits ------------------------------------------------- */

/**
 * struct waiter - a thread of the runner, blocked in waitid(P_PID, WEXITED)
 */
struct waiter;

/**
 * waiter() - make one; returns when it is seen asleep in waitid()
 */
struct waiter *waiter(struct actor *p);

/**
 * expect_still_waiting() - it sleeps in waitid() and has been told nothing
 */
void expect_still_waiting(struct waiter *w, const char *why);

/**
 * expect_waited() - its waitid() returns; awaited
 * @code: CLD_*
 * @status: si_status
 */
void expect_waited(struct waiter *w, int code, int status, const char *why);

/*
 * The same in a thread of an actor, and any waitid(2).
 *
 * @by:      who waits; NULL: the runner, which is no good for a wait that blocks
 * @who:     a pid, 0 for all children, or WHO(idtype, id)
 * @options: as for waitid(2)
 * @wanted:  WAITED(pid, CLD_*, status), 0: nothing to report, or -errno
 */

/**
 * expect_wait() - waitid() returns what is wanted
 * expect_wait_by() - another order, as order_wait(), does
 */
void expect_wait(struct thread *by, int64_t who, int options, int64_t wanted,
		 const char *why);
void expect_wait_by(order_fn fn, struct thread *by, int64_t who, int options,
		    int64_t wanted, const char *why);

/**
 * begin_wait() - @by waits; returns when it is seen asleep in waitid()
 * begin_wait_by() - the same by another order; io_uring_enter() will do
 * @by: takes no more orders until the wait has ended
 */
void begin_wait(struct thread *by, int64_t who, int options);
void begin_wait_by(order_fn fn, struct thread *by, int64_t who, int options);

/**
 * expect_wait_goes_on() - it sleeps there and has not returned
 */
void expect_wait_goes_on(struct thread *by, const char *why);

/**
 * expect_wait_ends() - it returns what is wanted; awaited
 */
void expect_wait_ends(struct thread *by, int64_t wanted, const char *why);

#endif
