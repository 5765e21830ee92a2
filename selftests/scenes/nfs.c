// SPDX-License-Identifier: GPL-2.0
/*
 * An NFS server that stops: the kernel's own, on this very machine, without its
 * daemons. What they would answer to the kernel is written before it asks.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scene.h"

#define EXPORT "/tmp/exported"
#define WHERE  "/tmp/nfs"
#define NFSD   "/proc/fs/nfsd/"
#define CACHE  "/proc/net/rpc/"
#define NEVER  "2147483647"
/* NFSEXP_FSID, NFSEXP_NOSUBTREECHECK, NFSEXP_INSECURE_PORT */
#define FLAGS "9218"

/* Version 4 alone: the others want rpcbind. */
static bool serve(void)
{
	put(NFSD "versions", "-2");
	put(NFSD "versions", "-3");
	return put(CACHE "auth.unix.ip/channel",
		   "nfsd 127.0.0.1 " NEVER " localhost\n") &&
	       put(CACHE "nfsd.export/channel",
		   "localhost " EXPORT " " NEVER " " FLAGS " 0 0 0\n") &&
	       put(CACHE "nfsd.fh/channel",
		   "localhost 1 \\x00000000 " NEVER " " EXPORT "\n") &&
	       put(NFSD "threads", "2") && put(NFSD "v4_end_grace", "Y");
}

static bool mount_export(void)
{
	mkdir(EXPORT, 0755);
	mkdir(WHERE, 0755);
	if (system("ifconfig lo 127.0.0.1 up 2>/dev/null"))
		return false;
	mount("nfsd", NFSD, "nfsd", 0, NULL);
	return serve() &&
	       !mount("127.0.0.1:/", WHERE, "nfs4", 0,
		      "addr=127.0.0.1,clientaddr=127.0.0.1,vers=4.2,hard");
}

static void stop_server(void)
{
	put(NFSD "threads", "0");
}

/* It opens a file; the server stops; it goes on by @act. */
static pid_t user(void (*act)(int fd))
{
	int up[2], down[2];
	pid_t pid;

	if (pipe(up) || pipe(down) || !mount_export())
		return SCENE_SKIP;
	pid = actor();
	if (!pid) {
		int fd = open(WHERE "/x", O_RDWR | O_CREAT | O_CLOEXEC, 0644);

		say(up, fd);
		hear(down);
		act(fd);
		linger();
	}
	if (hear(up) < 0)
		return SCENE_BROKEN;
	stop_server();
	say(down, 0);
	return pid;
}

static void start_server(void)
{
	put(NFSD "threads", "2");
	put(NFSD "v4_end_grace", "Y");
	umount2(WHERE, MNT_DETACH);
}

static void look(int fd)
{
	struct stat st;
	char c;

	if (read(fd, &c, 1) < 0 || fsync(fd) || stat(WHERE "/y", &st))
		_exit(1);
}

static pid_t reader(void)
{
	pid_t pid = user(look);

	return pid <= 0 || in_state(pid, "D") ? pid : SCENE_BROKEN;
}

SCENE(a_reader) = {
	.name = "nfs-stopped",
	.needs = SCENE_VM,
	.verdict = "asleep-in-kernel",
	.status = 1,
	.says = { "the NFS server 127.0.0.1 does not answer",
		  "kill -9: ", "umount -f " WHERE },
	.make = reader,
	.undo = start_server,
};

/* It writes, and is killed: what it has written has to go out first. */
static void dirty(int fd)
{
	if (write(fd, "x", 1) != 1)
		_exit(1);
	raise(SIGKILL);
}

static pid_t dying(void)
{
	pid_t pid = user(dirty);

	return pid <= 0 || (in_state(pid, "D") && sleeps_in(pid, "do_exit")) ?
		       pid :
		       SCENE_BROKEN;
}

SCENE(a_dying_writer) = {
	.name = "nfs-flush-in-exit",
	.needs = SCENE_VM,
	.verdict = "stuck-in-exit",
	.status = 1,
	.says = { "the NFS server", "PF_EXITING" },
	.make = dying,
	.undo = start_server,
};
