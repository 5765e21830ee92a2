// SPDX-License-Identifier: GPL-2.0
/*
 * The guardian: forks a runner for each scenario, shows what it tells, keeps
 * its deadline, and sees to it that nothing is left.
 *
 * Who ends whom, all by the kernel (lifelines, core/actor.h):
 *	the guardian ends -> the runner gets SIGKILL
 *	the runner ends   -> its actors get SIGKILL, its gates open
 * The guardian holds a pidfd of every actor besides, ends whatever is left
 * when the runner has ended, and reports what would not go.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#include "core/await.h"
#include "core/proc.h"
#include "core/util.h"
#include "record.h"
#include "runner.h"
#include "stage.h"

#define DEFAULT_DEADLINE_MS 60000

struct guard {
	const struct scenario *sc;
	const struct out *out;
	struct result r;
	FILE *evidence;
	const struct run_options *options;
	bool over;
	int events, life, pidfd;
	pid_t runner;
	struct {
		pid_t pid;
		int pidfd;
		bool cleans;
		char name[16];
	} actors[ARRAY_SIZE(stage.actors)];
	int nr_actors;
};

/* --- evidence ----------------------------------------------------------- */

/* Kept from the start, removed when the scenario passes. */
static void open_evidence(struct guard *g)
{
	char path[512];
	char version[64] = "not loaded";
	struct utsname u;
	FILE *f;

	if (!g->options->artifacts)
		return;
	mkdir(g->options->artifacts, 0755);
	snprintf(path, sizeof(path), "%s/%s.txt", g->options->artifacts,
		 g->sc->name);
	g->evidence = fopen(path, "we");
	if (!g->evidence) {
		fprintf(stderr, "undead: cannot write %s: %m\n", path);
		return;
	}
	uname(&u);
	f = fopen("/sys/module/undead/srcversion", "re");
	if (f && fscanf(f, "%63s", version) != 1)
		strcpy(version, "?");
	if (f)
		fclose(f);
	fprintf(g->evidence, "scenario %s\nkernel %s %s %s\nmodule %s\n",
		g->sc->name, u.release, u.version, u.machine, version);
}

static void close_evidence(struct guard *g)
{
	char path[512];

	if (!g->evidence)
		return;
	fprintf(g->evidence, "\n%s %s\n", outcome_name(g->r.outcome),
		g->r.reason);
	fclose(g->evidence);
	if (g->r.outcome == OUTCOME_FAIL || g->r.outcome == OUTCOME_BROKEN)
		return;
	snprintf(path, sizeof(path), "%s/%s.txt", g->options->artifacts,
		 g->sc->name);
	unlink(path);
}

static void keep(struct guard *g, const struct event *e)
{
	static const char *const what[] = {
		[EVENT_STEP] = "step",       [EVENT_EXPECT] = "FAILED",
		[EVENT_NOTE] = "note",       [EVENT_ACTOR] = "actor",
		[EVENT_DUMP] = "evidence\n", [EVENT_BROKEN] = "BROKEN",
		[EVENT_SKIP] = "SKIP",       [EVENT_END] = "end",
		[EVENT_CLEANER] = "cleaner",
	};

	if (g->evidence)
		fprintf(g->evidence, "%s %d %s\n", e->ok ? "ok" : what[e->type],
			e->pid ? e->pid : e->number, e->text);
}

/* --- what the runner tells ---------------------------------------------- */

static void reason(struct result *r, enum outcome o, const char *fmt, ...)
	__printf(3, 4);

/* The first reason stays; FAIL is not undone by what follows from it. */
static void reason(struct result *r, enum outcome o, const char *fmt, ...)
{
	va_list args;

	if (r->outcome == OUTCOME_PASS)
		r->outcome = o;
	if (*r->reason)
		return;
	va_start(args, fmt);
	vsnprintf(r->reason, sizeof(r->reason), fmt, args);
	va_end(args);
}

static void add_actor(struct guard *g, const struct event *e)
{
	if (g->nr_actors == (int)ARRAY_SIZE(g->actors))
		return;
	g->actors[g->nr_actors].pid = e->pid;
	g->actors[g->nr_actors].cleans = e->type == EVENT_CLEANER;
	g->actors[g->nr_actors].pidfd = pidfd_of(e->pid, 0);
	snprintf(g->actors[g->nr_actors].name, sizeof(g->actors->name), "%.15s",
		 e->text);
	g->nr_actors++;
}

static void handle(struct guard *g, const struct event *e)
{
	keep(g, e);
	g->out->event(e);
	switch (e->type) {
	case EVENT_STEP:
		g->r.step = e->number;
		fflush(stdout);
		send(g->events, "", 1, MSG_NOSIGNAL);
		break;
	case EVENT_EXPECT:
		if (e->ok)
			g->r.held++;
		else
			g->r.failed++;
		if (!e->ok) {
			reason(&g->r, OUTCOME_FAIL, "%s", e->text);
			/* The kernel may not live to see the end. */
			fflush(stdout);
		}
		break;
	case EVENT_ACTOR:
	case EVENT_CLEANER:
		add_actor(g, e);
		break;
	case EVENT_BROKEN:
	case EVENT_SKIP:
		reason(&g->r,
		       e->type == EVENT_SKIP ? OUTCOME_SKIP : OUTCOME_BROKEN,
		       "%s", e->text);
		g->over = true;
		break;
	case EVENT_END:
		g->over = true;
		break;
	default:
		break;
	}
}

/* Return: false when the runner has closed its end. */
static bool next_event(struct guard *g)
{
	static struct event e;
	ssize_t n = recv(g->events, &e, sizeof(e), 0);

	if (n < 0 && errno == EINTR)
		return true;
	if (n != sizeof(e))
		return false;
	handle(g, &e);
	return true;
}

static void listen_to(struct guard *g)
{
	int deadline = g->sc->deadline_ms ? (int)g->sc->deadline_ms :
					    DEFAULT_DEADLINE_MS;
	int64_t end;

	if (g->options->deadline_ms && g->options->deadline_ms < deadline)
		deadline = g->options->deadline_ms;
	end = now_ms() + deadline;

	for (;;) {
		int64_t left = end - now_ms();

		if (left <= 0 || !await_readable(g->events, (int)left)) {
			reason(&g->r, OUTCOME_BROKEN,
			       "its deadline of %d s passed in step %d",
			       deadline / 1000, g->r.step);
			return;
		}
		if (!next_event(g))
			return;
		if (g->r.failed && g->options->fail_fast)
			return;
	}
}

/* --- the end of a scenario ---------------------------------------------- */

static void end_process(int pidfd)
{
	if (pidfd >= 0)
		syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
}

static void end_runner(struct guard *g)
{
	siginfo_t si = { 0 };

	end_process(g->pidfd);
	close(g->life);
	waitid(P_PID, (id_t)g->runner, &si, WEXITED);
	while (!g->over && next_event(g))
		;
	if (!g->over && g->r.outcome == OUTCOME_PASS)
		reason(&g->r, OUTCOME_BROKEN,
		       "the runner died (%s %d) in step %d",
		       si.si_code == CLD_EXITED ? "status" : "signal",
		       si.si_status, g->r.step);
}

static void reap_adopted(void)
{
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

/* The init of a pid namespace cannot end before we reap its zombies. */
static bool ended(void *pidfd)
{
	reap_adopted();
	return await_readable(*(int *)pidfd, 0);
}

static void end_actors(struct guard *g)
{
	int gone = 0;

	for (int i = 0; i < g->nr_actors; i++)
		if (!g->actors[i].cleans)
			end_process(g->actors[i].pidfd);
	for (int i = 0; i < g->nr_actors; i++) {
		int fd = g->actors[i].pidfd;
		char name[80];

		if (fd >= 0 && !await_true(ended, &fd, AWAIT_MS))
			reason(&g->r, OUTCOME_BROKEN,
			       "process %s %d would not end; see 'undead status'",
			       out_safe(name, sizeof(name), g->actors[i].name),
			       g->actors[i].pid);
		else
			gone++;
		if (fd >= 0)
			close(fd);
	}
	if (gone == g->nr_actors)
		g->r.ended = gone;
	reap_adopted();
}

static int start_runner(struct guard *g)
{
	int pair[2], life;

	g->life = lifeline_open(&life);
	if (g->life < 0)
		return g->life;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	prctl(PR_SET_CHILD_SUBREAPER, !g->sc->adopted_by_init);
	fflush(stdout);
	if (g->evidence)
		fflush(g->evidence);
	g->runner = fork();
	if (g->runner < 0)
		return -errno;
	if (!g->runner) {
		close(g->life);
		close(pair[0]);
		stage_run(g->sc, pair[1], life);
	}
	close(pair[1]);
	close(life);
	g->events = pair[0];
	g->pidfd = pidfd_of(g->runner, 0);
	return 0;
}

/* scripts/vm.sh says so to the kernel, where nobody else would. */
static bool in_throw_away_vm(void)
{
	_cleanup_file_ FILE *f = fopen("/proc/cmdline", "re");
	char line[4096] = "";

	return f && fgets(line, sizeof(line), f) &&
	       strstr(line, "undead_vm=throw-away");
}

const char *needs_unmet(unsigned int needs)
{
	if (needs & NEED_ROOT && geteuid())
		return "needs root: use sudo";
	if (needs & NEED_VM && !in_throw_away_vm())
		return "only in the throw-away VM of scripts/vm.sh";
	return NULL;
}

static void run_one(struct guard *g)
{
	const char *why = needs_unmet(g->sc->needs);
	int64_t start = now_ms();
	int err;

	g->out->open(&g->r);
	open_evidence(g);
	if (why) {
		reason(&g->r, OUTCOME_SKIP, "%s", why);
		goto closed;
	}
	err = start_runner(g);
	if (err) {
		reason(&g->r, OUTCOME_BROKEN, "cannot start the runner: %s",
		       strerror(-err));
		goto closed;
	}
	listen_to(g);
	end_runner(g);
	end_actors(g);
	close(g->pidfd);
	close(g->events);
closed:
	g->r.ms = now_ms() - start;
	close_evidence(g);
	g->out->close(&g->r);
	fflush(stdout);
}

static int status_of(const int *count)
{
	if (count[OUTCOME_FAIL])
		return STATUS_FAILED;
	if (count[OUTCOME_BROKEN])
		return STATUS_BROKEN;
	return count[OUTCOME_PASS] ? STATUS_PASSED : STATUS_SKIPPED;
}

int bisect_status(int status)
{
	switch (status) {
	case STATUS_PASSED:
	case STATUS_FAILED:
		return status;
	case STATUS_BROKEN:
	case STATUS_SKIPPED:
	case STATUS_VACUOUS:
		return STATUS_BISECT_SKIP;
	default:
		return STATUS_BISECT_ABORT;
	}
}

/* What needs no second look: it was recorded, or is a SKIP. */
static void say_again(const struct out *out, const struct result *r, int times)
{
	while (times-- > 0) {
		out->open(r);
		out->close(r);
	}
}

static void say_recorded(const struct out *out, const struct scenario *sc,
			 const struct record *done)
{
	for (int o = 0; o < OUTCOMES; o++) {
		struct result r = {
			.name = sc->name,
			.summary = sc->summary,
			.outcome = (enum outcome)o,
			.reason = "recorded before",
			.ms = done->slowest,
		};

		say_again(out, &r, done->count[o]);
	}
}

static void write_down(const char *path, const struct record *done)
{
	int err = path ? record_add(path, done) : 0;

	if (err)
		fprintf(stderr, "undead run: cannot write %s: %s\n", path,
			strerror(-err));
}

/* Return: false when this shall be the last. */
static bool play_often(const struct scenario *sc, const struct out *out,
		       const struct run_options *options, struct record *done)
{
	int times = options->repeat ? options->repeat : 1;

	if (options->record && record_find(options->record, times, done)) {
		say_recorded(out, sc, done);
		return true;
	}
	for (int i = 0; i < times; i++) {
		struct guard g = {
			.sc = sc,
			.out = out,
			.options = options,
			.r = {
				.name = sc->name,
				.summary = sc->summary,
			},
		};

		run_one(&g);
		done->count[g.r.outcome]++;
		if (g.r.ms > done->slowest)
			done->slowest = g.r.ms;
		if (g.r.failed && options->fail_fast)
			return false;
		if (!i && g.r.outcome == OUTCOME_SKIP) {
			say_again(out, &g.r, times - 1);
			done->count[OUTCOME_SKIP] = times;
			break;
		}
	}
	write_down(options->record, done);
	return true;
}

int run_all(const struct scenario *const *list, size_t n, const struct out *out,
	    const struct run_options *options)
{
	int count[OUTCOMES] = { 0 };
	bool on = true;
	int status;

	out->begin(n * (size_t)(options->repeat ? options->repeat : 1));
	for (size_t i = 0; on && i < n; i++) {
		struct record done = { .name = list[i]->name };

		on = play_often(list[i], out, options, &done);
		for (int o = 0; o < OUTCOMES; o++)
			count[o] += done.count[o];
	}
	status = status_of(count);
	out->end(count, status);
	return status;
}
