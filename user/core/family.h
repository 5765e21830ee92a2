/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who descends from whom, by the parent that /proc/PID/status names. No
 * malloc(): also for a process that is a copy of one with threads.
 *
 * One look is not one moment: who changes its parent meanwhile may be missed,
 * and is found by the next.
 */
#ifndef UNDEAD_FAMILY_H
#define UNDEAD_FAMILY_H

#include <stdbool.h>
#include <sys/types.h>

/**
 * struct relative - a process
 * @pid, @ppid: as /proc has them
 * @dead:       a zombie
 * @member:     it descends from the one asked for
 */
struct relative {
	pid_t pid, ppid;
	bool dead, member;
};

/**
 * struct family - all processes, by rising pid; zero is an empty one
 */
struct family {
	struct relative *all;
	size_t nr, room;
};

/**
 * family_look() - who descends from @root, which is no member itself
 * Return: how many do, dead ones included, or -errno: -ENOENT without /proc,
 * -EXDEV when it is that of another pid namespace.
 */
int family_look(struct family *f, pid_t root);

/**
 * family_signal() - a signal to a member, if it still is one
 * @r: of @f
 * Return: 0, or -errno: -ESRCH it is none any more, -EPERM.
 *
 * The process is held by a pidfd while its parent is looked at again, so that
 * a reused pid is never hit.
 */
int family_signal(const struct family *f, pid_t root, const struct relative *r,
		  int sig);

void family_free(struct family *f);

#endif
