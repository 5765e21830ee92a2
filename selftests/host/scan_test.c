// SPDX-License-Identifier: GPL-2.0
/*
 * 'undead scan' on this machine, with a process asleep in vfork() among the rest
 * of it, that has five dead children with hostile names in three containers with
 * hostile names. argv[1] is the tool.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scratch.h"

#define CHILDREN   5
#define CONTAINERS 3
#define HEX32      "0123456789abcdef0123456789abcdef"

static const char *const hostile[CHILDREN] = {
	"\033[31mevil\033[2J",   "evil\n(x) Z 1 1", "))) evil (((",
	"evil\xff\xfe\xc3(\x80", "\"},{evil\\\"",
};

static const char *const containers[CONTAINERS] = {
	"x\033[31mevil-" HEX32 HEX32 ".scope",
	"docker-f" HEX32 HEX32 ".scope",
	"lxc.payload.\033]0;evil\007\xff",
};

static const char *tool;
static char dir[128], cgroups[CONTAINERS][512], text[1 << 20];
static int tests, failures, nr_cgroups;

static void result(bool ok, const char *what)
{
	printf("%s %d %s\n", ok ? "ok" : "not ok", ++tests, what);
	for (const char *p = text; !ok && *p;
	     p += strcspn(p, "\n"), p += !!*p) {
		printf("# ");
		for (size_t i = 0; i < strcspn(p, "\n"); i++)
			putchar(isprint((unsigned char)p[i]) ? p[i] : '?');
		putchar('\n');
	}
	fflush(stdout);
	failures += !ok;
}

/* Into @text; the exit status. */
static int ask(const char *args)
{
	char command[512];
	size_t n;
	FILE *f;
	int status;

	snprintf(command, sizeof(command), "%s scan %s 2>&1", tool, args);
	f = popen(command, "re");
	if (!f)
		return -1;
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = '\0';
	status = pclose(f);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* --- the scene ---------------------------------------------------------- */

/* They go when we and all we have started have ended, however that was. */
static void remove_cgroups_at_the_end(void)
{
	char *argv[CONTAINERS + 6] = { "sh", "-c", "read -r end; rmdir \"$@\"",
				       "sh" };
	int ends[2], n = 4;

	if (pipe(ends))
		return;
	for (int i = 0; i < nr_cgroups; i++)
		argv[n++] = cgroups[i];
	if (!fork()) {
		if (fork())
			_exit(0);
		setsid();
		dup2(ends[0], STDIN_FILENO);
		close(ends[0]);
		close(ends[1]);
		execv("/bin/sh", argv);
		_exit(1);
	}
	close(ends[0]);
	wait(NULL);
}

static void make_cgroups(void)
{
	static const char *const roots[] = { "/sys/fs/cgroup/unified",
					     "/sys/fs/cgroup/pids",
					     "/sys/fs/cgroup" };

	for (size_t r = 0; r < sizeof(roots) / sizeof(*roots); r++) {
		for (int i = 0; i < CONTAINERS; i++) {
			snprintf(cgroups[i], sizeof(cgroups[i]), "%s/%s",
				 roots[r], containers[i]);
			nr_cgroups += !mkdir(cgroups[i], 0755) ||
				      errno == EEXIST;
		}
		if (nr_cgroups)
			break;
	}
	if (nr_cgroups == CONTAINERS)
		remove_cgroups_at_the_end();
}

static bool enter(const char *cgroup)
{
	char path[600];
	FILE *f;

	snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup);
	f = fopen(path, "we");
	if (f)
		fprintf(f, "%d", getpid());
	return f && !fclose(f);
}

struct scene {
	pid_t parent, child[CHILDREN];
	bool contained;
};

static void dead_child(struct scene *s, int i)
{
	pid_t pid = fork();
	siginfo_t si;

	if (!pid) {
		prctl(PR_SET_NAME, hostile[i]);
		_exit(nr_cgroups == CONTAINERS &&
		      enter(cgroups[i % CONTAINERS]));
	}
	s->child[i] = pid;
	waitid(P_PID, (id_t)pid, &si, WEXITED | WNOWAIT);
	s->contained &= si.si_status == 1;
}

static void play(int to)
{
	struct scene s = { .parent = getpid(), .contained = true };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, "evil\033[5m\n");
	for (int i = 0; i < CHILDREN; i++)
		dead_child(&s, i);
	if (!vfork()) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (write(to, &s, sizeof(s)) == sizeof(s))
			pause();
		_exit(0);
	}
	_exit(1);
}

static pid_t set_the_scene(struct scene *s)
{
	int ends[2];
	pid_t pid;

	if (pipe(ends))
		return -1;
	pid = fork();
	if (!pid)
		play(ends[1]);
	close(ends[1]);
	if (read(ends[0], s, sizeof(*s)) != sizeof(*s))
		return -1;
	close(ends[0]);
	return pid;
}

/* --- what is said of it ------------------------------------------------- */

static bool in_group(const json_t *group, pid_t pid)
{
	size_t i;
	json_t *p;

	json_array_foreach(json_object_get(group, "pids"), i, p)
		if (json_integer_value(p) == pid)
			return true;
	return false;
}

static const json_t *group_of(const json_t *top, pid_t pid)
{
	size_t i;
	json_t *g;

	json_array_foreach(json_object_get(top, "groups"), i, g)
		if (in_group(g, pid))
			return g;
	return NULL;
}

static int number(const json_t *o, const char *key)
{
	return (int)json_integer_value(json_object_get(o, key));
}

static bool clean(void)
{
	for (const char *p = text; *p; p++)
		if (*p != '\n' && (*p < ' ' || *p > '~'))
			return false;
	return true;
}

static void check_json(const struct scene *s)
{
	int status = ask("--json");
	json_t *top = json_loads(text, 0, NULL);
	const json_t *g = group_of(top, s->parent);
	bool all = g;

	result(status == 1 && number(top, "undead_scan") == 1,
	       "JSON, whatever the names are");
	for (int i = 0; i < CHILDREN; i++)
		all = all && in_group(g, s->child[i]);
	result(all && number(g, "threads_in_d") == 1 &&
		       number(g, "zombies") == CHILDREN &&
		       number(g, "processes") == CHILDREN + 1 &&
		       number(g, "unkillable") == 0,
	       "one thread in D -> five zombies, one cause");
	result(g && json_is_integer(json_object_get(g, "age_s")),
	       "since when, from sched");
	if (s->contained)
		result(g &&
			       json_array_size(
				       json_object_get(g, "containers")) ==
				       CONTAINERS &&
			       clean(),
		       "-> three containers");
	else
		printf("ok %d -> three containers # SKIP no cgroup can be made here\n",
		       ++tests);
	result(clean() && strstr(text, "\"f0123456789a\"") ==
				  (s->contained ?
					   strstr(text, "\"f0123456789a\"") :
					   NULL),
	       "nothing but printable ASCII in it");
	json_decref(top);
}

static void check_text(void)
{
	int status = ask("");

	result(status == 1 && clean() && strstr(text, "-> 5 zombies"),
	       "text, nothing but printable ASCII in it");
	status = ask("--check");
	result((status == 1 || status == 2) && clean() &&
		       !strncmp(text,
				status == 1 ? "WARNING: " : "CRITICAL: ", 9) &&
		       strchr(text, '\n') && !strchr(text, '\n')[1] &&
		       !strstr(text, "evil"),
	       "--check: one line without a name");
	status = ask("--check=npd");
	result(status == 1, "--check=npd: 1");
}

static void check_older(const struct scene *s)
{
	json_t *top;

	ask("--json --older 20h");
	top = json_loads(text, 0, NULL);
	result(top && !group_of(top, s->parent) && !group_of(top, s->child[0]),
	       "--older 20h: not yet");
	json_decref(top);
	ask("--json --older 0");
	top = json_loads(text, 0, NULL);
	result(group_of(top, s->child[0]), "--older 0");
	json_decref(top);
}

/* --- metrics ------------------------------------------------------------ */

static bool read_metrics(void)
{
	char path[256];
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "%s/undead.prom", dir);
	f = fopen(path, "re");
	n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;
	text[n] = '\0';
	if (f)
		fclose(f);
	return n > 6 && !strcmp(text + n - 6, "# EOF\n");
}

static int files(void)
{
	struct dirent *e;
	DIR *d = opendir(dir);
	int n = 0;

	while (d && (e = readdir(d)))
		n += *e->d_name != '.';
	if (d)
		closedir(d);
	return n;
}

static void check_metrics(void)
{
	char args[256];
	struct stat st = { 0 };

	snprintf(args, sizeof(args), "--openmetrics %s/undead.prom", dir);
	result(ask(args) == 0 && !*text && ask(args) == 0 && files() == 1,
	       "--openmetrics, twice: one file");
	result(read_metrics() && clean() && !strstr(text, "evil") &&
		       !strstr(text, "pid=") &&
		       strstr(text, "undead_stuck_processes{cause=\""),
	       "by cause, never by name or pid");
	snprintf(args, sizeof(args), "%s/undead.prom", dir);
	result(!stat(args, &st) && (st.st_mode & 0777) == 0644,
	       "which the collector may read");
	snprintf(args, sizeof(args), "--openmetrics %s/no/undead.prom", dir);
	result(ask(args) == 3 && strstr(text, "cannot write"),
	       "a folder that is not there");
}

static void check_promtool(void)
{
	char command[512];
	size_t n;
	FILE *f = popen("scripts/promtool.sh", "re");
	char tool_path[256] = "";

	if (f && fgets(tool_path, sizeof(tool_path), f))
		tool_path[strcspn(tool_path, "\n")] = '\0';
	if (!f || pclose(f) || !*tool_path) {
		printf("ok %d promtool # SKIP it cannot be fetched: see above\n",
		       ++tests);
		return;
	}
	snprintf(command, sizeof(command),
		 "'%s' check metrics <'%s/undead.prom' 2>&1; echo status=$?",
		 tool_path, dir);
	f = popen(command, "re");
	n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;
	text[n] = '\0';
	if (f)
		pclose(f);
	result(!strcmp(text, "status=0\n"), "promtool finds nothing");
}

/* Stops where a file without a name is opened; before that it runs freely. */
static int stop_at_tmpfile(void)
{
	struct sock_filter rules[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, args[2])),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, O_TMPFILE & ~O_DIRECTORY,
			 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog prog = {
		.len = sizeof(rules) / sizeof(*rules),
		.filter = rules,
	};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog);
}

/*
 * The tool is killed at its @n-th stop after it has begun to write, before or
 * after a system call. Return: was it still there?
 */
static bool killed_at(int n, const char *path)
{
	bool writing = false;
	int status;
	pid_t pid = fork();

	if (!pid) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		if (stop_at_tmpfile())
			_exit(126);
		execl(tool, tool, "scan", "--openmetrics", path, NULL);
		_exit(127);
	}
	waitpid(pid, &status, 0);
	ptrace(PTRACE_SETOPTIONS, pid, NULL,
	       PTRACE_O_EXITKILL | PTRACE_O_TRACESECCOMP);
	while (WIFSTOPPED(status)) {
		writing |= status >> 8 == (SIGTRAP | PTRACE_EVENT_SECCOMP << 8);
		if (writing && !n--) {
			kill(pid, SIGKILL);
			waitpid(pid, &status, 0);
			return true;
		}
		ptrace(writing ? PTRACE_SYSCALL : PTRACE_CONT, pid, NULL, NULL);
		waitpid(pid, &status, 0);
	}
	return false;
}

static void check_killed(void)
{
	char path[256], args[300];
	bool ok = true;
	int n = 0;

	snprintf(path, sizeof(path), "%s/undead.prom", dir);
	/* open, fcntl, unlink, fstat, write, fsync, link, rename, close: twice */
	while (ok && n < 20 && killed_at(n, path)) {
		ok = read_metrics() && files() <= 2;
		n++;
	}
	result(ok && n == 20,
	       "killed anywhere in the writing: the old file or the new one");
	snprintf(args, sizeof(args), "--openmetrics %s", path);
	result(ask(args) == 0 && files() == 1, "and the next run tidies up");
}

/* --- no room for one more process, or thread ----------------------------- */

static void check_alone(void)
{
	char *argv[] = { "undead", "scan", "--check", NULL };
	struct rlimit none = { 0, 0 };
	int ends[2], status = 0;
	ssize_t n;
	pid_t pid;

	if (pipe(ends))
		return;
	pid = fork();
	if (!pid) {
		/* Another user may not get to where it is. */
		int fd = open(tool, O_PATH | O_CLOEXEC);

		dup2(ends[1], STDOUT_FILENO);
		dup2(ends[1], STDERR_FILENO);
		setrlimit(RLIMIT_NPROC, &none);
		if (!setresuid(65534, 65534, 65534))
			fexecve(fd, argv, environ);
		_exit(127);
	}
	close(ends[1]);
	n = read(ends[0], text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	close(ends[0]);
	waitpid(pid, &status, 0);
	result(WIFEXITED(status) && WEXITSTATUS(status) < 3 &&
		       strstr(text, "stuck"),
	       "when nobody can fork, one thread does it alone");
}

/* --- watch -------------------------------------------------------------- */

static void check_watch(void)
{
	int ends[2], pages = 0, status = 0;
	FILE *f;
	pid_t pid;

	if (pipe(ends))
		return;
	pid = fork();
	if (!pid) {
		dup2(ends[1], STDOUT_FILENO);
		signal(SIGINT, SIG_DFL);
		execl(tool, tool, "scan", "--watch=10ms", NULL);
		_exit(127);
	}
	close(ends[1]);
	f = fdopen(ends[0], "r");
	while (pages < 3 && fgets(text, sizeof(text), f))
		pages += !!strstr(text, "processes stuck, ");
	kill(pid, SIGINT);
	waitpid(pid, &status, 0);
	fclose(f);
	result(pages == 3 && WIFSIGNALED(status) && WTERMSIG(status) == SIGINT,
	       "--watch: again and again, until Ctrl-C");
}

static const struct {
	const char *args;
	int status;
	const char *says;
} calls[] = {
	{ "--older soon", 2, "'soon' is no duration" },
	{ "--check --older soon", 3, "'soon' is no duration" },
	{ "--check=npd --older soon", 2, "'soon' is no duration" },
	{ "--check=icinga", 3, "neither nagios nor npd" },
	{ "--watch=0", 2, "no time between looks" },
	{ "--watch --json", 2, "stand alone" },
	{ "--json --openmetrics /tmp/x", 2, "stand alone" },
	{ "--openmetrics", 2, "lacks its value" },
};

int main(int argc, char **argv)
{
	struct scene s = { 0 };

	if (argc != 2) {
		fprintf(stderr, "usage: scan_test UNDEAD\n");
		return 2;
	}
	tool = argv[1];
	if (!scratch_make(dir, sizeof(dir), "scan")) {
		perror("scan_test: a folder in the temporary directory");
		return 1;
	}
	printf("TAP version 13\n");
	fflush(stdout);
	make_cgroups();
	if (set_the_scene(&s) < 0) {
		printf("Bail out! no scene: %s\n", strerror(errno));
		return 1;
	}
	check_json(&s);
	check_text();
	check_older(&s);
	check_metrics();
	check_promtool();
	check_killed();
	check_alone();
	check_watch();
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
		result(ask(calls[i].args) == calls[i].status &&
			       strstr(text, calls[i].says),
		       calls[i].args);
	printf("1..%d\n", tests);
	return failures != 0;
}
