// SPDX-License-Identifier: GPL-2.0
/*
 * An execve() that waits for a request of io_uring is deaf, and once it is killed
 * it spins. Needs no module and no root, where user namespaces are allowed:
 *
 *	cc -o uring-exec uring-exec.c && ./uring-exec
 *
 * The request is a read of a file of FUSE whose server, we, has taken it and does
 * not answer. When the server ends, so does the request: nothing stays behind.
 * docs/findings/uring-exec.md has the rest.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <linux/io_uring.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int fuse;

static void fail(const char *what)
{
	perror(what);
	exit(2);
}

/* Whoever is 0 in here is we; then a file system may be mounted. */
static void become_root(void)
{
	unsigned int uid = getuid(), gid = getgid();
	FILE *f;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS))
		fail("unshare(CLONE_NEWUSER | CLONE_NEWNS)");
	f = fopen("/proc/self/setgroups", "w");
	if (!f || fputs("deny", f) < 0 || fclose(f))
		fail("setgroups");
	f = fopen("/proc/self/uid_map", "w");
	if (!f || fprintf(f, "0 %u 1", uid) < 0 || fclose(f))
		fail("uid_map");
	f = fopen("/proc/self/gid_map", "w");
	if (!f || fprintf(f, "0 %u 1", gid) < 0 || fclose(f))
		fail("gid_map");
}

/* A file system that is one file, mounted on @file. */
static void mount_fuse(const char *file)
{
	char options[80];

	fuse = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	if (fuse < 0)
		fail("/dev/fuse");
	snprintf(options, sizeof(options),
		 "fd=%d,rootmode=0100644,user_id=0,group_id=0", fuse);
	if (mount("uring-exec", file, "fuse", MS_NOSUID | MS_NODEV, options))
		fail("mount");
}

/* The next request; a read is taken and 1 returned, all others are answered. */
static int serve(void)
{
	static char buffer[1 << 17];
	struct fuse_in_header *in = (struct fuse_in_header *)buffer;
	struct {
		struct fuse_out_header header;
		union {
			struct fuse_init_out init;
			struct fuse_attr_out attr;
			struct fuse_open_out open;
		} body;
	} out;
	size_t size = 0;

	if (read(fuse, buffer, sizeof(buffer)) < (ssize_t)sizeof(*in))
		fail("read(/dev/fuse)");
	memset(&out, 0, sizeof(out));
	switch (in->opcode) {
	case FUSE_READ:
		return 1;
	case FUSE_INIT:
		out.body.init.major = FUSE_KERNEL_VERSION;
		out.body.init.minor = 31;
		out.body.init.max_write = 4096;
		/* A read in flight keeps no worker. */
		out.body.init.flags = FUSE_ASYNC_DIO;
		size = sizeof(out.body.init);
		break;
	case FUSE_GETATTR:
		out.body.attr.attr.ino = 1;
		out.body.attr.attr.mode = S_IFREG | 0644;
		out.body.attr.attr.nlink = 1;
		out.body.attr.attr.size = 4096;
		size = sizeof(out.body.attr);
		break;
	case FUSE_OPEN:
		out.body.open.open_flags = FOPEN_DIRECT_IO;
		size = sizeof(out.body.open);
		break;
	default:
		out.header.error = -ENOSYS;
	}
	out.header.unique = in->unique;
	out.header.len = (uint32_t)(sizeof(out.header) + size);
	if (write(fuse, &out, out.header.len) < 0)
		fail("write(/dev/fuse)");
	return 0;
}

/* Read the file by a worker of io_uring, and exec when told by @go. */
static void child(const char *file, int go)
{
	struct io_uring_params p = { 0 };
	int ring = (int)syscall(SYS_io_uring_setup, 1, &p);
	int fd = open(file, O_RDONLY);
	static char data[8];
	struct io_uring_sqe *sqe;
	struct stat st;
	char *sq;

	/* Or the file system would live as long as we. */
	close(fuse);
	/* A look at its size, or there is nothing to read. */
	if (ring < 0 || fd < 0 || fstat(fd, &st))
		fail("io_uring_setup() or open()");
	sq = mmap(NULL, p.sq_off.array + 4, PROT_READ | PROT_WRITE, MAP_SHARED,
		  ring, IORING_OFF_SQ_RING);
	sqe = mmap(NULL, sizeof(*sqe), PROT_READ | PROT_WRITE, MAP_SHARED, ring,
		   IORING_OFF_SQES);
	if (sq == MAP_FAILED || sqe == MAP_FAILED)
		fail("mmap");
	*sqe = (struct io_uring_sqe){
		.opcode = IORING_OP_READ,
		.flags = IOSQE_ASYNC,
		.fd = fd,
		.addr = (uintptr_t)data,
		.len = sizeof(data),
	};
	*(uint32_t *)(sq + p.sq_off.array) = 0;
	__atomic_store_n((uint32_t *)(sq + p.sq_off.tail), 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, ring, 1, 0, 0, NULL, 0) != 1)
		fail("io_uring_enter");
	if (read(go, data, 1) != 1)
		exit(2);
	execl("/bin/true", "true", NULL);
	fail("exec");
}

/* Of the kernel, in ms. */
static long cpu_ms(pid_t pid)
{
	char path[64];
	long ticks = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "r");
	if (!f ||
	    fscanf(f,
		   "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %ld",
		   &ticks) != 1)
		fail(path);
	fclose(f);
	return ticks * 1000 / sysconf(_SC_CLK_TCK);
}

static long cpu_in_a_second(pid_t pid)
{
	long before = cpu_ms(pid);

	nanosleep(&(struct timespec){ .tv_sec = 1 }, NULL);
	return cpu_ms(pid) - before;
}

int main(void)
{
	char file[] = "/tmp/uring-exec-XXXXXX";
	long sleeping, killed;
	int go[2], status;
	pid_t pid, early;

	become_root();
	close(mkstemp(file));
	mount_fuse(file);
	if (pipe(go))
		fail("pipe");
	pid = fork();
	if (!pid)
		child(file, go[0]);
	while (!serve())
		;
	if (write(go[1], "x", 1) != 1)
		fail("write");
	sleeping = cpu_in_a_second(pid);
	kill(pid, SIGKILL);
	killed = cpu_in_a_second(pid);
	early = waitpid(pid, &status, WNOHANG);
	/* The server is gone: all its requests end. */
	close(fuse);
	if (!early)
		waitpid(pid, &status, 0);
	umount2(file, MNT_DETACH);
	unlink(file);
	printf("in exec: %ld ms of CPU in a second; after SIGKILL: %ld ms, %s\n",
	       sleeping, killed, early ? "and gone" : "and still there");
	return !early;
}
