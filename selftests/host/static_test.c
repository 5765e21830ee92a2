// SPDX-License-Identifier: GPL-2.0
/*
 * 'make static' in a folder with nothing else in it, on a kernel that has no
 * system call newer than 4.18's. argv[1] is the tool, build/static/undead is
 * beside it.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scratch.h"

/* rseq() is the last one of 4.18; the next number in use is 424, of 5.1. */
#define LAST_SYSCALL SYS_rseq

static char dir[128], text[65536];
static int tests, failures;

static void result(bool ok, const char *what)
{
	printf("%s %d %s\n", ok ? "ok" : "not ok", ++tests, what);
	for (const char *p = text; !ok && *p; p += strcspn(p, "\n"), p += !!*p)
		printf("# %.*s\n", (int)strcspn(p, "\n"), p);
	fflush(stdout);
	failures += !ok;
}

static int old_kernel(void)
{
	struct sock_filter rules[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, LAST_SYSCALL, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog prog = {
		.len = sizeof(rules) / sizeof(*rules),
		.filter = rules,
	};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog);
}

/* In a mount name space of its own, which takes the mount of /proc with it. */
static void enter(bool proc)
{
	char path[256];

	if (unshare(CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		_exit(120);
	snprintf(path, sizeof(path), "%s/proc", dir);
	if (proc && mount("/proc", path, NULL, MS_BIND | MS_REC, NULL))
		_exit(121);
	if (chroot(dir) || chdir("/"))
		_exit(122);
	if (old_kernel())
		_exit(123);
}

/* argv[0] is the command. Into @text; the exit status. */
static int run(bool proc, char *const *argv)
{
	int ends[2], status;
	size_t n = 0;
	ssize_t r;
	pid_t pid;

	if (pipe(ends))
		return -1;
	pid = fork();
	if (!pid) {
		enter(proc);
		dup2(ends[1], STDOUT_FILENO);
		dup2(ends[1], STDERR_FILENO);
		execv("/undead", argv);
		_exit(124);
	}
	close(ends[1]);
	while ((r = read(ends[0], text + n, sizeof(text) - 1 - n)) > 0)
		n += (size_t)r;
	text[n] = '\0';
	close(ends[0]);
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

#define RUN(proc, ...) run(proc, (char *const[]){ "undead", __VA_ARGS__, NULL })

static bool copy(const char *tool)
{
	char command[1024];

	snprintf(command, sizeof(command),
		 "cp \"$(dirname '%s')/static/undead\" '%s' && mkdir '%s/proc'",
		 tool, dir, dir);
	return !system(command);
}

static void check(void)
{
	siginfo_t si;
	char number[32];
	pid_t pid = fork();
	int status;

	if (!pid)
		_exit(3);
	waitid(P_PID, (id_t)pid, &si, WEXITED | WNOWAIT);
	snprintf(number, sizeof(number), "%d", pid);
	status = RUN(false, "--help");
	result(status == 0 && strstr(text, "scan"), "it starts");
	status = RUN(false, "scan", "--check");
	result(status == 3 && strstr(text, "is /proc mounted here?"),
	       "scan without /proc says so");
	status = RUN(false, "why", number);
	result(status == 3 && strstr(text, "undead why: "),
	       "why without /proc says so");
	status = RUN(true, "why", number);
	result(status == 1 && strstr(text, "does not wait"),
	       "why explains a zombie");
	status = RUN(true, "why", "--json", number);
	result(status == 1 && strstr(text, "\"undead_why\": 1"),
	       "why --json, which wants a library");
	status = RUN(true, "scan", "--json");
	result(status == 1 && strstr(text, number), "scan finds it");
	status = RUN(true, "scan", "--openmetrics", "/undead.prom");
	result(status == 0 && !*text, "scan --openmetrics");
	waitpid(pid, NULL, 0);
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: static_test UNDEAD\n");
		return 2;
	}
	printf("TAP version 13\n");
	if (getuid()) {
		printf("1..0 # SKIP chroot() needs root\n");
		return 0;
	}
	fflush(stdout);
	if (!scratch_make(dir, sizeof(dir), "static") || !copy(argv[1])) {
		printf("Bail out! no folder with build/static/undead in it\n");
		return 1;
	}
	check();
	printf("1..%d\n", tests);
	return failures != 0;
}
