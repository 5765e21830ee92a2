// SPDX-License-Identifier: GPL-2.0
/*
 * wait says 7, the proc connector says 3 of the process.
 * Needs no module, but root for the connector:
 *
 *	cc -pthread -o exit-records exit-records.c && ./exit-records
 *
 * The leader of a process ends by SYS_exit(3), as pthread_exit() in main() does with
 * 0, and a thread of it by exit_group(7) some time after that. No race is needed.
 * docs/findings/exit-records.md has the rest.
 */
#define _GNU_SOURCE
#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/netlink.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int listen_to_processes(void)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK,
				       .nl_groups = CN_IDX_PROC };
	struct {
		struct nlmsghdr nl;
		struct cn_msg cn;
		enum proc_cn_mcast_op op;
	} __attribute__((packed)) request = {
		.nl = { .nlmsg_len = sizeof(request), .nlmsg_type = NLMSG_DONE },
		.cn = { .id = { CN_IDX_PROC, CN_VAL_PROC },
			.len = sizeof(request.op) },
		.op = PROC_CN_MCAST_LISTEN,
	};
	int s = socket(PF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC,
		       NETLINK_CONNECTOR);

	if (s < 0 || bind(s, (void *)&address, sizeof(address)) ||
	    send(s, &request, sizeof(request), 0) < 0) {
		perror("the proc connector");
		exit(2);
	}
	return s;
}

/* The leader is a zombie when it ends the process. */
static void *thread(void *arg)
{
	char state = 0, path[64];

	snprintf(path, sizeof(path), "/proc/%d/stat", getpid());
	while (state != 'Z') {
		FILE *f = fopen(path, "r");

		if (!f || fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
			exit(2);
		fclose(f);
		sched_yield();
	}
	syscall(SYS_exit_group, 7);
	return arg;
}

static void child(void)
{
	pthread_t t;

	pthread_create(&t, NULL, thread, NULL);
	syscall(SYS_exit, 3);
}

/* What is told of the end of @pid: the exit codes of leader and thread. */
static void listen_for(int s, pid_t pid, unsigned int *leader,
		       unsigned int *other)
{
	char message[4096];
	int left = 2;

	while (left) {
		ssize_t n = recv(s, message, sizeof(message), 0);
		struct nlmsghdr *nl = (struct nlmsghdr *)message;

		for (; n > 0 && NLMSG_OK(nl, n); nl = NLMSG_NEXT(nl, n)) {
			struct cn_msg *cn = NLMSG_DATA(nl);
			struct proc_event e;

			memcpy(&e, cn->data, sizeof(e));
			if (e.what != PROC_EVENT_EXIT ||
			    e.event_data.exit.process_tgid != pid)
				continue;
			if (e.event_data.exit.process_pid == pid)
				*leader = e.event_data.exit.exit_code;
			else
				*other = e.event_data.exit.exit_code;
			left--;
		}
	}
}

int main(void)
{
	unsigned int leader = 0, other = 0;
	int s = listen_to_processes();
	int status;
	pid_t pid = fork();

	if (!pid)
		child();
	listen_for(s, pid, &leader, &other);
	waitpid(pid, &status, 0);
	printf("wait4 says %d; the connector %d of the process, %d of its thread\n",
	       WEXITSTATUS(status), WEXITSTATUS(leader), WEXITSTATUS(other));
	return WEXITSTATUS(status) != WEXITSTATUS(leader);
}
