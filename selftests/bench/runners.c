// SPDX-License-Identifier: GPL-2.0
/*
 * What each of the common runners leaves behind when it is told to end, in eight
 * situations: a table for docs/runners.md. In a throw-away VM only, as root, with
 * the module loaded; scripts/runners.sh calls it.
 *
 * A runner gets SIGTERM when the situation is there, as from a user or a service
 * manager, and SIGKILL later if it has no second signal of its own. All that a
 * situation starts has the name MARK, and we are a subreaper, so nothing gets lost.
 */
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MARK     "left-behind"
#define TELL     9
#define BOMB     1000
#define CAGE     "/sys/fs/cgroup/runners"
#define GRACE_MS 1000 /* until the second signal, for who does not send it */
#define HANG_MS  8000
#define LOOK_MS  50
#define SAME     10 /* looks without a change, and all is as it stays */

static void fail(const char *what)
{
	fprintf(stderr, "runners: %s: %m\n", what);
	exit(1);
}

/* --- the situations: in the command of the runner ------------------------- */

static void ready(void)
{
	if (write(TELL, "", 1) != 1)
		_exit(1);
}

static void stay(void)
{
	for (;;)
		pause();
}

static void stay_ready(void)
{
	ready();
	stay();
}

static void grandchild(void)
{
	if (!fork())
		ready();
	stay();
}

static void session(void)
{
	if (!fork()) {
		setsid();
		ready();
	}
	stay();
}

/* As a daemon does it: its parent is not there any more. */
static void double_fork(void)
{
	pid_t pid = fork();

	if (!pid) {
		setsid();
		if (fork())
			_exit(0);
		stay_ready();
	}
	waitpid(pid, NULL, 0);
	stay();
}

static void stopped(void)
{
	pid_t pid = fork();

	if (!pid)
		raise(SIGSTOP);
	else if (waitpid(pid, NULL, WUNTRACED) == pid)
		ready();
	stay();
}

static void ignores(void)
{
	signal(SIGTERM, SIG_IGN);
	grandchild();
}

/* Each forks until there is no room: then all of them are there. */
static void bomb(void)
{
	while (fork() >= 0)
		;
	stay_ready();
}

static void in_d(void)
{
	int fd = open("/dev/undead", O_RDONLY);
	char c;

	ready();
	if (read(fd, &c, 1) < 0)
		perror("/dev/undead");
	stay();
}

static const struct situation {
	const char *name;
	void (*play)(void);
	bool crowd, blocks;
} situations[] = {
	{ .name = "the command alone", .play = stay_ready },
	{ .name = "a grandchild", .play = grandchild },
	{ .name = "`setsid()`", .play = session },
	{ .name = "double fork", .play = double_fork },
	{ .name = "stopped", .play = stopped },
	{ .name = "ignores SIGTERM", .play = ignores },
	{ .name = "bomb of 1 000", .play = bomb, .crowd = true },
	{ .name = "in D", .play = in_d, .blocks = true },
};

#define NR_SITUATIONS (sizeof(situations) / sizeof(*situations))

/* --- the runners ---------------------------------------------------------- */

static const struct runner {
	const char *name, *argv[10];
	bool group;   /* is told through its group, by kill(-pid) */
	bool no_kill; /* has no second signal of its own */
} runners[] = {
	{ .name = "`timeout -k 0.5 1h`",
	  .argv = { "timeout", "-k", "0.5", "1h" } },
	{ .name = "`timeout --foreground -k 0.5 1h`",
	  .argv = { "timeout", "--foreground", "-k", "0.5", "1h" } },
	{ .name = "`setsid`, `kill(-pid)`",
	  .argv = { "setsid" },
	  .group = true,
	  .no_kill = true },
	{ .name = "`tini -s -g --`",
	  .argv = { "tini", "-s", "-g", "--" },
	  .no_kill = true },
	{ .name = "`undead exec --guarantee=cgroup`",
	  .argv = { "undead", "exec", "--kill-after=500ms", "--give-up=2s",
		    "--guarantee=cgroup", "--" } },
	{ .name = "`undead exec --guarantee=pidns`",
	  .argv = { "undead", "exec", "--kill-after=500ms", "--give-up=2s",
		    "--guarantee=pidns", "--" } },
	{ .name = "`undead exec --guarantee=none`",
	  .argv = { "undead", "exec", "--kill-after=500ms", "--give-up=2s",
		    "--guarantee=none", "--" } },
};

#define NR_RUNNERS (sizeof(runners) / sizeof(*runners))

static int tell;

static pid_t start(const struct runner *r, size_t situation)
{
	const char *argv[16];
	char number[8];
	int n = 0, p[2];
	pid_t pid;

	snprintf(number, sizeof(number), "%zu", situation);
	while (r->argv[n]) {
		argv[n] = r->argv[n];
		n++;
	}
	argv[n++] = "/proc/self/exe";
	argv[n++] = number;
	argv[n] = NULL;
	if (pipe2(p, O_CLOEXEC))
		fail("pipe");
	pid = fork();
	if (!pid) {
		char self[256];
		ssize_t len = readlink("/proc/self/exe", self, sizeof(self));
		int quiet = open("/dev/null", O_WRONLY);

		self[len > 0 ? len : 0] = '\0';
		argv[n - 2] = self;
		dup2(quiet, 2);
		dup2(p[1], TELL);
		execvp(argv[0], (char *const *)argv);
		_exit(127);
	}
	close(p[1]);
	tell = p[0];
	return pid;
}

/* --- what there is -------------------------------------------------------- */

struct count {
	int alive, stopped, in_d, dead;
};

/* Every process with our MARK; with @sig to each that lives. */
static struct count look(int sig)
{
	struct count c = { 0 };
	DIR *proc = opendir("/proc");
	struct dirent *e;

	while (proc && (e = readdir(proc))) {
		char path[288], name[32] = "", state = 0;
		pid_t pid = atoi(e->d_name);
		FILE *f;

		if (pid <= 0)
			continue;
		snprintf(path, sizeof(path), "/proc/%d/stat", pid);
		f = fopen(path, "re");
		if (!f)
			continue;
		if (fscanf(f, "%*d (%31[^)]) %c", name, &state) == 2 &&
		    !strcmp(name, MARK)) {
			bool dead = state == 'Z' || state == 'X';

			c.dead += dead;
			c.alive += !dead;
			c.stopped += state == 'T';
			c.in_d += state == 'D';
			if (sig && !dead)
				kill(pid, sig);
		}
		fclose(f);
	}
	closedir(proc);
	return c;
}

/* As it stays. */
static struct count settled(void)
{
	struct count was = look(0), is;

	for (int same = 0; same < SAME; same++) {
		poll(NULL, 0, LOOK_MS);
		is = look(0);
		if (memcmp(&is, &was, sizeof(is)))
			same = -1;
		was = is;
	}
	return was;
}

static void await_ready(const struct situation *s)
{
	char c;

	if (read(tell, &c, 1) != 1)
		fail(s->name);
	for (int i = 0; s->blocks && !look(0).in_d; i++) {
		if (i == 100)
			fail("nobody is in D");
		poll(NULL, 0, LOOK_MS);
	}
	/* Of the bomb each has said so. */
	for (int i = 1; s->crowd && i < BOMB; i++)
		if (read(tell, &c, 1) != 1)
			fail("bomb");
}

static bool ended(pid_t pid, int ms, int *status)
{
	for (; ms > 0; ms -= LOOK_MS) {
		if (waitpid(pid, status, WNOHANG) == pid)
			return true;
		poll(NULL, 0, LOOK_MS);
	}
	return false;
}

static void tell_end(const struct runner *r, pid_t pid, int sig)
{
	kill(r->group ? -pid : pid, sig);
}

static void clean_up(const struct situation *s)
{
	if (s->blocks && system("undead release --all >/dev/null 2>&1"))
		fprintf(stderr, "runners: undead release failed\n");
	while (look(SIGKILL).alive)
		poll(NULL, 0, LOOK_MS);
	while (waitpid(-1, NULL, 0) > 0)
		;
	close(tell);
}

/* --- the table ------------------------------------------------------------ */

static void cell(const struct count *c, bool returned, int status)
{
	bool said = returned && WIFEXITED(status) && WEXITSTATUS(status) == 123;

	if (c->in_d)
		printf(" 1 in D%s |", said     ? ", and says so" :
				      returned ? "" :
						 ", and waits for it");
	else if (c->alive == 1)
		printf(" **1 %s** |", c->stopped ? "stopped" : "runs");
	else if (c->alive)
		printf(" **%d run** |", c->alive);
	else if (!returned)
		printf(" hangs |");
	else
		printf(" %s |", c->dead ? "dead, not reaped" : "gone");
	fflush(stdout);
}

static void try(const struct runner *r, size_t situation)
{
	pid_t pid = start(r, situation);
	struct count c;
	int status = 0;
	bool returned;

	await_ready(&situations[situation]);
	tell_end(r, pid, SIGTERM);
	returned = ended(pid, r->no_kill ? GRACE_MS : HANG_MS, &status);
	if (!returned && r->no_kill) {
		tell_end(r, pid, SIGKILL);
		returned = ended(pid, HANG_MS, &status);
	} else if (r->group) {
		tell_end(r, pid, SIGKILL); /* who is left of the group */
	}
	c = settled();
	cell(&c, returned, status);
	clean_up(&situations[situation]);
}

static void into_cage(void)
{
	FILE *f;

	f = fopen("/sys/fs/cgroup/cgroup.subtree_control", "w");
	if (f) {
		fputs("+pids", f);
		fclose(f);
	}
	mkdir(CAGE, 0755);
	f = fopen(CAGE "/pids.max", "w");
	if (!f || fprintf(f, "%d", BOMB + 50) < 0 || fclose(f))
		fail(CAGE "/pids.max");
	f = fopen(CAGE "/cgroup.procs", "w");
	if (!f || fprintf(f, "0") < 0 || fclose(f))
		fail(CAGE "/cgroup.procs");
}

int main(int argc, char **argv)
{
	if (argc == 2 && (size_t)atoi(argv[1]) < NR_SITUATIONS) {
		prctl(PR_SET_NAME, MARK);
		situations[atoi(argv[1])].play();
	}
	if (argc > 1 || access("/dev/undead", R_OK) ||
	    system("grep -q undead_vm=throw-away /proc/cmdline"))
		return fprintf(stderr, "runners: only in the VM\n"), 2;
	into_cage();
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	printf("| |");
	for (size_t s = 0; s < NR_SITUATIONS; s++)
		printf(" %s |", situations[s].name);
	printf("\n|---|");
	for (size_t s = 0; s < NR_SITUATIONS; s++)
		printf("---|");
	for (size_t r = 0; r < NR_RUNNERS; r++) {
		printf("\n| %s |", runners[r].name);
		for (size_t s = 0; s < NR_SITUATIONS; s++)
			try(&runners[r], s);
	}
	printf("\n");
	return 0;
}
