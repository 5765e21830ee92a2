// SPDX-License-Identifier: GPL-2.0
/*
 * compare [-p UNIT] NAME GOAL RUNS COMMAND YARDSTICK: runs the two shell
 * commands alternately, RUNS times each after one of each to warm up, and prints
 * the median and spread of both and the ratio of the medians beside its goal.
 * They are timed; with -p, each prints one number itself, in UNIT.
 * UNDEAD_BENCH_JSON=1: one JSON object on a line instead.
 *
 * Exit status: 0 measured, whatever the ratio; 1 a command failed; 2 usage.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MAX_RUNS 101

static const char *unit = "s";
static bool printed;

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static double figure_of(const char *command)
{
	double start = now(), figure = 0;
	int status, numbers = 1;
	FILE *out;

	fflush(stdout);
	if (printed) {
		out = popen(command, "r");
		numbers = out ? fscanf(out, "%lf ", &figure) : 0;
		status = out ? pclose(out) : -1;
	} else {
		status = system(command);
	}
	if (status || numbers != 1) {
		fprintf(stderr,
			"compare: '%s' failed (status %#x): nothing measured\n",
			command, (unsigned int)status);
		exit(1);
	}
	return printed ? figure : now() - start;
}

static int rising(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void print(const char *what, const double *t, int n)
{
	printf("  %-10s median %8.3f %s   min %8.3f %s   max %8.3f %s\n", what,
	       t[n / 2], unit, t[0], unit, t[n - 1], unit);
}

static void json(const char *what, const double *t, int n)
{
	printf("\"%s\": {\"median_%s\": %.6f, \"min_%s\": %.6f, \"max_%s\": %.6f}, ",
	       what, unit, t[n / 2], unit, t[0], unit, t[n - 1]);
}

int main(int argc, char **argv)
{
	double ours[MAX_RUNS], theirs[MAX_RUNS], ratio, goal;
	bool as_json = getenv("UNDEAD_BENCH_JSON");
	int runs;

	if (argc == 8 && !strcmp(argv[1], "-p")) {
		printed = true;
		unit = argv[2];
		argc -= 2;
		argv += 2;
	}
	runs = argc == 6 ? atoi(argv[3]) : 0;
	if (runs < 1 || runs > MAX_RUNS) {
		fprintf(stderr,
			"usage: compare [-p UNIT] NAME GOAL RUNS(1-101) COMMAND YARDSTICK\n");
		return 2;
	}
	goal = atof(argv[2]);
	figure_of(argv[4]);
	figure_of(argv[5]);
	for (int i = 0; i < runs; i++) {
		ours[i] = figure_of(argv[4]);
		theirs[i] = figure_of(argv[5]);
	}
	qsort(ours, (size_t)runs, sizeof(*ours), rising);
	qsort(theirs, (size_t)runs, sizeof(*theirs), rising);
	ratio = ours[runs / 2] / theirs[runs / 2];
	if (as_json) {
		printf("{\"name\": \"%s\", \"runs\": %d, ", argv[1], runs);
		json("ours", ours, runs);
		json("yardstick", theirs, runs);
		printf("\"ratio\": %.3f, \"goal\": %.3f, \"met\": %s}\n", ratio,
		       goal, ratio <= goal ? "true" : "false");
		return 0;
	}
	printf("%s (%d alternating runs)\n", argv[1], runs);
	print("ours", ours, runs);
	print("yardstick", theirs, runs);
	printf("  ratio %.2f, goal at most %.2f: %s\n", ratio, goal,
	       ratio <= goal ? "met" : "MISSED");
	return 0;
}
