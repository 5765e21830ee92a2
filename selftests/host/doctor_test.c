// SPDX-License-Identifier: GPL-2.0
/*
 * 'undead why' against processes that need no module, made here, and near misses
 * of each. argv[1] is the tool. Each is asked live and from its snapshot, which
 * has to say the same; the snapshot of another process must not.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scratch.h"

static const char *tool;
static char dir[128];
static int tests, failures;

/* --- the cast ----------------------------------------------------------- */

/* In a child of ours: makes the scene, says whom to ask, waits for its end. */
typedef pid_t (*scene_fn)(void);

static pid_t zombie(void)
{
	siginfo_t si;
	pid_t pid = fork();

	if (!pid)
		_exit(3);
	waitid(P_PID, (id_t)pid, &si, WEXITED | WNOWAIT);
	return pid;
}

static pid_t zombie_of_a_stopped_parent(void)
{
	int to[2];
	pid_t pid = -1, parent;

	if (pipe(to))
		return -1;
	parent = fork();
	if (!parent) {
		pid = zombie();
		if (write(to[1], &pid, sizeof(pid)) == sizeof(pid))
			raise(SIGSTOP);
		_exit(1);
	}
	if (read(to[0], &pid, sizeof(pid)) != sizeof(pid))
		return -1;
	waitpid(parent, NULL, WUNTRACED);
	return pid;
}

static void *sleeper(void *arg)
{
	for (;;)
		pause();
	return arg;
}

/* The leader ends by itself; its parent cannot know when: /proc says Z. */
static pid_t leader_gone(void)
{
	pthread_t thread;
	pid_t pid = fork();
	char path[64], state = 0;

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		pthread_create(&thread, NULL, sleeper, NULL);
		syscall(SYS_exit, 3);
	}
	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	while (state != 'Z') {
		FILE *f = fopen(path, "re");
		char text[256];

		while (f && fgets(text, sizeof(text), f))
			sscanf(text, "State: %c", &state);
		if (f)
			fclose(f);
	}
	return pid;
}

static pid_t vforks(void)
{
	int to[2];
	pid_t pid;
	char c;

	if (pipe(to))
		return -1;
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (!vfork()) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			if (write(to[1], "", 1) == 1)
				pause();
			_exit(0);
		}
		pause();
	}
	return read(to[0], &c, 1) == 1 ? pid : -1;
}

static pid_t stopped(void)
{
	pid_t pid = fork();

	if (!pid) {
		raise(SIGSTOP);
		_exit(0);
	}
	waitpid(pid, NULL, WUNTRACED);
	return pid;
}

static pid_t traced_stop(void)
{
	pid_t pid = fork();

	if (!pid) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGUSR1);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	return pid;
}

/* Ours by birth, and dead; its tracer, not we, does not wait. */
static pid_t traced_zombie(void)
{
	pid_t pid = fork(), tracer;
	int to[2];
	siginfo_t si;
	char c;

	if (!pid) {
		pause();
		_exit(0);
	}
	if (pipe(to))
		return -1;
	tracer = fork();
	if (!tracer) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (ptrace(PTRACE_SEIZE, pid, NULL, NULL))
			_exit(1);
		kill(pid, SIGKILL);
		waitid(P_PID, (id_t)pid, &si, WEXITED | WNOWAIT);
		if (write(to[1], "", 1) == 1)
			pause();
		_exit(0);
	}
	close(to[1]);
	return read(to[0], &c, 1) == 1 ? pid : 0;
}

static pid_t asleep(void)
{
	pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	return pid;
}

/* A name that would paint, break the line and close the bracket. */
static pid_t hostile(void)
{
	pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_NAME, "\033[31m)\n x\xff");
		_exit(3);
	}
	waitid(P_PID, (id_t)pid, &(siginfo_t){ 0 }, WEXITED | WNOWAIT);
	return pid;
}

/* Nobody can fork: the answer has to come nevertheless. */
static pid_t no_process_left(void)
{
	struct rlimit none = { 0, 0 };
	pid_t pid = zombie();

	setrlimit(RLIMIT_NPROC, &none);
	return setresuid(65534, 65534, 65534) ? 0 : pid;
}

/* --- asking ------------------------------------------------------------- */

static int ask(const char *args, char *text, size_t size)
{
	char command[512];
	size_t n;
	FILE *f;
	int status;

	snprintf(command, sizeof(command), "%s why %s 2>&1", tool, args);
	f = popen(command, "re");
	if (!f)
		return -1;
	n = fread(text, 1, size - 1, f);
	text[n] = '\0';
	status = pclose(f);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
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

static const struct {
	const char *name;
	scene_fn make;
	bool root;
	int status;
	const char *verdict;
} scenes[] = {
	{ "zombie", zombie, false, 1, "parent-does-not-wait" },
	{ "stopped-parent", zombie_of_a_stopped_parent, false, 1,
	  "parent-does-not-wait" },
	{ "leader-gone", leader_gone, false, 1, "leader-exited" },
	{ "vfork", vforks, true, 1, "vfork-parent" },
	{ "stopped", stopped, false, 1, "stopped" },
	{ "traced-stop", traced_stop, false, 1, "tracer-holds" },
	{ "traced-zombie", traced_zombie, false, 1, "tracer-holds" },
	{ "asleep", asleep, false, 0, "healthy" },
	{ "hostile-name", hostile, false, 1, "parent-does-not-wait" },
};

/* In a process group of its own, that is killed afterwards. */
static pid_t play(scene_fn make, pid_t *pid)
{
	int to[2];
	pid_t player;

	if (pipe(to))
		return -1;
	player = fork();
	if (!player) {
		setpgid(0, 0);
		*pid = make();
		if (write(to[1], pid, sizeof(*pid)) == sizeof(*pid))
			pause();
		_exit(0);
	}
	close(to[1]);
	if (read(to[0], pid, sizeof(*pid)) != sizeof(*pid))
		*pid = 0;
	close(to[0]);
	return player;
}

static void check(size_t i)
{
	static char live[65536], kept[65536];
	char args[256], wanted[64];
	pid_t pid, player = play(scenes[i].make, &pid);
	bool ok;
	int status;

	snprintf(wanted, sizeof(wanted), "\"verdict\": \"%s\"",
		 scenes[i].verdict);
	snprintf(args, sizeof(args), "--json --snapshot %s/%s %d", dir,
		 scenes[i].name, pid);
	status = ask(args, live, sizeof(live));
	ok = status == scenes[i].status && strstr(live, wanted) &&
	     !strchr(live, '\033');
	result(ok, scenes[i].name, live);
	kill(-player, SIGKILL);
	kill(player, SIGKILL);
	waitpid(player, NULL, 0);
	snprintf(args, sizeof(args), "--json --from %s/%s", dir,
		 scenes[i].name);
	status = ask(args, kept, sizeof(kept));
	ok = status == scenes[i].status && !strcmp(live, kept);
	result(ok, "the same from its snapshot", kept);
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

int main(int argc, char **argv)
{
	static char text[65536];

	if (argc != 2) {
		fprintf(stderr, "usage: doctor_test UNDEAD\n");
		return 2;
	}
	tool = argv[1];
	if (!scratch_make(dir, sizeof(dir), "doctor")) {
		perror("doctor_test: a folder in the temporary directory");
		return 1;
	}
	printf("TAP version 13\n");
	for (size_t i = 0; i < sizeof(scenes) / sizeof(*scenes); i++) {
		if (scenes[i].root && getuid())
			printf("ok %d %s # SKIP needs root\n", ++tests,
			       scenes[i].name);
		else
			check(i);
	}
	check_no_process();
	check_cut();
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
		int status = ask(calls[i].args, text, sizeof(text));

		result(status == calls[i].status && strstr(text, calls[i].says),
		       calls[i].args, text);
	}
	printf("1..%d\n", tests);
	return failures != 0;
}
