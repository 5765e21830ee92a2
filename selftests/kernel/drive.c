// SPDX-License-Identifier: GPL-2.0
/*
 * In the guest, on the kernel with all mutants (mutants.h):
 *
 * drive survey            each scenario once, and which sites have seen what:
 *                         "reach NAME PASSED MS HEX"
 * drive plan FILE         for each line "ID SITE OPERATION FRESH SCENARIO..."
 *                         the scenarios with that mutant on, until one FAILS:
 *	start ID
 *	failed ID SCENARIO MS EXPECTATION | WHAT IT CITES	said at once, in
 *				case that the machine does not live longer
 *	noticed ID SCENARIO MS EXPECTATION | WHAT IT CITES
 *	broken ID SCENARIO MS REASON	nothing FAILED and this was BROKEN
 *	hang ID SCENARIO MS -		no word for a while
 *	survived ID - MS -
 *	dirty ID SCENARIO MS -	the same scenario does not pass afterwards, without
 *				the mutant: nothing can be said, boot again
 *
 * and "at SCENARIO" after each scenario.
 *
 * What is noticed counts only if the scenario passes without the mutant in the
 * same boot: afterwards, or before if FRESH is 1, when it is the last of a boot.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define DEBUGFS       "/sys/kernel/debug"
#define FOLDER        DEBUGFS "/undead_mutants/"
#define SITES         4096
#define MAX_SCENARIOS 1024
#define SILENCE_MS    18000
#define BLANKS        " \t\n"
#define BOOT_MS       180000 /* then others may have the machine */
#define ENOUGH        3      /* scenarios that are BROKEN */
#define REAP_MS       2000

struct result {
	bool failed, cited, hang;
	int passed, broke, ms;
	char scenario[64]; /* that failed, broke or hangs */
	char text[900];    /* the expectation and what it cites, or why */
};

static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000L + t.tv_nsec / 1000000;
}

static void put(const char *file, const char *text)
{
	int fd = open(file, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0) {
		fprintf(stderr, "drive: %s: %m\n", file);
		exit(125);
	}
	close(fd);
}

static pid_t start(char *const *scenarios, int *out)
{
	static char *argv[MAX_SCENARIOS + 16] = { "undead",     "run",
						  "--tap",      "--fail-fast",
						  "--await",    "3s",
						  "--deadline", "15s" };
	int pair[2], n = 8;
	pid_t pid;

	while (*scenarios)
		argv[n++] = *scenarios++;
	argv[n] = NULL;
	if (pipe2(pair, O_CLOEXEC))
		exit(125);
	pid = fork();
	if (!pid) {
		dup2(pair[1], 1);
		execvp(argv[0], argv);
		_exit(127);
	}
	close(pair[1]);
	*out = pair[0];
	return pid;
}

/* So that the host knows that we live. */
static void say_that(const char *scenario)
{
	printf("at %s\n", scenario);
	fflush(stdout);
}

static void say(const char *what, const char *id, const struct result *r)
{
	printf("%s %s %s %d %s\n", what, id, *r->scenario ? r->scenario : "-",
	       r->ms, *r->text ? r->text : "-");
	fflush(stdout);
}

/* The mutant that is on, NULL: none. */
static const char *current;

/* The scenario that is played. */
static void name_scenario(struct result *r, char *const *scenarios)
{
	const char *name = scenarios[r->passed + r->broke];

	snprintf(r->scenario, sizeof(r->scenario), "%s", name ? name : "-");
}

/* A line of TAP. */
static void take(struct result *r, const char *line, char *const *scenarios)
{
	char name[64], text[400];

	if (sscanf(line, "# FAILED: %399[^\n]", text) == 1 ||
	    sscanf(line, "#    FAILED %399[^\n]", text) == 1) {
		if (!r->failed)
			snprintf(r->text, sizeof(r->text), "%s", text);
		r->failed = true;
	} else if (r->failed && !r->cited &&
		   sscanf(line, "#           %399[^\n]", text) == 1) {
		size_t n = strlen(r->text);

		snprintf(r->text + n, sizeof(r->text) - n, " | %s", text);
		r->cited = true;
		name_scenario(r, scenarios);
		if (current)
			say("failed", current, r);
	} else if (sscanf(line, "# BROKEN: %399[^\n]", text) == 1) {
		if (!*r->text)
			snprintf(r->text, sizeof(r->text), "%s", text);
		r->broke++;
	} else if (sscanf(line, "not ok %*d %63s", name) == 1) {
		say_that(name);
		if (!*r->scenario || r->failed)
			snprintf(r->scenario, sizeof(r->scenario), "%s", name);
	} else if (sscanf(line, "ok %*d %63s", name) == 1) {
		say_that(name);
		r->passed++;
	}
}

/* Until it closes its output, broke often, or says nothing for too long. */
static bool listen_to(struct result *r, int fd, char *const *scenarios)
{
	static char text[1 << 16];
	size_t used = 0;

	for (;;) {
		struct pollfd out = { .fd = fd, .events = POLLIN };
		char *line = text, *end;
		ssize_t n;

		if (poll(&out, 1, SILENCE_MS) <= 0) {
			name_scenario(r, scenarios);
			return false;
		}
		n = read(fd, text + used, sizeof(text) - used - 1);
		if (n <= 0)
			return true;
		used += n;
		text[used] = '\0';
		while ((end = strchr(line, '\n'))) {
			*end = '\0';
			take(r, line, scenarios);
			line = end + 1;
		}
		if (r->broke == ENOUGH)
			return true;
		used = strlen(line);
		memmove(text, line, used + 1);
		if (used == sizeof(text) - 1)
			used = 0;
	}
}

/* A mutant may well break the wait for our child. */
static bool reaped(pid_t pid)
{
	long end = now_ms() + REAP_MS;

	while (now_ms() < end) {
		pid_t got = waitpid(pid, NULL, WNOHANG);

		if (got == pid || (got < 0 && errno == ECHILD))
			return true;
		poll(NULL, 0, 5);
	}
	return false;
}

static struct result play(char *const *scenarios, const char *mutant)
{
	struct result r = { 0 };
	long begin = now_ms();
	int fd;
	pid_t pid;

	put(FOLDER "select", mutant);
	pid = start(scenarios, &fd);
	r.hang = !listen_to(&r, fd, scenarios);
	put(FOLDER "select", "0 0");
	close(fd);
	if (r.hang || r.broke == ENOUGH)
		kill(pid, SIGKILL);
	r.ms = (int)(now_ms() - begin);
	if (!reaped(pid) && !r.failed)
		r.hang = true;
	return r;
}

static bool clean(const struct result *r)
{
	return !r->failed && !r->broke && !r->hang;
}

/* Return: false when the machine has to be booted again. */
static bool run_mutant(const char *id, const char *mutant, bool fresh,
		       char *const *scenarios)
{
	struct result r, after;
	char *again[] = { r.scenario, NULL };

	printf("start %s\n", id);
	fflush(stdout);
	if (fresh) {
		r = play(scenarios, "0 0");
		if (!clean(&r)) {
			say("dirty", id, &r);
			return false;
		}
	}
	current = id;
	r = play(scenarios, mutant);
	current = NULL;
	/* After a hang nobody else is asked. */
	if (!clean(&r) && (!r.hang || r.failed) && !fresh) {
		if (!r.hang)
			after = play(again, "0 0");
		if (r.hang || !clean(&after)) {
			say("dirty", id, &r);
			return false;
		}
	}
	say(r.failed ? "noticed" :
	    r.hang   ? "hang" :
	    r.broke  ? "broken" :
		       "survived",
	    id, &r);
	return !r.hang && !fresh;
}

static int run_plan(const char *path)
{
	static char line[1 << 16];
	FILE *f = fopen(path, "re");
	long end = now_ms() + BOOT_MS;

	if (!f)
		return 125;
	while (now_ms() < end && fgets(line, sizeof(line), f)) {
		char *scenarios[MAX_SCENARIOS] = { NULL }, *word, *save;
		char *field[4], mutant[32];
		int n = 0;

		for (int i = 0; i < 4; i++)
			field[i] = strtok_r(i ? NULL : line, BLANKS, &save);
		while ((word = strtok_r(NULL, BLANKS, &save)) &&
		       n < MAX_SCENARIOS - 1)
			scenarios[n++] = word;
		if (!n)
			continue;
		snprintf(mutant, sizeof(mutant), "%s %s", field[1], field[2]);
		if (!run_mutant(field[0], mutant, atoi(field[3]), scenarios))
			break;
	}
	fclose(f);
	return 0;
}

static void reach(char *name)
{
	static unsigned char seen[SITES];
	char *scenarios[] = { name, NULL };
	struct result r;
	int fd;

	put(FOLDER "seen", "0");
	r = play(scenarios, "0 0");
	if (!clean(&r)) /* waits are short: once more, should it be that */
		r = play(scenarios, "0 0");
	fd = open(FOLDER "seen", O_RDONLY | O_CLOEXEC);
	if (read(fd, seen, SITES) != SITES)
		exit(125);
	close(fd);
	printf("reach %s %d %d ", name, clean(&r), r.ms);
	for (int i = 0; i < SITES; i++)
		putchar("0123"[seen[i] & 3]);
	putchar('\n');
	fflush(stdout);
}

static int survey(void)
{
	FILE *list = popen("undead list", "re");
	static char names[MAX_SCENARIOS][64];
	int n = 0;

	while (n < MAX_SCENARIOS && fscanf(list, "%63s%*[^\n]", names[n]) == 1)
		n++;
	pclose(list);
	for (int i = 0; i < n; i++)
		reach(names[i]);
	return 0;
}

int main(int argc, char **argv)
{
	if (access(FOLDER, F_OK))
		mount("debugfs", DEBUGFS, "debugfs", 0, NULL);
	unsetenv("UNDEAD_ARTIFACTS");
	if (argc == 2 && !strcmp(argv[1], "survey"))
		return survey();
	if (argc == 3 && !strcmp(argv[1], "plan"))
		return run_plan(argv[2]);
	return 2;
}
