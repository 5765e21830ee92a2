// SPDX-License-Identifier: GPL-2.0
/* All that is printed here was made printable where it was read. */
#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "scan.h"

#define UNDEAD_SCAN_JSON 1
#define SHOWN            12

static const char *ending(int n)
{
	return n == 1 ? "" : "s";
}

/* "3 d 4 h": the two largest units. */
static const char *age_text(int64_t s, char *text, size_t size)
{
	if (s < 0)
		snprintf(text, size, "since when is not told");
	else if (s < 60)
		snprintf(text, size, "%" PRId64 " s", s);
	else if (s < 3600)
		snprintf(text, size, "%" PRId64 " min %" PRId64 " s", s / 60,
			 s % 60);
	else if (s < 86400)
		snprintf(text, size, "%" PRId64 " h %" PRId64 " min", s / 3600,
			 s % 3600 / 60);
	else
		snprintf(text, size, "%" PRId64 " d %" PRId64 " h", s / 86400,
			 s % 86400 / 3600);
	return text;
}

/* "1 thread in D -> 40 zombies -> 3 containers" */
static void chain(const struct group *g, FILE *f)
{
	const char *arrow = "";

	if (g->asleep) {
		fprintf(f, "%d thread%s in D", g->asleep, ending(g->asleep));
		arrow = " -> ";
	}
	if (g->zombies) {
		fprintf(f, "%s%d zombie%s", arrow, g->zombies,
			ending(g->zombies));
		arrow = " -> ";
	}
	if (!*arrow)
		fprintf(f, "%d process%s", g->n, g->n == 1 ? "" : "es");
	if (g->nr_containers)
		fprintf(f, " -> %d container%s", g->nr_containers,
			ending(g->nr_containers));
}

static void text_pids(const struct scan *sc, int group, FILE *f)
{
	int shown = 0;

	fprintf(f, "   %-9s", "pids");
	for (int i = 0; i < sc->n; i++)
		if (sc->of[i].group == group && shown++ < SHOWN)
			fprintf(f, " %d", sc->p[i].pid);
	fprintf(f, "%s\n", shown > SHOWN ? " ..." : "");
}

static void text_containers(const struct group *g, FILE *f)
{
	if (!g->nr_containers)
		return;
	fprintf(f, "   %-9s", "in");
	for (int i = 0; i < g->nr_containers && i < SHOWN; i++)
		fprintf(f, " %s", g->containers[i]);
	fprintf(f, "%s\n", g->nr_containers > SHOWN ? " ..." : "");
}

static void text_lines(const char *what, const struct lines *l, FILE *f)
{
	for (int i = 0; i < l->nr; i++)
		fprintf(f, "   %-9s %s\n", i ? "" : what, l->text[i]);
}

static void text_group(const struct scan *sc, int at, FILE *f)
{
	const struct group *g = &sc->groups[at];
	char age[64];

	fprintf(f, "%s  ", age_text(g->age_s, age, sizeof(age)));
	chain(g, f);
	fprintf(f, "\n   %-9s %s\n", "cause", g->v->cause);
	fprintf(f, "   %-9s %s\n", "root", g->root);
	text_pids(sc, at, f);
	text_containers(g, f);
	text_lines("blocker", &g->f.blocker, f);
	text_lines("parent", &g->f.parent, f);
	text_lines("helps", &g->f.helps, f);
	fputc('\n', f);
}

static void notes(const struct scan *sc, FILE *f)
{
	if (sc->left_out)
		fprintf(f,
			"%d more look stuck and could not be looked at: too many open files, or no memory\n",
			sc->left_out);
	if (sc->not_all)
		fputs("the load averages leave room for a thread in D of a process whose leader looks\n"
		      "well; those were not looked at: --threads\n",
		      f);
	if (sc->hidden)
		fputs("/proc shows no process 1 here (hidepid): root sees the others\n",
		      f);
}

void scan_text(const struct scan *sc, FILE *f)
{
	for (int i = 0; i < sc->nr_groups; i++)
		text_group(sc, i, f);
	fprintf(f, "%d of %d processes stuck, %d cause%s\n", scan_stuck(sc),
		sc->processes, sc->nr_groups, ending(sc->nr_groups));
	notes(sc, f);
}

/* --- JSON --------------------------------------------------------------- */

static json_t *json_lines(const struct lines *l)
{
	json_t *a = json_array();

	for (int i = 0; i < l->nr; i++)
		json_array_append_new(a, json_string(l->text[i]));
	return a;
}

static json_t *json_age(int64_t s)
{
	return s < 0 ? json_null() : json_integer(s);
}

static json_t *json_group(const struct scan *sc, int at)
{
	const struct group *g = &sc->groups[at];
	json_t *pids = json_array(), *containers = json_array();

	for (int i = 0; i < sc->n; i++)
		if (sc->of[i].group == at)
			json_array_append_new(pids, json_integer(sc->p[i].pid));
	for (int i = 0; i < g->nr_containers; i++)
		json_array_append_new(containers,
				      json_string(g->containers[i]));
	return json_pack("{ss ss ss so si si si si so so so so so}", "verdict",
			 g->v->name, "cause", g->v->cause, "root", g->root,
			 "age_s", json_age(g->age_s), "processes", g->n,
			 "threads_in_d", g->asleep, "zombies", g->zombies,
			 "unkillable", g->unkillable, "pids", pids,
			 "containers", containers, "blocker",
			 json_lines(&g->f.blocker), "parent",
			 json_lines(&g->f.parent), "helps",
			 json_lines(&g->f.helps));
}

void scan_json(const struct scan *sc, FILE *f)
{
	json_t *groups = json_array(), *top;

	for (int i = 0; i < sc->nr_groups; i++)
		json_array_append_new(groups, json_group(sc, i));
	top = json_pack("{si si si si sb sb si sb so}", "undead_scan",
			UNDEAD_SCAN_JSON, "processes", sc->processes, "stuck",
			scan_stuck(sc), "unkillable", scan_unkillable(sc),
			"all_threads", sc->all_threads, "load_unexplained",
			sc->not_all, "not_examined", sc->left_out, "hidden",
			sc->hidden, "groups", groups);
	json_dumpf(top, f, JSON_INDENT(2) | JSON_ENSURE_ASCII);
	fputc('\n', f);
	json_decref(top);
}

/* --- monitoring --------------------------------------------------------- */

static int64_t oldest(const struct scan *sc)
{
	return sc->nr_groups ? sc->groups[0].age_s : 0;
}

static int of_verdict(const struct scan *sc, const struct verdict *v,
		      int64_t *age)
{
	int n = 0;

	*age = 0;
	for (int i = 0; i < sc->nr_groups; i++) {
		if (sc->groups[i].v != v)
			continue;
		n += sc->groups[i].n;
		if (sc->groups[i].age_s > *age)
			*age = sc->groups[i].age_s;
	}
	return n;
}

/* No name of a process, container or function is in it. */
void scan_check(const struct scan *sc, FILE *f)
{
	const struct verdict *const *all;
	size_t n;
	int64_t s;
	char age[64];

	if (!sc->nr_groups && (sc->left_out || sc->hidden))
		fprintf(f,
			"UNKNOWN: none of %d processes stuck, but not all could be looked at\n",
			sc->processes);
	else if (!sc->nr_groups)
		fprintf(f, "OK: none of %d processes stuck", sc->processes);
	else
		fprintf(f, "%s: %d of %d processes stuck, oldest %s:",
			scan_unkillable(sc) ? "CRITICAL" : "WARNING",
			scan_stuck(sc), sc->processes,
			age_text(oldest(sc), age, sizeof(age)));
	all = verdicts(&n);
	for (size_t i = 0; i < n; i++) {
		int stuck = of_verdict(sc, all[i], &s);

		if (stuck)
			fprintf(f, " %d %s;", stuck, all[i]->name);
	}
	fprintf(f, " | stuck=%d unkillable=%d oldest=%" PRId64 "s\n",
		scan_stuck(sc), scan_unkillable(sc),
		oldest(sc) < 0 ? 0 : oldest(sc));
}

static void family(const char *name, const char *help, FILE *f)
{
	fprintf(f, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name);
}

/* A label for each cause there is, also when nobody has it. */
void scan_metrics(const struct scan *sc, FILE *f)
{
	size_t n;
	const struct verdict *const *all = verdicts(&n);
	int64_t age;

	family("undead_stuck_processes", "Processes that are stuck, by cause.",
	       f);
	for (size_t i = 0; i < n; i++)
		if (all[i]->stuck)
			fprintf(f, "undead_stuck_processes{cause=\"%s\"} %d\n",
				all[i]->name, of_verdict(sc, all[i], &age));
	family("undead_oldest_seconds",
	       "For how long the oldest of them has not run, by cause.", f);
	for (size_t i = 0; i < n; i++)
		if (all[i]->stuck) {
			of_verdict(sc, all[i], &age);
			fprintf(f,
				"undead_oldest_seconds{cause=\"%s\"} %" PRId64
				"\n",
				all[i]->name, age);
		}
	family("undead_unkillable_processes",
	       "Stuck processes that SIGKILL has not ended.", f);
	fprintf(f, "undead_unkillable_processes %d\n", scan_unkillable(sc));
	family("undead_not_examined_processes",
	       "Processes that look stuck and could not be looked at.", f);
	fprintf(f, "undead_not_examined_processes %d\n", sc->left_out);
	family("undead_scanned_processes", "Processes looked at.", f);
	fprintf(f, "undead_scanned_processes %d\n", sc->processes);
	family("undead_scan_duration_seconds", "How long the look took.", f);
	fprintf(f, "undead_scan_duration_seconds %.3f\n# EOF\n",
		(double)sc->ms / 1000);
}
