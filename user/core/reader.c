// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "await.h"
#include "cgroup.h"
#include "proc.h"
#include "reader.h"
#include "util.h"

/* For a child that has not been given a CPU. */
#define GIVE_UP_MS 2000
#define LOG_SIZE   (4 << 20)
/* SYSLOG_ACTION_READ_ALL: what is in the buffer, and it stays there. */
#define LOG_ALL 3

struct answer {
	int err;
	int size;
	char text[READER_TEXT];
};

ssize_t reader_file(int dir, const char *path, char *buf, size_t size)
{
	_cleanup_close_ int fd =
		openat(dir, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	return read_fd(fd, buf, size);
}

/* --- in the child ------------------------------------------------------- */

/* Lines of check_hung_task() and debug_show_blocker(). */
static ssize_t read_log(char *to, size_t size)
{
	static char log[LOG_SIZE];
	int n = klogctl(LOG_ALL, log, sizeof(log) - 1);
	size_t used = 0;

	if (n < 0)
		return -errno;
	log[n] = '\0';
	for (char *p = log; *p;) {
		size_t len = strcspn(p, "\n");

		len += p[len] == '\n';
		if (memmem(p, len, "INFO: task ", 11) &&
		    memmem(p, len, " blocked ", 9) && used + len < size) {
			memcpy(to + used, p, len);
			used += len;
		}
		p += len;
	}
	return (ssize_t)used;
}

static ssize_t answer(const struct want *w, char *to, size_t size)
{
	ssize_t n;

	switch (w->kind) {
	case WANT_LINK:
		n = readlinkat(w->dir, w->path, to, size);
		return n >= 0 ? n : errno == ENOENT ? -ESRCH : -errno;
	case WANT_FREEZE:
		return cgroup_freeze(w->dir, to, size);
	case WANT_PIDS:
		return cgroup_pids(w->dir, to, size);
	case WANT_FUSE:
		return fuse_waiting(to, size);
	case WANT_LOG:
		return read_log(to, size);
	default:
		return reader_file(w->dir, w->path, to, size);
	}
}

static void __attribute__((noreturn))
read_all(const struct want *w, size_t n, int to)
{
	static struct answer a;

	for (; n; n--, w++) {
		ssize_t size = w->given_up ? -ECANCELED :
					     answer(w, a.text, sizeof(a.text));

		a.err = size < 0 ? (int)size : 0;
		a.size = size < 0 ? 0 : (int)size;
		size = (ssize_t)offsetof(struct answer, text) + a.size;
		if (write(to, &a, (size_t)size) != size)
			break;
	}
	_exit(0);
}

/* --- and here ----------------------------------------------------------- */

/* No exit signal: who asks may count his SIGCHLDs. A read is an answer. */
static pid_t start(const struct want *w, size_t n, int *from)
{
	int pair[2];
	pid_t child;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	child = (pid_t)syscall(SYS_clone, 0, NULL, NULL, NULL, NULL);
	if (!child)
		read_all(w, n, pair[1]);
	if (child < 0) {
		child = -errno;
		close(pair[0]);
	}
	close(pair[1]);
	*from = pair[0];
	return child;
}

/*
 * Is @child in the sleep it was in at the last look, @sleeps? One that wants for
 * a CPU, or that is at work again, is not.
 */
static bool blocked(pid_t child, int64_t *sleeps)
{
	struct proc_status st;
	int64_t before = *sleeps;

	if (proc_status(child, 0, &st))
		return true;
	*sleeps = st.state == 'R' ? -1 : st.sleeps;
	return *sleeps >= 0 && *sleeps == before;
}

/* Return: 0, or why there is no answer. */
static int next_answer(int from, pid_t child, int ms, struct answer *a)
{
	int64_t until = now_ms() + GIVE_UP_MS, sleeps = -1;
	ssize_t n;

	while (!await_readable(from, ms / 2)) {
		if (!blocked(child, &sleeps) && now_ms() < until)
			continue;
		/* Perhaps it has answered in the meantime. */
		if (await_readable(from, 0))
			break;
		return -ETIMEDOUT;
	}
	n = read(from, a, sizeof(*a));
	return n < (ssize_t)offsetof(struct answer, text) ? -EIO : 0;
}

/* Files of the same process are under the same locks. */
static void give_up(struct want *w, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (w[i].dir == w->dir &&
		    (w[i].kind == WANT_FILE || w[i].kind == WANT_LINK))
			w[i].given_up = true;
}

void reader_run(struct want *w, size_t n, int ms,
		void (*got)(void *arg, const struct want *w, int err,
			    const char *text, size_t size),
		void *arg)
{
	static struct answer a;

	while (n) {
		int from = -1, err = 0;
		pid_t child = start(w, n, &from);

		for (; n && !err; n--, w++) {
			int failed = child;

			if (child > 0) {
				err = next_answer(from, child, ms, &a);
				failed = err ? err : a.err;
			}
			got(arg, w, failed, a.text,
			    failed ? 0 : (size_t)a.size);
			if (err)
				give_up(w, n);
		}
		if (child < 0)
			continue;
		close(from);
		/* What does not go at once goes when its read ends. */
		kill(child, SIGKILL);
		waitpid(child, NULL, __WALL | (err ? WNOHANG : 0));
	}
}
