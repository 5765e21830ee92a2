// SPDX-License-Identifier: GPL-2.0
/*
 * A FUSE server that stops answering, spoken to without a library: one file, "x".
 * A reader is asleep, deaf to SIGKILL once the request was sent
 * (request_wait_answer()), and who closes the file is stuck in do_exit().
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scene.h"

#define FILE_NODE 2

static struct fuse_attr attr_of(uint64_t node)
{
	return (struct fuse_attr){
		.ino = node,
		.mode = node == FILE_NODE ? S_IFREG | 0644 : S_IFDIR | 0755,
		.nlink = 1,
		.size = 4096,
		.blksize = 4096,
	};
}

static void reply(int dev, const struct fuse_in_header *in, int err,
		  const void *data, size_t size)
{
	struct {
		struct fuse_out_header h;
		char data[256];
	} out = { .h = { .len = (uint32_t)(sizeof(out.h) + size),
			 .error = -err,
			 .unique = in->unique } };

	if (size)
		memcpy(out.data, data, size);
	if (write(dev, &out, out.h.len) < 0)
		return;
}

static void reply_init(int dev, const struct fuse_in_header *in)
{
	const struct fuse_init_in *theirs = (const void *)(in + 1);
	struct fuse_init_out init = {
		.major = FUSE_KERNEL_VERSION,
		.minor = theirs->minor < 31 ? theirs->minor : 31,
		.max_readahead = 4096,
		.max_write = 4096,
		.max_background = 8,
		.congestion_threshold = 8,
	};

	reply(dev, in, 0, &init, sizeof(init));
}

static void reply_node(int dev, const struct fuse_in_header *in)
{
	struct fuse_entry_out entry = {
		.nodeid = FILE_NODE,
		.generation = 1,
		.entry_valid = 60,
		.attr_valid = 60,
		.attr = attr_of(FILE_NODE),
	};
	struct fuse_attr_out attr = {
		.attr_valid = 60,
		.attr = attr_of(in->nodeid),
	};

	if (in->opcode == FUSE_LOOKUP)
		reply(dev, in, 0, &entry, sizeof(entry));
	else
		reply(dev, in, 0, &attr, sizeof(attr));
}

/* Never answers @deaf, nor anything after it. */
static void __attribute__((noreturn)) serve(int dev, uint32_t deaf)
{
	static char request[FUSE_MIN_READ_BUFFER + 4096];
	const struct fuse_in_header *in = (const void *)request;
	struct fuse_open_out opened = { .fh = 1,
					.open_flags = FOPEN_DIRECT_IO };
	ssize_t n;

	for (;;) {
		n = read(dev, request, sizeof(request));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < (ssize_t)sizeof(*in))
			_exit(0);
		if (in->opcode == deaf)
			linger();
		if (in->opcode == FUSE_INIT)
			reply_init(dev, in);
		else if (in->opcode == FUSE_LOOKUP ||
			 in->opcode == FUSE_GETATTR)
			reply_node(dev, in);
		else if (in->opcode == FUSE_OPEN)
			reply(dev, in, 0, &opened, sizeof(opened));
		else if (in->opcode == FUSE_READ)
			reply(dev, in, 0, "x", 1);
		else if (in->opcode != FUSE_FORGET)
			reply(dev, in, ENOSYS, NULL, 0);
	}
}

/* Ends with the server, whose descriptor is the last. Return: the server. */
static pid_t mount_fuse(const char *where, uint32_t deaf)
{
	char options[128];
	int dev = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	pid_t pid;

	if (dev < 0 || unshare(CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return SCENE_SKIP;
	snprintf(options, sizeof(options),
		 "fd=%d,rootmode=40000,user_id=0,group_id=0", dev);
	if (mount("server", where, "fuse.scene", 0, options))
		return SCENE_SKIP;
	pid = actor();
	if (!pid)
		serve(dev, deaf);
	close(dev);
	return pid;
}

static pid_t use_file(const char *where, bool reads, const int *to)
{
	char path[64], c;
	pid_t pid = fork();
	int fd;

	if (pid)
		return pid;
	snprintf(path, sizeof(path), "%s/x", where);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	say(to, fd);
	if (fd >= 0 && (!reads || read(fd, &c, 1) == 1))
		linger();
	_exit(1);
}

static pid_t server, reader;

static void end_server(void)
{
	kill(server, SIGKILL);
	kill(reader, SIGKILL);
}

static pid_t user_of(uint32_t deaf, bool reads)
{
	/* There everywhere, and covered in our name space only. */
	static const char where[] = "/dev/shm";
	int to[2];

	if (pipe(to))
		return SCENE_BROKEN;
	server = mount_fuse(where, deaf);
	if (server > 0)
		reader = use_file(where, reads, to);
	if (server > 0 && hear(to) < 0)
		return SCENE_BROKEN;
	return server > 0 ? reader : server;
}

static pid_t killed_reader(void)
{
	pid_t pid = user_of(FUSE_READ, true);

	/* Sent, so that only its answer ends it. */
	if (pid <= 0 || !in_state(pid, "S") || !in_state(server, "S") ||
	    !sleeps_in(server, "pause"))
		return pid <= 0 ? pid : SCENE_BROKEN;
	kill(pid, SIGKILL);
	return in_state(pid, "D") ? pid : SCENE_BROKEN;
}

SCENE(a_killed_reader) = {
	.name = "fuse-read",
	.needs = SCENE_ROOT,
	.verdict = "killed-in-kernel",
	.status = 1,
	.says = { "(read) of descriptor", "/abort", "fuse.scene", "/x" },
	.never = "N may be",
	.make = killed_reader,
	.undo = end_server,
};

static pid_t dying(void)
{
	pid_t pid = user_of(FUSE_FLUSH, false);

	if (pid <= 0)
		return pid;
	kill(pid, SIGKILL);
	return sleeps_in(server, "pause") &&
			       sleeps_in(pid, "request_wait_answer") ?
		       pid :
		       SCENE_BROKEN;
}

SCENE(a_dying) = {
	.name = "fuse-flush-in-exit",
	.needs = SCENE_ROOT,
	.verdict = "stuck-in-exit",
	.status = 1,
	.says = { "FUSE server", "PF_EXITING", "/abort; N may be ", "fuse_" },
	.never = "any that is there",
	.make = dying,
	.undo = end_server,
};

/* It answers. */
static pid_t served(void)
{
	pid_t pid = user_of(0, true);

	return pid <= 0 || (in_state(pid, "S") && sleeps_in(pid, "pause")) ?
		       pid :
		       SCENE_BROKEN;
}

SCENE(a_served) = {
	.name = "fuse-that-answers",
	.needs = SCENE_ROOT,
	.verdict = "healthy",
	.status = 0,
	.make = served,
	.undo = end_server,
};
