// SPDX-License-Identifier: GPL-2.0
/*
 * 'undead exec' where it is hard: threads in D, and bombs of 1 000 processes,
 * with a limit on their number and in a throw-away VM only.
 *
 * Nothing is left when the pipe that all of them have is at its end, and we, a
 * subreaper, have no child. With arguments: bombs only, under those guarantees.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest.h"

#define TELL     9
#define BOMB     1000
#define HEADS    50
#define LIMIT_MS 60000
#define CAGE     "/sys/fs/cgroup/bombs"

static const char *const guarantees[] = { "cgroup", "pidns", "none" };

/* --- bombs ---------------------------------------------------------------- */

/* Each forks; when there is no room they stay. */
static void bomb(void)
{
	signal(SIGTERM, SIG_IGN);
	for (;;)
		fork();
}

/*
 * HEADS of them, each in a session of its own, and each gone before it is hit.
 * A thousand of these starve an emulated machine, where tasklist_lock is all that
 * its CPUs are about.
 */
static void hydra(void)
{
	signal(SIGTERM, SIG_IGN);
	signal(SIGCHLD, SIG_IGN);
	for (int i = 1; i < HEADS; i++)
		if (!fork())
			break;
	for (;;) {
		pid_t pid = fork();

		if (pid > 0)
			_exit(0);
		if (!pid)
			setsid();
	}
}

/* --- the tool ------------------------------------------------------------- */

static int pipe_end;

static pid_t start(const char *const *argv, const char *err)
{
	int p[2];
	pid_t pid;

	if (pipe2(p, O_CLOEXEC))
		ksft_exit_fail_msg("pipe\n");
	pid = fork();
	if (!pid) {
		int fd = open(err, O_WRONLY | O_CREAT | O_TRUNC, 0600);

		dup2(fd, 2);
		dup2(p[1], TELL);
		execvp(argv[0], (char *const *)argv);
		_exit(127);
	}
	close(p[1]);
	pipe_end = p[0];
	return pid;
}

static int status_of(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* All that had the pipe are gone, without our doing. */
static bool all_ended(int ms)
{
	struct pollfd p = { .fd = pipe_end, .events = POLLIN };
	bool ended = poll(&p, 1, ms) == 1;

	close(pipe_end);
	return ended;
}

static bool childless(void)
{
	siginfo_t si;

	return waitid(P_ALL, 0, &si, WEXITED | WNOHANG | WNOWAIT) &&
	       errno == ECHILD;
}

static bool says(const char *path, const char *what)
{
	char text[16384] = "";
	int fd = open(path, O_RDONLY);
	ssize_t n = read(fd, text, sizeof(text) - 1);

	close(fd);
	if (n > 0 && strstr(text, what))
		return true;
	ksft_print_msg("no '%s' in: %s\n", what, text);
	return false;
}

/* Somebody is held. */
static bool await_hold(void)
{
	for (int ms = 0; ms < LIMIT_MS; ms += 20) {
		if (!system("undead status --json | grep -q '\"tid\"'"))
			return true;
		poll(NULL, 0, 20);
	}
	return false;
}

/* --- threads in D --------------------------------------------------------- */

/* The keeper, ours now, reaps what was stuck and goes. */
static void test_stuck(const char *guarantee)
{
	const char *argv[] = { "undead",       "exec",
			       "--guarantee",  guarantee,
			       "--kill-after", "100ms",
			       "--give-up=1s", "--json=/tmp/stuck.json",
			       "--",           "cat",
			       "/dev/undead",  NULL };
	pid_t pid = start(argv, "/tmp/stuck");
	bool held = await_hold(), lives;
	int status;

	kill(pid, SIGTERM);
	status = status_of(pid);
	lives = !all_ended(0);

	ksft_test_result(held && status == 123 && lives &&
				 says("/tmp/stuck",
				      "1 process cannot be ended") &&
				 says("/tmp/stuck", "undead_hold") &&
				 says("/tmp/stuck", "no use") &&
				 says("/tmp/stuck.json",
				      "\"stage\": \"stuck\"") &&
				 says("/tmp/stuck.json", "undead_hold"),
			 "%s: a thread in D is explained, 123 (%d)\n",
			 guarantee, status);
	if (system("undead release --all >/dev/null"))
		ksft_print_msg("undead release failed\n");
	/* Its end is that of the keeper, which is our child now. */
	while (waitpid(-1, &status, 0) > 0)
		;
	ksft_test_result(!system("! ls -d /sys/fs/cgroup/undead-* 2>/dev/null"),
			 "%s: let go, it is gone, and its keeper\n", guarantee);
}

/* The one child of the runner. */
static pid_t keeper_of(pid_t pid)
{
	char path[64];
	int child = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
	f = fopen(path, "r");
	if (f && fscanf(f, "%d", &child) != 1)
		child = -1;
	if (f)
		fclose(f);
	return child;
}

static bool await_policy(pid_t pid, int policy)
{
	for (int ms = 0; ms < LIMIT_MS / 3; ms += 20) {
		if (sched_getscheduler(pid) == policy)
			return true;
		poll(NULL, 0, 20);
	}
	return false;
}

/* Who kills has to get a CPU before those that he kills; then no longer. */
static void test_ahead(void)
{
	static const char *argv[] = { "undead",
				      "exec",
				      "--guarantee",
				      "none",
				      "--kill-after=100ms",
				      "--give-up=5s",
				      "--",
				      "cat",
				      "/dev/undead",
				      NULL };
	pid_t pid = start(argv, "/tmp/ahead"), keeper;
	bool held = await_hold(), before, while_killing, after;

	keeper = keeper_of(pid);
	before = sched_getscheduler(keeper) == SCHED_OTHER;
	kill(pid, SIGTERM);
	while_killing = await_policy(keeper, SCHED_RR);
	after = await_policy(keeper, SCHED_OTHER);
	ksft_test_result(held && before && while_killing && after,
			 "the keeper is ahead of others while it kills (%d %d %d %d)\n",
			 held, before, while_killing, after);
	status_of(pid);
	close(pipe_end);
	if (system("undead release --all >/dev/null"))
		ksft_print_msg("undead release failed\n");
	while (waitpid(-1, NULL, 0) > 0)
		;
}

/* --- limits --------------------------------------------------------------- */

static bool put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) > 0;

	close(fd);
	return ok;
}

static bool in_throw_away_vm(void)
{
	return !system("grep -q undead_vm=throw-away /proc/cmdline");
}

/* Ours, and so of all that we start. */
static bool into_cage(void)
{
	char limit[16];

	snprintf(limit, sizeof(limit), "%d", BOMB + 100);
	put("/sys/fs/cgroup/cgroup.subtree_control", "+pids");
	mkdir(CAGE, 0755);
	return put(CAGE "/pids.max", limit) && put(CAGE "/cgroup.procs", "0");
}

static void test_bomb(const char *guarantee, const char *self, const char *what)
{
	const char *argv[] = { "undead",       "exec",
			       "--guarantee",  guarantee,
			       "--timeout=5s", "--kill-after=500ms",
			       "--give-up=5s", "--report",
			       "--",           self,
			       what,           NULL };
	pid_t pid = start(argv, "/tmp/bomb");
	int status = status_of(pid);
	bool ended = all_ended(0), gone = childless();

	if (!ended || !gone)
		says("/tmp/bomb", "?");
	/* The hydra's command may end before the time-out, or with it. */
	ksft_test_result(ended && gone &&
				 (status == 137 ||
				  (*what == 'h' && (!status || status == 124))),
			 "%s: %s: all is gone (%d)\n", guarantee, what, status);
	/* For the next. */
	if (!ended)
		put(CAGE "/cgroup.kill", "1");
	while (waitpid(-1, &status, 0) > 0)
		;
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "bomb"))
		bomb();
	if (argc == 2 && !strcmp(argv[1], "hydra"))
		hydra();
	ksft_print_header();
	ksft_set_plan(argc > 1 ? 2 * (argc - 1) : 7);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	if (argc > 1 && (!in_throw_away_vm() || !into_cage()))
		ksft_exit_skip("bombs want a throw-away VM and pids.max\n");
	for (int i = 1; i < argc; i++) {
		test_bomb(argv[i], argv[0], "bomb");
		test_bomb(argv[i], argv[0], "hydra");
	}
	if (argc > 1)
		ksft_finished();
	if (access("/dev/undead", R_OK | W_OK))
		ksft_exit_skip("needs the module and root\n");
	for (int i = 0; i < 3; i++)
		test_stuck(guarantees[i]);
	test_ahead();
	ksft_finished();
}
