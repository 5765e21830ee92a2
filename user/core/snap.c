// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "reader.h"
#include "snap.h"
#include "util.h"

#define MAGIC     "proc-snapshot 3\n"
#define FILE_SIZE 16384
#define MAX_SIZE  (1 << 20)
#define HASH_SIZE 4096
#define KTHREADD  2

/*
 * struct entry - one thing that was read
 * @look: 1 or 2; 0: by the reader, for both
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

/* A process that is looked at; @fd is -1 when it is not there. */
struct folder {
	struct folder *next;
	pid_t pid;
	int fd;
};

struct snap {
	int look;
	bool live, to_save;
	bool kthreadd; /* it is 2, as it is outside of pid name spaces */
	struct entry *first, *last;
	struct entry *hash[HASH_SIZE];
	struct folder *folders[HASH_SIZE];
	struct want *wants;
	size_t nr_wants, room;
};

struct snap *snap_live(void)
{
	struct snap *s = calloc(1, sizeof(*s));
	struct rlimit files;

	if (!s)
		return NULL;
	s->look = 1;
	s->live = true;
	/* One for each process that is held. */
	if (!getrlimit(RLIMIT_NOFILE, &files)) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	return s;
}

void snap_to_save(struct snap *s)
{
	s->to_save = true;
}

void snap_again(struct snap *s, int64_t when_ms)
{
	int64_t left = when_ms - now_ms();

	if (s->live && left > 0)
		poll(NULL, 0, (int)left);
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
	for (size_t i = 0; i < HASH_SIZE; i++)
		while (s->folders[i]) {
			struct folder *f = s->folders[i];

			s->folders[i] = f->next;
			close_fd(&f->fd);
			free(f);
		}
	free(s->wants);
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
		if ((e->look == s->look || !e->look) && !strcmp(e->path, path))
			return e;
	return NULL;
}

static struct entry *keep(struct snap *s, int look, const char *path, int err,
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
	e->look = look;
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

static struct folder *held(const struct snap *s, pid_t pid)
{
	struct folder *f = s->folders[(unsigned int)pid % HASH_SIZE];

	while (f && f->pid != pid)
		f = f->next;
	return f;
}

static int open_folder(struct snap *s, pid_t pid)
{
	struct folder *f = calloc(1, sizeof(*f));
	char path[32];

	if (!f)
		return -ENOMEM;
	snprintf(path, sizeof(path), "/proc/%d", pid);
	f->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (f->fd < 0 && errno != ENOENT) {
		free(f);
		return -errno;
	}
	f->pid = pid;
	f->next = s->folders[(unsigned int)pid % HASH_SIZE];
	s->folders[(unsigned int)pid % HASH_SIZE] = f;
	return f->fd < 0 ? -ESRCH : 0;
}

int snap_hold(struct snap *s, pid_t pid)
{
	struct entry *e;
	char path[64];

	path_of(path, sizeof(path), pid, 0, "held");
	e = find(s, path);
	if (!e && s->live)
		e = keep(s, 0, path, open_folder(s, pid), NULL, 0);
	return e ? e->err : -ENODATA;
}

/* In the folder that is held, or by its number. */
static ssize_t read_file(struct snap *s, pid_t pid, const char *path, char *buf,
			 size_t size)
{
	const struct folder *f = held(s, pid);
	char full[96];

	if (f)
		return f->fd < 0 ? -ESRCH :
				   reader_file(f->fd, strchr(path, '/') + 1,
					       buf, size);
	snprintf(full, sizeof(full), "/proc/%s", path);
	return reader_file(AT_FDCWD, full, buf, size);
}

/* Also a long one, as of children. */
static ssize_t read_whole(struct snap *s, pid_t pid, const char *path,
			  char **buf)
{
	ssize_t n;

	*buf = NULL;
	for (size_t size = FILE_SIZE;; size *= 2) {
		char *more = realloc(*buf, size);

		if (!more)
			return -ENOMEM;
		*buf = more;
		n = read_file(s, pid, path, *buf, size);
		if (n < (ssize_t)size || size >= MAX_SIZE)
			return n;
	}
}

/* They take no lock that a stuck process may hold. */
static bool harmless(const char *path)
{
	static const char *const files[] = { "status", "sched", "limits",
					     "cgroup", "children" };
	const char *file = strrchr(path, '/') + 1;

	if (!strncmp(path, "sys/", 4))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		if (!strcmp(file, files[i]))
			return true;
	return false;
}

static int look_up(struct snap *s, pid_t pid, const char *path,
		   const char **text)
{
	_cleanup_free_ char *buf = NULL;
	struct entry *e = find(s, path);
	ssize_t n;

	*text = "";
	if (!e) {
		if (!s->live || !harmless(path))
			return -ENODATA;
		n = read_whole(s, pid, path, &buf);
		e = keep(s, s->look, path, n < 0 ? (int)n : 0, buf,
			 n < 0 ? 0 : (size_t)n);
		if (!e)
			return -ENOMEM;
	}
	*text = e->text;
	return e->err;
}

int snap_read(struct snap *s, pid_t pid, pid_t tid, const char *file,
	      const char **text)
{
	char path[64];

	path_of(path, sizeof(path), pid, tid, file);
	return look_up(s, pid, path, text);
}

/* Memory that was never used is what costs most of a walk over everybody. */
int snap_glance(struct snap *s, pid_t pid, struct proc_status *st)
{
	char path[64], buf[FILE_SIZE + 1];
	const char *text;
	ssize_t n;
	int err;

	path_of(path, sizeof(path), pid, 0, "status");
	if (!s->live || (s->to_save && find(s, path))) {
		err = look_up(s, pid, path, &text);
		return err ? err : proc_status_parse(text, st);
	}
	n = read_file(s, pid, path, buf, FILE_SIZE);
	if (n < 0)
		return (int)n;
	buf[n] = '\0';
	err = proc_status_parse(buf, st);
	if (!err && pid == KTHREADD)
		s->kthreadd = !st->ppid && !strcmp(st->name, "kthreadd");
	/* Kernel threads are many, and no snapshot needs them. */
	if (!err && s->to_save &&
	    !(s->kthreadd && st->ppid == KTHREADD && st->vm_size_kb < 0) &&
	    !keep(s, s->look, path, 0, buf, (size_t)n))
		return -ENOMEM;
	return err;
}

int snap_file(struct snap *s, const char *path, const char **text)
{
	return look_up(s, 0, path, text);
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
	int fd, err = pid ? snap_hold(s, pid) : 0;

	*list = NULL;
	if (err)
		return err;
	fd = openat(pid ? held(s, pid)->fd : AT_FDCWD, pid ? "task" : "/proc",
		    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	return read_numbers(fd, list);
}

int snap_tasks(struct snap *s, pid_t pid, const pid_t **tids)
{
	_cleanup_free_ pid_t *list = NULL;
	char path[64] = "/";
	struct entry *e;
	int n;

	if (pid)
		path_of(path, sizeof(path), pid, 0, "task");
	e = find(s, path);
	if (!e && !s->live)
		return -ENODATA;
	if (!e) {
		n = list_live(s, pid, &list);
		e = keep(s, s->look, path, n < 0 ? n : 0, list,
			 n < 0 ? 0 : (size_t)n * sizeof(pid_t));
		if (!e)
			return -ENOMEM;
	}
	*tids = (const pid_t *)(const void *)e->text;
	return e->err ? e->err : (int)(e->size / sizeof(pid_t));
}

/* --- what may block ----------------------------------------------------- */

static void want(struct snap *s, const struct want *w)
{
	struct want *more;

	if (s->nr_wants == s->room) {
		s->room = s->room ? 2 * s->room : 64;
		more = realloc(s->wants, s->room * sizeof(*more));
		if (!more) {
			s->room = s->nr_wants;
			return;
		}
		s->wants = more;
	}
	s->wants[s->nr_wants++] = *w;
}

void snap_want(struct snap *s, pid_t pid, pid_t tid, const char *file)
{
	static const struct {
		const char *file;
		enum want_kind kind;
	} kinds[] = {
		{ "freeze", WANT_FREEZE },
		{ "pids", WANT_PIDS },
		{ "fuse", WANT_FUSE },
		{ "log", WANT_LOG },
	};
	const struct folder *f = held(s, pid);
	struct want w = { .dir = f ? f->fd : -1 };

	path_of(w.key, sizeof(w.key), pid, tid, file);
	if (!s->live || (pid && w.dir < 0) || find(s, w.key))
		return;
	snprintf(w.path, sizeof(w.path), "%s", strchr(w.key, '/') + 1);
	if (strstr(w.path, "fd/") && !strstr(w.path, "fdinfo/"))
		w.kind = WANT_LINK;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(file, kinds[i].file))
			w.kind = kinds[i].kind;
	if (keep(s, 0, w.key, -ENODATA, NULL, 0))
		want(s, &w);
}

static void got(void *arg, const struct want *w, int err, const char *text,
		size_t size)
{
	struct entry *e = find(arg, w->key);
	char *copy = malloc(size + 1);

	if (!e || !copy) {
		free(copy);
		return;
	}
	if (size)
		memcpy(copy, text, size);
	copy[size] = '\0';
	free(e->text);
	e->text = copy;
	e->size = size;
	e->err = err;
}

void snap_fetch(struct snap *s, int ms)
{
	if (s->nr_wants)
		reader_run(s->wants, s->nr_wants, ms, got, s);
	s->nr_wants = 0;
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
	static char text[MAX_SIZE];
	char path[64];
	size_t size;
	int err,
		n = fscanf(from, "%d %63s %d %zu", &s->look, path, &err, &size);

	if (n == EOF)
		return 1;
	if (n != 4 || s->look < 0 || s->look > 2 || !strchr(path, '/') ||
	    size > sizeof(text) || err > 0 || fgetc(from) != '\n' ||
	    fread(text, 1, size, from) != size || fgetc(from) != '\n')
		return -EBADMSG;
	return keep(s, s->look, path, err, text, size) ? 0 : -ENOMEM;
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
