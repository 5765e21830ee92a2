/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A cgroup v2 of our own, beside whoever asks for it. No malloc(): the keeper
 * calls it.
 */
#ifndef LIBUNDEAD_GROUP_H
#define LIBUNDEAD_GROUP_H

/**
 * struct group - where it is
 * @parent: the cgroup we are in, -1: none
 * @name:   of the one below it
 * @fd:     that one, -1: not made
 */
struct group {
	int parent;
	char name[40];
	int fd;
};

/**
 * group_find() - which cgroup are we in, and a name for a new one below it
 * Return: 0, or -errno: -ENOENT without a cgroup v2.
 */
int group_find(struct group *g);

/**
 * group_make() - make it
 */
int group_make(struct group *g);

/**
 * group_open() - one that another process has made
 */
int group_open(struct group *g);

/**
 * group_enter() - the calling process
 */
int group_enter(const struct group *g);

/**
 * group_kill() - everything in it and below
 * Return: 0 all is killed, what is being forked as well; -ENOENT before 5.14
 * (commit 661ee6280931 ("cgroup: introduce cgroup.kill")).
 */
int group_kill(const struct group *g);

/**
 * group_freeze() - nothing in it runs, or forks, until it dies or is thawed
 */
int group_freeze(const struct group *g, int frozen);

/**
 * group_empty() - is nobody in it or below
 */
int group_empty(const struct group *g);

/**
 * group_remove() - it and what was made below; awaits that it is empty
 * @timeout_ms: at most so long
 */
int group_remove(struct group *g, int timeout_ms);

void group_close(struct group *g);

#endif
