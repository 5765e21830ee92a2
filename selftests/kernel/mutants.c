// SPDX-License-Identifier: GPL-2.0
/*
 * On the host: which mutants does the catalogue notice?
 *
 * mutants run FOLDER KERNEL KEY [--sample N SEED] [--only FUNCTION...] [--left EQUIVALENT] [--first N] -- COMMAND...
 *	COMMAND runs the rest of its line in a VM on KERNEL, which has all mutants
 *	(mutate.c), with FOLDER/plan as /plan and drive.c as /drive. FOLDER/cites
 *	says which functions the texts of a scenario name. Every mutant
 *	without a result of KEY gets one, appended to FOLDER/results, so that a
 *	run that was ended goes on. --sample: so many only, drawn by SEED. --only:
 *	those of the functions, or by their names ("FUNCTION KIND N OPERATION").
 *	--left: not those that another catalogue has noticed, or whose kernel did
 *	not get so far, and none of EQUIVALENT. --first: only so many
 *	scenarios are asked, and what none notices has no result yet. Status 1: a
 *	scenario does not pass without a mutant, and was left out.
 * mutants table FOLDER KERNEL KEY EQUIVALENT CITED
 *	a line for each, those that nothing noticed by function, the sum.
 *	EQUIVALENT lists mutants that change nothing that could be seen, one a
 *	line: "FUNCTION KIND N OPERATION: why"; it is an error if one was noticed.
 *	CITED lists the functions that expectations give as their reason: those
 *	are named of which no mutant was noticed by an expectation that cites it.
 *
 * mutants survivors FOLDER KERNEL KEY EQUIVALENT
 *	what is left to be noticed, by function.
 *
 * KEY stands for the catalogue and its module; "any": the last result, whatever
 * the catalogue.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "results.h"

#define MAX_SCENARIOS 1024
#define SITES         4096
#define STALL_MS      60000 /* a VM that says nothing for so long is ended */
#define PER_BOOT      30

static struct scenario {
	char name[64], seen[SITES + 1];
	char *cites; /* " do_exit release_task " */
	int passed, ms, merit;
} scenarios[MAX_SCENARIOS];
static int nr_scenarios;

static char **command;
static int first = MAX_SCENARIOS; /* so many are asked */

/* What a few scenarios did not notice others may: only said. */
static void keep(struct mutant *m, enum outcome o, const char *scenario, int ms,
		 const char *text)
{
	bool open = (o == SURVIVED || o == BROKEN) && first < MAX_SCENARIOS;
	FILE *f = open ? NULL : open_in("results", "ae");

	if (!open && !f)
		die("cannot write %s/results: %m", folder);
	m->outcome = o;
	if (o == NOTICED)
		strcpy(m->hint, scenario);
	if (f) {
		fprintf(f, "%s %u %s %s %d %s\n", key, m->id, outcome_name[o],
			scenario, ms, text);
		fclose(f);
	}
	printf("%-10s %-50s %s %s\n", open ? "open" : outcome_name[o], m->full,
	       scenario, text);
	fflush(stdout);
}

/* --- the VM -------------------------------------------------------------- */

static pid_t child;

static int start(const char *what, int *out)
{
	char *argv[64];
	int pair[2], n = 0;

	while (n < 58 && command[n]) {
		argv[n] = command[n];
		n++;
	}
	argv[n++] = "/drive";
	argv[n++] = (char *)what;
	argv[n++] = "/plan";
	argv[n] = NULL;
	if (!strcmp(what, "survey"))
		argv[n - 1] = NULL;
	if (pipe2(pair, O_CLOEXEC))
		die("pipe: %m");
	child = fork();
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		dup2(pair[1], 1);
		execvp(argv[0], argv);
		_exit(127);
	}
	close(pair[1]);
	*out = pair[0];
	return child < 0 ? -1 : 0;
}

/*
 * Lines of a VM, each to @take, which says whether it is of any use still.
 * Return: its status, -1 when it said nothing for long.
 */
static int run_vm(const char *what, bool (*take)(char *line))
{
	static char text[1 << 16];
	size_t used = 0;
	bool heard = false, stalled = false;
	int fd, status;

	if (start(what, &fd))
		die("fork: %m");
	for (;;) {
		struct pollfd out = { .fd = fd, .events = POLLIN };
		char *line = text, *end;
		ssize_t n;

		/* Until its first word it may wait for a place to run. */
		if (poll(&out, 1, heard ? STALL_MS : -1) <= 0) {
			stalled = true;
			kill(child, SIGTERM);
			break;
		}
		n = read(fd, text + used, sizeof(text) - used - 1);
		if (n <= 0)
			break;
		heard = true;
		used += n;
		text[used] = '\0';
		while ((end = strchr(line, '\n'))) {
			*end = '\0';
			if (!take(line))
				kill(child, SIGTERM);
			line = end + 1;
		}
		used = strlen(line);
		memmove(text, line, used + 1);
	}
	close(fd);
	waitpid(child, &status, 0);
	if (stalled)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EX_SETUP;
}

/* --- what each scenario reaches ------------------------------------------ */

static bool take_reach(char *line)
{
	struct scenario *s = &scenarios[nr_scenarios];

	if (nr_scenarios < MAX_SCENARIOS &&
	    sscanf(line, "reach %63s %d %d %4096s", s->name, &s->passed, &s->ms,
		   s->seen) == 4)
		nr_scenarios++;
	return true;
}

/* FOLDER/cites: "SCENARIO FUNCTION FUNCTION...", those that its texts name. */
static void read_cites(void)
{
	FILE *f = open_in("cites", "re");
	char *line = NULL;
	size_t room = 0;

	while (f && getline(&line, &room, f) > 0) {
		size_t n = strcspn(line, " ");

		line[strcspn(line, "\n")] = ' ';
		for (int i = 0; i < nr_scenarios; i++)
			if (strlen(scenarios[i].name) == n &&
			    !strncmp(scenarios[i].name, line, n))
				scenarios[i].cites = strdup(line + n);
	}
	free(line);
	if (f)
		fclose(f);
}

static bool cites(const struct scenario *s, const char *function)
{
	char word[80];

	snprintf(word, sizeof(word), " %s ", function);
	return s->cites && strstr(s->cites, word);
}

/* Return: how many scenarios do not pass without a mutant. */
static int survey(void)
{
	static char line[SITES + 256];
	char name[128];
	int failed = 0;
	FILE *f;

	snprintf(name, sizeof(name), "survey-%s", key);
	f = open_in(name, "re");
	if (!f) {
		int status = run_vm("survey", take_reach);

		if (status || !nr_scenarios)
			die("the catalogue without a mutant: status %d",
			    status);
		f = open_in(name, "we");
		for (int i = 0; i < nr_scenarios; i++)
			fprintf(f, "reach %s %d %d %s\n", scenarios[i].name,
				scenarios[i].passed, scenarios[i].ms,
				scenarios[i].seen);
		fclose(f);
	} else {
		while (fgets(line, sizeof(line), f))
			take_reach(line);
		fclose(f);
	}
	read_cites();
	for (int i = 0; i < nr_scenarios; i++) {
		if (scenarios[i].passed)
			continue;
		printf("without a mutant %s does not pass: it is left out\n",
		       scenarios[i].name);
		failed++;
	}
	return failed;
}

/* A scenario can notice what it makes differ only. */
static bool reaches(const struct scenario *s, const struct mutant *m)
{
	static const int differs[] = { 0, 1 | 2, 1, 2, 2 };

	return s->passed && (s->seen[m->site] - '0') & differs[m->operation];
}

/*
 * Whose texts name what is left out is asked first, then who noticed most of the
 * function's mutants so far, and whose texts name it.
 */
static int by_merit(const void *a, const void *b)
{
	const struct scenario *s = a, *t = b;

	return s->merit != t->merit ? t->merit - s->merit : s->ms - t->ms;
}

static void order_scenarios(const struct mutant *m)
{
	for (int i = 0; i < nr_scenarios; i++) {
		struct scenario *s = &scenarios[i];

		s->merit = !strcmp(s->name, m->hint) * MAX_MUTANTS;
		s->merit += cites(s, m->name) * MAX_MUTANTS / 2;
		s->merit += cites(s, m->function);
		for (int j = 0; j < nr_mutants; j++)
			s->merit += !strcmp(mutants[j].function, m->function) &&
				    !strcmp(mutants[j].hint, s->name);
	}
	qsort(scenarios, nr_scenarios, sizeof(*scenarios), by_merit);
}

/* --- plans --------------------------------------------------------------- */

static bool plan_line(FILE *f, const struct mutant *m)
{
	int n = 0;

	if (m->dirty) {
		fprintf(f, "%u %u %u 1 %s\n", m->id, m->site, m->operation,
			m->scenario);
		return true;
	}
	order_scenarios(m);
	for (int i = 0; i < nr_scenarios && n < first; i++) {
		if (!reaches(&scenarios[i], m))
			continue;
		if (!n++)
			fprintf(f, "%u %u %u 0", m->id, m->site, m->operation);
		fprintf(f, " %s", scenarios[i].name);
	}
	if (n)
		fputc('\n', f);
	return n;
}

/* One to be looked at alone comes alone. */
static int write_plan(void)
{
	FILE *f = open_in("plan", "we");
	int n = 0;

	for (int i = 0; i < nr_mutants && !n; i++)
		if (mutants[i].dirty)
			n += plan_line(f, &mutants[i]);
	for (int i = 0; i < nr_mutants && !n; i++)
		for (int j = i; j < nr_mutants && n < PER_BOOT; j++) {
			struct mutant *m = &mutants[j];

			if (m->outcome || !m->sampled)
				continue;
			if (plan_line(f, m))
				n++;
			else
				keep(m, UNREACHED, "-", 0, "-");
		}
	fclose(f);
	return n;
}

static struct mutant *current;
static char fails[900]; /* what it made FAIL, said at once */
static int fruitless;   /* boots in a row without a mutant */
static struct timespec since;

static bool take_result(char *line)
{
	char what[16], scenario[64], text[900] = "-";
	unsigned int id;
	int ms = 0;

	if (sscanf(line, "start %u", &id) == 1) {
		current = by_id(id);
		*fails = '\0';
		fruitless = 0;
		clock_gettime(CLOCK_MONOTONIC, &since);
		return true;
	}
	if (sscanf(line, "%15s %u %63s %d %899[^\n]", what, &id, scenario, &ms,
		   text) < 4 ||
	    !current || id != current->id)
		return true;
	if (!strcmp(what, "failed")) {
		strcpy(fails, text);
		strcpy(current->scenario, scenario);
		return true;
	}
	if (!strcmp(what, "dirty") && !current->dirty) {
		current->dirty = true;
		strcpy(current->scenario, scenario);
	} else if (!strcmp(what, "dirty")) {
		current->dirty = false;
		keep(current, BROKEN, scenario, ms, "does not pass without it");
	} else if (outcome_of(what)) {
		current->dirty = false;
		keep(current, outcome_of(what), scenario, ms, text);
	}
	current = NULL;
	return strcmp(what, "dirty") && strcmp(what, "hang");
}

/*
 * The VM has ended, or was, while a mutant was on. What FAILED before that
 * counts if the scenario passed in the same boot: it is looked at alone.
 */
static void ended_with(struct mutant *m, bool stalled)
{
	bool alone = m->dirty;
	struct timespec t;
	int ms;

	clock_gettime(CLOCK_MONOTONIC, &t);
	ms = (int)(t.tv_sec - since.tv_sec) * 1000;
	m->dirty = *fails && !alone;
	if (m->dirty)
		return;
	if (*fails)
		keep(m, NOTICED, m->scenario, ms, fails);
	else
		keep(m, stalled ? HANG : CRASHED, "-", ms, "-");
}

static void run_pending(void)
{
	while (write_plan()) {
		int status;

		current = NULL;
		if (fruitless++ == 3)
			die("the VM does not get to the first mutant");
		status = run_vm("plan", take_result);
		if (current)
			ended_with(current, status < 0);
	}
}

static uint64_t hash(const char *seed, unsigned int id)
{
	uint64_t h = 14695981039346656037ULL ^ id;

	for (; *seed; seed++)
		h = (h ^ (unsigned char)*seed) * 1099511628211ULL;
	return (h ^ h >> 29) * 0x9e3779b97f4a7c15ULL;
}

static void sample(int n, const char *seed)
{
	for (int i = 0; i < nr_mutants; i++)
		mutants[i].sampled = false;
	while (n-- > 0) {
		struct mutant *lowest = NULL;

		for (int i = 0; i < nr_mutants; i++) {
			struct mutant *m = &mutants[i];

			if (!m->sampled &&
			    (!lowest ||
			     hash(seed, m->id) < hash(seed, lowest->id)))
				lowest = m;
		}
		if (lowest)
			lowest->sampled = true;
	}
}

/* Which mutants are meant, from argv up to "--". Return: what follows. */
static char **choose(char **arg)
{
	bool only = false;

	for (int i = 0; i < nr_mutants; i++)
		mutants[i].sampled = true;
	for (; *arg && strcmp(*arg, "--"); arg++) {
		if (!strcmp(*arg, "--sample") && arg[1] && arg[2]) {
			sample(atoi(arg[1]), arg[2]);
			arg += 2;
			continue;
		}
		if (!strcmp(*arg, "--only"))
			continue;
		if (!strcmp(*arg, "--first") && arg[1]) {
			first = atoi(*++arg);
			continue;
		}
		if (!strcmp(*arg, "--left") && arg[1]) {
			read_equivalent(*++arg);
			for (int i = 0; i < nr_mutants; i++)
				mutants[i].sampled &= !mutants[i].before &&
						      !*mutants[i].why;
			continue;
		}
		for (int i = 0; i < nr_mutants; i++) {
			struct mutant *m = &mutants[i];

			m->sampled = (only && m->sampled) ||
				     !strcmp(m->function, *arg) ||
				     !strcmp(m->full, *arg);
		}
		only = true;
	}
	return *arg ? arg + 1 : arg;
}

int main(int argc, char **argv)
{
	int failed;

	if (argc < 6 || (!strcmp(argv[1], "table") && argc < 7))
		die("usage: mutants run FOLDER KERNEL KEY [--sample N SEED] [--only FUNCTION...] [--left EQUIVALENT] [--first N] -- COMMAND...\n"
		    "       mutants table FOLDER KERNEL KEY EQUIVALENT CITED\n"
		    "       mutants survivors FOLDER KERNEL KEY EQUIVALENT");
	folder = argv[2];
	key = argv[4];
	read_mutants(argv[3]);
	read_results();
	if (!strcmp(argv[1], "survivors"))
		return list_survivors(argv[5]);
	if (!strcmp(argv[1], "table"))
		return list_table(argv[5], argv[6]);
	command = choose(argv + 5);
	failed = survey();
	run_pending();
	return failed ? 1 : 0;
}
