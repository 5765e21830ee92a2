// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "scene.h"

extern const struct scene *__start_scenes[], *__stop_scenes[];

#define AWAIT_S 20

/* --- for the authors of scenes ------------------------------------------ */

pid_t actor(void)
{
	pid_t parent = getpid(), pid = fork();

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent && getppid())
			_exit(1);
	}
	return pid;
}

static size_t slurp(pid_t pid, const char *file, char *text, size_t size)
{
	char path[64];
	ssize_t n = -1;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, text, size - 1);
		close(fd);
	}
	text[n < 0 ? 0 : n] = '\0';
	return n < 0 ? 0 : (size_t)n;
}

char state_of(pid_t pid)
{
	char text[4096], *p, state = 0;

	slurp(pid, "status", text, sizeof(text));
	p = strstr(text, "State:");
	if (p)
		sscanf(p, "State: %c", &state);
	return state;
}

static bool awaited(bool (*seen)(pid_t, const char *), pid_t pid,
		    const char *arg)
{
	time_t end = time(NULL) + AWAIT_S;

	while (!seen(pid, arg)) {
		if (time(NULL) > end)
			return false;
		sched_yield();
	}
	return true;
}

static bool state_seen(pid_t pid, const char *letters)
{
	char state = state_of(pid);

	return state && strchr(letters, state);
}

bool in_state(pid_t pid, const char *letters)
{
	return awaited(state_seen, pid, letters);
}

static bool place_seen(pid_t pid, const char *part)
{
	char text[4096];

	slurp(pid, "wchan", text, sizeof(text));
	if (strstr(text, part))
		return true;
	slurp(pid, "stack", text, sizeof(text));
	return strstr(text, part);
}

bool sleeps_in(pid_t pid, const char *part)
{
	return awaited(place_seen, pid, part);
}

pid_t dead_unreaped(pid_t pid)
{
	siginfo_t si;

	return waitid(P_PID, (id_t)pid, &si, WEXITED | WNOWAIT) ? SCENE_BROKEN :
								  pid;
}

pid_t outer_pid(void)
{
	char text[32] = "";

	return readlink("/proc/self", text, sizeof(text) - 1) > 0 ?
		       atoi(text) :
		       SCENE_BROKEN;
}

void say(const int *to, pid_t pid)
{
	if (write(to[1], &pid, sizeof(pid)) != sizeof(pid))
		_exit(1);
}

pid_t hear(const int *to)
{
	pid_t pid;

	return read(to[0], &pid, sizeof(pid)) == sizeof(pid) ? pid :
							       SCENE_BROKEN;
}

bool put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : write(fd, text, strlen(text));

	if (fd >= 0)
		close(fd);
	return n == (ssize_t)strlen(text);
}

void linger(void)
{
	for (;;)
		pause();
}

/* --- playing ------------------------------------------------------------ */

int scene_ask(const char *tool, const char *args, char *text, size_t size)
{
	char command[1024];
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

static void play(const struct scene *sc, const int *up, const int *down)
{
	char c;

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	close(up[0]);
	close(down[1]);
	say(up, sc->make());
	if (read(down[0], &c, 1) >= 0 && sc->undo)
		sc->undo();
	_exit(0);
}

/* Whom the player has left is ours now, for we are a subreaper. */
static void clear_stage(pid_t player, const int *down, bool undo)
{
	close(down[1]);
	if (undo)
		waitid(P_PID, (id_t)player, &(siginfo_t){ 0 },
		       WEXITED | WNOWAIT);
	kill(-player, SIGKILL);
	kill(player, SIGKILL);
	waitpid(player, NULL, 0);
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

static bool as_wanted(const struct scene *sc, int status, const char *text)
{
	char verdict[64];
	bool ok;

	snprintf(verdict, sizeof(verdict), "\"verdict\": \"%s\"", sc->verdict);
	ok = status == sc->status && strstr(text, verdict) &&
	     !strchr(text, '\033');
	for (size_t i = 0; i < 4 && sc->says[i]; i++)
		ok = ok && strstr(text, sc->says[i]);
	return ok && (!sc->never || !strstr(text, sc->never));
}

static void ask_twice(const struct scene *sc, const char *tool, const char *dir,
		      pid_t pid, result_fn *result)
{
	static char live[2 * 65536], kept[65536];
	char args[512];
	size_t n;
	int status;

	snprintf(args, sizeof(args), "--json --snapshot %s/%s %d", dir,
		 sc->name, pid);
	status = scene_ask(tool, args, live, sizeof(live) / 2);
	result(as_wanted(sc, status, live), sc->name, live);
	snprintf(args, sizeof(args), "--json --from %s/%s", dir, sc->name);
	if (scene_ask(tool, args, kept, sizeof(kept)) == status &&
	    !strcmp(live, kept)) {
		result(1, "the same from its snapshot", kept);
		return;
	}
	n = strlen(live);
	snprintf(live + n, sizeof(live) - n, "from its snapshot:\n%s", kept);
	result(0, "the same from its snapshot", live);
}

static void play_one(const struct scene *sc, const char *tool, const char *dir,
		     result_fn *result)
{
	int up[2], down[2];
	pid_t player, pid;

	if (pipe2(up, O_CLOEXEC) || pipe2(down, O_CLOEXEC)) {
		result(0, sc->name, "pipe");
		return;
	}
	player = fork();
	if (!player)
		play(sc, up, down);
	close(up[1]);
	close(down[0]);
	pid = hear(up);
	close(up[0]);
	if (pid == SCENE_SKIP)
		result(-1, sc->name, "this machine has not what it takes");
	else if (pid < 0)
		result(0, sc->name, "the scene could not be set");
	else
		ask_twice(sc, tool, dir, pid, result);
	clear_stage(player, down, sc->undo && pid > 0);
}

static bool asked_for(const struct scene *sc)
{
	const char *only = getenv("SCENE");

	return !only || !strcmp(only, sc->name);
}

static bool wanted_here(const struct scene *sc, bool vm)
{
	return !(sc->needs & SCENE_VM && !vm) &&
	       !(sc->needs & (SCENE_ROOT | SCENE_VM) && getuid());
}

/* The snapshot of another scene is not taken for this one's. */
static void swap(const struct scene *sc, const struct scene *other,
		 const char *tool, const char *dir, result_fn *result)
{
	static char text[65536];
	char args[512], what[128];
	int status;

	snprintf(args, sizeof(args), "--json --from %s/%s", dir, other->name);
	status = scene_ask(tool, args, text, sizeof(text));
	snprintf(what, sizeof(what), "%s, swapped with %s: red", sc->name,
		 other->name);
	result(!as_wanted(sc, status, text), what, text);
}

void scenes_play(const char *tool, const char *dir, bool vm, result_fn *result)
{
	const struct scene *before = NULL;

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	for (const struct scene **p = __start_scenes; p < __stop_scenes; p++) {
		if (!asked_for(*p))
			continue;
		if (!wanted_here(*p, vm)) {
			result(-1, (*p)->name, "not here: root, or a VM");
			continue;
		}
		play_one(*p, tool, dir, result);
		if (before && strcmp(before->verdict, (*p)->verdict) != 0)
			swap(*p, before, tool, dir, result);
		before = *p;
	}
}
