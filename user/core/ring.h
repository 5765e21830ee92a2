/* SPDX-License-Identifier: GPL-2.0 */
/* An io_uring with room for one request, by the bare system calls. */
#ifndef UNDEAD_RING_H
#define UNDEAD_RING_H

#include <linux/io_uring.h>
#include <stdint.h>

/**
 * struct ring - one request at a time
 * @fd:  the ring
 * @sqe: the request, zeroed by ring_open()
 */
struct ring {
	int fd;
	struct io_uring_params p;
	char *rings;
	struct io_uring_sqe *sqe;
};

/**
 * ring_open() - make one
 * Return: 0, -ENOSYS or -EPERM where there is no io_uring, -errno.
 */
int ring_open(struct ring *r);

/**
 * ring_submit() - hand the request to the kernel, and do not wait
 */
int ring_submit(struct ring *r);

/**
 * ring_result() - of a request that was submitted
 * Return: -ENOMSG as long as it is in flight.
 */
int64_t ring_result(struct ring *r);

/**
 * ring_call() - the same, and sleep until it is complete
 * Return: its result.
 */
int64_t ring_call(struct ring *r);

void ring_close(struct ring *r);

#endif
