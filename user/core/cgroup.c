// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cgroup.h"
#include "reader.h"
#include "util.h"

/* A file with one word. Return: is it there. */
static bool word(const char *folder, const char *file, char *text, size_t size)
{
	char path[PATH_MAX];
	ssize_t n;

	snprintf(path, sizeof(path), "%s/%s", folder, file);
	n = reader_file(AT_FDCWD, path, text, size - 1);
	text[n < 0 ? 0 : n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return n > 0;
}

/* Where v2 is: beside those of v1 it has a folder of its own. */
static const char *root_v2(void)
{
	return access("/sys/fs/cgroup/cgroup.procs", F_OK) ?
		       "/sys/fs/cgroup/unified" :
		       "/sys/fs/cgroup";
}

/*
 * The folder of a cgroup of the process: with a controller of v1, or in v2,
 * whose line begins with "0::".
 */
static bool folder_of(const char *text, const char *controller, char *folder,
		      size_t size)
{
	char path[PATH_MAX], list[128];

	for (; text && *text; text = next_line(text)) {
		if (!controller && sscanf(text, "0::%4095[^\n]", path) == 1) {
			snprintf(folder, size, "%s%s", root_v2(), path);
			return true;
		}
		if (controller &&
		    sscanf(text, "%*d:%127[^:]:%4095[^\n]", list, path) == 2 &&
		    !strcmp(list, controller)) {
			snprintf(folder, size, "/sys/fs/cgroup/%s%s",
				 controller, path);
			return true;
		}
	}
	return false;
}

/* From @folder upwards, the first where @has says so. */
static bool climb(char *folder, bool (*has)(const char *, char *, size_t),
		  char *to, size_t size)
{
	/* A part "..": it is outside of what is mounted here. */
	while (!strstr(folder, "/..") && strlen(folder) > 14) {
		char *end = strrchr(folder, '/');

		if (has(folder, to, size))
			return true;
		*end = '\0';
	}
	return false;
}

static bool frozen_v2(const char *folder, char *to, size_t size)
{
	char text[32];

	if (!word(folder, "cgroup.freeze", text, sizeof(text)) || *text != '1')
		return false;
	snprintf(to, size, "v2 %s", folder);
	return true;
}

static bool frozen_v1(const char *folder, char *to, size_t size)
{
	char text[32];

	if (!word(folder, "freezer.self_freezing", text, sizeof(text)) ||
	    *text != '1')
		return false;
	snprintf(to, size, "v1 %s", folder);
	return true;
}

static bool pids_limit(const char *folder, char *to, size_t size)
{
	char now[32], max[32];

	if (!word(folder, "pids.max", max, sizeof(max)) || *max == 'm' ||
	    !word(folder, "pids.current", now, sizeof(now)))
		return false;
	snprintf(to, size, "%s %s %s", now, max, folder);
	return true;
}

static ssize_t look(int dir, const char *v1,
		    bool (*has_v1)(const char *, char *, size_t),
		    bool (*has_v2)(const char *, char *, size_t), char *to,
		    size_t size)
{
	char text[8192], folder[PATH_MAX + 64];
	ssize_t n = reader_file(dir, "cgroup", text, sizeof(text) - 1);

	if (n < 0)
		return n;
	text[n] = '\0';
	*to = '\0';
	if (folder_of(text, NULL, folder, sizeof(folder)) &&
	    climb(folder, has_v2, to, size))
		return (ssize_t)strlen(to);
	if (folder_of(text, v1, folder, sizeof(folder)) &&
	    climb(folder, has_v1, to, size))
		return (ssize_t)strlen(to);
	return 0;
}

ssize_t cgroup_freeze(int dir, char *to, size_t size)
{
	return look(dir, "freezer", frozen_v1, frozen_v2, to, size);
}

ssize_t cgroup_pids(int dir, char *to, size_t size)
{
	return look(dir, "pids", pids_limit, pids_limit, to, size);
}

ssize_t fuse_waiting(char *to, size_t size)
{
	static const char top[] = "/sys/fs/fuse/connections";
	DIR *dir = opendir(top);
	size_t n = 0;
	struct dirent *d;

	if (!dir)
		return -errno;
	while ((d = readdir(dir)) && n + 64 < size) {
		char folder[PATH_MAX], text[32];
		uint64_t number;

		snprintf(folder, sizeof(folder), "%s/%s", top, d->d_name);
		if (!parse_number(d->d_name, UINT_MAX, &number) &&
		    word(folder, "waiting", text, sizeof(text)))
			n += (size_t)snprintf(to + n, size - n, "%s %s\n",
					      d->d_name, text);
	}
	closedir(dir);
	return (ssize_t)n;
}
