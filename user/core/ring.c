// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ring.h"

static unsigned int *at(struct ring *r, unsigned int offset)
{
	return (unsigned int *)(void *)(r->rings + offset);
}

static void *ring_map(struct ring *r, off_t offset)
{
	return mmap(NULL, (size_t)sysconf(_SC_PAGESIZE), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_POPULATE, r->fd, offset);
}

int ring_open(struct ring *r)
{
	*r = (struct ring){ 0 };
	r->fd = (int)syscall(SYS_io_uring_setup, 1, &r->p);
	if (r->fd < 0)
		return -errno;
	r->rings = ring_map(r, IORING_OFF_SQ_RING);
	r->sqe = ring_map(r, IORING_OFF_SQES);
	if (r->rings == MAP_FAILED || r->sqe == MAP_FAILED ||
	    !(r->p.features & IORING_FEAT_SINGLE_MMAP))
		return -EOPNOTSUPP;
	return 0;
}

static int enter(struct ring *r, unsigned int wait)
{
	unsigned int *tail = at(r, r->p.sq_off.tail);

	at(r, r->p.sq_off.array)[0] = 0;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	return syscall(SYS_io_uring_enter, r->fd, 1, wait,
		       wait ? IORING_ENTER_GETEVENTS : 0, NULL, 0) < 0 ?
		       -errno :
		       0;
}

int ring_submit(struct ring *r)
{
	return enter(r, 0);
}

int64_t ring_result(struct ring *r)
{
	struct io_uring_cqe *cqe =
		(struct io_uring_cqe *)(void *)at(r, r->p.cq_off.cqes);

	if (!__atomic_load_n(at(r, r->p.cq_off.tail), __ATOMIC_ACQUIRE))
		return -ENOMSG;
	return cqe->res;
}

int64_t ring_call(struct ring *r)
{
	int err = enter(r, 1);

	return err ? err : ring_result(r);
}

void ring_close(struct ring *r)
{
	munmap(r->rings, (size_t)sysconf(_SC_PAGESIZE));
	munmap(r->sqe, (size_t)sysconf(_SC_PAGESIZE));
	close(r->fd);
}
