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
#include <sys/syscall.h>
#include <unistd.h>

#include "scene.h"

#define EXPORT "/tmp/exported"
#define WHERE  "/tmp/nfs"
#define NFSD   "/proc/fs/nfsd/"
#define CACHE  "/proc/net/rpc/"
#define NEVER  "2147483647"
/* NFSEXP_FSID, NFSEXP_NOSUBTREECHECK, NFSEXP_INSECURE_PORT */
#define FLAGS "9218"

/*
 * Version 4 alone: the others want rpcbind. Nobody comes back, so there is no use
 * in a time of grace, during which nobody opens; some kernels insist on 10 s.
 */
static bool start_server(void)
{
	bool ok;

	put(NFSD "portlist", "tcp 2049\n");
	ok = put(NFSD "threads", "2");
	put(NFSD "v4_end_grace", "Y");
	return ok;
}

static bool serve(void)
{
	put(NFSD "nfsv4gracetime", "10");
	put(NFSD "versions", "-2\n");
	put(NFSD "versions", "-3\n");
	return put(CACHE "auth.unix.ip/channel",
		   "nfsd 127.0.0.1 " NEVER " localhost\n") &&
	       put(CACHE "nfsd.export/channel",
		   "localhost " EXPORT " " NEVER " " FLAGS " 0 0 0\n") &&
	       put(CACHE "nfsd.fh/channel",
		   "localhost 1 \\x00000000 " NEVER " " EXPORT "\n") &&
	       start_server();
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

/* It opens @path; the server stops; it goes on by @act. */
static pid_t user(const char *path, int flags, void (*act)(int fd))
{
	int up[2], down[2];
	pid_t pid;

	if (pipe(up) || pipe(down) || !mount_export())
		return SCENE_SKIP;
	pid = actor();
	if (!pid) {
		int fd = open(path, flags | O_CLOEXEC, 0644);

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

static void resume(void)
{
	start_server();
	umount2(WHERE, MNT_DETACH);
}

/* The folder: it takes no open of the server's. */
static void look(int fd)
{
	char entries[1024];

	_exit(syscall(SYS_getdents64, fd, entries, sizeof(entries)) < 0);
}

static pid_t reader(void)
{
	pid_t pid = user(WHERE, O_RDONLY, look);

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
	.undo = resume,
};

/* It writes, and is killed: what it has written has to go out first. */
static void dirty(int fd)
{
	if (write(fd, "x", 1) != 1)
		_exit(1);
	raise(SIGKILL);
}

/* And once more: to no avail, the sleep is killable no longer. */
static pid_t dying(void)
{
	pid_t pid = user(WHERE "/x", O_WRONLY | O_CREAT, dirty);

	if (pid <= 0)
		return pid;
	if (!in_state(pid, "D") || !sleeps_in(pid, "do_exit") ||
	    kill(pid, SIGKILL))
		return SCENE_BROKEN;
	return pid;
}

SCENE(a_dying_writer) = {
	.name = "nfs-flush-in-exit",
	.needs = SCENE_VM,
	.verdict = "stuck-in-exit",
	.status = 1,
	.says = { "the NFS server", "PF_EXITING", "umount -f " },
	.never = "kill -9: the sleeps",
	.make = dying,
	.undo = resume,
};
