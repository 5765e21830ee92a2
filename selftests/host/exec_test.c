// SPDX-License-Identifier: GPL-2.0
/*
 * 'undead exec' against commands that try to leave something behind, for each
 * guarantee that is to be had here. argv[1] is the tool.
 *
 * Nothing is left means two things: the pipe that all of the tree have is at its
 * end, and we, a subreaper, have no child, be it a zombie: whom it has not
 * reaped would be ours.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utmp.h>

#include "core/await.h"
#include "core/family.h"
#include "core/proc.h"
#include "core/util.h"
#include "lib/group.h"

#define TELL     9     /* the pipe's fd in the tree */
#define LIMIT_MS 30000 /* for what must come */
#define MEMBERS  7
#define MAX_ARGS 24

static const char *tool, *self;
static int tests, failures;

static void check(bool ok, const char *what, const char *of)
{
	printf("%s %d %s%s%s\n", ok ? "ok" : "not ok", ++tests, of,
	       *of ? ": " : "", what);
	fflush(stdout);
	failures += !ok;
}

static void skip(const char *what, const char *of, const char *why)
{
	printf("ok %d %s: %s # SKIP %s\n", ++tests, of, what, why);
	fflush(stdout);
}

/* --- the tree ------------------------------------------------------------- */

static int ready[2];

static void say(char c)
{
	if (write(TELL, &c, 1) != 1)
		_exit(1);
}

static void told(int sig)
{
	say(sig == SIGTERM ? 'T' : 'I');
}

/* Handlers that tell, so that only SIGKILL ends it. */
static void stay(bool stop)
{
	signal(SIGTERM, told);
	signal(SIGINT, told);
	say('.');
	if (write(ready[1], "", 1) != 1)
		_exit(1);
	if (stop)
		raise(SIGSTOP);
	for (;;)
		pause();
}

static void branch(bool session, bool twice, bool stop)
{
	if (fork())
		return;
	if (session)
		setsid();
	if (twice && fork())
		_exit(0);
	stay(stop);
}

/* MEMBERS of them; @leave: the command itself ends with 5 */
static int tree(bool leave)
{
	char c;

	if (pipe(ready))
		return 1;
	branch(false, false, false);
	branch(false, true, false);
	branch(true, false, false);
	branch(true, true, false);
	branch(false, false, true);
	branch(true, true, true);
	for (int i = 1; i < MEMBERS; i++)
		if (read(ready[0], &c, 1) != 1)
			return 1;
	if (leave)
		return 5;
	stay(false);
	return 0;
}

/* --- running the tool ----------------------------------------------------- */

struct run {
	pid_t pid;
	int pipe; /* of the tree */
};

static struct run start(const char *const *options, const char *const *command)
{
	const char *argv[MAX_ARGS] = { tool, "exec" };
	int n = 2, p[2];
	struct run r;

	while (*options)
		argv[n++] = *options++;
	argv[n++] = "--";
	while (*command)
		argv[n++] = *command++;
	if (pipe2(p, O_CLOEXEC))
		exit(2);
	r.pipe = p[0];
	r.pid = fork();
	if (!r.pid) {
		dup2(p[1], TELL);
		execv(tool, (char *const *)argv);
		_exit(127);
	}
	close(p[1]);
	return r;
}

static int status_of(pid_t pid)
{
	int status = -1;

	waitpid(pid, &status, 0);
	return WIFEXITED(status)   ? WEXITSTATUS(status) :
	       WIFSIGNALED(status) ? 128 + WTERMSIG(status) :
				     -1;
}

/* Until @n bytes have come, or the end. */
static int count(int fd, char what, int n)
{
	int64_t end = now_ms() + LIMIT_MS;
	int seen = 0;
	char c;

	while (seen < n && now_ms() < end &&
	       await_readable(fd, (int)(end - now_ms()))) {
		if (read(fd, &c, 1) != 1)
			return seen;
		seen += c == what;
	}
	return seen;
}

/* Of each of the two letters until the end; -1: no end. */
static int count_to_end(int fd, char what)
{
	int seen = count(fd, what, INT32_MAX);
	char c;

	return await_readable(fd, 0) && !read(fd, &c, 1) ? seen : -1;
}

static bool no_child(void *unused)
{
	siginfo_t si;

	(void)unused;
	while (!waitid(P_ALL, 0, &si, WEXITED | WNOHANG) && si.si_pid)
		;
	return waitid(P_ALL, 0, &si, WEXITED | WNOHANG | WNOWAIT) &&
	       errno == ECHILD;
}

/* Not one, not even a zombie, without reaping here. */
static bool childless(void)
{
	siginfo_t si;

	return waitid(P_ALL, 0, &si, WEXITED | WNOHANG | WNOWAIT) &&
	       errno == ECHILD;
}

/* Those beside ours whose runner is gone; the tool's parent is our cgroup. */
static int cgroups_left(bool and_remove)
{
	struct group g;
	struct dirent *e;
	int left = 0;
	DIR *dir;

	if (group_find(&g))
		return 0;
	dir = fdopendir(g.parent);
	while ((e = readdir(dir))) {
		pid_t pid;

		if (sscanf(e->d_name, "undead-%d-", &pid) != 1 ||
		    proc_exists(pid, 0))
			continue;
		left++;
		if (and_remove)
			unlinkat(g.parent, e->d_name, AT_REMOVEDIR);
	}
	closedir(dir);
	return left;
}

static bool no_cgroup(void *unused)
{
	(void)unused;
	return !cgroups_left(false);
}

/* Who has died may be in it for a moment longer. */
static bool remove_cgroups(void *unused)
{
	(void)unused;
	return !cgroups_left(true);
}

static pid_t keeper_of(pid_t pid)
{
	struct family f = { 0 };
	pid_t keeper = 0;

	family_look(&f, pid);
	for (size_t i = 0; i < f.nr; i++)
		if (f.all[i].ppid == pid)
			keeper = f.all[i].pid;
	family_free(&f);
	return keeper;
}

static void end_what_is_left(void)
{
	struct family f = { 0 };

	while (!no_child(NULL)) {
		family_look(&f, getpid());
		for (size_t i = 0; i < f.nr; i++)
			if (f.all[i].member)
				family_signal(&f, getpid(), &f.all[i], SIGKILL);
	}
	family_free(&f);
}

/* --- exit status ---------------------------------------------------------- */

static void test_status(void)
{
	static const struct {
		const char *args[8];
		int status;
	} calls[] = {
		{ { "sh", "-c", "exit 3" }, 3 },
		{ { "sh", "-c", "kill -15 $$" }, 128 + 15 },
		{ { "sh", "-c", "kill -9 $$" }, 128 + 9 },
		{ { "/nonexistent" }, 127 },
		{ { "/" }, 126 },
		{ { "--timeout=100ms", "sleep", "1000" }, 124 },
		{ { "--timeout=100ms", "--signal=KILL", "sleep", "1000" },
		  128 + 9 },
		{ { "--timeout=100ms", "--kill-after=0", "sleep", "1000" },
		  128 + 9 },
		{ { "--timeout=100ms", "--kill-after=100ms", "--signal=CONT",
		    "sleep", "1000" },
		  128 + 9 },
		{ { "--timeout=100ms", "sh", "-c",
		    "trap 'exit 7' TERM; while :; do sleep 1; done" },
		  124 },
		{ { "--timeout=100ms", "sh", "-c", "kill -STOP $$" }, 124 },
		{ { "--timeout=1h", "sh", "-c", "sleep 1000 & exit 4" }, 4 },
		{ { "--setsid", "sh", "-c",
		    "set -- $(cat /proc/$$/stat); [ $6 = $$ ]" },
		  0 },
		{ { "sh", "-c",
		    "set -- $(cat /proc/$$/stat); [ $5 = $$ ] && [ $6 != $$ ]" },
		  0 },
		{ { "--timeout", "soon", "true" }, 125 },
		{ { "--report=/nowhere/x", "true" }, 125 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		static const char *const none[] = { "--kill-after=2s", NULL };
		const char *const *a = calls[i].args;
		const char *options[8] = { 0 }, *const *o = options;
		char what[256] = "";
		int n = 0;
		struct run r;

		while (!strncmp(*a, "--", 2)) {
			bool value = !strcmp(*a, "--timeout");

			options[n++] = *a++;
			if (value)
				options[n++] = *a++;
		}
		for (size_t j = 0; calls[i].args[j]; j++)
			snprintf(what + strlen(what),
				 sizeof(what) - strlen(what), "%s%s",
				 j ? " " : "", calls[i].args[j]);
		r = start(n ? o : none, a);
		check(status_of(r.pid) == calls[i].status && childless(), what,
		      "exit status");
		close(r.pipe);
	}
}

/* --- what is left --------------------------------------------------------- */

static const char *guarantee;
static char option_g[32];

static struct run start_tree(const char *option, const char *mode)
{
	const char *options[] = { option_g, option, NULL };
	const char *command[] = { self, mode, NULL };

	return start(options, command);
}

static void nothing_left(const char *what)
{
	bool reaped = childless();

	check(reaped && await_true(no_cgroup, NULL, LIMIT_MS), what, guarantee);
	end_what_is_left();
}

/* A time-out that lets the tree grow is searched: how long it takes, who knows. */
static void test_timeout(void)
{
	const char *command[] = { self, "tree", NULL };
	int status = -1, seen = 0;

	for (int s = 1; seen >= 0 && seen < MEMBERS && s < 100; s *= 2) {
		char timeout[32];
		const char *options[] = { option_g, timeout,
					  "--kill-after=100ms", NULL };
		struct run r;

		snprintf(timeout, sizeof(timeout), "--timeout=%ds", s);
		r = start(options, command);
		seen = count_to_end(r.pipe, '.');
		status = status_of(r.pid);
		close(r.pipe);
	}
	check(seen == MEMBERS, "time-out: all have ended", guarantee);
	check(status == 137, "time-out: 137, it took SIGKILL", guarantee);
	nothing_left("time-out: all is reaped, no cgroup left");
}

static void test_leave(void)
{
	struct run r = start_tree("--kill-after=100ms", "leave");

	check(count_to_end(r.pipe, '.') == MEMBERS - 1,
	      "the command ends: what it leaves is ended", guarantee);
	check(status_of(r.pid) == 5, "the command ends: its exit status",
	      guarantee);
	nothing_left("the command ends: all is reaped");
	close(r.pipe);
}

static void test_signal(void)
{
	struct run r = start_tree("--kill-after=1h", "tree");

	check(count(r.pipe, '.', MEMBERS) == MEMBERS, "the tree is there",
	      guarantee);
	kill(r.pid, SIGINT);
	check(count(r.pipe, 'I', MEMBERS) == MEMBERS,
	      "SIGINT to the runner: each gets it", guarantee);
	kill(r.pid, SIGINT);
	check(count_to_end(r.pipe, 'I') == 0,
	      "a second one: all end, none was asked twice", guarantee);
	check(status_of(r.pid) == 137, "a second one: 128 + 9", guarantee);
	nothing_left("a second one: all is reaped");
	close(r.pipe);
}

static void test_kill_runner(void)
{
	struct run r = start_tree("--kill-after=3s", "tree");

	count(r.pipe, '.', MEMBERS);
	kill(r.pid, SIGKILL);
	check(count_to_end(r.pipe, 'T') == MEMBERS,
	      "kill -9 of the runner: all are asked and end", guarantee);
	waitpid(r.pid, NULL, 0);
	/* Its keeper is ours now, and ends. */
	check(await_true(no_child, NULL, LIMIT_MS),
	      "kill -9 of the runner: the keeper ends, too", guarantee);
	nothing_left("kill -9 of the runner: nothing is left");
	close(r.pipe);
}

static void test_kill_keeper(void)
{
	struct run r = start_tree("--timeout=1h", "tree");

	count(r.pipe, '.', MEMBERS);
	kill(keeper_of(r.pid), SIGKILL);
	check(count_to_end(r.pipe, '.') == 0, "kill -9 of the keeper: all end",
	      guarantee);
	check(status_of(r.pid) == 125, "kill -9 of the keeper: 125", guarantee);
	nothing_left("kill -9 of the keeper: nothing is left");
	close(r.pipe);
}

static void kill_both(pid_t runner)
{
	pid_t keeper = keeper_of(runner);

	/* So that neither sees the other's end. */
	kill(runner, SIGSTOP);
	kill(keeper, SIGSTOP);
	await_state(runner, 0, 'T', LIMIT_MS);
	await_state(keeper, 0, 'T', LIMIT_MS);
	kill(keeper, SIGKILL);
	kill(runner, SIGKILL);
}

static bool one_left(void *pid)
{
	struct family f = { 0 };
	int living = 0, n = family_look(&f, *(pid_t *)pid);

	for (size_t i = 0; n > 0 && i < f.nr; i++)
		living += f.all[i].member && !f.all[i].dead;
	family_free(&f);
	return living == MEMBERS - 1;
}

static void test_kill_both(void)
{
	struct run r = start_tree("--timeout=1h", "tree");
	pid_t us = getpid();

	count(r.pipe, '.', MEMBERS);
	kill_both(r.pid);
	if (!strcmp(guarantee, "pidns")) {
		check(count_to_end(r.pipe, '.') == 0,
		      "kill -9 of both: the kernel ends all", guarantee);
		await_true(no_child, NULL, LIMIT_MS);
	} else {
		check(await_true(one_left, &us, LIMIT_MS),
		      "kill -9 of both: the command ends, the rest survives",
		      guarantee);
	}
	end_what_is_left();
	await_true(remove_cgroups, NULL, LIMIT_MS);
	close(r.pipe);
}

static void test_report(void)
{
	const char *command[] = { "true", NULL };
	const char *options[] = { option_g, "--report=/dev/fd/9", NULL };
	struct run r = start(options, command);
	char text[4096], want[64];
	ssize_t n = 0, got;

	while ((got = read(r.pipe, text + n, sizeof(text) - 1 - (size_t)n)) > 0)
		n += got;
	text[n] = '\0';
	snprintf(want, sizeof(want), "guarantee: %s:", guarantee);
	check(!status_of(r.pid) && strstr(text, want),
	      "--report names the guarantee", guarantee);
	close(r.pipe);
}

static bool to_be_had(void)
{
	const char *command[] = { "true", NULL };
	const char *options[] = { option_g, NULL };
	struct run r = start(options, command);

	close(r.pipe);
	return !status_of(r.pid);
}

static void test_guarantee(const char *name)
{
	guarantee = name;
	snprintf(option_g, sizeof(option_g), "--guarantee=%s", name);
	if (!to_be_had()) {
		skip("all", guarantee, "not to be had here");
		return;
	}
	test_report();
	test_timeout();
	test_leave();
	test_signal();
	test_kill_runner();
	test_kill_keeper();
	test_kill_both();
}

/* --- pipes ---------------------------------------------------------------- */

/* Who reads the command's output is not kept waiting by any process of ours. */
static void test_pipe(void)
{
	const char *options[] = { "--timeout=1h", NULL };
	const char *command[] = { "sh", "-c",
				  "exec 9>&-; cat; exec 0<&- 1>&-; sleep 1000",
				  NULL };
	int in[2], out[2];
	char text[16] = "";
	struct run r;

	if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC))
		exit(2);
	r.pid = fork();
	if (!r.pid) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		close(in[1]);
		r = start(options, command);
		/* The runner itself has them, as timeout(1) does. */
		_exit(0);
	}
	waitpid(r.pid, NULL, 0);
	close(in[0]);
	close(out[1]);
	check(write(in[1], "hello\n", 6) == 6 &&
		      read(out[0], text, sizeof(text)) == 6 &&
		      !strcmp(text, "hello\n"),
	      "stdin and stdout are the command's", "pipes");
	close(in[1]);
	end_what_is_left();
	check(!read(out[0], text, sizeof(text)), "and end with it", "pipes");
	/* Both of ours were killed at once. */
	await_true(remove_cgroups, NULL, LIMIT_MS);
	close(out[0]);
}

/* --- a terminal ----------------------------------------------------------- */

/* We play the shell: a session of its own, in a child. */
static void type(int master, const char *keys)
{
	if (write(master, keys, strlen(keys)) < 0)
		exit(2);
}

/* What is on the screen, until @what is. */
static bool shows(int master, const char *what)
{
	static char screen[65536];
	static size_t n;
	char *at;

	while (!(at = strstr(screen, what))) {
		ssize_t got = -1;

		if (n < sizeof(screen) - 1 && await_readable(master, LIMIT_MS))
			got = read(master, screen + n, sizeof(screen) - 1 - n);
		if (got <= 0)
			return false;
		n += (size_t)got;
		screen[n] = '\0';
	}
	at += strlen(what);
	n -= (size_t)(at - screen);
	memmove(screen, at, n + 1);
	return true;
}

static pid_t job(const char *const *argv, bool foreground)
{
	pid_t pid = fork();

	if (!pid) {
		setpgid(0, 0);
		dup2(0, 1);
		dup2(0, 2);
		if (foreground)
			tcsetpgrp(0, getpid());
		signal(SIGTTOU, SIG_DFL);
		execv(tool, (char *const *)argv);
		_exit(127);
	}
	setpgid(pid, pid);
	return pid;
}

static int stopped_by(pid_t pid)
{
	int status = 0;

	waitpid(pid, &status, WUNTRACED);
	return WIFSTOPPED(status) ? WSTOPSIG(status) : 0;
}

static void foreground(pid_t pid)
{
	tcsetpgrp(0, pid);
	kill(-pid, SIGCONT);
}

static void test_terminal_of(int master)
{
	const char *cat[] = { tool, "exec",
			      "--", "sh",
			      "-c", "setsid sleep 1000 & echo ready; exec cat",
			      NULL };
	const char *deaf[] = {
		tool,
		"exec",
		"--kill-after=200ms",
		"--",
		"sh",
		"-c",
		"trap '' INT TERM; stty -echo; echo deaf; while :; do sleep 1; done",
		NULL
	};
	const char *shell[] = {
		tool,
		"exec",
		"--interactive",
		"--",
		"sh",
		"-c",
		"trap 'echo caught' INT; echo armed; while :; do sleep 0.1; done",
		NULL
	};
	struct termios now;
	pid_t pid;

	pid = job(cat, true);
	check(shows(master, "ready"), "a command starts", "terminal");
	check(tcgetpgrp(0) != pid && tcgetpgrp(0) != getpgrp(),
	      "the command's group has it", "terminal");
	type(master, "one\n");
	check(shows(master, "one\r\none"), "it reads and writes", "terminal");
	type(master, "\032");
	check(stopped_by(pid) == SIGTSTP && tcgetpgrp(0) == pid,
	      "Ctrl-Z: the runner stops as well, and has taken it back",
	      "terminal");
	foreground(pid);
	type(master, "two\n");
	check(shows(master, "two\r\ntwo"), "fg: the command has it again",
	      "terminal");
	type(master, "\003");
	check(status_of(pid) == 128 + SIGINT && tcgetpgrp(0) == pid &&
		      childless(),
	      "Ctrl-C: all is gone, taken back", "terminal");

	tcsetpgrp(0, getpgrp());
	pid = job(cat, false);
	check(stopped_by(pid) == SIGTTIN && tcgetpgrp(0) == getpgrp(),
	      "in the background: stopped when it reads", "terminal");
	foreground(pid);
	type(master, "three\n");
	check(shows(master, "three\r\nthree"), "fg: it reads", "terminal");
	type(master, "\004");
	check(!status_of(pid) && childless(), "Ctrl-D: its end of file",
	      "terminal");

	tcsetpgrp(0, getpgrp());
	pid = job(deaf, true);
	check(shows(master, "deaf"), "a command that ignores SIGINT",
	      "terminal");
	type(master, "\003");
	check(status_of(pid) == 128 + SIGKILL && childless(),
	      "Ctrl-C: it is ended for good", "terminal");
	check(!tcgetattr(0, &now) && now.c_lflag & ECHO,
	      "and its settings of the terminal are undone", "terminal");

	tcsetpgrp(0, getpgrp());
	pid = job(shell, true);
	check(shows(master, "armed"), "--interactive", "terminal");
	type(master, "\003");
	check(shows(master, "caught"), "Ctrl-C: it is the command's affair",
	      "terminal");
	kill(pid, SIGTERM);
	check(status_of(pid) == 128 + SIGTERM && childless(),
	      "--interactive: SIGTERM ends it", "terminal");
}

static void test_terminal(void)
{
	int master, slave, status;
	pid_t pid;

	if (openpty(&master, &slave, NULL, NULL, NULL))
		exit(2);
	fflush(stdout);
	pid = fork();
	if (!pid) {
		int out = dup(1);

		prctl(PR_SET_CHILD_SUBREAPER, 1);
		signal(SIGTTOU, SIG_IGN);
		login_tty(slave);
		dup2(out, 1);
		failures = 0;
		test_terminal_of(master);
		fflush(stdout);
		_exit(failures ? 100 + tests : tests);
	}
	close(slave);
	close(master);
	waitpid(pid, &status, 0);
	failures += WEXITSTATUS(status) > 100;
	tests = WEXITSTATUS(status) % 100;
}

/* --- pids that are used again --------------------------------------------- */

static pid_t fork_as(pid_t want)
{
	_cleanup_close_ int fd =
		open("/proc/sys/kernel/ns_last_pid", O_WRONLY | O_CLOEXEC);
	pid_t pid;

	if (fd < 0 || dprintf(fd, "%d", want - 1) < 0)
		return -1;
	pid = fork();
	if (!pid)
		for (;;)
			pause();
	return pid;
}

static int mount_private_proc(void)
{
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return -errno;
	return mount("proc", "/proc", "proc", 0, NULL) ? -errno : 0;
}

/*
 * In a pid namespace of our own: a member of the family of P is seen, ends, and
 * its pid goes to a child of ours.
 */
static int reuse(void)
{
	struct family f = { 0 };
	const struct relative *r = NULL;
	siginfo_t si;
	pid_t p, old, new;

	p = fork();
	if (!p) {
		if (!fork())
			for (;;)
				pause();
		waitid(P_ALL, 0, &si, WEXITED);
		for (;;)
			pause();
	}
	while (family_look(&f, p) != 1)
		sched_yield();
	for (size_t i = 0; i < f.nr; i++)
		if (f.all[i].member)
			r = &f.all[i];
	old = r->pid;
	kill(old, SIGKILL);
	if (!await_gone(old, 0, LIMIT_MS))
		return 2;
	new = fork_as(old);
	if (new != old)
		return 3;
	if (family_signal(&f, p, r, SIGKILL) != -ESRCH)
		return 1;
	kill(p, SIGKILL);
	waitpid(p, NULL, 0);
	return waitid(P_PID, (id_t) new, &si, WEXITED | WNOHANG) || si.si_pid;
}

static void test_reuse(void)
{
	const char *what = "a pid that is another's by now is not hit";
	pid_t pid = fork();
	int status;

	if (!pid) {
		if (unshare(CLONE_NEWPID | CLONE_NEWNS))
			_exit(4);
		pid = fork();
		if (!pid) {
			if (mount_private_proc())
				_exit(4);
			_exit(reuse());
		}
		_exit(status_of(pid));
	}
	status = status_of(pid);
	if (status == 4)
		skip(what, "pidfd", "needs root");
	else
		check(!status, what, "pidfd");
}

/* -------------------------------------------------------------------------- */

static void test_help(void)
{
	FILE *f;
	char command[512], text[8192];
	size_t n;

	snprintf(command, sizeof(command), "%s exec --help", tool);
	f = popen(command, "r");
	n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;
	text[n] = '\0';
	check(f && !pclose(f) &&
		      strstr(text,
			     "The guarantee in force here, without --guarantee: "),
	      "--help names the guarantee in force", "help");
}

int main(int argc, char **argv)
{
	static const char *const all[] = { "cgroup", "pidns", "none" };

	self = argv[0];
	if (argc == 2 && !strcmp(argv[1], "tree"))
		return tree(false);
	if (argc == 2 && !strcmp(argv[1], "leave"))
		return tree(true);
	if (argc != 2) {
		fprintf(stderr, "usage: exec_test UNDEAD\n");
		return 2;
	}
	tool = argv[1];
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	signal(SIGPIPE, SIG_IGN);
	/* Ignored in the background of a shell, and then of no use to a shell. */
	signal(SIGINT, SIG_DFL);
	signal(SIGQUIT, SIG_DFL);
	printf("TAP version 13\n");
	test_help();
	test_status();
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		test_guarantee(all[i]);
	test_pipe();
	test_terminal();
	test_reuse();
	printf("1..%d\n", tests);
	return failures ? 1 : 0;
}
