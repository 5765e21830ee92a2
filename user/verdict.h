/* SPDX-License-Identifier: GPL-2.0 */
/*
 * All that the author of a verdict reads.
 *
 * A verdict is one file in verdicts/: a function that says whether a patient has
 * it, and one VERDICT() at its end. Nothing else needs an edit. It looks at
 * struct patient and nowhere else, so that it says the same of a snapshot.
 */
#ifndef UNDEAD_VERDICT_H
#define UNDEAD_VERDICT_H

#include <stdbool.h>
#include <sys/types.h>

#include "core/proc.h"
#include "core/util.h"

#define SIGBIT(sig) (1ULL << ((sig)-1))

/**
 * struct task - a thread as it was seen
 * @st:      its status
 * @dead:    a zombie, or beyond
 * @killed:  SIGKILL is pending, for it or for the group
 * @still:   it was in this state at the first look, too
 * @read:    0: the four below were read; else -errno, why they were not
 * @exiting: PF_EXITING: it is inside do_exit()
 * @syscall: number, -1: none or running
 * @wchan:   function it sleeps in, "" when not told
 * @stack:   "exit_aio <- mmput <- do_exit", "" when not told (root only)
 */
struct task {
	struct proc_status st;
	bool dead, killed, still;
	int read;
	bool exiting;
	int syscall;
	char wchan[64];
	char stack[1024];
};

/**
 * struct patient - a process, looked at twice
 * @asked:   what was asked for, a thread perhaps
 * @err:     0, or -errno: -ESRCH there is none (any more); then nothing below
 * @pid:     the process
 * @tasks, @nr: its threads, the leader first
 * @alive:   how many are not dead
 * @parent:  its parent, tasks[0] of which is the thread that should wait;
 *           .st.pid 0: unknown
 * @parent_zombies: dead children of that parent, this one included
 * @tracer:  of the leader or else of some thread; .st.pid 0: nobody
 * @traced:  the tid that is traced
 * @frozen:  its cgroup is frozen (v2)
 * @vfork:   a child with the memory of one of its threads, 0: none seen
 */
struct patient {
	pid_t asked;
	int err;
	pid_t pid;
	struct task *tasks;
	int nr, alive;
	struct task parent;
	int parent_zombies;
	struct task tracer;
	pid_t traced;
	bool frozen;
	pid_t vfork;
};

/**
 * struct finding - what is said of a patient
 *
 * Written with said() and add_line(); each text is a line, without its end.
 */
struct lines {
	char text[12][512];
	int nr;
};

struct finding {
	char cause[512];
	struct lines blocker, evidence, parent, helps, no_use;
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
 * blame() - a thread as a blocker: tid, name, state, where it is
 */
void blame(struct finding *f, const struct task *t);

/**
 * on_stack() - is it inside this function, as far as the stack or wchan tell
 */
bool on_stack(const struct task *t, const char *function);

/**
 * stuck_task() - the first living thread that SIGKILL has not ended
 * Return: NULL when there is none.
 */
const struct task *stuck_task(const struct patient *p);

/**
 * what_helps() - what is known to end a sleep like that of @t, from its stack
 */
void what_helps(struct finding *f, const struct task *t);

#endif
