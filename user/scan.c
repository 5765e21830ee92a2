// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "core/out.h"
#include "core/walk.h"
#include "scan.h"

/* --- who looks stuck ---------------------------------------------------- */

/*
 * A thread that has been in D for five minutes is in the load averages with 1,
 * 0.63 and 0.28 (calc_load()). With less there is none among the threads of
 * processes whose leader looks well.
 */
static bool room_for_one(void)
{
	double one, five, fifteen;
	FILE *f = fopen("/proc/loadavg", "re");
	int n = f ? fscanf(f, "%lf %lf %lf", &one, &five, &fifteen) : 0;

	if (f)
		fclose(f);
	return n != 3 || (one > 0.9 && five > 0.6 && fifteen > 0.25);
}

static int add_patient(struct scan *sc, pid_t pid)
{
	if (sc->n && sc->p[sc->n - 1].asked == pid)
		return 0;
	if (sc->n == sc->room) {
		int room = sc->room ? 2 * sc->room : 64;
		struct patient *more =
			realloc(sc->p, (size_t)room * sizeof(*more));

		if (!more)
			return -ENOMEM;
		sc->p = more;
		sc->room = room;
	}
	sc->p[sc->n++] = (struct patient){ .asked = pid };
	return 0;
}

static int seen(const struct glance *g, pid_t tgid, void *arg)
{
	struct scan *sc = arg;
	int err = 0;

	sc->processes += g->pid == tgid;
	if (!strchr("ZXD", g->state) && !(g->pending & SIGBIT(SIGKILL)))
		return 0;
	/* Of a zombie the parent is looked at as well: is it stuck itself? */
	if (g->state == 'Z' && g->pid == tgid && g->ppid > 0)
		err = add_patient(sc, g->ppid);
	return err ? err : add_patient(sc, tgid);
}

static int by_pid(const void *a, const void *b)
{
	const struct patient *x = a, *y = b;

	return (x->asked > y->asked) - (x->asked < y->asked);
}

static int find_patients(struct scan *sc)
{
	struct rlimit files;
	int n = 0, err;

	sc->not_all = !sc->all_threads && room_for_one();
	err = walk(sc->all_threads, seen, sc);
	/* Nobody is less than a machine has. */
	if (err || !sc->processes)
		return err ? err : -ENOENT;
	if (sc->n)
		qsort(sc->p, (size_t)sc->n, sizeof(*sc->p), by_pid);
	for (int i = 0; i < sc->n; i++)
		if (!n || sc->p[i].asked != sc->p[n - 1].asked)
			sc->p[n++] = sc->p[i];
	sc->n = n;
	/* Each of them is an open folder. */
	if (!getrlimit(RLIMIT_NOFILE, &files)) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	return 0;
}

/* --- since when --------------------------------------------------------- */

/* se.exec_start is when a task last ran, on the clock of the scheduler, in ms. */
static double last_ran(struct snap *s, pid_t pid, pid_t tid)
{
	static const char key[] = "\nse.exec_start";
	const char *text, *at = NULL;
	double ms = -1;

	if (snap_read(s, pid, tid, "sched", &text))
		return -1;
	/* The first line has the name: the last one that looks like it is it. */
	for (const char *p = text; (p = strstr(p, key)); p++)
		at = p + sizeof(key) - 1;
	if (!at || sscanf(at, " : %lf", &ms) != 1)
		return -1;
	return ms;
}

/* Of the thread that has slept longest; who runs does not sleep. */
static int64_t age_of(struct scan *sc, const struct patient *p, double now)
{
	double longest = -1;

	for (int i = 0; i < p->nr; i++) {
		const struct task *t = &p->tasks[i];
		double then;

		if (t->dead ? p->alive : !strchr("DtT", t->st.state))
			continue;
		then = last_ran(sc->s, p->pid, t->st.pid);
		if (then < 0)
			continue;
		/* Its clock may be a tick ahead: ours stands while we run. */
		if (then > now)
			then = now;
		if (now - then > longest)
			longest = now - then;
	}
	return longest < 0 ? UNKNOWN_AGE : (int64_t)(longest / 1000);
}

/* --- what is behind it -------------------------------------------------- */

static int find_patient(const struct scan *sc, pid_t pid)
{
	struct patient key = { .asked = pid };
	const struct patient *p = pid > 0 ? bsearch(&key, sc->p, (size_t)sc->n,
						    sizeof(key), by_pid) :
					    NULL;
	int i = p ? (int)(p - sc->p) : -1;

	return p && sc->of[i].v && sc->of[i].v->stuck ? i : -1;
}

static bool held_by_tracer(const struct opinion *o)
{
	return !strcmp(o->v->name, "tracer-holds");
}

/* The init of a pid name space waits for the children it has inherited. */
static int left_behind(const struct scan *sc, const struct patient *init)
{
	int dead = -1;

	for (int i = 0; i < init->nr; i++)
		if (on_stack(&init->tasks[i], "zap_pid_ns_processes"))
			dead = -2;
	for (int i = 0; dead != -1 && i < sc->n; i++) {
		const struct patient *p = &sc->p[i];

		if (p->err || p->tasks[0].st.ppid != init->pid ||
		    find_patient(sc, p->asked) < 0)
			continue;
		if (p->alive)
			return i;
		dead = i;
	}
	return dead < 0 ? -1 : dead;
}

static int cause_of(const struct scan *sc, int i)
{
	const struct patient *p = &sc->p[i];

	if (sc->of[i].parent)
		return find_patient(sc, p->parent.st.pid);
	if (held_by_tracer(&sc->of[i]))
		return find_patient(sc, p->tracer.st.pid);
	if (p->vfork)
		return find_patient(sc, p->vfork);
	return left_behind(sc, p);
}

/* The end of the chain; who waits for one another is at its own. */
static int bottom(const struct scan *sc, int i)
{
	int at = i;

	for (int steps = 0; steps < 64; steps++) {
		if (sc->of[at].cause < 0)
			return at;
		at = sc->of[at].cause;
	}
	return i;
}

/* The first three functions: beyond them is who called. */
static int nearest(const char *stack)
{
	const char *p = stack;

	for (int i = 0; i < 3 && p; i++)
		p = strstr(p + !!i, " <- ");
	return p ? (int)(p - stack) : (int)strlen(stack);
}

static void root_of(const struct patient *p, const struct opinion *o,
		    char *root, size_t size)
{
	const struct task *t = stuck_task(p);
	char name[128];

	for (int i = 0; i < p->nr && !t; i++)
		if (!p->tasks[i].dead && p->tasks[i].st.state == 'D')
			t = &p->tasks[i];
	for (int i = 0; i < p->nr && !t; i++)
		if (!p->tasks[i].dead)
			t = &p->tasks[i];
	if (o->parent)
		snprintf(root, size, "parent %d %s", p->parent.st.pid,
			 out_safe(name, sizeof(name), p->parent.st.name));
	else if (held_by_tracer(o))
		snprintf(root, size, "tracer %d %s", p->tracer.st.pid,
			 out_safe(name, sizeof(name), p->tracer.st.name));
	else if (t && *t->stack)
		snprintf(root, size, "in %.*s", nearest(t->stack), t->stack);
	else if (t && *t->wchan)
		snprintf(root, size, "in %s", t->wchan);
	else
		snprintf(root, size, "%s, where it is cannot be told",
			 out_safe(name, sizeof(name), p->tasks[0].st.name));
	for (char *c = root; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
}

/* --- containers --------------------------------------------------------- */

static const char *component_end(const char *p)
{
	return p + strcspn(p, "/\n");
}

/* "docker-0123….scope", "lxc.payload.web", "machine-web.scope" */
static bool is_container(const char *p, size_t n, char *name, size_t size)
{
	size_t hex = 0;

	for (size_t i = 0; i < n; i++) {
		hex = strchr("0123456789abcdef", p[i]) ? hex + 1 : 0;
		if (hex == 64) {
			snprintf(name, size, "%.12s", p + i - 63);
			return true;
		}
	}
	if (strncmp(p, "lxc.payload.", 12) && strncmp(p, "machine-", 8))
		return false;
	snprintf(name, size, "%.*s", (int)(n < size ? n : size - 1), p);
	return true;
}

/* The innermost, in whichever hierarchy names one. */
static bool container_of_cgroup(const char *text, char *name, size_t size)
{
	bool found = false;

	for (const char *p = text; *p; p = component_end(p), p += !!*p)
		if (is_container(p, (size_t)(component_end(p) - p), name, size))
			found = true;
	return found;
}

static void note_container(struct scan *sc, struct group *g,
			   const struct patient *p)
{
	char raw[64], name[sizeof(*g->containers)];
	const char *text;
	void *more;

	if (snap_read(sc->s, p->pid, 0, "cgroup", &text) ||
	    !container_of_cgroup(text, raw, sizeof(raw)))
		return;
	out_safe(name, sizeof(name), raw);
	for (int i = 0; i < g->nr_containers; i++)
		if (!strcmp(g->containers[i], name))
			return;
	more = realloc(g->containers,
		       ((size_t)g->nr_containers + 1) * sizeof(*g->containers));
	if (!more)
		return;
	g->containers = more;
	memcpy(g->containers[g->nr_containers++], name, sizeof(name));
}

/* --- groups ------------------------------------------------------------- */

static struct group *group_for(struct scan *sc, int root_patient, int *at)
{
	const struct opinion *o = &sc->of[root_patient];
	const struct patient *p = &sc->p[root_patient];
	struct group *g;
	char root[512];

	root_of(p, o, root, sizeof(root));
	for (*at = 0; *at < sc->nr_groups; (*at)++) {
		g = &sc->groups[*at];
		if (g->v == o->v && !strcmp(g->root, root))
			return g;
	}
	g = realloc(sc->groups,
		    ((size_t)sc->nr_groups + 1) * sizeof(*sc->groups));
	if (!g)
		return NULL;
	sc->groups = g;
	g += sc->nr_groups++;
	*g = (struct group){
		.id = *at,
		.first = root_patient,
		.age_s = UNKNOWN_AGE,
	};
	g->v = judge(p, &g->f);
	memcpy(g->root, root, sizeof(root));
	return g;
}

static int add_to_group(struct scan *sc, int i)
{
	const struct patient *p = &sc->p[i];
	int at;
	struct group *g = group_for(sc, bottom(sc, i), &at);

	if (!g)
		return -ENOMEM;
	sc->of[i].group = at;
	g->n++;
	g->zombies += p->tasks[0].dead;
	g->unkillable += !!stuck_task(p);
	for (int t = 0; t < p->nr; t++)
		g->asleep += p->tasks[t].st.state == 'D';
	if (sc->of[i].age_s > g->age_s)
		g->age_s = sc->of[i].age_s;
	note_container(sc, g, p);
	return 0;
}

static int oldest_first(const void *a, const void *b)
{
	const struct group *x = a, *y = b;

	if (x->age_s != y->age_s)
		return x->age_s < y->age_s ? 1 : -1;
	return x->first - y->first;
}

static int sort_groups(struct scan *sc)
{
	_cleanup_free_ int *place =
		calloc((size_t)sc->nr_groups + 1, sizeof(*place));

	if (!place)
		return -ENOMEM;
	if (sc->nr_groups)
		qsort(sc->groups, (size_t)sc->nr_groups, sizeof(*sc->groups),
		      oldest_first);
	for (int i = 0; i < sc->nr_groups; i++)
		place[sc->groups[i].id] = i;
	for (int i = 0; i < sc->n; i++)
		if (sc->of[i].group >= 0)
			sc->of[i].group = place[sc->of[i].group];
	return 0;
}

static bool counts(const struct scan *sc, const struct opinion *o)
{
	return o->v && o->v->stuck &&
	       (o->age_s == UNKNOWN_AGE || o->age_s >= sc->older_s);
}

static int form_opinions(struct scan *sc)
{
	static struct finding f;
	double now;

	sc->of = calloc((size_t)sc->n + 1, sizeof(*sc->of));
	if (!sc->of)
		return -ENOMEM;
	now = last_ran(sc->s, getpid(), 0);
	for (int i = 0; i < sc->n; i++) {
		struct opinion *o = &sc->of[i];

		*o = (struct opinion){ .group = -1, .age_s = UNKNOWN_AGE };
		o->cause = -1;
		sc->left_out += sc->p[i].err && sc->p[i].err != -ESRCH;
		if (sc->p[i].err)
			continue;
		o->v = judge(&sc->p[i], &f);
		o->parent = f.parent.nr;
		if (o->v && o->v->stuck && now >= 0)
			o->age_s = age_of(sc, &sc->p[i], now);
	}
	for (int i = 0; i < sc->n; i++)
		if (sc->of[i].v && sc->of[i].v->stuck)
			sc->of[i].cause = cause_of(sc, i);
	return 0;
}

int scan_machine(struct scan *sc)
{
	int64_t began = now_ms();
	int err;

	sc->s = snap_live();
	err = sc->s ? find_patients(sc) : -ENOMEM;
	if (err)
		return err;
	sc->hidden = !proc_exists(1, 0);
	if (sc->n)
		examine(sc->s, sc->p, sc->n);
	err = form_opinions(sc);
	for (int i = 0; i < sc->n && !err; i++)
		if (counts(sc, &sc->of[i]))
			err = add_to_group(sc, i);
	if (!err)
		err = sort_groups(sc);
	sc->ms = now_ms() - began;
	return err;
}

void scan_free(struct scan *sc)
{
	for (int i = 0; i < sc->n; i++)
		patient_free(&sc->p[i]);
	for (int i = 0; i < sc->nr_groups; i++)
		free(sc->groups[i].containers);
	free(sc->p);
	free(sc->of);
	free(sc->groups);
	snap_free(sc->s);
}

int scan_stuck(const struct scan *sc)
{
	int n = 0;

	for (int i = 0; i < sc->nr_groups; i++)
		n += sc->groups[i].n;
	return n;
}

int scan_unkillable(const struct scan *sc)
{
	int n = 0;

	for (int i = 0; i < sc->nr_groups; i++)
		n += sc->groups[i].unkillable;
	return n;
}
