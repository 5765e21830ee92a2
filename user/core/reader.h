/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Reads what may block, in a child that can be given up.
 *
 * The child has no exit signal and takes no lock of ours; what it is stuck in
 * ends by SIGKILL (down_read_killable()) or when the lock is free again.
 */
#ifndef CORE_READER_H
#define CORE_READER_H

#include <stdbool.h>
#include <stddef.h>

#define READER_TEXT 65536

/**
 * enum want_kind - what of a process is wanted
 * @WANT_FILE:   a file
 * @WANT_LINK:   what a link points to; it is never followed
 * @WANT_FREEZE: "v2 FOLDER" or "v1 FOLDER": who of its cgroups is frozen, else ""
 * @WANT_PIDS:   "CURRENT MAX FOLDER" of the first of its cgroups with a limit
 * @WANT_FUSE:   "CONNECTION WAITING" of each FUSE connection of the machine
 * @WANT_LOG:    what the hung-task detector has written to the kernel's log
 */
enum want_kind {
	WANT_FILE,
	WANT_LINK,
	WANT_FREEZE,
	WANT_PIDS,
	WANT_FUSE,
	WANT_LOG,
};

/**
 * struct want - one of them
 * @dir:      an open /proc/PID
 * @path:     in there
 * @key:      the name under which the answer is kept
 * @given_up: a file of this process did not end: not tried
 */
struct want {
	enum want_kind kind;
	int dir;
	char path[48];
	char key[64];
	bool given_up;
};

/**
 * reader_run() - read them all, in this order
 * @ms:  for each; a child that waits for a CPU has longer
 * @got: called for each, in this order
 *
 * The error is -ETIMEDOUT for what did not end, -ECANCELED for the files of the
 * same process after that, and -EAGAIN for all when no child can be had.
 */
void reader_run(struct want *w, size_t n, int ms,
		void (*got)(void *arg, const struct want *w, int err,
			    const char *text, size_t size),
		void *arg);

/**
 * reader_file() - a whole file, here and now
 * Return: its size, at most @size, or -errno.
 */
ssize_t reader_file(int dir, const char *path, char *buf, size_t size);

#endif
