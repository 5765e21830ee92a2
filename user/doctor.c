// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "doctor.h"
#include "look.h"

extern const struct verdict *__start_verdicts[], *__stop_verdicts[];

#define MAX_THREADS 4096

static int by_rank(const void *a, const void *b)
{
	const struct verdict *x = *(const struct verdict *const *)a;
	const struct verdict *y = *(const struct verdict *const *)b;

	return x->rank - y->rank;
}

const struct verdict *const *verdicts(size_t *n)
{
	static const struct verdict *sorted[64];
	size_t nr = (size_t)(__stop_verdicts - __start_verdicts);

	if (!sorted[0]) {
		memcpy(sorted, __start_verdicts, nr * sizeof(*sorted));
		qsort(sorted, nr, sizeof(*sorted), by_rank);
	}
	*n = nr;
	return sorted;
}

static int look_at_tasks(struct snap *s, struct patient *p)
{
	const pid_t *tids;
	int n = snap_tasks(s, p->pid, &tids);
	bool there = false;

	if (n < 0)
		return n;
	n = n < MAX_THREADS ? n : MAX_THREADS;
	p->tasks = calloc((size_t)n + 1, sizeof(*p->tasks));
	if (!p->tasks)
		return -ENOMEM;
	for (int i = 0; i < n; i++) {
		struct task *t = &p->tasks[p->nr];

		/* A thread may be gone by now. */
		if (look_at(s, p->pid, tids[i], t))
			continue;
		there |= tids[i] == p->asked;
		p->alive += !t->dead;
		p->nr++;
	}
	return there && p->tasks[0].st.pid == p->pid ? 0 : -ESRCH;
}

/* A thread that sleeps in a process that nobody has killed tells nothing. */
static bool worth_a_look(const struct patient *p, const struct task *t)
{
	return !t->dead && (p->tasks[0].dead || t->st.state != 'S' ||
			    t->killed || t->st.dumping || p->nr == 1);
}

/* What has not been read yet says nothing either way. */
static void first_look(struct snap *s, struct patient *p)
{
	struct task t;

	p->err = snap_hold(s, p->asked);
	if (!p->err)
		p->err = look_at(s, p->asked, 0, &t);
	if (p->err)
		return;
	p->pid = t.st.tgid;
	p->err = snap_hold(s, p->pid);
	if (!p->err)
		p->err = look_at_tasks(s, p);
}

/*
 * Files under the same lock stand together, so that a process that is stuck in
 * execve() costs the reader's patience once.
 */
static void want_all(struct snap *s, struct patient *p, int n)
{
	for (int i = 0; i < n; i++)
		if (!p[i].err)
			want_family(s, &p[i]);
	for (int file = 0; file < INSIDE_FILES; file++)
		for (int i = 0; i < n; i++)
			for (int j = 0; !p[i].err && j < p[i].nr; j++)
				if (worth_a_look(&p[i], &p[i].tasks[j]))
					want_inside(s, p[i].pid,
						    p[i].tasks[j].st.pid, file);
	for (int i = 0; i < n; i++)
		if (!p[i].err)
			want_clues(s, &p[i]);
}

static void want_files(struct snap *s, struct patient *p)
{
	for (int j = 0; !p->err && j < p->nr; j++) {
		look_inside(s, p->pid, &p->tasks[j]);
		if (!p->tasks[j].dead && p->tasks[j].syscall >= 0)
			want_file(s, p->pid, &p->tasks[j]);
	}
}

static void compare(const struct patient *before, struct patient *p)
{
	for (int i = 0; i < p->nr; i++)
		for (int j = 0; j < before->nr; j++)
			if (before->tasks[j].st.pid == p->tasks[i].st.pid)
				p->tasks[i].still = before->tasks[j].st.state ==
						    p->tasks[i].st.state;
}

void patient_free(struct patient *p)
{
	free(p->tasks);
	p->tasks = NULL;
	p->nr = 0;
	p->alive = 0;
}

/* Nobody of this number: is there a process group of it? */
static void look_for_group(struct snap *s, const struct census *c,
			   struct patient *p)
{
	struct patient none = { .asked = p->asked,
				.or_group = true,
				.err = -ESRCH };

	patient_free(p);
	*p = none;
	p->pid = p->asked;
	look_at_family(s, c, p);
	if (!p->nr_members)
		return;
	p->tasks = calloc(1, sizeof(*p->tasks));
	if (!p->tasks)
		return;
	p->tasks[0].st.state = 'X';
	p->tasks[0].dead = true;
	p->err = 0;
}

static void second_look(struct snap *s, const struct census *c,
			struct patient *p)
{
	struct patient before = *p;

	*p = (struct patient){ .asked = before.asked, .pid = before.pid };
	p->err = look_at_tasks(s, p);
	if (p->err) {
		patient_free(p);
		*p = before;
		p->gone = true;
		return;
	}
	for (int i = 0; i < p->nr; i++)
		if (worth_a_look(p, &p->tasks[i]))
			look_inside(s, p->pid, &p->tasks[i]);
	look_since(s, p->pid, &p->tasks[0]);
	look_for_clues(s, p);
	look_at_family(s, c, p);
	compare(&before, p);
	patient_free(&before);
}

void examine(struct snap *s, struct patient *p, int n)
{
	int64_t when = now_ms() + SECOND_LOOK_MS;
	struct census c;

	for (int i = 0; i < n; i++)
		first_look(s, &p[i]);
	want_all(s, p, n);
	snap_fetch(s, READER_MS);
	for (int i = 0; i < n; i++)
		want_files(s, &p[i]);
	snap_fetch(s, READER_MS);
	/* While time passes anyhow. */
	take_census(s, p, n, &c);
	snap_again(s, when);
	for (int i = 0; i < n; i++)
		if (p[i].err == -ESRCH && p[i].or_group)
			look_for_group(s, &c, &p[i]);
		else if (!p[i].err)
			second_look(s, &c, &p[i]);
	census_free(&c);
}

/* What was refused, in words. */
static void tell_root(const struct patient *p, struct finding *f)
{
	bool refused = p->parent.refused;

	for (int i = 0; i < p->nr; i++)
		refused |= p->tasks[i].refused;
	if (refused)
		line(&f->root,
		     "where in the kernel each thread is (stack, system call, the file of it): ask again as root");
}

const struct verdict *judge(const struct patient *p, struct finding *f)
{
	size_t n;
	const struct verdict *const *all = verdicts(&n);

	for (size_t i = 0; i < n; i++) {
		*f = (struct finding){ 0 };
		if (!all[i]->has(p, f))
			continue;
		if (f->nr_blamed > (int)ARRAY_SIZE(f->blamed))
			line(&f->blocker, "and %d more threads",
			     f->nr_blamed - (int)ARRAY_SIZE(f->blamed));
		tell_root(p, f);
		return all[i];
	}
	return NULL;
}
