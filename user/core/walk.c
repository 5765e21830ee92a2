// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
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

/*
 * struct pass
 * @text: of one status file, grows
 */
struct pass {
	bool threads;
	seen_fn seen;
	void *arg;
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

static int grow(struct pass *p)
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
static int glance_at(struct pass *p, int dir, const char *path,
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

struct numbers {
	char *buf;
	ssize_t size, at;
};

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

static int walk_threads(struct pass *p, int proc, pid_t tgid)
{
	_cleanup_free_ char *buf = malloc(DIR_SIZE);
	struct numbers l = { .buf = buf };
	_cleanup_close_ int dir = -1;
	char path[64];
	pid_t tid;
	int err = 0;

	if (!buf)
		return -ENOMEM;
	snprintf(path, sizeof(path), "%d/task", tgid);
	dir = openat(proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return 0;
	while (!err && (tid = next_number(dir, &l)) > 0) {
		struct glance g;

		if (tid == tgid)
			continue;
		snprintf(path, sizeof(path), "%d/status", tid);
		if (!glance_at(p, dir, path, &g))
			err = p->seen(&g, tgid, p->arg);
	}
	return err;
}

static int walk_all(struct pass *p, int proc, char *buf)
{
	struct numbers l = { .buf = buf };
	pid_t pid;
	int err = 0;

	while (!err && (pid = next_number(proc, &l)) != 0) {
		struct glance g;
		char path[32];

		if (pid < 0)
			return pid;
		snprintf(path, sizeof(path), "%d/status", pid);
		if (glance_at(p, proc, path, &g))
			continue;
		err = p->seen(&g, pid, p->arg);
		if (!err && p->threads && g.threads > 1)
			err = walk_threads(p, proc, pid);
	}
	return err;
}

int walk(bool threads, seen_fn seen, void *arg)
{
	struct pass p = { .threads = threads, .seen = seen, .arg = arg };
	_cleanup_close_ int proc =
		open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_free_ char *buf = NULL;
	int err;

	if (proc < 0)
		return -errno;
	buf = malloc(DIR_SIZE);
	if (!buf)
		return -ENOMEM;
	err = walk_all(&p, proc, buf);
	free(p.text);
	return err;
}
