/* SPDX-License-Identifier: GPL-2.0 */
/* The only place that sleeps: until a state is seen, never for a time. */
#ifndef UNDEAD_AWAIT_H
#define UNDEAD_AWAIT_H

#include <stdbool.h>
#include <sys/types.h>

/* How long a state may take to come, ms: generous, for loaded emulated CPUs. */
extern int await_limit_ms;
#define AWAIT_MS await_limit_ms

/**
 * await_true() - until @seen() says true
 * @seen: looks once, must not block
 * @arg: for @seen
 * @timeout_ms: at most so long
 * Return: what @seen() said last.
 */
bool await_true(bool (*seen)(void *arg), void *arg, int timeout_ms);

/**
 * await_state() - until a thread is in a state
 * @state: the letter in /proc/PID/task/TID/status
 * @timeout_ms: at most so long
 * Return: the letter seen last, 0 when the thread is gone.
 */
char await_state(pid_t pid, pid_t tid, char state, int timeout_ms);

/**
 * await_gone() - until a thread is no longer in /proc
 * Return: true when it is gone.
 */
bool await_gone(pid_t pid, pid_t tid, int timeout_ms);

/**
 * await_readable() - until poll() reports @fd
 * @timeout_ms: at most so long; 0 looks once
 * Return: true when it does, with whatever event.
 */
bool await_readable(int fd, int timeout_ms);

#endif
