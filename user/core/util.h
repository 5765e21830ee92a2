/* SPDX-License-Identifier: GPL-2.0 */
/* Small things every file needs: scope cleanup, sizes, time, durations. */
#ifndef UNDEAD_UTIL_H
#define UNDEAD_UTIL_H

#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ARRAY_SIZE(a)  (sizeof(a) / sizeof((a)[0]))
#define __printf(f, v) __attribute__((format(printf, f, v)))

/* What comes after this line, NULL: it is the last. */
static inline const char *next_line(const char *text)
{
	text = strchr(text, '\n');
	return text ? text + 1 : NULL;
}

static inline void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void free_ptr(void *p)
{
	free(*(void **)p);
}

static inline void close_file(FILE **f)
{
	if (*f)
		fclose(*f);
}

#define _cleanup_close_ __attribute__((cleanup(close_fd)))
#define _cleanup_free_  __attribute__((cleanup(free_ptr)))
#define _cleanup_file_  __attribute__((cleanup(close_file)))

/**
 * now_ms() - CLOCK_MONOTONIC in milliseconds
 */
int64_t now_ms(void);

/**
 * read_fd() - read(2) until the end of the file or of @buf
 *
 * Return: bytes, or -errno.
 */
ssize_t read_fd(int fd, char *buf, size_t size);

/**
 * parse_duration() - "500ms", "30s", "2m", "1h", or a bare number of seconds
 * @text: what the user typed
 * @ms:   out: milliseconds, untouched on error
 *
 * Return: 0, or -EINVAL when @text is none of these, -ERANGE when it does not
 * fit. 0 is a valid duration here; who cannot use it says so.
 */
int parse_duration(const char *text, uint64_t *ms);

/**
 * parse_number() - a whole decimal number and nothing else
 * @text: what the user typed
 * @max:  largest value accepted
 * @n:    out, untouched on error
 *
 * Return: 0, -EINVAL or -ERANGE.
 */
int parse_number(const char *text, uint64_t max, uint64_t *n);

/**
 * pidfd_of() - pidfd_open(2)
 * @pid: a process, or with PIDFD_THREAD a thread
 * @flags: as for pidfd_open()
 *
 * Return: the fd (close-on-exec), or -errno.
 */
int pidfd_of(pid_t pid, unsigned int flags);

/* clone3() flags, 7.1; older kernels answer EINVAL. */
#ifndef CLONE_AUTOREAP
#define CLONE_AUTOREAP (1ULL << 34)
#endif
#ifndef CLONE_NNP
#define CLONE_NNP (1ULL << 35)
#endif
#ifndef CLONE_PIDFD_AUTOKILL
#define CLONE_PIDFD_AUTOKILL (1ULL << 36)
#endif

/* pidfd_open() flag, commit 64bef697d33b ("pidfd: implement PIDFD_THREAD flag
 * for pidfd_open()"), 6.9; older kernels answer EINVAL.
 */
#ifndef PIDFD_THREAD
#define PIDFD_THREAD O_EXCL
#endif

#endif
