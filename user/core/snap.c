// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "await.h"
#include "proc.h"
#include "snap.h"
#include "util.h"

#define MAGIC     "proc-snapshot 1\n"
#define FILE_SIZE 16384
#define HASH_SIZE 4096
/* For a child that has not been given a CPU. */
#define GIVE_UP_MS 2000

/*
 * struct entry - one thing that was read
 * @look: 1 or 2
 * @path: below /proc
 * @err:  0, or why there is no @text
 * @text: contents; of a folder: pid_t array
 */
struct entry {
	struct entry *next, *same_hash;
	int look;
	char path[64];
	int err;
	size_t size;
	char *text;
};

struct folder {
	struct folder *next;
	pid_t pid;
	int fd;
};

struct snap {
	int look;
	bool live;
	struct entry *first, *last;
	struct entry *hash[HASH_SIZE];
	struct folder *folders;
};

static const char *const risky[] = { "stat", "wchan", "stack", "syscall" };

struct snap *snap_live(void)
{
	struct snap *s = calloc(1, sizeof(*s));

	if (s) {
		s->look = 1;
		s->live = true;
	}
	return s;
}

void snap_again(struct snap *s, int ms)
{
	if (s->live)
		poll(NULL, 0, ms);
	s->look = 2;
}

void snap_free(struct snap *s)
{
	if (!s)
		return;
	while (s->first) {
		struct entry *e = s->first;

		s->first = e->next;
		free(e->text);
		free(e);
	}
	while (s->folders) {
		struct folder *f = s->folders;

		s->folders = f->next;
		close(f->fd);
		free(f);
	}
	free(s);
}

pid_t snap_first(const struct snap *s)
{
	return s->first ? atoi(s->first->path) : 0;
}

/* --- what is kept ------------------------------------------------------- */

static unsigned int hash_of(const char *path)
{
	unsigned int h = 5381;

	while (*path)
		h = h * 33 + (unsigned char)*path++;
	return h % HASH_SIZE;
}

static struct entry *find(const struct snap *s, const char *path)
{
	for (struct entry *e = s->hash[hash_of(path)]; e; e = e->same_hash)
		if (e->look == s->look && !strcmp(e->path, path))
			return e;
	return NULL;
}

static struct entry *keep(struct snap *s, const char *path, int err,
			  const void *text, size_t size)
{
	struct entry *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	e->text = malloc(size + 1);
	if (!e->text) {
		free(e);
		return NULL;
	}
	if (size)
		memcpy(e->text, text, size);
	e->text[size] = '\0';
	e->size = size;
	e->err = err;
	e->look = s->look;
	snprintf(e->path, sizeof(e->path), "%s", path);
	if (s->last)
		s->last->next = e;
	else
		s->first = e;
	s->last = e;
	e->same_hash = s->hash[hash_of(path)];
	s->hash[hash_of(path)] = e;
	return e;
}

static void path_of(char *path, size_t size, pid_t pid, pid_t tid,
		    const char *file)
{
	if (tid)
		snprintf(path, size, "%d/task/%d/%s", pid, tid, file);
	else
		snprintf(path, size, "%d/%s", pid, file);
}

/* --- reading ------------------------------------------------------------ */

/* The folder of a process, opened once. */
static int folder(struct snap *s, pid_t pid)
{
	struct folder *f;
	char path[32];

	for (f = s->folders; f; f = f->next)
		if (f->pid == pid)
			return f->fd;
	f = calloc(1, sizeof(*f));
	if (!f)
		return -ENOMEM;
	snprintf(path, sizeof(path), "/proc/%d", pid);
	f->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (f->fd < 0) {
		free(f);
		return errno == ENOENT ? -ESRCH : -errno;
	}
	f->pid = pid;
	f->next = s->folders;
	s->folders = f;
	return f->fd;
}

/* @path begins with the number of the process, whose folder is @dir. */
static ssize_t read_file(int dir, const char *path, char *buf, size_t size)
{
	_cleanup_close_ int fd =
		openat(dir, strchr(path, '/') + 1, O_RDONLY | O_CLOEXEC);
	size_t n = 0;

	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	while (n < size) {
		ssize_t r = read(fd, buf + n, size - n);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -errno;
		if (!r)
			break;
		n += (size_t)r;
	}
	return (ssize_t)n;
}

int snap_read(struct snap *s, pid_t pid, pid_t tid, const char *file,
	      const char **text)
{
	char path[64], buf[FILE_SIZE];
	struct entry *e;
	ssize_t n;
	int dir;

	path_of(path, sizeof(path), pid, tid, file);
	e = find(s, path);
	if (!e) {
		for (size_t i = 0; i < ARRAY_SIZE(risky); i++)
			if (!strcmp(file, risky[i]))
				return -ENODATA;
		if (!s->live)
			return -ENODATA;
		dir = folder(s, pid);
		n = dir < 0 ? dir : read_file(dir, path, buf, sizeof(buf));
		e = keep(s, path, n < 0 ? (int)n : 0, buf,
			 n < 0 ? 0 : (size_t)n);
		if (!e)
			return -ENOMEM;
	}
	*text = e->text;
	return e->err;
}

static int rising(const void *a, const void *b)
{
	pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;

	return (x > y) - (x < y);
}

/* The numbers in a folder. Takes @fd. */
static int read_numbers(int fd, pid_t **list)
{
	DIR *dir = fdopendir(fd);
	struct dirent *d;
	int n = 0, room = 0, err = 0;

	*list = NULL;
	if (!dir) {
		err = -errno;
		close(fd);
		return err;
	}
	while (!err && (d = readdir(dir))) {
		uint64_t number;

		if (parse_number(d->d_name, INT_MAX, &number))
			continue;
		if (n == room) {
			pid_t *more;

			room = room ? 2 * room : 64;
			more = realloc(*list, (size_t)room * sizeof(pid_t));
			err = more ? 0 : -ENOMEM;
			*list = more ? more : *list;
		}
		if (!err)
			(*list)[n++] = (pid_t)number;
	}
	closedir(dir);
	if (n)
		qsort(*list, (size_t)n, sizeof(**list), rising);
	return err ? err : n;
}

static int list_live(struct snap *s, pid_t pid, pid_t **list)
{
	int fd, dir = pid ? folder(s, pid) : AT_FDCWD;

	*list = NULL;
	if (pid && dir < 0)
		return dir;
	fd = openat(dir, pid ? "task" : "/proc",
		    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	return read_numbers(fd, list);
}

int snap_tasks(struct snap *s, pid_t pid, const pid_t **tids)
{
	_cleanup_free_ pid_t *list = NULL;
	char path[64] = ".";
	struct entry *e;
	int n;

	if (pid)
		path_of(path, sizeof(path), pid, 0, "task");
	e = find(s, path);
	if (!e && !s->live)
		return -ENODATA;
	if (!e) {
		n = list_live(s, pid, &list);
		e = keep(s, path, n < 0 ? n : 0, list,
			 n < 0 ? 0 : (size_t)n * sizeof(pid_t));
		if (!e)
			return -ENOMEM;
	}
	*tids = (const pid_t *)(const void *)e->text;
	return e->err ? e->err : (int)(e->size / sizeof(pid_t));
}

/* --- the child that can be given up ------------------------------------- */

struct answer {
	int err;
	int size;
	char text[FILE_SIZE];
};

static void read_risky(int dir, pid_t pid, pid_t tid, int to)
{
	static struct answer a;

	for (size_t i = 0; i < ARRAY_SIZE(risky); i++) {
		char path[64];
		ssize_t n;

		path_of(path, sizeof(path), pid, tid, risky[i]);
		n = read_file(dir, path, a.text, sizeof(a.text));
		a.err = n < 0 ? (int)n : 0;
		a.size = n < 0 ? 0 : (int)n;
		n = (ssize_t)offsetof(struct answer, text) + a.size;
		if (write(to, &a, (size_t)n) != n)
			break;
	}
	_exit(0);
}

/* It sleeps in a read that does not end, and not for want of a CPU. */
static bool blocked(pid_t child)
{
	struct proc_status st;

	return proc_status(child, 0, &st) || st.state != 'R';
}

/* Return: 0, or why there is no answer. */
static int next_answer(int from, pid_t child, int deadline_ms, struct answer *a)
{
	int64_t until = now_ms() + GIVE_UP_MS;
	ssize_t n;

	while (!await_readable(from, deadline_ms))
		if (blocked(child) || now_ms() > until)
			return -ETIMEDOUT;
	n = read(from, a, sizeof(*a));
	return n < (ssize_t)offsetof(struct answer, text) ? -EIO : 0;
}

void snap_reader(struct snap *s, pid_t pid, pid_t tid, int deadline_ms)
{
	int pair[2] = { -1, -1 };
	static struct answer a;
	pid_t child = -1;
	int err, dir;

	if (!s->live)
		return;
	dir = folder(s, pid);
	err = dir < 0 ? dir : 0;
	/* A read is an answer. */
	if (!err &&
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		err = -errno;
	if (!err) {
		/* No exit signal: who asks may count his SIGCHLDs. */
		child = (pid_t)syscall(SYS_clone, 0, NULL, NULL, NULL, NULL);
		if (!child)
			read_risky(dir, pid, tid, pair[1]);
		err = child < 0 ? -errno : 0;
		close(pair[1]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(risky); i++) {
		char path[64];

		a.size = 0;
		if (!err)
			err = next_answer(pair[0], child, deadline_ms, &a);
		path_of(path, sizeof(path), pid, tid, risky[i]);
		keep(s, path, err ? err : a.err, a.text, (size_t)a.size);
	}
	if (pair[0] >= 0)
		close(pair[0]);
	if (child > 0) {
		/* What does not go at once goes when its read ends. */
		kill(child, SIGKILL);
		waitpid(child, NULL, __WALL | (err ? WNOHANG : 0));
	}
}

/* --- a file of it ------------------------------------------------------- */

int snap_save(const struct snap *s, FILE *to)
{
	fputs(MAGIC, to);
	for (const struct entry *e = s->first; e; e = e->next) {
		fprintf(to, "%d %s %d %zu\n", e->look, e->path, e->err,
			e->size);
		fwrite(e->text, 1, e->size, to);
		fputc('\n', to);
	}
	return fflush(to) || ferror(to) ? -errno : 0;
}

static int load_entry(struct snap *s, FILE *from)
{
	static char text[1 << 20];
	char path[64];
	size_t size;
	int err,
		n = fscanf(from, "%d %63s %d %zu", &s->look, path, &err, &size);

	if (n == EOF)
		return 1;
	if (n != 4 || s->look < 1 || s->look > 2 || size > sizeof(text) ||
	    err > 0 || fgetc(from) != '\n' ||
	    fread(text, 1, size, from) != size || fgetc(from) != '\n')
		return -EBADMSG;
	return keep(s, path, err, text, size) ? 0 : -ENOMEM;
}

struct snap *snap_load(FILE *from, int *err)
{
	struct snap *s = calloc(1, sizeof(*s));
	char magic[sizeof(MAGIC)];

	*err = -ENOMEM;
	if (!s)
		return NULL;
	*err = fgets(magic, sizeof(magic), from) && !strcmp(magic, MAGIC) ?
		       0 :
		       -EBADMSG;
	while (!*err)
		*err = load_entry(s, from);
	if (*err < 0) {
		snap_free(s);
		return NULL;
	}
	*err = 0;
	s->look = 1;
	return s;
}
