/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A look at /proc that can be kept: read now, or from a file that was written
 * elsewhere. The doctor sees nothing else.
 *
 * A process that is held is an open directory from then on, so that a reused
 * number is never taken for it: what has gone is -ESRCH.
 *
 * Files that take no lock a stuck process may hold are read in place: status,
 * sched, limits, cgroup, children, task/. The others may block for as long as
 * somebody is stuck in execve() (exec_update_lock) or under the mmap_lock: they
 * are asked for by snap_want(), and a child that can be given up reads them,
 * snap_fetch().
 */
#ifndef CORE_SNAP_H
#define CORE_SNAP_H

#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "proc.h"

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
 * @when_ms: at now_ms(), so late that what is in passing has passed; not for a
 *           file
 *
 * What is read from now on is a second look; the first one is kept beside it.
 */
void snap_again(struct snap *s, int64_t when_ms);

/**
 * snap_hold() - this very process is meant from now on, not its number
 * Return: 0 or -errno: -ESRCH.
 */
int snap_hold(struct snap *s, pid_t pid);

/**
 * snap_read() - a file of a task; read once in a look
 * @tid: 0: of the process
 * @file: "status", "sched", "limits", "cgroup", "children" (of a thread); or what
 *        snap_fetch() has got
 * @text: out: NUL-terminated, lives as long as @s; "" on error
 * Return: 0 or -errno: -ESRCH it is gone, -ETIMEDOUT the read did not end,
 * -ECANCELED another did not end before it, -ENODATA nobody has read it.
 */
int snap_read(struct snap *s, pid_t pid, pid_t tid, const char *file,
	      const char **text);

/**
 * snap_to_save() - snap_save() will be called: snap_glance() keeps what it reads
 */
void snap_to_save(struct snap *s);

/**
 * snap_glance() - the status of a process, one of very many
 * @st: out
 * Return: 0 or -errno, as snap_read(), or -EBADMSG.
 */
int snap_glance(struct snap *s, pid_t pid, struct proc_status *st);

/**
 * snap_file() - the same of the machine
 * @path: "sys/...", or "self/..."
 */
int snap_file(struct snap *s, const char *path, const char **text);

/**
 * snap_want() - a file for the reader's child
 * @pid: held; 0: of the machine
 * @file: any below /proc/PID; "fd/N" is where the link leads; "freeze", "pids",
 *        "fuse", "log" as in core/reader.h
 *
 * Those that may block last.
 */
void snap_want(struct snap *s, pid_t pid, pid_t tid, const char *file);

/**
 * snap_fetch() - let it read them
 * @ms: for each
 *
 * Of either look: it is called between the two.
 */
void snap_fetch(struct snap *s, int ms);

/**
 * snap_tasks() - thread ids of a process, rising; with pid 0: all processes
 * @tids: out: array, lives as long as @s
 * Return: how many, or -errno.
 */
int snap_tasks(struct snap *s, pid_t pid, const pid_t **tids);

/**
 * snap_first() - the process that was read first, 0: none
 */
pid_t snap_first(const struct snap *s);

void snap_free(struct snap *s);

#endif
