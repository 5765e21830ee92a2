/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The only reader of /proc in this program.
 *
 * Each function returns 0 (or what it says), or -errno: -ENOENT or -ESRCH for
 * a task that is gone. A task is named by (pid, tid); tid 0 stands for the
 * process itself, /proc/PID, which for some files is not the same as its
 * leader's /proc/PID/task/PID. Names of processes are hostile text: who prints
 * one puts it through out_name() first.
 */
#ifndef CORE_PROC_H
#define CORE_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * struct proc_status - /proc/PID/status, which takes no lock and never blocks
 * @name:    comm, as the kernel escapes it
 * @state:   the letter: R S D T t X Z I
 * @tgid, @pid, @ppid, @tracer: in the pid namespace of the /proc mounted
 * @threads: of the group, dead ones not yet released included
 * @sigq:    signals that are queued or reserved by timers, of all its user's
 * @sigpnd:  pending for this thread; bit n - 1 is signal n, as in all masks
 * @shdpnd:  pending for the group
 * @sigblk, @sigign, @sigcgt: blocked, ignored, caught
 * @sleeps:  voluntary context switches
 * @vm_size_kb, @vm_rss_kb: -1 when there is no such line (no mm)
 * @uid:     effective
 * @pgrp, @sid: process group and session, 0 when not told or from outside of the
 *               pid name space of /proc
 * @nspid:   the pid in each name space from that of /proc inwards, "4711 1"
 * @dumping: a core dump is under way (CoreDumping, 4.15)
 */
struct proc_status {
	char name[64];
	char state;
	pid_t tgid, pid, ppid, tracer;
	int threads;
	int sigq;
	uint64_t sigpnd, shdpnd, sigblk, sigign, sigcgt;
	int64_t sleeps;
	long vm_size_kb, vm_rss_kb;
	uid_t uid;
	pid_t pgrp, sid;
	char nspid[64];
	bool dumping;
};

int proc_status(pid_t pid, pid_t tid, struct proc_status *st);

/**
 * proc_status_parse() - the same from text
 * @text: contents of a status file
 * Return: 0, or -EBADMSG when State, Tgid or Pid is missing.
 */
int proc_status_parse(const char *text, struct proc_status *st);

/**
 * proc_read() - a whole file below /proc/PID or /proc/PID/task/TID
 * @file: "stat", "stack", ...
 * @buf: out, NUL-terminated, cut at @size - 1 bytes
 * Return: bytes read, or -errno.
 *
 * stat, wchan, stack and syscall block while the task is inside execve() on
 * most kernels (exec_update_lock).
 */
ssize_t proc_read(pid_t pid, pid_t tid, const char *file, char *buf,
		  size_t size);

/**
 * proc_tasks() - thread ids of a process, rising
 * @tids: out, the first @max of them
 * Return: how many there are, or -errno.
 */
int proc_tasks(pid_t pid, pid_t *tids, int max);

/**
 * proc_stat_field() - one field of /proc/PID/stat, counted from 1
 * @n: 4 or more; see proc_pid_stat(5). 52 is the exit code (wait status).
 */
int proc_stat_field(pid_t pid, pid_t tid, int n, int64_t *value);

/**
 * proc_stat_parse() - the same from text
 * Return: 0, or -EBADMSG.
 *
 * The name in field 2 may hold anything, ")" and newlines included: fields
 * count from the last ")".
 */
int proc_stat_parse(const char *text, int n, int64_t *value);

/**
 * proc_syscall() - number of the system call the thread sleeps in
 * Return: the number; -EBUSY when it runs, -EINVAL when it is in none, or
 * another -errno (needs ptrace access to the task).
 */
int proc_syscall(pid_t pid, pid_t tid);

/**
 * proc_is_ours() - is there a /proc, and are its numbers those of our system
 * calls; it may be that of another pid namespace
 */
bool proc_is_ours(void);

/**
 * proc_in_first_pid_ns() - are our numbers those of trace events and netlink
 */
bool proc_in_first_pid_ns(void);

/**
 * proc_exists() - is there still such a task
 */
bool proc_exists(pid_t pid, pid_t tid);

#endif
