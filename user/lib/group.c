// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "../core/proc.h"
#include "../core/util.h"
#include "group.h"

#define MAX_DEPTH 16

/* On its own, or beside the hierarchies of version 1. */
static const char *const mounts[] = {
	"/sys/fs/cgroup",
	"/sys/fs/cgroup/unified",
};

static const char *mounted_at(void)
{
	struct statfs fs;

	for (size_t i = 0; i < ARRAY_SIZE(mounts); i++)
		if (!statfs(mounts[i], &fs) && fs.f_type == CGROUP2_SUPER_MAGIC)
			return mounts[i];
	return NULL;
}

/* The line of version 2 is "0::PATH". */
static char *path_of_ours(char *text)
{
	char *path = !strncmp(text, "0::/", 4) ? text : strstr(text, "\n0::/");

	if (!path)
		return NULL;
	path = strchr(path, '/');
	path[strcspn(path, "\n")] = '\0';
	return path;
}

int group_find(struct group *g)
{
	const char *mount = mounted_at();
	char text[8192], path[8300];
	unsigned int random;
	char *ours;
	ssize_t n;

	*g = (struct group){ .parent = -1, .fd = -1 };
	if (!mount || !proc_is_ours())
		return -ENOENT;
	n = proc_read(getpid(), 0, "cgroup", text, sizeof(text));
	if (n < 0)
		return (int)n;
	ours = path_of_ours(text);
	if (!ours)
		return -ENOENT;
	snprintf(path, sizeof(path), "%s%s", mount, ours);
	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) != sizeof(random))
		random = (unsigned int)now_ms();
	snprintf(g->name, sizeof(g->name), "undead-%d-%08x", getpid(), random);
	g->parent = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return g->parent < 0 ? -errno : 0;
}

int group_open(struct group *g)
{
	g->fd = openat(g->parent, g->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return g->fd < 0 ? -errno : 0;
}

int group_make(struct group *g)
{
	if (mkdirat(g->parent, g->name, 0755))
		return -errno;
	return group_open(g);
}

static int put(const struct group *g, const char *file, const char *text)
{
	_cleanup_close_ int fd = openat(g->fd, file, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		return -errno;
	return 0;
}

int group_enter(const struct group *g)
{
	return put(g, "cgroup.procs", "0");
}

int group_kill(const struct group *g)
{
	return put(g, "cgroup.kill", "1");
}

int group_freeze(const struct group *g, int frozen)
{
	return put(g, "cgroup.freeze", frozen ? "1" : "0");
}

/* "populated" is of the whole subtree; @fd: cgroup.events. */
static bool populated(int fd)
{
	char text[256];
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	return strstr(text, "populated 1");
}

int group_empty(const struct group *g)
{
	_cleanup_close_ int fd =
		openat(g->fd, "cgroup.events", O_RDONLY | O_CLOEXEC);

	return fd < 0 || !populated(fd);
}

/* A task that is reaped may be in it for a moment longer. */
static void await_empty(const struct group *g, int timeout_ms)
{
	_cleanup_close_ int fd =
		openat(g->fd, "cgroup.events", O_RDONLY | O_CLOEXEC);
	struct pollfd p = { .fd = fd, .events = POLLPRI };
	int64_t end = now_ms() + timeout_ms;

	while (fd >= 0 && populated(fd) && now_ms() < end)
		if (poll(&p, 1, (int)(end - now_ms())) <= 0)
			return;
}

static int remove_below(int fd, const char *name, int depth);

/* readdir() would take malloc(). */
static void remove_all_in(int dir, int depth)
{
	_Alignas(struct dirent64) char buf[4096];
	ssize_t n;

	while ((n = getdents64(dir, buf, sizeof(buf))) > 0)
		for (ssize_t at = 0; at < n;) {
			const struct dirent64 *e = (void *)(buf + at);

			if (e->d_type == DT_DIR && e->d_name[0] != '.')
				remove_below(dir, e->d_name, depth);
			at += e->d_reclen;
		}
}

static int remove_below(int fd, const char *name, int depth)
{
	_cleanup_close_ int dir = -1;

	if (!unlinkat(fd, name, AT_REMOVEDIR))
		return 0;
	if (errno != EBUSY || depth == MAX_DEPTH)
		return -errno;
	dir = openat(fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return -errno;
	remove_all_in(dir, depth + 1);
	return unlinkat(fd, name, AT_REMOVEDIR) ? -errno : 0;
}

int group_remove(struct group *g, int timeout_ms)
{
	if (g->fd < 0)
		return 0;
	await_empty(g, timeout_ms);
	return remove_below(g->parent, g->name, 0);
}

void group_close(struct group *g)
{
	close_fd(&g->fd);
	close_fd(&g->parent);
	g->fd = -1;
	g->parent = -1;
}
