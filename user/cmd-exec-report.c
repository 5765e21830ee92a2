// SPDX-License-Identifier: GPL-2.0
/* What 'undead exec' tells of a run, and the doctor of what is stuck. */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <string.h>
#include <sys/wait.h>

#include "answer.h"
#include "command.h"
#include "cmd-exec.h"

#define UNDEAD_EXEC_JSON 1
#define MAX_LEFT         64

static const char *const promise[] = {
	[UNDEAD_CGROUP] =
		"all is ended when this process or its keeper is killed by SIGKILL; when both are, only the command",
	[UNDEAD_PIDNS] =
		"all is ended by the kernel, also when this process and its keeper are killed by SIGKILL",
	[UNDEAD_NONE] =
		"all that is found is ended when this process or its keeper is killed by SIGKILL; when both are, only the command",
};

static const char *stage_name(enum undead_stage stage)
{
	static const char *const names[] = {
		[UNDEAD_RUNNING] = "none",
		[UNDEAD_ASKED] = "asked",
		[UNDEAD_KILLED] = "killed",
		[UNDEAD_STILL] = "stuck",
	};

	return names[stage];
}

/* --- what is stuck ------------------------------------------------------ */

/* To @to or into @all. */
static void explain(struct patient *p, FILE *to, json_t *all)
{
	static struct finding f;
	const struct verdict *v = judge(p, &f);

	if (all)
		json_array_append_new(all, answer_json(p, v, &f));
	else
		answer_text(to, p, v, &f);
}

static void explain_left(const struct undead *u, FILE *to, json_t *all)
{
	pid_t pids[MAX_LEFT];
	struct patient p[MAX_LEFT] = { 0 };
	int n = undead_left(u, pids, MAX_LEFT);
	struct snap *s = snap_live();

	n = n < MAX_LEFT ? n : MAX_LEFT;
	for (int i = 0; i < n; i++)
		p[i].asked = pids[i];
	if (s)
		examine(s, p, n);
	for (int i = 0; s && i < n; i++) {
		if (!p[i].err)
			explain(&p[i], to, all);
		patient_free(&p[i]);
	}
	if (s)
		snap_free(s);
}

static void say_stuck(const struct exec_run *run)
{
	const struct undead_report *r = undead_report(run->u);

	complain(&cmd_exec,
		 "%d process%s cannot be ended; the keeper %d stays until that changes, reaps, and goes:",
		 r->left, r->left == 1 ? "" : "es", r->keeper);
	explain_left(run->u, stderr, NULL);
}

/* --- the report --------------------------------------------------------- */

static const char *how_it_began(const struct exec_run *run)
{
	if (run->timed_out)
		return "timed out";
	if (undead_report(run->u)->interrupted)
		return "interrupted";
	return run->cancelled ? "cancelled" : "";
}

static void text_command(FILE *to, const struct undead_report *r)
{
	fputs("undead exec: command: ", to);
	if (r->exec_errno)
		fprintf(to, "not run: %s\n", strerror(r->exec_errno));
	else if (!r->ended)
		fputs("has not ended\n", to);
	else if (WIFSIGNALED(r->status))
		fprintf(to, "ended by signal %d (%s)\n", WTERMSIG(r->status),
			strsignal(WTERMSIG(r->status)));
	else
		fprintf(to, "exited %d\n", WEXITSTATUS(r->status));
}

static void report_text(const struct exec_run *run, int event, FILE *to)
{
	const struct undead_report *r = undead_report(run->u);
	const char *began = how_it_began(run);

	fprintf(to, "undead exec: guarantee: %s: %s\n",
		undead_guarantee_name(r->guarantee), promise[r->guarantee]);
	text_command(to, r);
	if (*began)
		fprintf(to, "undead exec: %s\n", began);
	fprintf(to, "undead exec: %s; %d reaped, of them %d ended by SIGKILL; ",
		r->stage == UNDEAD_RUNNING ? "nothing had to be ended" :
		r->stage == UNDEAD_ASKED   ? "the polite signal was enough" :
					     "SIGKILL was sent",
		r->reaped, r->killed);
	if (event == UNDEAD_STUCK)
		fprintf(to, "%d left\n", r->left);
	else
		fputs(event < 0 ? "the keeper was killed\n" :
				  "nothing is left\n",
		      to);
}

static void report_json(const struct exec_run *run, int event, FILE *to)
{
	const struct undead_report *r = undead_report(run->u);
	json_t *top, *left = json_array();

	if (event == UNDEAD_STUCK)
		explain_left(run->u, NULL, left);
	top = json_pack("{si ss ss sb sb si si si si sb ss si si so}",
			"undead_exec", UNDEAD_EXEC_JSON, "guarantee",
			undead_guarantee_name(r->guarantee), "promise",
			promise[r->guarantee], "timed_out", run->timed_out,
			"interrupted", r->interrupted || run->cancelled,
			"exec_errno", r->exec_errno, "exited",
			r->ended && WIFEXITED(r->status) && !r->exec_errno ?
				WEXITSTATUS(r->status) :
				-1,
			"signal",
			r->ended && WIFSIGNALED(r->status) ?
				WTERMSIG(r->status) :
				0,
			"status", run->status, "keeper_killed", event < 0,
			"stage", stage_name(r->stage), "reaped", r->reaped,
			"killed", r->killed, "left", left);
	json_dumpf(top, to, JSON_INDENT(2) | JSON_ENSURE_ASCII);
	fputc('\n', to);
	json_decref(top);
}

int exec_report(struct exec_run *run, int event)
{
	_cleanup_file_ FILE *f = NULL;

	if (event == UNDEAD_STUCK)
		say_stuck(run);
	if (!run->report && !run->json)
		return 0;
	if (run->file)
		f = fopen(run->file, "we");
	if (run->file && !f) {
		complain(&cmd_exec, "cannot write %s: %m", run->file);
		return -errno;
	}
	if (run->report)
		report_text(run, event, f ? f : stderr);
	if (run->json)
		report_json(run, event, f ? f : stderr);
	return 0;
}

void exec_in_force(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct undead_options how = {
		.size = sizeof(how),
		.flags = UNDEAD_ALONE | UNDEAD_STDIO,
		.stdio = { null, null, null },
	};
	char *argv[] = { "true", NULL };
	struct undead *u;

	if (!undead_start(&u, argv, &how)) {
		printf("\nThe guarantee in force here, without --guarantee: %s\n",
		       undead_guarantee_name(undead_report(u)->guarantee));
		undead_wait(u, -1);
		undead_free(u);
	}
	close(null);
}
