// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "util.h"
#include "walk.h"

#define DIR_SIZE  (128 << 10)
#define READ_SIZE 4096
/* 65536 supplementary groups come before the signals. */
#define MAX_SIZE (1 << 20)

typedef int (*seen_fn)(const struct glance *g, pid_t tgid, void *arg);

/* Of an open folder. */
struct numbers {
	char *buf;
	ssize_t size, at;
};

/*
 * struct pass - what all hands share
 * @lock:  the folder's next number, and @seen
 * @err:   0, or what ends it
 */
struct pass {
	pthread_mutex_t lock;
	int proc;
	struct numbers numbers;
	bool threads;
	seen_fn seen;
	void *arg;
	int err;
};

/*
 * struct hand - one thread of it
 * @text: of one status file, grows
 */
struct hand {
	struct pass *pass;
	char *text;
	size_t room;
};

/* --- one status file ---------------------------------------------------- */

/* The value of "\nKEY:\t", from where the last one was: they are in order. */
static const char *value_of(const char **from, const char *key, size_t n)
{
	const char *at = *from;

	while (at && strncmp(at, key, n) != 0) {
		at = strchr(at, '\n');
		at = at ? at + 1 : NULL;
	}
	if (!at)
		return NULL;
	*from = at;
	return at + n;
}

#define VALUE(from, key) value_of(from, key ":\t", sizeof(key ":\t") - 1)

int glance_parse(const char *text, bool complete, struct glance *g)
{
	const char *at = text, *state, *pid, *ppid, *threads, *own, *shared;

	/* Name comes first, and its line feeds are escaped. */
	state = VALUE(&at, "State");
	pid = state ? VALUE(&at, "Pid") : NULL;
	ppid = pid ? VALUE(&at, "PPid") : NULL;
	threads = ppid ? VALUE(&at, "Threads") : NULL;
	own = threads ? VALUE(&at, "SigPnd") : NULL;
	shared = own ? VALUE(&at, "ShdPnd") : NULL;
	if (!shared || !strchr(shared, '\n'))
		return complete ? -EBADMSG : -EAGAIN;
	*g = (struct glance){
		.pid = atoi(pid),
		.ppid = atoi(ppid),
		.state = *state,
		.threads = atoi(threads),
		.pending = strtoull(own, NULL, 16) | strtoull(shared, NULL, 16),
	};
	return 0;
}

static int grow(struct hand *p)
{
	size_t room = p->room ? 2 * p->room : READ_SIZE;
	char *more = room > MAX_SIZE ? NULL : realloc(p->text, room);

	if (!more)
		return -ENOMEM;
	p->text = more;
	p->room = room;
	return 0;
}

/* One read is all it takes, but for who is in hundreds of groups. */
static int glance_at(struct hand *p, int dir, const char *path,
		     struct glance *g)
{
	_cleanup_close_ int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	int err = fd < 0 ? -errno : -EAGAIN;
	size_t n = 0;

	while (err == -EAGAIN) {
		ssize_t r;

		if (n + 1 >= p->room && grow(p))
			return -ENOMEM;
		r = read(fd, p->text + n, p->room - 1 - n);
		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -errno;
		n += (size_t)r;
		p->text[n] = '\0';
		err = glance_parse(p->text, !r, g);
	}
	return err;
}

/* --- folders ------------------------------------------------------------ */

/* The number in a name, 0: it is none. */
static pid_t number(const char *name)
{
	unsigned long n = 0;

	for (; *name >= '0' && *name <= '9' && n < INT32_MAX / 10; name++)
		n = 10 * n + (unsigned long)(*name - '0');
	return *name ? 0 : (pid_t)n;
}

/* The next number of an open folder; 0 at its end, or -errno. */
static pid_t next_number(int fd, struct numbers *l)
{
	for (;;) {
		const struct dirent64 *d;
		pid_t n;

		if (l->at >= l->size) {
			l->size = syscall(SYS_getdents64, fd, l->buf, DIR_SIZE);
			l->at = 0;
			if (l->size <= 0)
				return l->size ? -errno : 0;
		}
		d = (const struct dirent64 *)(const void *)(l->buf + l->at);
		l->at += d->d_reclen;
		n = number(d->d_name);
		if (n)
			return n;
	}
}

static pid_t take(struct pass *p)
{
	pid_t pid = 0;

	pthread_mutex_lock(&p->lock);
	if (!p->err)
		pid = next_number(p->proc, &p->numbers);
	if (pid < 0)
		p->err = pid;
	pthread_mutex_unlock(&p->lock);
	return pid;
}

static void fail(struct pass *p, int err)
{
	pthread_mutex_lock(&p->lock);
	p->err = err;
	pthread_mutex_unlock(&p->lock);
}

static bool tell(struct pass *p, const struct glance *g, pid_t tgid)
{
	bool go_on;

	pthread_mutex_lock(&p->lock);
	if (!p->err)
		p->err = p->seen(g, tgid, p->arg);
	go_on = !p->err;
	pthread_mutex_unlock(&p->lock);
	return go_on;
}

static void walk_threads(struct hand *h, pid_t tgid)
{
	_cleanup_free_ char *buf = malloc(DIR_SIZE);
	struct numbers l = { .buf = buf };
	_cleanup_close_ int dir = -1;
	char path[64];
	pid_t tid;

	if (!buf) {
		fail(h->pass, -ENOMEM);
		return;
	}
	snprintf(path, sizeof(path), "%d/task", tgid);
	dir = openat(h->pass->proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return;
	while ((tid = next_number(dir, &l)) > 0) {
		struct glance g;

		if (tid == tgid)
			continue;
		snprintf(path, sizeof(path), "%d/status", tid);
		if (!glance_at(h, dir, path, &g) && !tell(h->pass, &g, tgid))
			return;
	}
}

static void *work(void *arg)
{
	struct hand h = { .pass = arg };
	struct pass *p = arg;
	pid_t pid;

	while ((pid = take(p)) > 0) {
		struct glance g;
		char path[32];

		snprintf(path, sizeof(path), "%d/status", pid);
		if (glance_at(&h, p->proc, path, &g))
			continue;
		if (tell(p, &g, pid) && p->threads && g.threads > 1)
			walk_threads(&h, pid);
	}
	free(h.text);
	return NULL;
}

/* Two hands: one alone where the machine has no room for a thread more. */
int walk(bool threads, seen_fn seen, void *arg)
{
	_cleanup_close_ int proc =
		open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_free_ char *buf = malloc(DIR_SIZE);
	struct pass p = {
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.proc = proc,
		.numbers = { .buf = buf },
		.threads = threads,
		.seen = seen,
		.arg = arg,
	};
	bool helped;
	pthread_t other;

	if (proc < 0 || !buf)
		return proc < 0 ? -errno : -ENOMEM;
	helped = !pthread_create(&other, NULL, work, &p);
	work(&p);
	if (helped)
		pthread_join(other, NULL);
	return p.err;
}
