/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The whole machine: one pass over every process, the doctor for those that look
 * stuck, and what is at the bottom of it.
 */
#ifndef UNDEAD_SCAN_H
#define UNDEAD_SCAN_H

#include <stdint.h>
#include <stdio.h>

#include "doctor.h"

#define UNKNOWN_AGE (-1)

/**
 * struct opinion - of one patient
 * @v:       its verdict, NULL: none, or it is gone
 * @parent:  the verdict accuses its parent
 * @cause:   another patient that it waits for, -1: none
 * @group:   -1: not stuck, or not for so long
 * @age_s:   since it last ran, or UNKNOWN_AGE
 */
struct opinion {
	const struct verdict *v;
	bool parent;
	int cause, group;
	int64_t age_s;
};

/**
 * struct group - patients with one root cause
 * @v, @f: verdict and finding of the patient at the bottom of it, or of one of them
 * @id:    in the order they were found
 * @first: that patient
 * @root:  what they share: where they sleep, a parent, a tracer; printable
 * @n:     how many
 * @asleep: threads in D among them
 * @zombies: processes among them of which the leader is one
 * @unkillable: processes with a thread that SIGKILL has not ended
 * @age_s: of the oldest
 * @containers, @nr_containers: printable
 */
struct group {
	const struct verdict *v;
	struct finding f;
	int id, first;
	char root[512];
	int n, asleep, zombies, unkillable;
	int64_t age_s;
	char (*containers)[64];
	int nr_containers;
};

/**
 * struct scan - of the machine; begin with all 0
 * @older_s: in: of who sleeps for less nothing is said
 * @all_threads: in: look at each thread, not only at those of suspects
 * @not_all: that was not done, and the load averages leave room for one in D
 * @s, @p, @n: patients, by pid
 * @of:     one for each
 * @processes: seen
 * @left_out:  look stuck and could not be examined
 * @hidden:    others' processes cannot be seen here
 * @ms:        how long it took
 */
struct scan {
	int64_t older_s;
	bool all_threads;
	struct snap *s;
	struct patient *p;
	int n, room;
	struct opinion *of;
	int processes, left_out;
	bool hidden, not_all;
	struct group *groups;
	int nr_groups;
	int64_t ms;
};

/**
 * scan_machine() - look, and group; oldest first
 * Return: 0 or -errno; scan_free() either way.
 */
int scan_machine(struct scan *sc);

void scan_free(struct scan *sc);

int scan_stuck(const struct scan *sc);
int scan_unkillable(const struct scan *sc);

/* How it is shown; scan_check() wants no more than one line. */
void scan_text(const struct scan *sc, FILE *f);
void scan_json(const struct scan *sc, FILE *f);
void scan_check(const struct scan *sc, FILE *f);
void scan_metrics(const struct scan *sc, FILE *f);

#endif
