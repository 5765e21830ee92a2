// SPDX-License-Identifier: GPL-2.0
/*
 * The runner, its guardian, or both at once are killed with -9, at least
 * KILLS times inside each numbered step of some scenarios: one with a thread in
 * D, one with a thread that takes no orders (pause()), one with a pid namespace
 * that cannot end, one in a cgroup of its own, one that changes a setting of
 * the machine. Each time, within LIMIT_MS: every process of theirs is gone,
 * nobody is held, nobody has the device open, and the machine is as before. At
 * the end the module unloads and loads again.
 *
 * All of them are our descendants, and we are a subreaper: none is left when
 * waitpid() says ECHILD, and a task in D would keep it from saying so.
 *
 * The moment inside a step is drawn (UNDEAD_SEED, printed); the step in which
 * the kill fell is the last one that the output shows.
 */
#include <dirent.h>
#include <errno.h>
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

#include "kselftest.h"

#define KILLS     10
#define LIMIT_MS  2000
#define MAX_STEPS 32
#define MAX_RUNS  2000

enum victim { RUNNER, GUARDIAN, BOTH, VICTIMS };

static const char *const victim_name[VICTIMS] = { "the runner", "the guardian",
						  "runner and guardian" };

/* One run of the scenario. */
struct run {
	pid_t guardian;
	FILE *out;
	int step;
};

static const char *const scenarios[] = { "zombie-leader", "exit-code-killed",
					 "pidns-no-fork", "slots-pids-max",
					 "slots-pid-max-machine" };
#define SCENARIOS ((int)(sizeof(scenarios) / sizeof(*scenarios)))

static const char *scenario;
static int nr_steps;
static int64_t step_us[MAX_STEPS];

static int64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static void start(struct run *r)
{
	int p[2];

	if (pipe2(p, O_CLOEXEC))
		ksft_exit_fail_msg("pipe: %m\n");
	r->step = 0;
	fflush(stdout);
	r->guardian = fork();
	if (!r->guardian) {
		dup2(p[1], STDOUT_FILENO);
		dup2(p[1], STDERR_FILENO);
		execlp("undead", "undead", "run", scenario, NULL);
		_exit(127);
	}
	close(p[1]);
	r->out = fdopen(p[0], "re");
}

/* Read on to the beginning of a step. Return: false at the end. */
static bool read_to(struct run *r, int step)
{
	char line[8192];
	int n;

	while (r->step < step) {
		if (!fgets(line, sizeof(line), r->out))
			return false;
		if (sscanf(line, "%d. ", &n) == 1 && n == r->step + 1)
			r->step = n;
	}
	return true;
}

/* A cleaner is to survive the runner, and is the guardian's child then. */
static bool is_cleaner(pid_t pid)
{
	char path[64], name[16] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	f = fopen(path, "re");
	if (f && fscanf(f, "%15s", name) != 1)
		*name = '\0';
	if (f)
		fclose(f);
	return !strcmp(name, "cleaner");
}

/* The runner is the child of the guardian; 0 when it has none (any more). */
static pid_t runner_of(pid_t guardian)
{
	char path[64];
	pid_t pid = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", guardian,
		 guardian);
	f = fopen(path, "re");
	if (f && fscanf(f, "%d", &pid) != 1)
		pid = 0;
	if (f)
		fclose(f);
	return is_cleaner(pid) ? 0 : pid;
}

static long read_long(const char *path)
{
	long n = -1;
	FILE *f = fopen(path, "re");

	if (f && fscanf(f, "%ld", &n) != 1)
		n = -1;
	if (f)
		fclose(f);
	return n;
}

/* Nobody has the device open: no hold either, a held thread has it open. */
static bool device_free(void)
{
	return read_long("/sys/module/undead/refcnt") == 0;
}

/* What some of them change: pid_max, and the folders of cgroups. */
static bool machine_as_before(void)
{
	static const char root[] = "/sys/fs/cgroup";
	static long pid_max;
	bool same = true;
	struct dirent *e;
	DIR *d = opendir(root);

	while (d && (e = readdir(d)))
		same = same && strncmp(e->d_name, "undead", 6);
	if (d)
		closedir(d);
	if (!pid_max)
		pid_max = read_long("/proc/sys/kernel/pid_max");
	return same && read_long("/proc/sys/kernel/pid_max") == pid_max;
}

static void pause_briefly(void)
{
	poll(NULL, 0, 1);
}

/* Return: us until all were gone, or -1. */
static int64_t gone_after(int64_t since)
{
	pid_t pid = 0;

	while (now_us() - since < LIMIT_MS * 1000) {
		pid = waitpid(-1, NULL, WNOHANG);
		if (pid < 0 && errno == ECHILD && device_free())
			break;
		if (pid <= 0)
			pause_briefly();
	}
	if (pid < 0 && device_free() && machine_as_before())
		return now_us() - since;
	ksft_print_msg("left: %s, the device is %s, the machine is %s; see 'undead status'\n",
		       pid < 0 ? "no child" : "a child is left",
		       device_free() ? "free" : "busy",
		       machine_as_before() ? "as before" : "changed");
	return -1;
}

/* Return: false when this machine is not for that scenario. */
static bool learn_steps(void)
{
	int64_t before, now;
	struct run r;
	int status;

	start(&r);
	for (nr_steps = 0; nr_steps + 1 < MAX_STEPS; nr_steps++) {
		before = now_us();
		if (!read_to(&r, nr_steps + 1))
			break;
		now = now_us();
		step_us[nr_steps] = now - before;
	}
	step_us[nr_steps] = now_us() - before;
	fclose(r.out);
	waitpid(r.guardian, &status, 0);
	if (WIFEXITED(status) && WEXITSTATUS(status) == KSFT_SKIP)
		return false;
	if (status || !nr_steps)
		ksft_exit_fail_msg("'undead run %s' does not pass by itself: status %#x\n",
				   scenario, status);
	return true;
}

/* Busy: a sleep would always end on a tick. */
static void spin(int64_t us)
{
	int64_t end = now_us() + us;

	while (now_us() < end)
		;
}

/* Return: the step in which the kill fell, 0 when it came too late. */
static int kill_once(enum victim v, int step, int64_t *gone)
{
	struct run r;
	pid_t runner;
	int64_t when;

	start(&r);
	read_to(&r, step);
	runner = runner_of(r.guardian);
	spin((int64_t)(random() % (step_us[step] + 1)));
	when = now_us();
	if (v != RUNNER)
		kill(r.guardian, SIGKILL);
	if (v != GUARDIAN && runner > 0)
		kill(runner, SIGKILL);
	*gone = gone_after(when);
	/* Whoever is left has the pipe open. */
	while (*gone >= 0 && read_to(&r, r.step + 1))
		;
	fclose(r.out);
	return runner > 0 ? r.step : 0;
}

static void kill_test(enum victim v)
{
	int hits[MAX_STEPS] = { 0 };
	int64_t gone, worst = 0;
	int runs = 0, least = 0;
	bool ok = true;

	while (ok && least < KILLS && runs < MAX_RUNS) {
		int step = 1;

		for (int i = 2; i <= nr_steps; i++)
			if (hits[i] < hits[step])
				step = i;
		hits[kill_once(v, step, &gone)]++;
		runs++;
		ok = gone >= 0;
		worst = gone > worst ? gone : worst;
		least = hits[1];
		for (int i = 2; i <= nr_steps; i++)
			least = hits[i] < least ? hits[i] : least;
	}
	ksft_print_msg("%s: %s killed %d times; inside step:", scenario,
		       victim_name[v], runs);
	for (int i = 1; i <= nr_steps; i++)
		printf(" %d: %d", i, hits[i]);
	printf("; all gone after at most %lld ms\n", (long long)worst / 1000);
	ksft_test_result(ok && least >= KILLS,
			 "%s: kill -9 of %s at any step leaves nothing\n",
			 scenario, victim_name[v]);
}

static bool unload_and_load(void)
{
	const char *ko = getenv("UNDEAD_MODULE");
	char command[512];

	if (system("undead unload"))
		return false;
	snprintf(command, sizeof(command), "undead load %s%s",
		 ko ? "--module " : "", ko ? ko : "");
	return !system(command);
}

int main(void)
{
	const char *text = getenv("UNDEAD_SEED");
	unsigned int seed = text ? (unsigned int)strtoul(text, NULL, 0) :
				   (unsigned int)getpid();

	ksft_print_header();
	if (access("/dev/undead", R_OK | W_OK))
		ksft_exit_skip("needs the module and root\n");
	ksft_set_plan(SCENARIOS * VICTIMS + 1);
	machine_as_before();
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	srandom(seed);
	ksft_print_msg("UNDEAD_SEED=%u\n", seed);
	for (int i = 0; i < SCENARIOS; i++) {
		bool can;

		scenario = scenarios[i];
		can = learn_steps();
		for (int v = 0; v < VICTIMS; v++)
			if (can)
				kill_test(v);
			else
				ksft_test_result_skip("%s: cannot be run here\n",
						      scenario);
	}
	ksft_test_result(unload_and_load(), "the module unloads and loads\n");
	ksft_finished();
}
