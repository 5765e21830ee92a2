// SPDX-License-Identifier: GPL-2.0
/*
 * vm_test SUITE: what scripts/vm.sh promises about the throw-away VM. Runs at
 * the top of the checkout. We are a subreaper: a QEMU or virtiofsd that
 * outlives its vm.sh becomes our child, and that is how it is noticed.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_ARGS 12
#define END_MS   5000 /* within this, all that a VM had is gone */

static const char *suite;
static char dir[] = "/tmp/undead-vm-test.XXXXXX";
static int tests, failures;
static bool cannot_share; /* as a plain user, with Debian 12's virtiofsd */

static const struct call {
	const char *name, *args[MAX_ARGS];
	int status;
	const char *out, *err; /* the end of stdout, something in stderr */
} calls[] = {
	{ "exit status 255, stdout and stderr",
	  { "--", "sh", "-c", "echo one; echo two >&2; exit 255" },
	  255,
	  "one\ntwo\n",
	  "" },
	{ "killed by a signal: 128 + 9",
	  { "--", "sh", "-c", "kill -9 $$" },
	  137,
	  "",
	  "" },
	{ "no such command: 127",
	  { "--", "frobnicate" },
	  127,
	  "frobnicate: No such file or directory\n",
	  "" },
	{ "much output, to its end",
	  { "--", "seq", "100000" },
	  0,
	  "\n99999\n100000\n",
	  "" },
	{ "PID 1 reaps what it adopts",
	  { "--", "sh", "-c",
	    "(true & exec true); (sleep 1 &); while grep -qs 'State:.Z' /proc/[0-9]*/status || pidof sleep >/dev/null; do :; done; echo reaped" },
	  0,
	  "reaped\n",
	  "" },
	{ "the module is loaded, the tool in PATH",
	  { "--", "sh", "-c", "ls /dev/undead; command -v undead" },
	  0,
	  "/dev/undead\n/bin/undead\n",
	  "" },
	{ "a shared folder, after a failing command",
	  { "--share", dir, "--", "sh", "-c",
	    "cat /share/in; echo made >/share/out; exit 3" },
	  3,
	  "given\n",
	  "" },
	{ "a panic",
	  { "--", "sh", "-c", "echo before; echo c >/proc/sysrq-trigger" },
	  126,
	  "",
	  "crashed or rebooted" },
	{ "a reboot", { "--", "reboot", "-f" }, 126, "", "crashed or rebooted" },
	{ "a hang",
	  { "--timeout", "30", "--", "sh", "-c", "echo begun; exec sleep 1000" },
	  124,
	  "begun\n",
	  "raise --timeout" },
	{ "a kernel that dies before its init",
	  { "--append", "rdinit=/none init=/none root=none", "--", "true" },
	  126,
	  "",
	  "never got to its init" },
};

static void result(bool ok, const char *name)
{
	printf("%s %d %s\n", ok ? "ok" : "not ok", ++tests, name);
	fflush(stdout);
	failures += !ok;
}

/* vm.sh with @args, its stdout and stderr in files of @dir. */
static pid_t start(const char *const *args)
{
	const char *argv[MAX_ARGS + 4] = { "scripts/vm.sh", "--suite", suite };
	char path[64];
	int file[3];
	pid_t pid;

	memcpy(argv + 3, args, MAX_ARGS * sizeof(*args));
	for (int fd = 1; fd < 3; fd++) {
		snprintf(path, sizeof(path), "%s/%d", dir, fd);
		file[fd] = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC,
				0600);
	}
	file[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	pid = fork();
	for (int fd = 0; fd < 3; fd++) {
		if (!pid)
			dup2(file[fd], fd);
		close(file[fd]);
	}
	if (pid)
		return pid;
	execv(argv[0], (char *const *)argv);
	_exit(127);
}

static char *contents(int fd)
{
	static char text[3][1 << 20];
	char path[64];
	size_t n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%d", dir, fd);
	f = fopen(path, "re");
	if (f) {
		n = fread(text[fd], 1, sizeof(text[fd]) - 1, f);
		fclose(f);
	}
	text[fd][n] = 0;
	return text[fd];
}

/* Every descendant has ended, by END_MS: SIGCHLD or the time. */
static bool all_gone(void)
{
	sigset_t chld;
	struct timespec second = { .tv_sec = 1 };

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	for (int ms = 0; ms < END_MS; ms += 1000) {
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		if (waitpid(-1, NULL, WNOHANG) < 0)
			return true;
		sigtimedwait(&chld, NULL, &second);
	}
	return false;
}

static bool ends_with(const char *text, const char *end)
{
	size_t a = strlen(text), b = strlen(end);

	return a >= b && !strcmp(text + a - b, end);
}

static void check(const struct call *c)
{
	int status;
	bool ok;

	waitpid(start(c->args), &status, 0);
	status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	if (status == 125 && strstr(contents(2), "wants to be root")) {
		cannot_share = true;
		printf("ok %d %s # SKIP this virtiofsd wants to be root\n",
		       ++tests, c->name);
		return;
	}
	ok = status == c->status && ends_with(contents(1), c->out) &&
	     strstr(contents(2), c->err) && all_gone();
	result(ok, c->name);
	if (!ok)
		printf("# status %d, expected %d; stdout \"%.100s\"; stderr \"%.300s\"\n",
		       status, c->status, contents(1), contents(2));
}

/* The guest has said @word: its output is a file that grows. */
static bool await_output(pid_t pid, const char *word)
{
	struct timespec tick = { .tv_nsec = 50000000 };
	sigset_t none;

	sigemptyset(&none);
	while (!strstr(contents(1), word)) {
		if (kill(pid, 0) || waitpid(pid, NULL, WNOHANG))
			return false;
		ppoll(NULL, 0, &tick, &none);
	}
	return true;
}

static void check_killed(int sig, const char *name)
{
	static const char *const args[MAX_ARGS + 2] = {
		"--share", dir,  "--timeout", "60",
		"--",      "sh", "-c",        "echo begun; exec sleep 1000"
	};
	pid_t pid = start(cannot_share ? args + 2 : args);
	bool begun = await_output(pid, "begun\n");
	int status;

	kill(pid, sig);
	waitpid(pid, &status, 0);
	result(begun && all_gone() &&
		       (sig == SIGKILL ?
				WIFSIGNALED(status) :
				WIFEXITED(status) &&
					WEXITSTATUS(status) == 128 + sig),
	       name);
}

int main(int argc, char **argv)
{
	char command[128];
	sigset_t chld;
	FILE *in;

	if (argc != 2 || !mkdtemp(dir))
		return 2;
	suite = argv[1];
	snprintf(command, sizeof(command), "%s/in", dir);
	in = fopen(command, "we");
	fputs("given\n", in);
	fclose(in);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, NULL);

	printf("TAP version 13\n");
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
		check(&calls[i]);
	snprintf(command, sizeof(command), "grep -qx made %s/out", dir);
	if (!cannot_share)
		result(!system(command),
		       "what the guest wrote to the shared folder is there");
	check_killed(SIGKILL,
		     "kill -9 of vm.sh leaves no QEMU and no virtiofsd");
	check_killed(SIGINT, "Ctrl-C ends it all: 130");
	printf("1..%d\n", tests);

	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command) || failures;
}
