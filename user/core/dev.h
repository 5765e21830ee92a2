/* SPDX-License-Identifier: GPL-2.0 */
/* The only user of <linux/undead.h> in this program. */
#ifndef UNDEAD_DEV_H
#define UNDEAD_DEV_H

#include <linux/undead.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Unless said otherwise each function returns 0 (or what it says) on success
 * and -errno on failure; the errors of an ioctl are those of the header.
 */

/**
 * dev_open() - a control file
 * Return: the fd (close-on-exec), or -errno; dev_why() explains it.
 *
 * Whoever calls this is the owner: when its thread group ends, or lets go of
 * the fd, all gates made from it open.
 */
int dev_open(void);

/**
 * dev_why() - why dev_open() failed and what to do, one line
 * @err: what it returned
 */
const char *dev_why(int err);

/**
 * dev_info() - limits and abilities of the loaded module
 */
int dev_info(int ctl, struct undead_info *info);

/**
 * dev_gate() - make a gate
 * @ctl: control file
 * @points: mask, UNDEAD_POINT_*
 * @kind: UNDEAD_KIND_*
 * @deadline_ms: 1 to undead_info.max_deadline_ms
 * @gate: out: its number; may be NULL
 * Return: the gate fd, or -errno.
 */
int dev_gate(int ctl, unsigned int points, unsigned int kind,
	     uint64_t deadline_ms, uint64_t *gate);

/**
 * dev_release() - let held threads go on
 * @fd: gate fd: that gate; control file: the whole system
 * @what: UNDEAD_RELEASE_*
 * @id: as @what wants it
 * Return: how many, or -errno.
 */
int64_t dev_release(int fd, unsigned int what, uint64_t id);

/**
 * dev_gate_open() - open for good
 * @fd: gate fd or control file
 * @flags: 0, or UNDEAD_OPEN_EVERY on a control file
 * Return: how many were held, or -errno.
 */
int64_t dev_gate_open(int fd, unsigned int flags);

/**
 * dev_rearm() - close an open gate again
 */
int dev_rearm(int gate_fd);

/**
 * dev_await() - sleep until so many threads are held at a gate
 * @gate_fd: the gate
 * @count: how many
 * @timeout_ms: at most so long
 */
int dev_await(int gate_fd, uint64_t count, uint64_t timeout_ms);

/**
 * dev_enrol() - name a thread that may be held at points nobody asks for
 * @gate_fd: the gate
 * @tid: the thread; only the owner of the gate may name others
 */
int dev_enrol(int gate_fd, pid_t tid);

/**
 * dev_list() - all that is held, by rising hold id
 * @fd: gate fd: there; control file: in the whole system
 * @holds: out: array to free(), NULL when none
 * Return: how many, or -errno.
 */
ssize_t dev_list(int fd, struct undead_hold **holds);

/**
 * dev_counters() - what a gate, or the module, has seen
 */
int dev_counters(int fd, struct undead_counters *c);

/**
 * dev_point_name(), dev_kind_name() - the names of the documentation
 * Return: a name, "?" for a number this program does not know.
 */
const char *dev_point_name(unsigned int point);
const char *dev_kind_name(unsigned int kind);

#endif
