// SPDX-License-Identifier: GPL-2.0
/*
 * wait says SIGHUP, SIGCHLD (and PIDFD_GET_INFO) say SIGKILL. Needs no module and
 * no root, where user namespaces are allowed:
 *
 *	cc -o reboot-namespace reboot-namespace.c && ./reboot-namespace
 *
 * In a pid namespace of its own a process calls reboot(RESTART), which ends the
 * namespace. docs/findings/reboot-namespace.md has the rest.
 */
#define _GNU_SOURCE
#include <linux/reboot.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Nothing but a namespace of our own is to be rebooted. */
static int init_of_namespace(void)
{
	pid_t child;

	if (getpid() != 1)
		return 1;
	child = fork();
	if (!child) {
		reboot(LINUX_REBOOT_CMD_RESTART);
		_exit(1);
	}
	waitpid(child, NULL, 0);
	return 1;
}

int main(void)
{
	unsigned long flags = CLONE_NEWPID | SIGCHLD;
	siginfo_t told, si;
	sigset_t chld;
	int status;
	pid_t pid;

	if (getuid())
		flags |= CLONE_NEWUSER;
	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, NULL);
	pid = (pid_t)syscall(SYS_clone, flags, NULL, NULL, NULL, NULL);
	if (!pid)
		_exit(init_of_namespace());
	if (pid < 0) {
		perror("clone(CLONE_NEWPID)");
		return 2;
	}
	sigwaitinfo(&chld, &told);
	waitid(P_PID, (id_t)pid, &si, WEXITED | WNOWAIT);
	waitpid(pid, &status, 0);
	if (!WIFSIGNALED(status)) {
		fprintf(stderr, "reboot() did not end the namespace\n");
		return 2;
	}
	printf("SIGCHLD says SIG%s, waitid(WNOWAIT) SIG%s, wait4 SIG%s\n",
	       sigabbrev_np(told.si_status), sigabbrev_np(si.si_status),
	       sigabbrev_np(WTERMSIG(status)));
	return told.si_status != WTERMSIG(status);
}
