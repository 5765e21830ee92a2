// SPDX-License-Identifier: GPL-2.0
/* Who has to do with a process: parent, tracer, children, group, helpers. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "look.h"

static pid_t parent_of(const struct proc_status *st)
{
	return st->ppid;
}

static pid_t group_of(const struct proc_status *st)
{
	return st->pgrp;
}

static int by_parent(const void *a, const void *b)
{
	pid_t x = parent_of(*(const struct proc_status *const *)a);
	pid_t y = parent_of(*(const struct proc_status *const *)b);

	return (x > y) - (x < y);
}

static int by_group(const void *a, const void *b)
{
	pid_t x = group_of(*(const struct proc_status *const *)a);
	pid_t y = group_of(*(const struct proc_status *const *)b);

	return (x > y) - (x < y);
}

static const struct proc_status **sort(const struct census *c,
				       int (*by)(const void *, const void *))
{
	const struct proc_status **list;

	list = calloc((size_t)c->n + 1, sizeof(*list));
	for (int i = 0; list && i < c->n; i++)
		list[i] = &c->st[i];
	if (list && c->n)
		qsort(list, (size_t)c->n, sizeof(*list), by);
	return list;
}

/* In how many pid name spaces below ours. */
static int depth(const struct proc_status *st)
{
	int n = 0;

	for (const char *p = st->nspid; *p; p++)
		n += *p == '\t';
	return n;
}

bool is_init(const struct proc_status *st)
{
	const char *last = strrchr(st->nspid, '\t');

	return !strcmp(last ? last + 1 : st->nspid, "1") || st->pid == 1;
}

/* --- of whom the census is ----------------------------------------------- */

struct numbers {
	pid_t *list;
	size_t n, room;
};

static void add(struct numbers *l, pid_t pid)
{
	if (pid <= 0)
		return;
	if (l->n == l->room) {
		size_t room = l->room ? 2 * l->room : 64;
		pid_t *more = realloc(l->list, room * sizeof(*more));

		if (!more)
			return;
		l->list = more;
		l->room = room;
	}
	l->list[l->n++] = pid;
}

static int rising(const void *a, const void *b)
{
	pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;

	return (x > y) - (x < y);
}

static void each_once(struct numbers *l)
{
	size_t n = 0;

	if (l->n)
		qsort(l->list, l->n, sizeof(*l->list), rising);
	for (size_t i = 0; i < l->n; i++)
		if (!n || l->list[n - 1] != l->list[i])
			l->list[n++] = l->list[i];
	l->n = n;
}

/* Who belongs to it is in no list of its own. */
static bool asks_everybody(const struct patient *p)
{
	const struct proc_status *st;

	if (!p->nr)
		return p->or_group && p->err == -ESRCH;
	st = &p->tasks[0].st;
	return (depth(st) && is_init(st)) || st->dumping ||
	       (p->tasks[0].dead && !p->alive && st->pgrp == p->pid);
}

/* Return: false: the kernel lists no children. Threads may be gone by now. */
static bool add_children(struct snap *s, pid_t pid, struct numbers *to)
{
	const pid_t *tids;
	int n = snap_tasks(s, pid, &tids);

	if (n < 0)
		return n == -ESRCH;
	for (int i = 0; i < n; i++) {
		const char *text;
		int len;

		if (!snap_read(s, pid, tids[i], "children", &text))
			for (pid_t child;
			     sscanf(text, "%d %n", &child, &len) == 1;
			     text += len)
				add(to, child);
		else if (tids[i] == pid)
			return false;
	}
	return true;
}

/*
 * The leader of its group, the siblings of a zombie, the children of who may
 * wait for one.
 * Return: false: there is no way but to ask everybody.
 */
static bool add_relatives(struct snap *s, const struct patient *p, int n,
			  struct numbers *to)
{
	struct numbers parents = { 0 };
	bool known = true;

	for (int i = 0; i < n && known; i++) {
		bool waits = false;

		known = !asks_everybody(&p[i]);
		if (!p[i].nr)
			continue;
		for (int j = 0; j < p[i].nr; j++)
			waits |= p[i].tasks[j].st.state == 'D';
		add(to, p[i].tasks[0].st.pgrp);
		if (p[i].tasks[0].dead && !p[i].alive)
			add(&parents, p[i].tasks[0].st.ppid);
		if (waits)
			add(&parents, p[i].pid);
	}
	each_once(&parents);
	for (size_t i = 0; i < parents.n && known; i++)
		known = add_children(s, parents.list[i], to);
	free(parents.list);
	each_once(to);
	return known;
}

void take_census(struct snap *s, const struct patient *p, int patients,
		 struct census *c)
{
	struct numbers some = { 0 };
	const pid_t *pids;
	int n;

	*c = (struct census){ 0 };
	if (add_relatives(s, p, patients, &some)) {
		pids = some.list;
		n = (int)some.n;
	} else {
		n = snap_tasks(s, 0, &pids);
	}
	c->st = n > 0 ? calloc((size_t)n, sizeof(*c->st)) : NULL;
	for (int i = 0; c->st && i < n; i++)
		if (!snap_glance(s, pids[i], &c->st[c->n]))
			c->n++;
	free(some.list);
	c->by_parent = sort(c, by_parent);
	c->by_group = sort(c, by_group);
	if (!c->by_parent || !c->by_group)
		c->n = 0;
}

void census_free(struct census *c)
{
	free(c->st);
	free(c->by_parent);
	free(c->by_group);
}

/* The first whose key is not below @wanted. */
static int first_of(const struct census *c, const struct proc_status **list,
		    pid_t (*key)(const struct proc_status *), pid_t wanted)
{
	int low = 0, high = c->n;

	while (low < high) {
		int mid = low + (high - low) / 2;

		if (key(list[mid]) < wanted)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* All children of, all members of. */
#define for_children(i, c, pid)                                   \
	for (int i = first_of(c, (c)->by_parent, parent_of, pid); \
	     i < (c)->n && parent_of((c)->by_parent[i]) == (pid); i++)
#define for_members(i, c, pid)                                  \
	for (int i = first_of(c, (c)->by_group, group_of, pid); \
	     i < (c)->n && group_of((c)->by_group[i]) == (pid); i++)

static int by_pid(const void *key, const void *st)
{
	pid_t x = *(const pid_t *)key,
	      y = ((const struct proc_status *)st)->pid;

	return (x > y) - (x < y);
}

static const struct proc_status *find(const struct census *c, pid_t pid)
{
	return c->n ? bsearch(&pid, c->st, (size_t)c->n, sizeof(*c->st),
			      by_pid) :
		      NULL;
}

static bool dead(const struct proc_status *st)
{
	return st->state == 'Z' || st->state == 'X';
}

/* --- parent and tracer -------------------------------------------------- */

static pid_t tracer_of(const struct patient *p, pid_t *traced)
{
	for (int i = 0; i < p->nr; i++)
		if (p->tasks[i].st.tracer) {
			*traced = p->tasks[i].st.pid;
			return p->tasks[i].st.tracer;
		}
	return 0;
}

void want_family(struct snap *s, const struct patient *p)
{
	pid_t parent = p->tasks[0].st.ppid, traced;
	pid_t tracer = tracer_of(p, &traced);
	struct task t;

	if (tracer > 0 && !snap_hold(s, tracer))
		look_at(s, tracer, 0, &t);
	if (parent <= 0 || !p->tasks[0].dead || snap_hold(s, parent) ||
	    look_at(s, parent, 0, &t))
		return;
	for (int i = 0; i < INSIDE_FILES; i++)
		want_inside(s, parent, parent, i);
	snap_want(s, parent, 0, "pids");
}

static long number_in(struct snap *s, const char *path)
{
	const char *text;

	return snap_file(s, path, &text) ? -1 : atol(text);
}

static void look_at_room(struct snap *s, pid_t parent, struct room *r)
{
	const char *text, *line;

	*r = (struct room){ -1, -1, -1, -1, -1 };
	if (!snap_read(s, parent, 0, "pids", &text))
		sscanf(text, "%ld %ld", &r->pids, &r->pids_max);
	snap_read(s, parent, 0, "limits", &text);
	line = strstr(text, "Max processes ");
	if (line)
		sscanf(line, "Max processes %ld", &r->nproc);
	r->threads_max = number_in(s, "sys/kernel/threads-max");
	r->pid_max = number_in(s, "sys/kernel/pid_max");
}

/*
 * A child has the session of who made it unless one of the two called setsid();
 * a leader of a session may have done so after it. A session from outside of this
 * pid name space, as 'docker exec' gives, is number 0, and one like any other.
 */
static bool adopted(const struct proc_status *st, const struct proc_status *by)
{
	return st->sid != by->sid && st->sid != st->pid && by->sid != by->pid;
}

static void look_at_parent(struct snap *s, const struct census *c,
			   struct patient *p)
{
	pid_t parent = p->tasks[0].st.ppid;

	if (parent <= 0 || look_at(s, parent, 0, &p->parent))
		return;
	look_inside(s, parent, &p->parent);
	look_at_room(s, parent, &p->room);
	p->adopted = adopted(&p->tasks[0].st, &p->parent.st);
	for_children(i, c, parent)
		p->parent_zombies += c->by_parent[i]->state == 'Z';
}

/* --- children, group, the helper of a core dump -------------------------- */

/* A child made by vfork() has run nothing of its own yet. */
static void look_for_vfork(const struct census *c, struct patient *p)
{
	const struct proc_status *l = &p->tasks[0].st;

	for_children(i, c, p->pid)
	{
		const struct proc_status *st = c->by_parent[i];

		if (!dead(st) && st->vm_rss_kb >= 0 && !p->vfork &&
		    st->vm_rss_kb == l->vm_rss_kb &&
		    st->vm_size_kb == l->vm_size_kb)
			p->vfork = st->pid;
	}
}

static void look_at_group(const struct census *c, struct patient *p)
{
	for_members(i, c, p->pid)
	{
		const struct proc_status *st = c->by_group[i];

		if (st->pid == p->pid || dead(st))
			continue;
		if (p->nr_members < (int)ARRAY_SIZE(p->members))
			p->members[p->nr_members] = *st;
		p->nr_members++;
	}
}

/*
 * It lives, the leader of its process group does not, and it was adopted by an
 * init or by somebody of another session. Where the group is the whole session,
 * as a daemon's, that is how it is meant.
 */
static bool orphan(const struct census *c, const struct patient *p)
{
	const struct proc_status *st = &p->tasks[0].st;
	const struct proc_status *leader = find(c, st->pgrp);

	if (!st->pgrp || st->pgrp == st->sid || st->pgrp == st->pid ||
	    (leader && !dead(leader)) || !p->parent.st.pid)
		return false;
	return is_init(&p->parent.st) || p->parent.st.sid != st->sid;
}

/* "|/usr/lib/systemd/systemd-coredump %P ...": a child of the kernel's. */
static void look_for_helper(struct snap *s, const struct census *c,
			    struct patient *p)
{
	const char *pattern, *name;
	char program[128];

	if (!p->tasks[0].st.dumping ||
	    snap_file(s, "sys/kernel/core_pattern", &pattern) ||
	    sscanf(pattern, "|%127s", program) != 1)
		return;
	name = strrchr(program, '/');
	name = name ? name + 1 : program;
	for (int i = 0; i < c->n; i++) {
		const struct proc_status *st = &c->st[i];

		if ((st->ppid == 2 || !st->ppid) && st->vm_size_kb >= 0 &&
		    !strncmp(st->name, name, 15) && !p->helper.pid)
			p->helper = *st;
	}
}

/*
 * The init of a pid name space is going: its children, and who may have come by
 * setns(), whose parent is outside.
 */
static void look_for_rest(const struct census *c, struct patient *p)
{
	const struct proc_status *st = &p->tasks[0].st;
	int n = 0;

	if (!depth(st) || !is_init(st))
		return;
	for (int i = 0; i < c->n && n < (int)ARRAY_SIZE(p->rest); i++) {
		const struct proc_status *by = find(c, c->st[i].ppid);

		if (depth(&c->st[i]) == depth(st) && c->st[i].pid != p->pid &&
		    (c->st[i].ppid == p->pid || !by || depth(by) < depth(st)))
			p->rest[n++] = c->st[i];
	}
}

void look_at_family(struct snap *s, const struct census *c, struct patient *p)
{
	pid_t tracer;

	look_at_group(c, p);
	if (!p->nr)
		return;
	tracer = tracer_of(p, &p->traced);
	if (tracer)
		look_at(s, tracer, 0, &p->tracer);
	look_at_parent(s, c, p);
	look_for_vfork(c, p);
	look_for_helper(s, c, p);
	look_for_rest(c, p);
	p->orphan = p->alive && orphan(c, p);
}
