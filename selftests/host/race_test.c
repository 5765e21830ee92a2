// SPDX-License-Identifier: GPL-2.0
/*
 * Races: the search finds windows that are known, a race that was not met is
 * VACUOUS, a planted bug is found, and nothing is left behind. argv[1] is the
 * tool; beside it is one with bugs to plant.
 */
#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/await.h"
#include "race-engine.h"
#include "scratch.h"

static int tests, failures;
static const char *tool;
static char broken_tool[4096];

static void check(bool ok, const char *what)
{
	printf("%s %d %s\n", ok ? "ok" : "not ok", ++tests, what);
	fflush(stdout);
	failures += !ok;
}

/* --- the search, of races that are made up ------------------------------ */

/* Which outcomes a round has when the first side is later by @delay. */
typedef unsigned int (*rule_fn)(int64_t delay, int64_t at, uint64_t noise);

/* Two outcomes: which is a matter of chance within 100 ns. */
static unsigned int two(int64_t delay, int64_t at, uint64_t noise)
{
	return delay + (int64_t)(noise % 100) < at ? 1 : 2;
}

/* And a third between them, 400 ns wide. */
static unsigned int three(int64_t delay, int64_t at, uint64_t noise)
{
	delay += (int64_t)(noise % 100);
	if (delay < at)
		return 1;
	return delay < at + 400 ? 4 : 2;
}

/* No delay does it. */
static unsigned int never(int64_t delay, int64_t at, uint64_t noise)
{
	(void)delay;
	(void)at;
	(void)noise;
	return 1;
}

static struct search s;

static bool load_has_changed;

/* By chance whatever the delay, until the load changes: then one is far off. */
static unsigned int moved(int64_t delay, int64_t at, uint64_t noise)
{
	uint64_t chance = noise / 100 % 1000;

	if (delay < at || chance < (load_has_changed ? 5 : 300))
		return 4;
	return noise % 100 < 50 ? 1 : 2;
}

static void batch(rule_fn rule, int64_t at, uint64_t *noise)
{
	int cell = search_next(&s);

	for (int i = 0; i < 8; i++) {
		int64_t delay = search_delay(&s, cell);

		*noise = *noise * 6364136223846793005ULL + 1;
		search_note(&s, cell, delay, rule(delay, at, *noise >> 33));
	}
}

/* Return: rounds until the proof, or @most. */
static uint64_t play(int outcomes, rule_fn rule, int64_t at, uint64_t seed,
		     uint64_t most)
{
	uint64_t noise = seed;

	search_begin(&s, outcomes, false, seed);
	while (s.rounds < most && !search_proved(&s))
		batch(rule, at, &noise);
	return s.rounds;
}

/* @width: of what is between the two outcomes at the edges. */
static bool finds(int outcomes, rule_fn rule, int64_t at, int64_t width)
{
	int64_t from = 0, to = 0;

	for (uint64_t seed = 1; seed <= 20; seed++) {
		play(outcomes, rule, at, seed, 20000);
		if (!search_proved(&s) || !search_window(&s, &from, &to) ||
		    from > at + width || to < at - 100) {
			printf("# at %lld, seed %llu: %llu rounds, window %lld to %lld\n",
			       (long long)at, (unsigned long long)seed,
			       (unsigned long long)s.rounds, (long long)from,
			       (long long)to);
			return false;
		}
	}
	return true;
}

/* By then there are as many cells as there can be, and none is far off. */
static bool is_found_again(void)
{
	for (uint64_t seed = 1; seed <= 20; seed++) {
		uint64_t noise = seed, before, end, most = 0;

		search_begin(&s, 3, false, seed);
		load_has_changed = false;
		while (s.nr < CELLS && s.rounds < 200000)
			batch(moved, -6000000, &noise);
		load_has_changed = true;
		before = s.met[2];
		end = s.rounds + 10000;
		while (s.rounds < end)
			batch(moved, -6000000, &noise);
		for (int i = 0; i < s.nr; i++)
			most += s.cells[i].rounds;
		if (s.met[2] - before < 1000 || most != s.rounds) {
			printf("# seed %llu: %llu of 10000, %llu of %llu rounds in the cells\n",
			       (unsigned long long)seed,
			       (unsigned long long)(s.met[2] - before),
			       (unsigned long long)most,
			       (unsigned long long)s.rounds);
			return false;
		}
	}
	return true;
}

static void test_search(void)
{
	static struct search first;

	check(finds(2, two, 50, 0), "a window about 0");
	check(finds(2, two, 3000, 0), "a window at 3 us");
	check(finds(2, two, -700000, 0), "a window at -0.7 ms");
	check(finds(2, two, 9000000, 0), "a window at 9 ms");
	check(finds(3, three, 0, 400), "three outcomes");
	check(!search_is_short(&s, search_unproved(&s)),
	      "none of them is rare");
	check(finds(3, three, -50000, 400), "three outcomes, at -50 us");
	check(is_found_again(), "the one that has moved far off");
	check(play(2, never, 0, 1, 20000) >= 20000 && !search_proved(&s) &&
		      s.cells[0].delay < -10000000 &&
		      s.cells[s.nr - 1].delay > 10000000,
	      "what is never met is sought over 10 ms to both sides");
	check(search_is_short(&s, 1) && !search_is_short(&s, 0),
	      "it is rare, and the other is not");
	play(2, two, 3000, 7, 2000);
	first = s;
	play(2, two, 3000, 7, 2000);
	check(!memcmp(&first, &s, sizeof(s)), "the same seed, the same delays");
	search_begin(&s, 2, true, 1);
	search_note(&s, search_next(&s), search_delay(&s, 0), 1);
	check(s.nr == 1 && !search_next(&s) && !search_delay(&s, 0),
	      "a fixed delay stays 0");
}

/* 5 % and 100, of each. */
static void test_proof(void)
{
	search_begin(&s, 2, true, 1);
	for (int i = 0; i < 100; i++)
		search_note(&s, 0, 0, 1);
	for (int i = 0; i < 99; i++)
		search_note(&s, 0, 0, 2);
	check(!search_proved(&s), "99 of one outcome are no proof");
	search_note(&s, 0, 0, 2);
	check(search_proved(&s), "100 of each are");
	for (int i = 0; i < 1800; i++)
		search_note(&s, 0, 0, 1);
	check(search_proved(&s), "100 of 2000 are");
	search_note(&s, 0, 0, 1);
	check(!search_proved(&s), "100 of 2001 are not");
}

/* --- the tool ----------------------------------------------------------- */

#define MAX_ARGS 10

/* Return: its exit status; @text: what it printed. */
static int run(const char *program, const char *bug, const char *const *args,
	       char *text, size_t size)
{
	const char *argv[MAX_ARGS + 2] = { program, "race" };
	size_t n = 0;
	int p[2], status;
	ssize_t got;
	pid_t pid;

	for (int i = 0; args[i]; i++)
		argv[i + 2] = args[i];
	if (pipe(p))
		return -1;
	pid = fork();
	if (!pid) {
		dup2(p[1], 1);
		dup2(p[1], 2);
		if (bug)
			setenv("UNDEAD_BREAK", bug, 1);
		execv(program, (char **)argv);
		_exit(127);
	}
	close(p[1]);
	while ((got = read(p[0], text + n, size - 1 - n)) > 0)
		n += (size_t)got;
	text[n] = 0;
	close(p[0]);
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

#define RUN(program, bug, ...)                                              \
	run(program, bug, (const char *const[]){ __VA_ARGS__, NULL }, text, \
	    sizeof(text))

static char text[1 << 20];

static void complain(bool ok)
{
	if (ok)
		return;
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		printf("# %s\n", line);
}

static void expect(int status, int wanted, const char *says, const char *what)
{
	bool ok = status == wanted && (!says || strstr(text, says));

	check(ok, what);
	if (!ok)
		printf("# exit status %d, expected %d and '%s'\n", status,
		       wanted, says ? says : "");
	complain(ok);
}

static void test_outcomes(void)
{
	expect(RUN(tool, NULL, "--budget", "60s", "lifecycle"), 0,
	       "PASS lifecycle", "both branches of the lifecycle are met");
	expect(RUN(tool, NULL, "--budget", "1s", "lifecycle-vacuous"), 5,
	       "VACUOUS lifecycle-vacuous: ",
	       "as one writes it first it is VACUOUS");
	expect(RUN(tool, NULL, "--bisect", "--budget", "1s",
		   "lifecycle-vacuous"),
	       125, NULL, "which a bisection skips");
	expect(RUN(tool, NULL, "--budget", "60s", "--pin", "two-waiters"), 0,
	       "PASS two-waiters", "a race of the kernel");
	expect(RUN(tool, NULL, "create-unload"), 4, "SKIP create-unload",
	       "what would change this machine is for the VM");
}

static void test_bugs(void)
{
	expect(RUN(broken_tool, "unlocked-counter", "--full", "--budget", "60s",
		   "--seed", "0xbad", "lifecycle"),
	       1, "of seed 0xbad",
	       "an unlocked counter is found, with its seed");
	expect(RUN(broken_tool, "reaped-twice", "--full", "--budget", "60s",
		   "--seed", "0xbad", "two-waiters"),
	       1, "of seed 0xbad, delay",
	       "a child that is reaped twice is found, with its seed");
	expect(RUN(broken_tool, "lost-wake-up", "--full", "--budget", "120s",
		   "--seed", "0xbad", "pidfd-poll"),
	       1, "a lost wake-up?",
	       "a lost wake-up is found, and does not hang us");
	expect(RUN(broken_tool, "nothing", "--budget", "60s", "lifecycle"), 0,
	       NULL, "without a planted bug the same tool passes");
}

static void test_usage(void)
{
	expect(RUN(tool, NULL, "two-waitrs"), 2, "did you mean 'two-waiters'?",
	       "a name that is none");
	expect(RUN(tool, NULL, "--seed", "-1", "lifecycle"), 2, "is no seed",
	       "a seed that is none");
	expect(RUN(tool, NULL, "--budget", "0", "lifecycle"), 2,
	       "is no duration", "a budget that is none");
	expect(RUN(tool, NULL, "--svg", "/nowhere/x.svg", "--budget", "60s",
		   "lifecycle"),
	       3, "cannot write /nowhere/x.svg",
	       "a picture that cannot be written");
	expect(RUN(tool, NULL, "--list"), 0, "lifecycle-vacuous", "the list");
	expect(RUN(tool, NULL, "--help"), 0, "Examples:", "the help");
}

/* --- what it writes ----------------------------------------------------- */

static void test_json(void)
{
	const char *outcome = "", *seed = "";
	json_int_t version = 0, status = -1;
	json_t *all, *race, *histogram;
	size_t i, cells = 0, rounds = 0, sum = 0;
	json_t *cell;

	RUN(tool, NULL, "--json", "--budget", "60s", "--seed", "0x5eed",
	    "lifecycle");
	all = json_loads(text, 0, NULL);
	race = json_array_get(json_object_get(all, "races"), 0);
	histogram = json_object_get(race, "histogram");
	json_unpack(all, "{sI sI}", "undead_race", &version, "status", &status);
	json_unpack(race, "{ss ss}", "outcome", &outcome, "seed", &seed);
	rounds = (size_t)json_integer_value(json_object_get(race, "rounds"));
	json_array_foreach(histogram, i, cell) {
		cells++;
		sum += (size_t)json_integer_value(
			json_object_get(cell, "rounds"));
	}
	check(version == 1 && !status && !strcmp(outcome, "PASS") &&
		      !strcmp(seed, "0x5eed"),
	      "--json has version, status, outcome and seed");
	check(cells && rounds >= PROOF_ROUNDS && sum == rounds,
	      "and a histogram of all rounds");
	json_decref(all);
	RUN(tool, NULL, "--tap", "--budget", "1s", "lifecycle-vacuous");
	check(strstr(text, "1..1\n") && strstr(text, "not ok 1 lifecycle-vac"),
	      "--tap: VACUOUS is not ok");
}

static void test_svg(void)
{
	char dir[512], path[600];
	size_t n = 0;
	FILE *f;

	if (!scratch_make(dir, sizeof(dir), "race")) {
		check(false, "a folder for the picture");
		return;
	}
	snprintf(path, sizeof(path), "%s/race.svg", dir);
	RUN(tool, NULL, "--svg", path, "--budget", "60s", "lifecycle");
	f = fopen(path, "re");
	if (f) {
		n = fread(text, 1, sizeof(text) - 1, f);
		fclose(f);
	}
	text[n] = 0;
	check(!strncmp(text, "<svg xmlns=", 11) && strstr(text, "<rect x=") &&
		      strstr(text, "added") && strstr(text, "</svg>\n"),
	      "--svg draws the outcomes");
}

/* --- the end ------------------------------------------------------------ */

static bool all_gone(void *arg)
{
	(void)arg;
	while (waitpid(-1, NULL, WNOHANG | __WALL) > 0)
		;
	return errno == ECHILD;
}

static bool has_children(pid_t pid, pid_t *child)
{
	char path[64];
	FILE *f;
	int n = 0;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
	f = fopen(path, "re");
	if (f) {
		n = fscanf(f, "%d", child);
		fclose(f);
	}
	return n == 1;
}

/* Its runner is there, and a process of the race. */
static bool is_racing(void *pid)
{
	pid_t runner, side;

	return has_children(*(pid_t *)pid, &runner) &&
	       has_children(runner, &side);
}

/* In the midst of its rounds: all it has made would be ours then. */
static void test_kill(void)
{
	size_t n = 0;
	ssize_t got;
	int p[2];
	pid_t pid;

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	if (pipe(p))
		return;
	pid = fork();
	if (!pid) {
		dup2(p[1], 1);
		close(p[0]);
		execl(tool, tool, "race", "--tap", "--full", "--budget", "60s",
		      "--seed", "0xbad", "exit-parent-child", NULL);
		_exit(127);
	}
	close(p[1]);
	check(await_true(is_racing, &pid, AWAIT_MS) && !kill(pid, SIGKILL) &&
		      await_true(all_gone, NULL, AWAIT_MS),
	      "kill -9 leaves nobody behind");
	/* Whoever lived would have the other end of it. */
	while ((got = read(p[0], text + n, sizeof(text) - 1 - n)) > 0)
		n += (size_t)got;
	text[n] = 0;
	check(strstr(text, "# exit-parent-child: ") &&
		      strstr(text, "; seed 0xbad\n"),
	      "and it is known what was played, should the kernel have died");
	close(p[0]);
}

int main(int argc, char **argv)
{
	tool = argc > 1 ? argv[1] : "build/undead";
	snprintf(broken_tool, sizeof(broken_tool), "%s-broken", tool);
	printf("TAP version 13\n");
	test_search();
	test_proof();
	test_usage();
	test_outcomes();
	test_json();
	test_svg();
	test_kill();
	test_bugs();
	printf("1..%d\n", tests);
	return failures ? 1 : 0;
}
