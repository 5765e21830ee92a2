// SPDX-License-Identifier: GPL-2.0
/*
 * vm_test SUITE [WORD]: what scripts/vm.sh promises about the throw-away VM, or
 * only those tests with WORD in their name. Runs at the top of the checkout. We are a subreaper: a QEMU or virtiofsd that
 * outlives its vm.sh becomes our child, and that is how it is noticed.
 */
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../host/scratch.h"

#define MAX_ARGS 12
#define END_MS   5000 /* within this, all that a VM had is gone */

static const char *suite, *only = "";
static char dir[1024];
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
	{ "a command of one word has no argument",
	  { "--", "uname" },
	  0,
	  "Linux\n",
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
	/* do_exit(): group_dead, is_global_init(); commit 43cf75d96409 ("exit:
	 * panic before exit_mm() on global init exit"). Not the leader's 3.
	 */
	{ "the last thread of PID 1 ends, not its leader: a panic",
	  { "--no-module", "--add", "build/vm/init:/last", "--append",
	    "rdinit=/last", "--", "true" },
	  126,
	  "",
	  "Attempted to kill init! exitcode=0x00000500" },
	{ "a stopped job is adopted by PID 1 of its own session: SIGHUP",
	  { "--no-module", "--add", "build/vm/session:/session", "--append",
	    "rdinit=/session", "--", "true" },
	  0,
	  "",
	  "" },
	{ "trace-cmd reads the events",
	  { "--add", "/usr/bin/trace-cmd", "--", "sh", "-c",
	    "mount -t tracefs none /sys/kernel/tracing; /trace-cmd record -q -o /tmp/t -e undead undead bench --rounds 1 >/dev/null && /trace-cmd report -i /tmp/t | grep -oE 'undead_.*(point=read (kind|reason)=[a-z]+)' | sed 's/ .*point/ point/'" },
	  0,
	  "undead_hold: point=read kind=uninterruptible\nundead_release: point=read reason=request\n",
	  "" },
	{ "perf reads the events",
	  { "--add", "/usr/bin/perf", "--", "sh", "-c",
	    "/perf record -q -a -o /tmp/p -e 'undead:*' -- undead bench --rounds 1 >/dev/null && /perf script -i /tmp/p | grep -oE 'undead_.*(point=read (kind|reason)=[a-z]+)' | sed 's/ .*point/ point/'" },
	  0,
	  "undead_hold: point=read kind=uninterruptible\nundead_release: point=read reason=request\n",
	  "" },
	{ "a reboot", { "--", "reboot", "-f" }, 126, "", "crashed or rebooted" },
	{ "no memory left",
	  { "--no-module", "--mem", "256", "--", "sh", "-c",
	    "exec tail /dev/zero" },
	  137,
	  "",
	  "raise --mem" },
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
	{ "a shell without a terminal",
	  { "--no-module" },
	  125,
	  "",
	  "a shell wants a terminal" },
	{ "virtme-ng: status, output, a shared folder, what is added",
	  { "--vng", "--share", dir, "--add", "Kbuild:/new/file", "--", "sh",
	    "-c",
	    "command -v undead && test -c /dev/undead && grep SPDX /new/file || exit 1; cat /share/in; exit 3" },
	  3,
	  "given\n",
	  "" },
	{ "virtme-ng: a panic, and its console",
	  { "--vng", "--", "sh", "-c", "echo c >/proc/sysrq-trigger" },
	  126,
	  "",
	  "crashed or rebooted before the command ended:\n  | " },
	{ "virtme-ng: the deadline",
	  { "--vng", "--timeout", "8", "--", "true" },
	  124,
	  "",
	  "raise --timeout" },
	{ "virtme-ng: the module cannot be loaded",
	  { "--vng", "--append", "module.sig_enforce=1", "--", "true" },
	  125,
	  "",
	  "could not set itself up: /undead/undead.ko" },
	{ "virtme-ng: a shell without a terminal",
	  { "--vng", "--no-module" },
	  125,
	  "",
	  "a shell wants a terminal" },
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
	char path[sizeof(dir) + 8];
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
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	execv(argv[0], (char *const *)argv);
	_exit(127);
}

static char *contents(int fd)
{
	static char text[3][1 << 20];
	char path[sizeof(dir) + 8];
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

	if (!strstr(c->name, only))
		return;
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

/* @word has come to @fd: it is a file that grows. */
static bool await_output(pid_t pid, int fd, const char *word)
{
	struct timespec tick = { .tv_nsec = 50000000 };
	sigset_t none;

	sigemptyset(&none);
	while (!strstr(contents(fd), word)) {
		if (kill(pid, 0) || waitpid(pid, NULL, WNOHANG))
			return false;
		ppoll(NULL, 0, &tick, &none);
	}
	return true;
}

static void check_killed(const char *flag, int sig, const char *name)
{
	const char *args[MAX_ARGS] = {
		flag,
		"--timeout",
		"90",
		"--",
		"sh",
		"-c",
		"echo begun; exec sleep 1000",
	};
	bool begun, right;
	int status;
	pid_t pid;

	if (!strstr(name, only))
		return;
	if (!strcmp(flag, "--share")) {
		memmove(args + 2, args + 1, 7 * sizeof(*args));
		args[1] = dir;
	}
	pid = start(args);
	begun = await_output(pid, 1, "begun\n");
	kill(pid, sig);
	waitpid(pid, &status, 0);
	right = sig == SIGKILL ?
			WIFSIGNALED(status) :
			WIFEXITED(status) && WEXITSTATUS(status) == 128 + sig;
	result(begun && all_gone() && right, name);
}

static char screen[1 << 16];

/* What a terminal shows until there is @word, or somebody hangs up. */
static bool await_screen(int fd, const char *word)
{
	size_t used = 0;
	ssize_t size;

	while (used < sizeof(screen) - 1 &&
	       (size = read(fd, screen + used, sizeof(screen) - 1 - used)) > 0) {
		used += size;
		screen[used] = 0;
		if (strstr(screen, word))
			return true;
	}
	return false;
}

/* On a terminal, and without a command: a shell there. */
static void check_shell(const char *flag, const char *name)
{
	static const char typed[] =
		"tty; test -c /dev/undead && command -v undead && echo f''ound\n";
	int fd, status = -1;
	bool seen;
	pid_t pid;

	if (!strstr(name, only))
		return;
	pid = forkpty(&fd, NULL, NULL, NULL);
	if (!pid) {
		execl("scripts/vm.sh", "vm.sh", "--suite", suite, flag, NULL);
		_exit(127);
	}
	seen = await_screen(fd, "# ") && write(fd, typed, strlen(typed)) > 0 &&
	       await_screen(fd, "found\r\n") && write(fd, "exit 7\n", 7) == 7;
	if (!seen) {
		printf("# the terminal shows \"%.200s\"\n", screen);
		kill(pid, SIGTERM);
	}
	/* It hangs up, and until then wants to be read. */
	await_screen(fd, "\f");
	waitpid(pid, &status, 0);
	close(fd);
	result(seen && WIFEXITED(status) && WEXITSTATUS(status) == 7 &&
		       all_gone(),
	       name);
}

/* What is said is what a person would type. */
static bool attach_gdb(int *port)
{
	char command[256], *said;

	said = strstr(contents(2), "target remote localhost:");
	if (!said || sscanf(said, "target remote localhost:%d", port) != 1)
		return false;
	snprintf(command, sizeof(command),
		 "timeout 60 gdb -nx -batch -ex 'target remote localhost:%d' -ex 'info registers rip' -ex detach 2>&1 | grep -q '^rip .*0xffffffff'",
		 *port);
	return !system(command);
}

/* Two at once, each by the port that it says. */
static void check_gdb(const char *name)
{
	static const char *const args[MAX_ARGS] = { "--gdb", "--keep", "--",
						    "echo", "begun" };
	int status, port[2] = { 0 };
	bool ok = true;
	pid_t pid[2];

	if (!strstr(name, only))
		return;
	if (system("command -v gdb >/dev/null")) {
		printf("ok %d %s # SKIP gdb is not installed\n", ++tests, name);
		return;
	}
	for (int i = 0; i < 2; i++) {
		pid[i] = start(args);
		ok &= await_output(pid[i], 2, "is kept") &&
		      attach_gdb(&port[i]);
	}
	for (int i = 0; i < 2; i++) {
		kill(pid[i], SIGINT);
		waitpid(pid[i], &status, 0);
		ok &= WIFEXITED(status) && !WEXITSTATUS(status);
	}
	result(ok && port[0] != port[1] && all_gone(), name);
}

int main(int argc, char **argv)
{
	char command[2 * sizeof(dir)];
	sigset_t chld;
	FILE *in;

	if (argc < 2 || argc > 3 || !scratch_make(dir, sizeof(dir), "vm"))
		return 2;
	suite = argv[1];
	if (argc == 3)
		only = argv[2];
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
	if (!cannot_share && !*only)
		result(!system(command),
		       "what the guest wrote to the shared folder is there");
	check_killed(cannot_share ? "--no-module" : "--share", SIGKILL,
		     "kill -9 of vm.sh leaves no QEMU and no virtiofsd");
	check_killed("--vng", SIGKILL, "virtme-ng: kill -9 leaves nothing");
	check_killed("--no-module", SIGINT, "Ctrl-C ends it all: 130");
	check_shell(NULL, "a shell on a terminal");
	check_shell("--vng", "virtme-ng: a shell on a terminal");
	check_gdb("gdb attaches to each of two VMs that are kept, as they say");
	printf("1..%d\n", tests);
	return !!failures;
}
