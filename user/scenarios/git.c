// SPDX-License-Identifier: GPL-2.0
/*
 * A git client that hangs in the network, and four ways to be rid of it. git
 * runs git-remote-http, a grandchild of R that started it, which is what hangs.
 *
 * I is the init of a pid namespace with a network of its own, where S answers
 * too little, and does not reap zombies of others: it ignores SIGCHLD.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <net/if.h>
#include <net/route.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "../core/await.h"
#include "../core/family.h"
#include "../core/proc.h"
#include "../scenario.h"

#define SILENT_PORT 8080
#define TLS_PORT    8443
#define HELPER      "git-remote-http" /* 15 letters, of https too */

/* States of a socket in /proc/net/tcp. */
#define ESTABLISHED 1
#define SYN_SENT    2
#define LISTEN      10

static const struct stall {
	const char *what, *url;
	int port, state; /* of the server, and of the client when it hangs */
	const char *why;
} stalls[] = {
	{ "a connect that nobody answers", "http://192.0.2.1/x", 80, SYN_SENT,
	  "ip_error(): to nobody, and no router: dropped" },
	{ "a server that accepts and says nothing", "http://127.0.0.1:8080/x",
	  SILENT_PORT, ESTABLISHED, "tcp_recvmsg(): nothing comes" },
	{ "a TLS handshake that stops", "https://127.0.0.1:8443/x", TLS_PORT,
	  ESTABLISHED, "tcp_recvmsg(): nothing more comes" },
};

static const char *const scripts[] = {
	"cd /tmp && exec git clone %s c",
	"cd /tmp && git init -q r && cd r && git remote add origin %s && exec git remote update",
};

static const char *const script_names[] = { "git clone", "git remote update" };

enum runner {
	KILL_CHILD,
	KILL_GROUP,
	KILL_GROUP_SETSID,
	EXEC,
	EXEC_SETSID,
};

/* --- in the network ------------------------------------------------------- */

/* lo is up, and takes what is for 192.0.2.0/24, which is nobody's. */
static int64_t order_network(const struct order *o)
{
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	struct rtentry route = { .rt_flags = RTF_UP, .rt_dev = lo.ifr_name };
	struct sockaddr_in to = { .sin_family = AF_INET };

	(void)o;
	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &lo))
		return -errno;
	to.sin_addr.s_addr = htonl(0xffffff00);
	memcpy(&route.rt_genmask, &to, sizeof(to));
	to.sin_addr.s_addr = htonl(0xc0000200);
	memcpy(&route.rt_dst, &to, sizeof(to));
	return ioctl(fd, SIOCADDRT, &route) ? -errno : 0;
}

static int listener(int port)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
	struct sockaddr_in at = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (fd < 0 || bind(fd, (void *)&at, sizeof(at)) || listen(fd, 16))
		return -errno;
	return fd;
}

/* The first 5 bytes of a handshake record of 122, and no more. */
static int64_t order_serve(const struct order *o)
{
	static const char begun[] = { 22, 3, 3, 0, 122 };
	struct pollfd p[] = {
		{ .fd = listener(SILENT_PORT), .events = POLLIN },
		{ .fd = listener(TLS_PORT), .events = POLLIN },
	};

	(void)o;
	if (p[0].fd < 0 || p[1].fd < 0)
		return -1;
	while (poll(p, 2, -1) > 0) {
		if (p[0].revents)
			accept(p[0].fd, NULL, NULL);
		if (p[1].revents)
			send(accept(p[1].fd, NULL, NULL), begun, sizeof(begun),
			     MSG_NOSIGNAL);
	}
	return -errno;
}

/* --- R -------------------------------------------------------------------- */

static int output = -1;

/* A /proc and a /tmp of its own, which go with it. */
static int own_mounts(void)
{
	if (unshare(CLONE_NEWNS) ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("proc", "/proc", "proc", 0, NULL) ||
	    mount("tmp", "/tmp", "tmpfs", 0, NULL))
		return -errno;
	return 0;
}

/* With arg[0] the stall and the script, arg[1] how. */
static void __attribute__((noreturn)) become(const struct order *o, int out)
{
	char *env[] = { "PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/tmp",
			"GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0",
			NULL };
	const struct stall *stall = &stalls[o->arg[0] / 2];
	bool escape = o->arg[1] == KILL_GROUP_SETSID ||
		      o->arg[1] == EXEC_SETSID;
	bool exec = o->arg[1] == EXEC || o->arg[1] == EXEC_SETSID;
	char script[256];
	char *argv[] = {
		"undead",       "exec",
		"--kill-after", "1h",
		"--",           "sh",
		"-c",           escape ? "setsid sh -c \"$0\" & wait" : script,
		script,         NULL
	};

	snprintf(script, sizeof(script), scripts[o->arg[0] % 2], stall->url);
	setpgid(0, 0);
	dup2(out, 1);
	dup2(out, 2);
	if (own_mounts())
		_exit(1);
	if (exec)
		execve("/proc/self/exe", argv, env);
	else
		execvpe(argv[5], argv + 5, env);
	_exit(127);
}

static int64_t order_start(const struct order *o)
{
	int p[2];
	pid_t pid;

	if (pipe2(p, O_CLOEXEC | O_NONBLOCK))
		return -errno;
	output = p[0];
	pid = fork();
	if (!pid)
		become(o, p[1]);
	close(p[1]);
	return pid < 0 ? -errno : 0;
}

/* Return: is the output at its end? */
static int64_t order_drain(const struct order *o)
{
	char text[4096];
	ssize_t n;

	(void)o;
	do
		n = read(output, text, sizeof(text));
	while (n > 0);
	return !n;
}

static int64_t order_drained(const struct order *o)
{
	struct pollfd p = { .fd = output };

	(void)o;
	poll(&p, 1, AWAIT_MS); /* the end: POLLHUP */
	return close(output);
}

/* --- who is there --------------------------------------------------------- */

static struct actor *init, *runner, *server;

/* Below I, and no actor: the first of this name, or NULL. Return: how many. */
static int others(const char *name, struct proc_status *first)
{
	struct family f = { 0 };
	struct proc_status st;
	int n = 0;

	if (family_look(&f, init->pid) < 0)
		broken("no look at /proc");
	for (size_t i = 0; i < f.nr; i++) {
		pid_t pid = f.all[i].pid;

		if (!f.all[i].member || pid == runner->pid ||
		    pid == server->pid || proc_status(pid, 0, &st) ||
		    (name && strcmp(st.name, name) != 0))
			continue;
		if (!n++ && first)
			*first = st;
	}
	family_free(&f);
	return n;
}

static bool nobody(void *unused)
{
	(void)unused;
	return !others(NULL, NULL);
}

/* A socket to or of a port, in the network of I. */
static bool in_state(int port, int state, bool local)
{
	static char text[65536];
	const char *line = text;
	unsigned int from, to, st;

	if (proc_read(init->pid, 0, "net/tcp", text, sizeof(text)) < 0)
		broken("no look at /proc/net/tcp");
	for (; line; line = strchr(line, '\n'), line += line ? 1 : 0)
		if (sscanf(line, " %*d: %*x:%x %*x:%x %x", &from, &to, &st) ==
			    3 &&
		    (int)(local ? from : to) == port && (int)st == state)
			return true;
	return false;
}

static bool hangs(void *arg)
{
	const struct stall *stall = arg;

	return others(HELPER, NULL) &&
	       in_state(stall->port, stall->state, false);
}

static bool serves(void *unused)
{
	(void)unused;
	return in_state(SILENT_PORT, LISTEN, true) &&
	       in_state(TLS_PORT, LISTEN, true);
}

/* The child of R. */
static struct proc_status child(void)
{
	struct family f = { 0 };
	struct proc_status st = { 0 };

	family_look(&f, runner->pid);
	for (size_t i = 0; i < f.nr; i++)
		if (f.all[i].ppid == runner->pid)
			proc_status(f.all[i].pid, 0, &st);
	family_free(&f);
	if (!st.pid)
		broken("R has no child");
	return st;
}

/* --- the story ------------------------------------------------------------ */

static void look_for_git(void)
{
	if (access("/usr/lib/git-core/" HELPER, X_OK) &&
	    access("/usr/libexec/git-core/" HELPER, X_OK))
		skip("needs git, with its " HELPER);
}

static void set_scene(void)
{
	look_for_git();
	init = spawn_clone(NULL, "I", CLONE_NEWPID | CLONE_NEWNET, SIGCHLD);
	if (ask(leader(init), order_network, 0, 0))
		broken("no network in a namespace");
	server = spawn_by(init, "S");
	tell(leader(server), order_serve, 0, 0);
	runner = spawn_by(init, "R");
	ask(leader(init), order_sigaction, SIGCHLD, DISPOSE_IGNORE);
	if (!await_true(serves, NULL, AWAIT_MS))
		broken("S does not listen");
}

/* Those for whom it is no use. */
static void expect_helper_left(const char *why)
{
	struct proc_status st = { 0 };
	int n = others(HELPER, &st);

	/* Not killed either, and about to die. */
	expect(n == 1 && st.state != 'Z' &&
		       !((st.sigpnd | st.shdpnd) & 1ULL << (SIGKILL - 1)),
	       why, HELPER ": %d, in %c, ShdPnd %#llx", n, n ? st.state : '-',
	       (unsigned long long)st.shdpnd);
	expect_equal(ask(leader(runner), order_drain, 0, 0), 0,
		     "end of its output", "pipe_release(): " HELPER " has it");
}

static void expect_nobody_left(const char *why)
{
	bool gone = await_true(nobody, NULL, AWAIT_MS);

	expect(gone, why, "left, running or zombie: %d", others(NULL, NULL));
	expect_equal(ask(leader(runner), order_drain, 0, 0), 1,
		     "end of its output", "pipe_release(): nobody has it");
}

/* What the test has left behind goes the hard way. */
static void end_others(void)
{
	struct proc_status st;

	while (others(NULL, &st))
		kill(st.pid, SIGKILL);
	ask(leader(runner), order_drained, 0, 0);
}

static void reap_child(int sig)
{
	int64_t r = ask(leader(runner), order_wait, 0, WEXITED);

	expect(WAITED_CODE(r) == CLD_KILLED && WAITED_STATUS(r) == sig,
	       "wait_task_zombie()",
	       "R's child has ended: si_code %d, si_status %d", WAITED_CODE(r),
	       WAITED_STATUS(r));
}

static void be_rid_of_it(enum runner how)
{
	struct proc_status c = child(), st = { 0 };

	switch (how) {
	case KILL_CHILD:
		kill(c.pid, SIGKILL);
		reap_child(SIGKILL);
		expect_helper_left(
			"complete_signal(): SIGKILL is for the threads of one group");
		others(HELPER, &st);
		expect(st.ppid != c.pid,
		       "find_new_reaper(): its parent is dead",
		       HELPER " is another's child now");
		return;
	case KILL_GROUP:
		kill(-c.pid, SIGKILL);
		reap_child(SIGKILL);
		expect_nobody_left("__kill_pgrp_info(): each of the group");
		return;
	case KILL_GROUP_SETSID:
		kill(-c.pid, SIGKILL);
		reap_child(SIGKILL);
		expect_helper_left(
			"ksys_setsid(): a process group of its own, too");
		return;
	default:
		kill(c.pid, SIGTERM);
		reap_child(SIGTERM);
		expect_nobody_left(
			"find_new_reaper(): undead exec, a subreaper, adopts, ends, and reaps each");
	}
}

static void try_all(enum runner how)
{
	for (int i = 0; i < 2 * (int)ARRAY_SIZE(stalls); i++) {
		const struct stall *stall = &stalls[i / 2];

		step("%s: %s", script_names[i % 2], stall->what);
		if (ask(leader(runner), order_start, i, how))
			broken("R cannot start it");
		if (!await_true(hangs, (void *)stall, 3 * AWAIT_MS))
			broken("git does not hang");
		expect(true, stall->why, HELPER " is there, and hangs");
		be_rid_of_it(how);
		end_others();
	}
}

static void kill_child(void)
{
	set_scene();
	try_all(KILL_CHILD);
}

SCENARIO(git_kill_child) = {
	.name = "git-kill-child",
	.summary =
		"a git that hangs, and only it is killed: its helper survives",
	.needs = NEED_ROOT,
	.deadline_ms = 300000,
	.play = kill_child,
};

static void kill_group(void)
{
	set_scene();
	try_all(KILL_GROUP);
}

SCENARIO(git_kill_group) = {
	.name = "git-kill-group",
	.summary =
		"a git that hangs, and its process group is killed: all is gone",
	.needs = NEED_ROOT,
	.deadline_ms = 300000,
	.play = kill_group,
};

static void kill_group_setsid(void)
{
	set_scene();
	try_all(KILL_GROUP_SETSID);
}

SCENARIO(git_kill_group_setsid) = {
	.name = "git-kill-group-setsid",
	.summary =
		"the same with a setsid between: git and its helper survive it",
	.needs = NEED_ROOT,
	.deadline_ms = 300000,
	.play = kill_group_setsid,
};

static void exec(void)
{
	set_scene();
	try_all(EXEC);
	try_all(EXEC_SETSID);
}

SCENARIO(git_exec) = {
	.name = "git-exec",
	.summary =
		"a git that hangs under 'undead exec': all is gone, setsid or not",
	.needs = NEED_ROOT,
	.deadline_ms = 300000,
	.play = exec,
};
