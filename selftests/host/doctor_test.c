// SPDX-License-Identifier: GPL-2.0
/*
 * 'undead why' against processes that need no module, made here, and near misses
 * of each. argv[1] is the tool; with "vm" after it, in a throw-away VM, only the
 * scenes, and those that change the machine, too; their snapshots stay in a folder
 * named after that. Each is asked live and from its snapshot, which
 * has to say the same; the snapshot of another process must not.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <grp.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../scenes/scene.h"
#include "scratch.h"

static const char *tool;
static char dir[128];
static int tests, failures;

/* Nobody can fork: the answer has to come nevertheless. */
static pid_t no_process_left(void)
{
	struct rlimit none = { 0, 0 };
	pid_t pid = fork();

	if (!pid)
		_exit(3);
	dead_unreaped(pid);
	setrlimit(RLIMIT_NPROC, &none);
	return setresuid(65534, 65534, 65534) ? 0 : pid;
}

static int ask(const char *args, char *text, size_t size)
{
	return scene_ask(tool, args, text, size);
}

static void result(bool ok, const char *what, const char *saw)
{
	printf("%s %d %s\n", ok ? "ok" : "not ok", ++tests, what);
	if (!ok)
		for (const char *p = saw; *p; p += strcspn(p, "\n"), p += !!*p)
			printf("# %.*s\n", (int)strcspn(p, "\n"), p);
	fflush(stdout);
	failures += !ok;
}

static void scene_result(int ok, const char *what, const char *saw)
{
	if (ok < 0)
		printf("ok %d %s # SKIP %s\n", ++tests, what, saw);
	else
		result(ok, what, saw);
}

/* Into @text what a child says that runs @fn with it as stdout. */
static void said_by(void (*fn)(void), char *text, size_t size)
{
	size_t n = 0;
	ssize_t more;
	int to[2];

	text[0] = '\0';
	if (pipe(to))
		return;
	fflush(stdout);
	if (!fork()) {
		dup2(to[1], STDOUT_FILENO);
		dup2(to[1], STDERR_FILENO);
		fn();
		_exit(0);
	}
	close(to[1]);
	while (n < size - 1 && (more = read(to[0], text + n, size - 1 - n)) > 0)
		n += (size_t)more;
	text[n] = '\0';
	close(to[0]);
	/* And whom it has left to us, a subreaper. */
	while (wait(NULL) > 0)
		;
}

static bool become_nobody(void)
{
	return !setgroups(0, NULL) && !setresgid(65534, 65534, 65534) &&
	       !setresuid(65534, 65534, 65534) && !prctl(PR_SET_DUMPABLE, 1);
}

/* Started anew, so that it may look into its own children. */
static void as_plain_user(void)
{
	char self[160], folder[160], own_tool[160], command[2048];

	snprintf(self, sizeof(self), "%s/doctor_test", dir);
	snprintf(own_tool, sizeof(own_tool), "%s/undead", dir);
	snprintf(folder, sizeof(folder), "%s/plain", dir);
	snprintf(command, sizeof(command),
		 "cp /proc/%d/exe %s && cp %s %s && mkdir %s && chmod 777 %s && chmod 755 %s %s %s",
		 getpid(), self, tool, own_tool, folder, folder, dir, self,
		 own_tool);
	if (system(command) || !become_nobody())
		return;
	setenv("TMPDIR", folder, 1);
	execl(self, self, own_tool, NULL);
}

/* As 'docker exec' starts one: its session is outside, and has no number here. */
static void as_sessionless(void)
{
	char self[PATH_MAX] = "";

	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		return;
	/* Who would remove its folder ends with the name space. */
	setenv("TMPDIR", dir, 1);
	setenv("DOCTOR_TEST_INNER", "1", 1);
	execlp("unshare", "unshare", "--pid", "--fork", "--mount-proc", "sh",
	       "-c", "\"$0\" \"$1\"; exit", self, tool, NULL);
}

static void check_same(void (*as)(void), const char *what)
{
	static char text[1 << 20];
	int n = 0;

	said_by(as, text, sizeof(text));
	for (const char *p = text; (p = strstr(p, "\nok ")); p++)
		n++;
	result(n > 40 && !strstr(text, "\nnot ok"), what, text);
}

/* A /proc that hides others: that of a plain user, who asks for root's. */
static void hidden(void)
{
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", getppid());
	if (unshare(CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("proc", "/proc", "proc", 0, "hidepid=2") || !become_nobody())
		return;
	execl(tool, tool, "why", pid, NULL);
}

/* The same for its own zombie. */
static void hidden_own(void)
{
	char args[32];
	static char text[65536];
	pid_t pid;

	if (unshare(CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("proc", "/proc", "proc", 0, "hidepid=2") || !become_nobody())
		return;
	pid = fork();
	if (!pid)
		_exit(3);
	dead_unreaped(pid);
	snprintf(args, sizeof(args), "%d", pid);
	ask(args, text, sizeof(text));
	printf("%s", text);
	fflush(stdout);
}

static void check_hidepid(void)
{
	static char text[65536];

	if (getuid())
		return;
	said_by(hidden, text, sizeof(text));
	result(strstr(text, "hidepid"), "hidepid: somebody else's", text);
	said_by(hidden_own, text, sizeof(text));
	result(strstr(text, "its parent does not wait"),
	       "hidepid: one's own zombie", text);
}

static void check_no_process(void)
{
	static char text[65536];
	char args[64];
	pid_t pid = 0, player;
	int to[2];

	if (getuid() || pipe(to)) {
		printf("ok %d no process left # SKIP needs root\n", ++tests);
		return;
	}
	player = fork();
	if (!player) {
		char fd[32];

		pid = no_process_left();
		snprintf(args, sizeof(args), "%d", pid);
		snprintf(fd, sizeof(fd), "/proc/self/fd/%d", to[1]);
		dup2(to[1], STDOUT_FILENO);
		execl(tool, tool, "why", args, NULL);
		_exit(127);
	}
	close(to[1]);
	text[read(to[0], text, sizeof(text) - 1)] = '\0';
	waitpid(player, NULL, 0);
	result(strstr(text, "its parent does not wait"),
	       "an answer when nobody can fork", text);
}

static const struct {
	const char *args;
	int status;
	const char *says;
} calls[] = {
	{ "", 2, "which process?" },
	{ "x", 2, "is no process id" },
	{ "0", 2, "is no process id" },
	{ "-1", 2, "is no option" },
	{ "99999999999", 2, "is no process id" },
	{ "2147483646", 3, "there is no process 2147483646" },
	{ "--snapshot /nowhere/x $$", 3, "cannot write /nowhere/x" },
	{ "--snapshot /tmp/x 1 2", 2, "one process" },
	{ "--from /nowhere", 3, "cannot read /nowhere" },
	{ "--from /etc/passwd", 3, "not written by" },
	{ "--from /dev/zero", 3, "not written by" },
	{ "--from /tmp/x 1", 2, "stands alone" },
	{ "--help", 0, "Examples:" },
	{ "$$ 2147483646", 3, "nothing is wrong with it" },
};

/* Cut anywhere, it is refused or read, and never more. */
static void check_cut(void)
{
	static char text[65536];
	char args[512];
	bool ok = true;

	for (int i = 1; i < 200 && ok; i++) {
		int status;

		snprintf(args, sizeof(args),
			 "--from %s/cut 2>&1; s=$?; [ $s -le 3 ] || exit 9",
			 dir);
		snprintf(text, sizeof(text), "head -c %d '%s/zombie' >'%s/cut'",
			 i * 37, dir, dir);
		if (system(text))
			break;
		status = ask(args, text, sizeof(text));
		ok = status == 0;
	}
	result(ok, "a snapshot that is cut", text);
}

/* --- killed in the middle ------------------------------------------------- */

#define FREEZER "/sys/fs/cgroup/freezer/"

/* @state "": there is no such group. */
static bool is_there(const char *state)
{
	glob_t g = { 0 };
	char text[16] = "";
	int fd = -1;

	if (!glob(FREEZER "scene-*/freezer.state", 0, NULL, &g))
		fd = open(g.gl_pathv[0], O_RDONLY | O_CLOEXEC);
	globfree(&g);
	if (fd < 0)
		return !*state;
	if (read(fd, text, sizeof(text) - 1) < 0)
		*text = '\0';
	close(fd);
	return *state && !strncmp(text, state, strlen(state));
}

static bool await_state(const char *state)
{
	time_t end = time(NULL) + 20;

	while (!is_there(state) && time(NULL) < end)
		sched_yield();
	return is_there(state);
}

/* It waits for the answer of a tool that gives none before our pipe ends. */
static void check_killed(void)
{
	bool held, gone;
	int ends[2];
	pid_t pid;

	if (access(FREEZER "tasks", W_OK)) {
		scene_result(-1, "kill -9 leaves nothing frozen",
			     "no freezer of v1, or no root");
		return;
	}
	if (pipe2(ends, O_CLOEXEC))
		return;
	fflush(stdout);
	pid = fork();
	if (!pid) {
		dup2(ends[0], STDIN_FILENO);
		setenv("SCENE", "frozen-v1-killed", 1);
		setenv("TMPDIR", dir, 1);
		execl("/proc/self/exe", "doctor_test", "cat >&2;:", NULL);
		_exit(127);
	}
	held = await_state("FROZEN");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	gone = await_state("");
	close(ends[0]);
	close(ends[1]);
	result(held && gone, "kill -9 leaves nothing frozen",
	       held ? "it is there" : "was never frozen");
}

int main(int argc, char **argv)
{
	static char text[65536];

	bool vm = argc > 2 && argc < 5 && !strcmp(argv[2], "vm");

	if (argc != 2 && !vm) {
		fprintf(stderr, "usage: doctor_test UNDEAD [vm [DIR]]\n");
		return 2;
	}
	tool = argv[1];
	if (argc == 4) {
		snprintf(dir, sizeof(dir), "%s", argv[3]);
	} else if (!scratch_make(dir, sizeof(dir), "doctor")) {
		perror("doctor_test: a folder in the temporary directory");
		return 1;
	}
	printf("TAP version 13\n");
	scenes_play(tool, dir, vm, scene_result);
	if (vm) {
		printf("1..%d\n", tests);
		return failures != 0;
	}
	if (!getuid() && getsid(0)) {
		check_same(as_plain_user, "the same as a plain user");
		check_same(as_sessionless,
			   "the same with a session from outside");
	}
	check_hidepid();
	check_no_process();
	check_cut();
	if (!getenv("SCENE") && !getenv("DOCTOR_TEST_INNER"))
		check_killed();
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
		int status = ask(calls[i].args, text, sizeof(text));

		result(status == calls[i].status && strstr(text, calls[i].says),
		       calls[i].args, text);
	}
	printf("1..%d\n", tests);
	return failures != 0;
}
