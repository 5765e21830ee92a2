// SPDX-License-Identifier: GPL-2.0
/* Actors: threads of S, and its children, who are sent what to do. */
#include <pthread.h>
#include <sys/socket.h>

#include "ops.h"

struct actor actor[ACTORS];

void replace(int *fd, int new)
{
	if (*fd >= 0)
		close(*fd);
	*fd = new;
}

static void do_job(const struct job *job)
{
	perform(&job->step, job->fd);
	if (job->fd >= 0 && !(job->step.flags & STEP_KEEP))
		close(job->fd);
}

static void *job_thread(void *arg)
{
	do_job(arg);
	free(arg);
	return NULL;
}

static void do_job_in_thread(const struct job *job)
{
	struct job *copy = malloc(sizeof(*copy));
	pthread_attr_t attr;
	pthread_t thread;

	*copy = *job;
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	if (pthread_create(&thread, &attr, job_thread, copy))
		free(copy);
	pthread_attr_destroy(&attr);
}

bool transfer(int sock, struct job *job, bool send)
{
	char room[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec iov = { &job->step, sizeof(job->step) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *c = (void *)room;
	ssize_t n;

	if (!send || job->fd >= 0) {
		msg.msg_control = room;
		msg.msg_controllen = sizeof(room);
	}
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	if (send) {
		memcpy(CMSG_DATA(c), &job->fd, sizeof(int));
		return sendmsg(sock, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) > 0;
	}
	do {
		n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	job->fd = -1;
	if (n > 0 && msg.msg_controllen)
		memcpy(&job->fd, CMSG_DATA(c), sizeof(int));
	return n > 0;
}

static void act(int sock)
{
	struct job job;

	while (transfer(sock, &job, false)) {
		if (job.step.flags & STEP_THREAD)
			do_job_in_thread(&job);
		else
			do_job(&job);
	}
}

static void *actor_thread(void *sock)
{
	pid_t tid = gettid();

	if (write((int)(long)sock, &tid, sizeof(tid)) == sizeof(tid))
		act((int)(long)sock);
	return NULL;
}

void start_thread(struct actor *a)
{
	pthread_t thread;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) ||
	    pthread_create(&thread, NULL, actor_thread, (void *)(long)pair[1]) ||
	    read(pair[0], &a->tid, sizeof(a->tid)) != sizeof(a->tid))
		_exit(1);
	a->sock = pair[0];
}

/* Without S's ends of the others, or these would not see S's end. */
void start_process(struct actor *a)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return;
	a->tid = fork();
	if (!a->tid) {
		close(pair[0]);
		for (int i = 0; i < ACTORS; i++)
			replace(&actor[i].sock, -1);
		act(pair[1]);
		_exit(0);
	}
	close(pair[1]);
	a->sock = pair[0];
}
