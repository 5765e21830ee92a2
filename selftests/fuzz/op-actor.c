// SPDX-License-Identifier: GPL-2.0
/* What an actor is told: what may hold it, or be its end. */
#include <linux/aio_abi.h>
#include <pthread.h>
#include <sys/mman.h>

#include "ops.h"

/* A signal that ends a hold is what one may expect of it. */
static bool went_on(long ret)
{
	return ret >= 0 || errno == EINTR;
}

bool op_read(int fd, const struct step *s)
{
	char c;

	(void)s;
	return went_on(read(fd, &c, 1));
}

bool op_hold(int fd, const struct step *s)
{
	struct undead_hold_req arg = { .size = sizeof(arg) };

	(void)s;
	return went_on(ioctl(fd, UNDEAD_IOC_HOLD, &arg));
}

bool op_nonblock(int fd, const struct step *s)
{
	bool ok = !fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK);

	ok &= op_read(fd, s) || errno == EAGAIN;
	return ok & !fcntl(fd, F_SETFL, O_RDWR);
}

static char *map(int fd)
{
	return mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
}

/* Each end of a mapping: munmap(), MAP_FIXED, mremap(), the process's. */
static bool end_map(char *at, unsigned int how)
{
	const int anon = MAP_PRIVATE | MAP_ANONYMOUS;
	void *other;

	switch (how % 4) {
	case 0:
		return !munmap(at, PAGE);
	case 1:
		if (mmap(at, PAGE, PROT_READ, anon | MAP_FIXED, -1, 0) != at)
			return false;
		return !munmap(at, PAGE);
	case 2:
		other = mmap(NULL, PAGE, PROT_READ, anon, -1, 0);
		if (mremap(other, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
			   at) != at)
			return false;
		return !munmap(at, PAGE);
	default:
		return true;
	}
}

bool op_map(int fd, const struct step *s)
{
	char *at = map(fd);

	return at != MAP_FAILED && end_map(at, s->a);
}

bool op_touch(int fd, const struct step *s)
{
	volatile char *at = map(fd);

	if (at == MAP_FAILED)
		return false;
	at[s->b % PAGE] = 'x';
	return end_map((char *)at, s->a);
}

bool op_copy(int fd, const struct step *s)
{
	int zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	char *at = map(fd);
	bool ok;

	ok = at != MAP_FAILED &&
	     (read(zero, at, 8) == 8 || errno == EINTR || errno == EFAULT);
	close(zero);
	return ok && end_map(at, s->a);
}

bool op_aio(int fd, const struct step *s)
{
	static char buffer[8];
	struct iocb cb = {
		.aio_lio_opcode = IOCB_CMD_PREAD,
		.aio_fildes = (__u32)fd,
		.aio_buf = (unsigned long)buffer,
		.aio_nbytes = sizeof(buffer),
	}, *list[] = { &cb };
	aio_context_t context = 0;
	bool ok;

	if (syscall(SYS_io_setup, 1, &context))
		return false;
	ok = syscall(SYS_io_submit, context, 1, list) == 1;
	/* io_destroy() waits for the request; else the end of the process does. */
	if (!ok || s->a % 2)
		syscall(SYS_io_destroy, context);
	return ok;
}

bool op_enrol_self(int fd, const struct step *s)
{
	return !enrol(fd, s->a % 2 ? UNDEAD_ENROL_GROUP : 0, 0);
}

bool op_close(int fd, const struct step *s)
{
	(void)s;
	return !close(dup(fd));
}

bool op_fork(int fd, const struct step *s)
{
	pid_t pid = fork();

	if (!pid) {
		if (s->a % 2)
			enrol(fd, UNDEAD_ENROL_GROUP, 0);
		_exit(0);
	}
	return pid > 0;
}

/* The kernel writes into the mapping when the thread ends. */
static void *end_into_map(void *at)
{
	syscall(SYS_set_tid_address, at);
	syscall(SYS_exit, 0);
	return NULL;
}

bool op_tid_address(int fd, const struct step *s)
{
	char *at = map(fd);
	pthread_t thread;

	(void)s;
	return at != MAP_FAILED &&
	       !pthread_create(&thread, NULL, end_into_map, at);
}

/* These do not return: they succeed. */
bool op_exit(int fd, const struct step *s)
{
	if (s->a % 2)
		syscall(SYS_set_robust_list, map(fd), 24);
	ADD(sh->ok[s->op], 1);
	_exit(0);
}

bool op_exec(int fd, const struct step *s)
{
	(void)fd;
	ADD(sh->ok[s->op], 1);
	execl("/proc/self/exe", "fuzz", "--exec", NULL);
	_exit(1);
}
