// SPDX-License-Identifier: GPL-2.0
/*
 * Two scenarios at once do not disturb each other: each pair runs side by
 * side, and a third process releases nobody but its own.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest.h"

#define ROUNDS 5

static const char *const pairs[][2] = {
	{ "zombie-leader", "zombie-leader" },
	{ "zombie-leader-subreaper", "zombie-leader-orphaned" },
	{ "zombie-leader-init", "zombie-leader" },
};

static pid_t start(const char *name)
{
	pid_t pid = fork();

	if (!pid) {
		if (!freopen("/dev/null", "w", stdout))
			_exit(127);
		execlp("undead", "undead", "run", name, NULL);
		_exit(127);
	}
	return pid;
}

static bool passed(pid_t pid)
{
	int status = -1;

	return waitpid(pid, &status, 0) == pid && !status;
}

int main(void)
{
	const int n = sizeof(pairs) / sizeof(pairs[0]);

	ksft_print_header();
	if (access("/dev/undead", R_OK | W_OK))
		ksft_exit_skip("needs the module and root\n");
	ksft_set_plan(n);
	for (int i = 0; i < n; i++) {
		int good = 0;

		fflush(stdout);
		for (int round = 0; round < ROUNDS; round++) {
			pid_t a = start(pairs[i][0]), b = start(pairs[i][1]);

			good += passed(a) + passed(b);
		}
		ksft_test_result(good == 2 * ROUNDS,
				 "%s beside %s: %d of %d passed\n", pairs[i][0],
				 pairs[i][1], good, 2 * ROUNDS);
	}
	ksft_finished();
}
