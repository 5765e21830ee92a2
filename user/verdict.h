/* SPDX-License-Identifier: GPL-2.0 */
/*
 * All that the author of a verdict reads.
 *
 * A verdict is one file in verdicts/: a function that says whether a patient has
 * it, and one VERDICT() at its end. Nothing else needs an edit. It looks at
 * struct patient and nowhere else, so that it says the same of a snapshot.
 */
#ifndef VERDICT_H
#define VERDICT_H

#include <stdbool.h>
#include <sys/types.h>

#include "core/proc.h"
#include "core/util.h"

#define SIGBIT(sig) (1ULL << ((sig)-1))

/**
 * struct clue - what a thread waits for, as far as the kernel tells
 * @fd:     of its system call, -1: none, or not told
 * @file:   what that is
 * @type, @source, @where: the mount it is on: "fuse.sshfs", "host:/home", "/mnt";
 *          "" when not told
 * @fuse:   number of that mount's FUSE connection, 0: none
 * @hung_s: the kernel's log says that it was blocked for so long, 0: does not
 * @owner, @owner_pid: who likely has the lock it is blocked on, by that log
 */
struct clue {
	int fd;
	char file[192];
	char type[32], source[128], where[128];
	unsigned int fuse;
	int hung_s;
	char owner[64];
	pid_t owner_pid;
};

/**
 * struct task - a thread as it was seen
 * @st:      its status
 * @dead:    a zombie, or beyond
 * @killed:  SIGKILL is pending, for it or for the group
 * @still:   it was in this state at the first look, too
 * @idle_ms: since it ran last, -1: not told
 * @read:    0: what is below was read; else -errno, why it was not
 * @locked:  a read of one of these did not end: somebody holds the
 *           exec_update_lock of its process
 * @refused: root would have been told more
 * @exiting: PF_EXITING: it is inside do_exit()
 * @syscall: number, -1: none, running or not told
 * @args:    the first three of it
 * @wchan:   function it sleeps in, "" when not told
 * @stack:   "exit_aio <- mmput <- do_exit", "" when not told (root only)
 */
struct task {
	struct proc_status st;
	bool dead, killed, still;
	int64_t idle_ms;
	int read;
	bool locked, refused;
	bool exiting;
	int syscall;
	uint64_t args[3];
	char wchan[64];
	char stack[1024];
	struct clue clue;
};

/**
 * struct room - how many processes there may be, each -1: not told, or no limit
 * @pids, @pids_max: of the parent's cgroup, or the one above it that has a limit
 * @nproc:   RLIMIT_NPROC of the parent
 * @threads_max, @pid_max: of the machine
 */
struct room {
	long pids, pids_max, nproc, threads_max, pid_max;
};

/**
 * struct patient - a process, looked at twice
 * @asked:   what was asked for, a thread perhaps
 * @or_group: where there is no such process: its process group is meant
 * @err:     0, or -errno: -ESRCH there is none (any more); then nothing below
 * @gone:    it was there at the first look only, which this is
 * @pid:     the process
 * @tasks, @nr: its threads, the leader first; @nr 0: only its group is left
 * @alive:   how many are not dead
 * @parent:  its parent, tasks[0] of which is the thread that should wait;
 *           .st.pid 0: unknown
 * @parent_zombies: dead children of that parent, this one included
 * @adopted: that parent did not make it: the session tells
 * @room:    for that parent's children
 * @tracer:  of the leader or else of some thread; .st.pid 0: nobody
 * @traced:  the tid that is traced
 * @freeze:  "v2 FOLDER", "v1 FOLDER": its frozen cgroup, "" none
 * @mm_locked: reading its cmdline did not end: somebody has its mmap_lock
 * @fuse:    FUSE connections with requests that wait, "45 46"; where that is not
 *           told, those that it has mounted
 * @vfork:   a child with the memory of one of its threads, 0: none seen
 * @helper:  of the core dump, .st.pid 0: none
 * @members, @nr_members: others that live in its process group, the first of
 *           them, and how many
 * @rest:    who is left in the pid name space of which it is the init: its
 *           children, and who may have come by setns(); .pid 0: no more
 * @orphan:  its process group's leader has gone, and who made it has, too
 */
struct patient {
	pid_t asked;
	bool or_group;
	int err;
	bool gone;
	pid_t pid;
	struct task *tasks;
	int nr, alive;
	struct task parent;
	int parent_zombies;
	bool adopted;
	struct room room;
	struct task tracer;
	pid_t traced;
	char freeze[256];
	bool mm_locked;
	char fuse[64];
	pid_t vfork;
	struct proc_status helper;
	struct proc_status members[4];
	int nr_members;
	struct proc_status rest[4];
	bool orphan;
};

/**
 * struct lines - each a line, without its end
 */
struct lines {
	char text[16][640];
	int nr;
};

/**
 * struct finding - what is said of a patient
 *
 * Written with line() and blame().
 * @blamed, @nr_blamed: the threads that were blamed; the first of them
 */
struct finding {
	struct lines blocker, evidence, parent, helps, no_use, root;
	const struct task *blamed[4];
	int nr_blamed;
};

/**
 * struct verdict - one cause
 * @name:  lower case, digits and dashes
 * @cause: one line
 * @rank:  the smaller is asked first; the first that has it is the answer
 * @stuck: false: nothing is wrong
 * @has:   does the patient have it; fills the finding
 */
struct verdict {
	const char *name;
	const char *cause;
	int rank;
	bool stuck;
	bool (*has)(const struct patient *p, struct finding *f);
};

#define VERDICT(id)                                                       \
	static const struct verdict id;                                   \
	static const struct verdict *const id##_entry                     \
		__attribute__((used, retain, section("verdicts"))) = &id; \
	static const struct verdict id

/**
 * line() - add one
 */
void line(struct lines *l, const char *fmt, ...) __printf(2, 3);

/**
 * blame() - a thread as a blocker: tid, name, state, where it is, what for
 *
 * Of many, the first few.
 */
void blame(struct finding *f, const struct task *t);

/**
 * on_stack() - is it inside this function, as far as the stack or wchan tell
 */
bool on_stack(const struct task *t, const char *function);

/**
 * in_freezer() - does it sleep because its cgroup is frozen, v1 or v2
 */
bool in_freezer(const struct task *t);

/**
 * is_init() - is it process 1 of a pid name space
 */
bool is_init(const struct proc_status *st);

/**
 * stuck_task() - the first living thread that SIGKILL has not ended
 * Return: NULL when there is none.
 */
const struct task *stuck_task(const struct patient *p);

/**
 * what_helps() - what is known to end a sleep like that of @t
 */
void what_helps(const struct patient *p, struct finding *f,
		const struct task *t);

/**
 * duration_text() - "3 d 4 h", "2 s"
 * Return: @text.
 */
char *duration_text(char *text, size_t size, int64_t ms);

#endif
