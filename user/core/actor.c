// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <linux/sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "actor.h"
#include "util.h"

/* How long a healthy actor may take to answer; loaded emulated machines. */
#define ANSWER_MS 10000

/*
 * What a new thread says first: who it is. It is the reply to the order that
 * made it too; when it cannot be made, @err comes from whoever tried.
 */
struct hello {
	pid_t pid, tid;
	int err;
};

/* Result of an order that has sent a hello instead. */
#define NO_REPLY INT64_MIN

/* Read end, kept open in every actor for the actors it forks. */
static int life_read = -1;

/* The command socket of this thread. */
static __thread int serving = -1;

/*
 * An actor may be an exec of this program, with its code at another address:
 * functions travel as their distance from one of them.
 */
static order_fn to_travel(order_fn fn)
{
	return (order_fn)((uintptr_t)fn - (uintptr_t)actors_init);
}

static order_fn arrived(order_fn fn)
{
	return (order_fn)((uintptr_t)fn + (uintptr_t)actors_init);
}

int lifeline_open(int *life)
{
	int p[2];

	if (pipe2(p, O_CLOEXEC) < 0)
		return -errno;
	/* An actor that is another user by now opens it again after exec. */
	fchmod(p[0], 0444);
	*life = p[0];
	return p[1];
}

/*
 * SIGIO settings belong to the open file, not to the descriptor: each process
 * needs one of its own, hence the open() through /proc.
 */
static int lifeline_file(int life)
{
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", life);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fcntl(fd, F_SETSIG, SIGKILL) < 0)
		return -errno;
	return fd;
}

/* Its end is that of @pid, too, or of the group -@pid, who has to have @fd. */
static int lifeline_end(int fd, pid_t pid)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	if (fcntl(fd, F_SETOWN, pid) < 0 || fcntl(fd, F_SETFL, O_ASYNC) < 0)
		return -errno;
	/* It may have ended before O_ASYNC was set. */
	if (poll(&p, 1, 0) < 0)
		return -errno;
	return p.revents ? -EPIPE : 0;
}

int lifeline_join(int life)
{
	int fd = lifeline_file(life);

	return fd < 0 ? fd : lifeline_end(fd, getpid());
}

int lifeline_join_group(int life)
{
	int fd = lifeline_file(life);

	return fd < 0 ? fd : lifeline_end(fd, -getpgrp());
}

int actors_init(void)
{
	int fd = lifeline_open(&life_read);

	return fd < 0 ? fd : 0;
}

static int send_order(int sock, const struct order *o)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct order copy = *o;
	struct iovec iov = { &copy, sizeof(copy) };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };

	copy.fn = to_travel(o->fn);
	if (o->fd >= 0) {
		struct cmsghdr *c;

		m.msg_control = control.buf;
		m.msg_controllen = sizeof(control.buf);
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &o->fd, sizeof(int));
	}
	return sendmsg(sock, &m, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* Return: false when the other end is gone. */
static bool next_order(int sock, struct order *o)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov = { o, sizeof(*o) };
	struct msghdr m = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.buf,
		.msg_controllen = sizeof(control.buf),
	};
	struct cmsghdr *c;
	ssize_t n;

	do
		n = recvmsg(sock, &m, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n != sizeof(*o))
		return false;
	o->fn = arrived(o->fn);
	o->fd = -1;
	c = CMSG_FIRSTHDR(&m);
	if (c && c->cmsg_type == SCM_RIGHTS)
		memcpy(&o->fd, CMSG_DATA(c), sizeof(int));
	return true;
}

/* Who we are in the pid namespace of /proc: we may be in another. */
static struct hello myself(void)
{
	struct hello h = { 0 };
	char link[64] = "";

	if (readlink("/proc/thread-self", link, sizeof(link) - 1) < 0)
		h.err = -errno;
	else if (sscanf(link, "%d/task/%d", &h.pid, &h.tid) != 2)
		h.err = -EBADMSG;
	return h;
}

/* The life of a thread: until the runner is gone. */
static void __attribute__((noreturn)) obey(int cmd)
{
	struct order o = { 0 };

	serving = cmd;
	while (next_order(cmd, &o)) {
		int64_t result = o.fn(&o);

		if (o.fd >= 0)
			close(o.fd);
		if (result != NO_REPLY &&
		    send(cmd, &result, sizeof(result), MSG_NOSIGNAL) < 0)
			break;
	}
	_exit(1);
}

static void __attribute__((noreturn)) serve(int cmd)
{
	struct hello h = myself();

	if (send(cmd, &h, sizeof(h), MSG_NOSIGNAL) != sizeof(h))
		_exit(1);
	obey(cmd);
}

static void keep_only(int a, int b)
{
	unsigned int lo = (unsigned int)(a < b ? a : b);
	unsigned int hi = (unsigned int)(a < b ? b : a);

	/* Without this an actor would keep the runner's lifeline alive. */
	if ((lo > 3 && syscall(SYS_close_range, 3, lo - 1, 0) < 0) ||
	    (hi > lo + 1 && syscall(SYS_close_range, lo + 1, hi - 1, 0) < 0) ||
	    syscall(SYS_close_range, hi + 1, ~0U, 0) < 0)
		_exit(1);
}

static void __attribute__((noreturn)) actor_main(const char *name, int cmd)
{
	sigset_t none;

	keep_only(cmd, life_read);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_NAME, name);
	if (lifeline_join(life_read))
		_exit(1);
	/* SIGNAL_UNKILLABLE: the SIGKILL of a lifeline is lost on it. */
	if (getpid() == 1)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	serve(cmd);
}

pid_t cleaner_start(void (*undo)(const char *arg), const char *arg)
{
	pid_t pid;
	int p[2];

	if (pipe2(p, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (!pid) {
		char end;

		keep_only(p[0], p[0]);
		prctl(PR_SET_NAME, "cleaner");
		/* Nobody writes: this returns when the last write end goes. */
		if (!read(p[0], &end, 1))
			undo(arg);
		_exit(0);
	}
	close(p[0]);
	return pid < 0 ? -errno : pid;
}

static int64_t say_failed(int sock, int err)
{
	struct hello h = { .err = err };

	send(sock, &h, sizeof(h), MSG_NOSIGNAL);
	return NO_REPLY;
}

/* arg[0]: flags, arg[1]: exit signal; fork() keeps libc's locks in order. */
static int64_t order_fork(const struct order *o)
{
	struct clone_args args = {
		.flags = (uint64_t)o->arg[0],
		.exit_signal = (uint64_t)o->arg[1],
	};
	pid_t pid;

	if (!args.flags && args.exit_signal == SIGCHLD)
		pid = fork();
	else
		pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	if (!pid)
		actor_main(o->name, o->fd);
	return pid < 0 ? say_failed(o->fd, -errno) : NO_REPLY;
}

struct start {
	int cmd;
	char name[16];
};

static void *thread_main(void *arg)
{
	struct start s = *(struct start *)arg;

	free(arg);
	prctl(PR_SET_NAME, s.name);
	serve(s.cmd);
}

static int64_t order_thread(const struct order *o)
{
	struct start *s = malloc(sizeof(*s));
	pthread_t thread;
	int err;

	if (!s)
		return say_failed(o->fd, -ENOMEM);
	memcpy(s->name, o->name, sizeof(s->name));
	s->cmd = fcntl(o->fd, F_DUPFD_CLOEXEC, 3);
	err = s->cmd < 0 ? errno :
			   pthread_create(&thread, NULL, thread_main, s);
	if (err) {
		if (s->cmd >= 0)
			close(s->cmd);
		free(s);
		return say_failed(o->fd, -err);
	}
	pthread_detach(thread);
	return NO_REPLY;
}

int thread_tell(struct thread *t, order_fn fn, int fd, int64_t arg0,
		int64_t arg1)
{
	struct order o = { .fn = fn, .fd = fd, .arg = { arg0, arg1 } };

	return send_order(t->cmd, &o);
}

static int answer(int sock, int timeout_ms, void *buf, size_t size)
{
	struct pollfd p = { .fd = sock, .events = POLLIN };
	int64_t end = now_ms() + timeout_ms;
	int n;

	do {
		int64_t left = end - now_ms();

		n = poll(&p, 1, left > 0 ? (int)left : 0);
	} while (n < 0 && errno == EINTR);
	if (n <= 0)
		return n ? -errno : -ETIMEDOUT;
	return recv(sock, buf, size, 0) == (ssize_t)size ? 0 : -EPIPE;
}

int thread_result(struct thread *t, int timeout_ms, int64_t *result)
{
	return answer(t->cmd, timeout_ms, result, sizeof(*result));
}

/* A socket pair whose far end goes to a thread that says hello over it. */
static int meet(struct thread *t, struct thread *by, struct order o,
		struct hello *h)
{
	_cleanup_close_ int far = -1;
	int pair[2], err = 0;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	t->cmd = pair[0];
	far = pair[1];
	memcpy(t->name, o.name, sizeof(t->name));
	o.fd = far;
	if (by)
		err = send_order(by->cmd, &o);
	else
		o.fn(&o);
	/* Only then does the death of the thread end the socket. */
	close(far);
	far = -1;
	if (!err)
		err = answer(t->cmd, ANSWER_MS, h, sizeof(*h));
	return err ? err : h->err;
}

int actor_clone(struct actor *a, const char *name, struct thread *by,
		uint64_t flags, int exit_signal)
{
	struct order o = {
		.fn = order_fork,
		.arg = { (int64_t)flags, exit_signal },
	};
	struct thread *leader = &a->threads[0];
	struct hello h;
	int err;

	if (flags & (CLONE_VM | CLONE_THREAD) || (flags & CLONE_VFORK && !by))
		return -EINVAL;
	snprintf(o.name, sizeof(o.name), "%s", name);
	*a = (struct actor){ .nr = 1, .pidfd = -1 };
	snprintf(a->name, sizeof(a->name), "%s", name);
	leader->actor = a;
	err = meet(leader, by, o, &h);
	if (err)
		return err;
	a->pid = h.pid;
	leader->tid = h.tid;
	a->pidfd = pidfd_of(a->pid, 0);
	return a->pidfd < 0 ? a->pidfd : 0;
}

/* Shares the memory of who made it, TLS included: it may call the kernel only. */
static int twin_main(void *arg)
{
	sigset_t usr1;

	(void)arg;
	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	while (syscall(SYS_rt_sigtimedwait, &usr1, NULL, NULL, NSIG / 8) !=
	       SIGUSR1)
		;
	syscall(SYS_exit_group, TWIN_STATUS);
	return 0;
}

/* arg[0]: what the kernel clears when it ends; arg[1]: more flags */
static int64_t order_twin(const struct order *o)
{
	static char stacks[TWINS][16384] __attribute__((aligned(16)));
	static int nr;
	char *stack = stacks[nr++ % TWINS];
	int flags = CLONE_VM | SIGCHLD | (int)o->arg[1], err;
	_cleanup_close_ int life = lifeline_file(life_read);
	sigset_t usr1, before;
	pid_t pid;

	if (life < 0)
		return life;
	if (o->arg[0])
		flags |= CLONE_CHILD_CLEARTID;
	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &usr1, &before);
	pid = clone(twin_main, stack + sizeof(*stacks), flags, NULL, NULL, NULL,
		    (void *)(uintptr_t)o->arg[0]);
	err = pid < 0 ? -errno : lifeline_end(life, pid);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return err ? err : pid;
}

int actor_twin(struct actor *a, const char *name, struct thread *by,
	       int64_t tid, int flags)
{
	struct thread *leader = &a->threads[0];
	int64_t pid = 0;
	int err;

	*a = (struct actor){ .nr = 1, .pidfd = -1 };
	snprintf(a->name, sizeof(a->name), "%s", name);
	err = thread_tell(by, order_twin, -1, tid, flags);
	if (!err)
		err = thread_result(by, ANSWER_MS, &pid);
	if (err || pid < 0)
		return err ? err : (int)pid;
	a->pid = (pid_t)pid;
	*leader = (struct thread){ .actor = a, .tid = a->pid, .cmd = -1 };
	memcpy(leader->name, a->name, sizeof(leader->name));
	a->pidfd = pidfd_of(a->pid, 0);
	return a->pidfd < 0 ? a->pidfd : 0;
}

int actor_spawn(struct actor *a, const char *name, struct thread *by)
{
	return actor_clone(a, name, by, 0, SIGCHLD);
}

int actor_thread(struct actor *a, const char *name, struct thread **thread)
{
	struct thread *t = &a->threads[a->nr];
	struct order o = { .fn = order_thread };
	struct hello h;
	int err;

	if (a->nr == ACTOR_THREADS)
		return -ENOSPC;
	t->actor = a;
	snprintf(o.name, sizeof(o.name), "%s", name);
	err = meet(t, &a->threads[0], o, &h);
	if (err)
		return err;
	t->tid = h.tid;
	a->nr++;
	*thread = t;
	return 0;
}

#define EXECED "undead-actor"

int64_t order_exec(const struct order *o)
{
	char comm[16], cmd[12], life[12];
	char *argv[] = { EXECED, comm, cmd, life, NULL };
	char **env = o->arg[0] ? (char **)(uintptr_t)o->arg[0] : environ;
	/* Not "self": that is the leader, which may be dead. */
	const char *program = o->arg[1] ? (char *)(uintptr_t)o->arg[1] :
					  "/proc/thread-self/exe";
	int err;

	prctl(PR_GET_NAME, comm);
	snprintf(cmd, sizeof(cmd), "%d", serving);
	snprintf(life, sizeof(life), "%d", life_read);
	fcntl(serving, F_SETFD, 0);
	fcntl(life_read, F_SETFD, 0);
	execve(program, argv, env);
	err = errno;
	fcntl(serving, F_SETFD, FD_CLOEXEC);
	fcntl(life_read, F_SETFD, FD_CLOEXEC);
	return -err;
}

/* Before main(), whose program this is: it is an actor that called exec. */
static void __attribute__((constructor)) execed(int argc, char **argv)
{
	int64_t result = 0;
	int cmd;

	if (argc != 4 || strcmp(argv[0], EXECED))
		return;
	prctl(PR_SET_NAME, argv[1]);
	cmd = atoi(argv[2]);
	life_read = atoi(argv[3]);
	fcntl(cmd, F_SETFD, FD_CLOEXEC);
	fcntl(life_read, F_SETFD, FD_CLOEXEC);
	if (lifeline_join(life_read) ||
	    send(cmd, &result, sizeof(result), MSG_NOSIGNAL) < 0)
		_exit(1);
	obey(cmd);
}

int actor_execed(struct thread *t, int timeout_ms)
{
	struct thread *l = &t->actor->threads[0];
	int64_t result = 0;
	int err = thread_result(t, timeout_ms, &result);

	if (err || result)
		return err ? err : (int)result;
	if (l != t) {
		close(l->cmd);
		l->cmd = t->cmd;
		t->cmd = -1;
	}
	return 0;
}
