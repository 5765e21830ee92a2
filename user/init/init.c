// SPDX-License-Identifier: GPL-2.0
/*
 * PID 1 of the throw-away VM: sets the machine up, runs one command, reaps
 * whatever it adopts, reports the command's exit status and powers off.
 *
 * What to do is in /undead (scripts/vm.sh writes it):
 *   drivers  modules that the ports need, one path per line
 *   modules  modules to load once the host can be told of a failure
 *   share    file system type of /share, if there is one
 *   cmd      argv of the command, each string ended by NUL
 *   tty      there: the command gets the console as its terminal
 *   keep     there: stay up after the command, with a shell on the console
 *
 * Ports to the host (scripts/vmrun.c has the other end), of whichever virtio
 * device: hvc0 is the console, port 11 the status channel, one line for each
 * event, 12 the output, 13 a tar of what is kept of a failure.
 *
 * Under another init (systemd, virtme-ng) it does the same less the mounts, the
 * reaping and the power-off.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define CONSOLE         "/dev/hvc0"
#define STATUS          "/dev/vport*p11"
#define OUTPUT          "/dev/vport*p12"
#define EVIDENCE        "/dev/vport*p13"
#define ROOT            "/mnt" /* any folder that every machine has */
#define NODE_TIMEOUT_MS 20000

static int status_fd = -1;

static void power_off(void)
{
	if (getpid() != 1)
		exit(1);
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}

/* One line on the status channel, and wait until the host has taken it. */
static void tell(const char *format, ...)
{
	struct pollfd port = { .fd = status_fd, .events = POLLOUT };
	va_list args;

	va_start(args, format);
	vdprintf(status_fd, format, args);
	va_end(args);
	poll(&port, 1, NODE_TIMEOUT_MS);
}

static void fail(const char *what)
{
	int error = errno;

	fprintf(stderr, "init: %s: %s\n", what, strerror(error));
	if (status_fd >= 0)
		tell("error %s: %s\n", what, strerror(error));
	power_off();
}

/* The first that matches: which device a port belongs to is not known. */
static int open_first(const char *pattern, int flags)
{
	glob_t found;
	int fd;

	if (glob(pattern, GLOB_NOCHECK, NULL, &found))
		return -1;
	fd = open(found.gl_pathv[0], flags | O_CLOEXEC);
	globfree(&found);
	return fd;
}

/* Device nodes come when the driver has talked with the host: await them. */
static int await_open(const char *path, int flags)
{
	int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	struct pollfd dev = { .fd = watch, .events = POLLIN };
	char event[4096];
	int fd;

	inotify_add_watch(watch, "/dev", IN_CREATE | IN_ATTRIB);
	while ((fd = open_first(path, flags)) < 0) {
		if (poll(&dev, 1, NODE_TIMEOUT_MS) <= 0)
			break;
		if (read(watch, event, sizeof(event)) < 0)
			break;
	}
	close(watch);
	return fd;
}

/* As systemd does: the cgroups below the root have pids.current. */
static void enable_pids(void)
{
	int fd = open("/sys/fs/cgroup/cgroup.subtree_control",
		      O_WRONLY | O_CLOEXEC);

	if (fd >= 0 && write(fd, "+pids", 5) < 0)
		perror("init: the controller pids");
	close(fd);
}

static void mount_all(void)
{
	static const struct {
		const char *type, *where;
	} mounts[] = {
		{ "devtmpfs", "/dev" },
		{ "proc", "/proc" },
		{ "sysfs", "/sys" },
		{ "devpts", "/dev/pts" },
		{ "tmpfs", "/dev/shm" },
		{ "tmpfs", "/tmp" },
		{ "tmpfs", "/run" },
		{ "debugfs", "/sys/kernel/debug" },
		{ "tracefs", "/sys/kernel/tracing" },
		{ "cgroup2", "/sys/fs/cgroup" },
	};

	for (size_t i = 0; i < sizeof(mounts) / sizeof(*mounts); i++) {
		mkdir(mounts[i].where, 0755);
		mount(mounts[i].type, mounts[i].where, mounts[i].type, 0, NULL);
	}
	enable_pids();
	chmod("/tmp", 01777);
	if (symlink("/proc/self/fd", "/dev/fd") ||
	    symlink("fd/0", "/dev/stdin") || symlink("fd/1", "/dev/stdout") ||
	    symlink("fd/2", "/dev/stderr"))
		perror("init: /dev/fd");
}

static void load_modules(const char *file)
{
	FILE *list = fopen(file, "re");
	char path[4096];

	while (list && fgets(path, sizeof(path), list)) {
		path[strcspn(path, "\n")] = 0;

		int fd = open(path, O_RDONLY | O_CLOEXEC);

		if (syscall(SYS_finit_module, fd, "", 0) && errno != EEXIST)
			fail(path);
		close(fd);
	}
	if (list)
		fclose(list);
}

static void mount_share(void)
{
	FILE *file = fopen("/undead/share", "re");
	const char *options = NULL;
	char type[16] = "";

	if (!file)
		return;
	if (!fgets(type, sizeof(type), file))
		fail("/undead/share");
	fclose(file);
	type[strcspn(type, "\n")] = 0;
	if (!strcmp(type, "9p"))
		options = "trans=virtio,version=9p2000.L,msize=262144";
	if (mount("share", "/share", type, 0, options))
		fail("mount /share");
}

/* An entry of / in the new root, the working directory. */
static void take_along(const char *name)
{
	char path[300], link[300];
	struct stat st;
	ssize_t size;

	snprintf(path, sizeof(path), "/%s", name);
	if (lstat(path, &st) || !strcmp(name, ".") || !strcmp(name, ".."))
		return;
	if (S_ISLNK(st.st_mode)) {
		size = readlink(path, link, sizeof(link) - 1);
		link[size < 0 ? 0 : size] = 0;
		if (symlink(link, name))
			fail(path);
	} else if (S_ISDIR(st.st_mode)) {
		if (mkdir(name, 0755) ||
		    (strcmp(path, ROOT) &&
		     mount(path, name, NULL, MS_BIND | MS_REC, NULL)))
			fail(path);
	}
}

/*
 * Under virtme-ng / is the host's and cannot be written: a root of our own that
 * has all of it, and what the host has for us in /srv. A mere chroot would not
 * do, for in there nobody gets a user name space.
 */
static void make_root(void)
{
	static char *cp[] = { "cp", "-r", "/srv/guest/.", ".", NULL };
	DIR *top = opendir("/");
	struct dirent *entry;
	int status = -1;
	pid_t pid;

	if (!top || mount("root", ROOT, "tmpfs", 0, NULL) || chdir(ROOT))
		fail("mount " ROOT);
	while ((entry = readdir(top)))
		take_along(entry->d_name);
	closedir(top);
	pid = fork();
	if (!pid) {
		execvp(cp[0], cp);
		_exit(127);
	}
	if (waitpid(pid, &status, 0) != pid || status)
		fail("cp /srv/guest");
	if (!access("/srv/share", F_OK) &&
	    mount("/srv/share", "share", NULL, MS_BIND, NULL))
		fail("mount /share");
	if (mount(ROOT, "/", NULL, MS_MOVE, NULL) || chroot(".") || chdir("/"))
		fail("new root");
}

/* argv from a file of strings, each ended by NUL; a login shell without one. */
static char **command(void)
{
	static char buffer[1 << 16];
	static char *argv[4096] = { "/bin/sh", "-l" };
	int fd = open("/undead/cmd", O_RDONLY | O_CLOEXEC);
	ssize_t size = fd < 0 ? 0 : read(fd, buffer, sizeof(buffer));
	size_t n = 0;

	for (char *s = buffer; s < buffer + size && n < 4095;
	     s += strlen(s) + 1)
		argv[n++] = s;
	if (n)
		argv[n] = NULL;
	if (fd >= 0)
		close(fd);
	return argv;
}

/* Its output goes to @out, or all of it is on the console when @out is -1. */
static pid_t spawn(char **argv, int out)
{
	pid_t pid = fork();

	if (pid < 0)
		fail("fork");
	if (pid)
		return pid;

	sigset_t none;
	int in = await_open(out < 0 ? CONSOLE : "/dev/null", O_RDWR);

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
	dup2(in, 0);
	dup2(out < 0 ? in : out, 1);
	dup2(out < 0 ? in : out, 2);
	if (out < 0)
		ioctl(0, TIOCSCTTY, 0);
	if (chdir("/root"))
		perror("init: /root");
	execvp(argv[0], argv);
	fprintf(stderr, "%s: %s\n", argv[0], strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

/* Pass on what is in the pipe; false at its end. */
static bool pump(int pipe, int port)
{
	char buffer[1 << 14];
	ssize_t size, done;

	while ((size = read(pipe, buffer, sizeof(buffer))) > 0)
		for (ssize_t n = 0; n < size; n += done) {
			done = write(port, buffer + n, size - n);
			if (done < 0)
				return false;
		}
	return size < 0 && errno == EAGAIN;
}

/* Runs until @pid is gone; every other child that ends is reaped. */
static int serve(pid_t pid, int signals, int pipe, int port)
{
	struct pollfd fds[] = {
		{ .fd = signals, .events = POLLIN },
		{ .fd = pipe, .events = POLLIN },
	};
	struct signalfd_siginfo info;
	int status, result = -1;
	pid_t gone;

	while (result < 0) {
		poll(fds, 2, -1);
		if (fds[1].revents && !pump(pipe, port))
			fds[1].fd = -1;
		if (read(signals, &info, sizeof(info)) < 0)
			continue;
		while ((gone = waitpid(-1, &status, WNOHANG)) > 0)
			if (gone == pid)
				result = WIFSIGNALED(status) ?
						 128 + WTERMSIG(status) :
						 WEXITSTATUS(status);
	}
	if (fds[1].fd >= 0)
		pump(pipe, port);
	return result;
}

/* What the command has kept of a failure, as a tar to the host. */
static void send_evidence(int signals)
{
	static char *tar[] = { "/bin/sh", "-c",
			       "tar -cf " EVIDENCE " -C $UNDEAD_ARTIFACTS .",
			       NULL };

	/* An empty folder is removed, and there is nothing to send. */
	if (rmdir("/undead/artifacts"))
		serve(spawn(tar, -1), signals, -1, -1);
}

int main(void)
{
	static char *shell[] = { "/bin/sh", "-l", NULL };
	int pipes[2] = { -1, -1 }, port = -1, signals, result;
	sigset_t chld;

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, NULL);
	signals = signalfd(-1, &chld, SFD_CLOEXEC | SFD_NONBLOCK);

	if (getpid() == 1) {
		int console;

		mount_all();
		console = open("/dev/console", O_RDWR | O_CLOEXEC);
		for (int fd = 0; fd < 3; fd++)
			dup2(console, fd);
	}
	setenv("PATH", "/sbin:/usr/sbin:/bin:/usr/bin", 1);
	setenv("HOME", "/root", 1);
	setenv("UNDEAD_MODULE", "/undead/undead.ko", 1);
	setenv("UNDEAD_ARTIFACTS", "/undead/artifacts", 1);
	setenv("TERM", "linux", 0);

	load_modules("/undead/drivers");
	status_fd = await_open(STATUS, O_RDWR);
	if (status_fd < 0)
		fail(STATUS);
	tell("up\n");
	if (access("/undead", F_OK))
		make_root();
	mkdir("/undead/artifacts", 0755);
	load_modules("/undead/modules");
	mount_share();

	if (access("/undead/tty", F_OK)) {
		port = await_open(OUTPUT, O_WRONLY);
		if (port < 0 || pipe2(pipes, O_CLOEXEC))
			fail(OUTPUT);
		fcntl(pipes[0], F_SETFL, O_NONBLOCK);
	}

	pid_t pid = spawn(command(), pipes[1]);

	close(pipes[1]);
	result = serve(pid, signals, pipes[0], port);
	if (port >= 0) {
		struct pollfd drained = { .fd = port, .events = POLLOUT };

		poll(&drained, 1, NODE_TIMEOUT_MS);
	}
	umount2("/share", MNT_DETACH);
	send_evidence(signals);
	tell("exit %d\n", result);
	while (!access("/undead/keep", F_OK))
		serve(spawn(shell, -1), signals, -1, -1);
	power_off();
}
