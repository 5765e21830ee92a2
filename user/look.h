/* SPDX-License-Identifier: GPL-2.0 */
/* The parts of examine(): threads, what they wait for, who is around. */
#ifndef LOOK_H
#define LOOK_H

#include "core/snap.h"
#include "verdict.h"

/**
 * look_at() - a task's status
 * Return: 0 or -errno; *@t is filled with what nobody told otherwise.
 */
int look_at(struct snap *s, pid_t pid, pid_t tid, struct task *t);

/**
 * want_inside() - ask the reader for one of the files of a task that may block
 * look_inside() - what it has got
 * look_since() - only since when it has not run, which is true of a dead one, too
 */
void want_inside(struct snap *s, pid_t pid, pid_t tid, int file);
void look_inside(struct snap *s, pid_t pid, struct task *t);
void look_since(struct snap *s, pid_t pid, struct task *t);
#define INSIDE_FILES 4

/**
 * want_clues() - what it may wait for, and
 * want_file() - the file of its system call, once that is known
 * look_for_clues() - what of it was got
 */
void want_clues(struct snap *s, const struct patient *p);
void want_file(struct snap *s, pid_t pid, const struct task *t);
void look_for_clues(struct snap *s, struct patient *p);

/**
 * struct census - the status of all who may have to do with somebody, at one look
 * @st, @n: by pid
 * @by_parent, @by_group: the same
 */
struct census {
	struct proc_status *st;
	const struct proc_status **by_parent, **by_group;
	int n;
};

/**
 * take_census() - of everybody only where no list of the kernel's names them
 * @p, @patients: after their first look
 */
void take_census(struct snap *s, const struct patient *p, int patients,
		 struct census *c);
void census_free(struct census *c);

/**
 * want_family() - its parent and its tracer are held, and asked for
 * look_at_family() - both, and who of the machine has to do with it
 */
void want_family(struct snap *s, const struct patient *p);
void look_at_family(struct snap *s, const struct census *c, struct patient *p);

#endif
