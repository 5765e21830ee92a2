/* SPDX-License-Identifier: GPL-2.0 */
/* What the scenarios of cgroups (v2) have in common. */
#ifndef UNDEAD_CGROUP_H
#define UNDEAD_CGROUP_H

#include "scenario.h"

/**
 * cgroup_make() - a cgroup below the root; SKIP where there is no v2
 * @name: what tells it from others of this story, "" will do
 * Return: its folder; removed at the end of the story.
 */
const char *cgroup_make(const char *name);

/**
 * cgroup_enable() - a controller for those below the root; SKIP where it refuses
 * @controller: "memory"
 *
 * It stays so: for a machine that is thrown away.
 */
void cgroup_enable(const char *controller);

/**
 * cgroup_put() - move a process there
 */
void cgroup_put(const char *folder, struct actor *p);

/**
 * cgroup_read() - a file of it, cut at @size - 1 bytes
 * Return: 0, or -errno: -ENOENT for one that this cgroup has not.
 */
int cgroup_read(const char *folder, const char *file, char *text, size_t size);

/**
 * cgroup_write() - write into a file of it
 * Return: 0, or -errno.
 */
int cgroup_write(const char *folder, const char *file, const char *text);

/**
 * cgroup_has() - is there such a line, "populated 1", in a file of it
 */
bool cgroup_has(const char *folder, const char *file, const char *line);

/**
 * cgroup_removed() - for await_true(): it is gone, or goes now
 */
bool cgroup_removed(void *folder);

/* --- expectations ------------------------------------------------------- */

void expect_listed(const char *folder, struct actor *p, bool wanted,
		   const char *why);
void expect_thread_listed(const char *folder, struct thread *t, bool wanted,
			  const char *why);
void expect_populated(const char *folder, bool wanted, const char *why);

/**
 * expect_pids() - pids.current, where the controller is there
 */
void expect_pids(const char *folder, int wanted, const char *why);

/**
 * expect_rmdir() - what rmdir() says, by a process of its own: it may block
 * @wanted: 0 or an errno
 */
void expect_rmdir(const char *folder, int wanted, const char *why);

#endif
