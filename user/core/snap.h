/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A look at /proc that can be kept: read now, or from a file that was written
 * elsewhere. The doctor sees nothing else.
 *
 * A process is named by its number once; from then on it is an open directory,
 * so that a reused number is never taken for it: what has gone is -ESRCH.
 *
 * Files that take no lock a stuck process may hold are read in place:
 * status, task/, cgroup. stat, wchan, stack and syscall may block for as long as
 * somebody is stuck in execve() (exec_update_lock); a child that can be given up
 * reads them, snap_reader().
 */
#ifndef CORE_SNAP_H
#define CORE_SNAP_H

#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

struct snap;

/**
 * snap_live() - look at this machine
 * Return: NULL without memory.
 */
struct snap *snap_live(void);

/**
 * snap_load() - what snap_save() has written
 * @err: out: -errno, -EBADMSG for what is none
 */
struct snap *snap_load(FILE *from, int *err);

/**
 * snap_save() - all that was read so far, as it was
 * Return: 0 or -errno.
 */
int snap_save(const struct snap *s, FILE *to);

/**
 * snap_again() - let time pass, forget nothing, and look once more
 * @ms: so long, that what is in passing has passed; not for a file
 *
 * What is read from now on is a second look; the first one is kept beside it.
 */
void snap_again(struct snap *s, int ms);

/**
 * snap_read() - a file of a task; read once in a look
 * @tid: 0: of the process
 * @file: "status", "cgroup"; of what snap_reader() has read: also the others
 * @text: out: NUL-terminated, lives as long as @s
 * Return: 0 or -errno: -ESRCH it is gone, -ETIMEDOUT the read did not end,
 * -ENODATA nobody has read it.
 */
int snap_read(struct snap *s, pid_t pid, pid_t tid, const char *file,
	      const char **text);

/**
 * snap_tasks() - thread ids of a process, rising; with pid 0: all processes
 * @tids: out: array, lives as long as @s
 * Return: how many, or -errno.
 */
int snap_tasks(struct snap *s, pid_t pid, const pid_t **tids);

/**
 * snap_reader() - let a child read stat, wchan, stack and syscall of a task
 * @deadline_ms: for each of the four; a child that waits for a CPU has longer
 *
 * What it could not read in time is -ETIMEDOUT; without a process to be had
 * (EAGAIN) that is what each of them says.
 */
void snap_reader(struct snap *s, pid_t pid, pid_t tid, int deadline_ms);

/**
 * snap_first() - the process that was read first, 0: none
 */
pid_t snap_first(const struct snap *s);

void snap_free(struct snap *s);

#endif
