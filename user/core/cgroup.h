/* SPDX-License-Identifier: GPL-2.0 */
/* What the reader's child finds in /sys: only it may call these. */
#ifndef CORE_CGROUP_H
#define CORE_CGROUP_H

#include <sys/types.h>

/**
 * cgroup_freeze(), cgroup_pids(), fuse_waiting() - see enum want_kind
 * @dir: an open /proc/PID
 * Return: size of the text, or -errno.
 */
ssize_t cgroup_freeze(int dir, char *to, size_t size);
ssize_t cgroup_pids(int dir, char *to, size_t size);
ssize_t fuse_waiting(char *to, size_t size);

#endif
