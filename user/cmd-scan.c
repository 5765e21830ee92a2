// SPDX-License-Identifier: GPL-2.0
/*
 * A walk over every status, then the doctor for those that look stuck: a zombie,
 * a sleeper in D, a SIGKILL that is pending.
 */
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <limits.h>
#include <signal.h>
#include <string.h>

#include "command.h"
#include "core/out.h"
#include "doctor.h"

#define UNDEAD_SCAN_JSON 1
#define MAX_PATIENTS     1024

enum {
	OPT_CHECK = OPT_OWN,
	OPT_METRICS,
};

enum {
	SCAN_CLEAN,
	SCAN_STUCK,
	SCAN_UNKNOWN = 3,
};

/**
 * struct group - patients with one root cause
 * @v:     their verdict
 * @root:  what they share: the parent that does not wait, or where they sleep
 * @f:     the finding of the first
 * @first: of them, by pid
 * @n:     how many
 */
struct group {
	const struct verdict *v;
	char root[512];
	struct finding f;
	int first;
	int n;
};

struct scan {
	struct snap *s;
	struct patient *p;
	int n, processes, left_out;
	int *group_of;
	struct group *groups;
	int nr_groups;
};

static bool suspicious(const struct proc_status *st)
{
	return strchr("ZXD", st->state) ||
	       (st->sigpnd | st->shdpnd) & SIGBIT(SIGKILL);
}

static int find_patients(struct scan *sc)
{
	const pid_t *pids;
	int n = snap_tasks(sc->s, 0, &pids);

	if (n < 0)
		return n;
	sc->p = calloc(MAX_PATIENTS, sizeof(*sc->p));
	if (!sc->p)
		return -ENOMEM;
	for (int i = 0; i < n; i++) {
		struct proc_status st;

		if (proc_status(pids[i], 0, &st))
			continue;
		sc->processes++;
		if (!suspicious(&st))
			continue;
		if (sc->n == MAX_PATIENTS)
			sc->left_out++;
		else
			sc->p[sc->n++].asked = pids[i];
	}
	return 0;
}

/* What is behind it: without the numbers of the patient itself. */
static void root_of(const struct patient *p, const struct finding *f,
		    char *root, size_t size)
{
	const struct task *t = NULL;

	for (int i = 0; i < p->nr && !t; i++)
		if (!p->tasks[i].dead)
			t = &p->tasks[i];
	if (f->parent.nr)
		snprintf(root, size, "parent %d", p->parent.st.pid);
	else if (t)
		snprintf(root, size, "in %.400s",
			 *t->stack ? t->stack : t->wchan);
	else
		snprintf(root, size, "tracer %d", p->tracer.st.pid);
}

static void add_to_group(struct scan *sc, int i)
{
	static struct finding f;
	const struct verdict *v = judge(&sc->p[i], &f);
	struct group *g;
	char root[512];

	sc->group_of[i] = -1;
	if (!v || !v->stuck)
		return;
	root_of(&sc->p[i], &f, root, sizeof(root));
	for (int j = 0; j < sc->nr_groups; j++)
		if (sc->groups[j].v == v && !strcmp(sc->groups[j].root, root))
			sc->group_of[i] = j;
	if (sc->group_of[i] < 0) {
		sc->group_of[i] = sc->nr_groups;
		g = &sc->groups[sc->nr_groups++];
		g->v = v;
		g->f = f;
		g->first = i;
		memcpy(g->root, root, sizeof(root));
	}
	sc->groups[sc->group_of[i]].n++;
}

static int scan_machine(struct scan *sc)
{
	int err = find_patients(sc);

	if (err)
		return err;
	sc->group_of = calloc((size_t)sc->n + 1, sizeof(*sc->group_of));
	sc->groups = calloc((size_t)sc->n + 1, sizeof(*sc->groups));
	if (!sc->group_of || !sc->groups)
		return -ENOMEM;
	if (sc->n)
		examine(sc->s, sc->p, sc->n);
	for (int i = 0; i < sc->n; i++) {
		sc->group_of[i] = -1;
		if (!sc->p[i].err)
			add_to_group(sc, i);
	}
	return 0;
}

static void scan_free(struct scan *sc)
{
	for (int i = 0; i < sc->n; i++)
		patient_free(&sc->p[i]);
	free(sc->p);
	free(sc->group_of);
	free(sc->groups);
	snap_free(sc->s);
}

static int stuck(const struct scan *sc)
{
	int n = 0;

	for (int i = 0; i < sc->nr_groups; i++)
		n += sc->groups[i].n;
	return n;
}

/* --- output ------------------------------------------------------------- */

static void text_pids(const struct scan *sc, int group)
{
	int shown = 0;

	printf("   %-9s", "pids");
	for (int i = 0; i < sc->n; i++)
		if (sc->group_of[i] == group && shown++ < 12)
			printf(" %d", sc->p[i].pid);
	printf("%s\n", shown > 12 ? " ..." : "");
}

static void text_lines(const char *what, const struct lines *l)
{
	for (int i = 0; i < l->nr; i++)
		printf("   %-9s %s\n", i ? "" : what, l->text[i]);
}

static void show_text(const struct scan *sc)
{
	for (int i = 0; i < sc->nr_groups; i++) {
		const struct group *g = &sc->groups[i];

		printf("%d process%s  %s\n", g->n, g->n == 1 ? "" : "es",
		       g->v->cause);
		text_pids(sc, i);
		text_lines("blocker", &g->f.blocker);
		text_lines("parent", &g->f.parent);
		text_lines("helps", &g->f.helps);
		putchar('\n');
	}
	printf("%d of %d processes stuck, %d cause%s\n", stuck(sc),
	       sc->processes, sc->nr_groups, sc->nr_groups == 1 ? "" : "s");
	if (sc->left_out)
		printf("%d more look stuck and were not examined\n",
		       sc->left_out);
}

static json_t *json_group(const struct scan *sc, int group)
{
	const struct group *g = &sc->groups[group];
	json_t *pids = json_array();

	for (int i = 0; i < sc->n; i++)
		if (sc->group_of[i] == group)
			json_array_append_new(pids, json_integer(sc->p[i].pid));
	return json_pack("{ss ss ss so}", "verdict", g->v->name, "cause",
			 g->v->cause, "root", g->root, "pids", pids);
}

static void show_json(const struct scan *sc)
{
	json_t *groups = json_array(), *top;

	for (int i = 0; i < sc->nr_groups; i++)
		json_array_append_new(groups, json_group(sc, i));
	top = json_pack("{si si si so}", "undead_scan", UNDEAD_SCAN_JSON,
			"processes", sc->processes, "stuck", stuck(sc),
			"groups", groups);
	json_dumpf(top, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
	putchar('\n');
	json_decref(top);
}

/* One line, as Nagios and the node problem detector read it. */
static void show_check(const struct scan *sc)
{
	if (!sc->nr_groups) {
		printf("OK: %d processes, none stuck\n", sc->processes);
		return;
	}
	printf("WARNING: %d of %d processes stuck:", stuck(sc), sc->processes);
	for (int i = 0; i < sc->nr_groups; i++)
		printf(" %d %s;", sc->groups[i].n, sc->groups[i].v->name);
	putchar('\n');
}

static int of_verdict(const struct scan *sc, const struct verdict *v)
{
	int n = 0;

	for (int i = 0; i < sc->nr_groups; i++)
		if (sc->groups[i].v == v)
			n += sc->groups[i].n;
	return n;
}

static void print_metrics(const struct scan *sc, FILE *f)
{
	size_t n;
	const struct verdict *const *all = verdicts(&n);

	fputs("# HELP undead_processes Processes that are stuck, by cause.\n"
	      "# TYPE undead_processes gauge\n",
	      f);
	for (size_t i = 0; i < n; i++)
		if (all[i]->stuck)
			fprintf(f, "undead_processes{cause=\"%s\"} %d\n",
				all[i]->name, of_verdict(sc, all[i]));
}

/* Whoever collects it never sees half of it. */
static int write_metrics(const struct scan *sc, const char *path)
{
	_cleanup_free_ char *tmp = NULL;
	FILE *f;
	bool bad;

	if (asprintf(&tmp, "%s.%d", path, getpid()) < 0)
		return -ENOMEM;
	f = fopen(tmp, "we");
	if (!f)
		return -errno;
	print_metrics(sc, f);
	bad = fflush(f) || fsync(fileno(f));
	if (fclose(f) || bad || rename(tmp, path)) {
		int err = -errno;

		unlink(tmp);
		return err;
	}
	return 0;
}

/* --- the command -------------------------------------------------------- */

static int scan_and_show(void (*show)(const struct scan *), const char *metrics)
{
	struct scan sc = { .s = snap_live() };
	int err = sc.s ? scan_machine(&sc) : -ENOMEM;
	int result = sc.nr_groups ? SCAN_STUCK : SCAN_CLEAN;

	if (err) {
		complain(&cmd_scan, "cannot look at the processes: %s",
			 strerror(-err));
		result = SCAN_UNKNOWN;
	} else if (metrics) {
		err = write_metrics(&sc, metrics);
		if (err)
			complain(&cmd_scan, "cannot write %s: %s", metrics,
				 strerror(-err));
		result = err ? SCAN_UNKNOWN : SCAN_CLEAN;
	} else {
		show(&sc);
	}
	scan_free(&sc);
	return result;
}

static int scan(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, OPT_HELP },
		{ "json", no_argument, NULL, OPT_JSON },
		{ "check", no_argument, NULL, OPT_CHECK },
		{ "openmetrics", required_argument, NULL, OPT_METRICS },
		{ 0 }
	};
	void (*show)(const struct scan *sc) = show_text;
	const char *metrics = NULL;
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
		switch (c) {
		case OPT_HELP:
			fputs(cmd_scan.help, stdout);
			return 0;
		case OPT_JSON:
			show = show_json;
			break;
		case OPT_CHECK:
			show = show_check;
			break;
		case OPT_METRICS:
			metrics = optarg;
			break;
		default:
			c = bad_option(&cmd_scan, argv);
			return show == show_check ? SCAN_UNKNOWN : c;
		}
	}
	if (optind < argc) {
		c = usage_error(&cmd_scan, "'%s' is one argument too many",
				argv[optind]);
		return show == show_check ? SCAN_UNKNOWN : c;
	}
	return scan_and_show(show, metrics);
}

const struct command cmd_scan = {
	.name = "scan",
	.summary = "every stuck process of the machine, by root cause",
	.help = "Usage: undead scan [--json | --check | --openmetrics FILE]\n\n"
		"Walks over all processes, looks twice at those that are zombies, asleep in D\n"
		"or not gone after a SIGKILL, and groups them by what is behind it.\n\n"
		"  --check              one line and the exit status, for monitoring\n"
		"  --openmetrics FILE   gauges by cause, for the textfile collector of\n"
		"                       node_exporter; FILE is replaced at once\n"
		"  --json               docs/json.md\n"
		"  -h, --help           this text\n\n"
		"Examples:\n"
		"  undead scan\n"
		"  undead scan --check || page-somebody\n"
		"  undead scan --openmetrics /var/lib/prometheus/node-exporter/undead.prom\n\n"
		"Exit status: 0 nothing is stuck (or FILE is written); 1 something is; 2 wrong\n"
		"usage (with --check: 3); 3 could not tell.\n",
	.run = scan,
};
