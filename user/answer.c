// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "answer.h"
#include "core/out.h"

static void text_lines(FILE *to, const char *what, const struct lines *l)
{
	for (int i = 0; i < l->nr; i++)
		fprintf(to, "   %-9s %s\n", i ? "" : what, l->text[i]);
}

void answer_text(FILE *to, const struct patient *p, const struct verdict *v,
		 const struct finding *f)
{
	const struct proc_status *st = &p->tasks[0].st;
	char name[256], since[32];

	fprintf(to, "%c  %d %s  %s\n", st->state, p->pid,
		out_safe(name, sizeof(name), st->name),
		v ? v->cause : "no cause that is known here");
	if (p->tasks[0].idle_ms >= 0 && strchr("ZD", st->state))
		fprintf(to, "   %-9s %s\n", "since",
			duration_text(since, sizeof(since),
				      p->tasks[0].idle_ms));
	if (strchr(st->nspid, '\t'))
		fprintf(to,
			"   %-9s %s (from the outermost name space inwards)\n",
			"pids", st->nspid);
	text_lines(to, "evidence", &f->evidence);
	text_lines(to, "blocker", &f->blocker);
	text_lines(to, "parent", &f->parent);
	text_lines(to, "helps", &f->helps);
	text_lines(to, "no use", &f->no_use);
	text_lines(to, "as root", &f->root);
}

static json_t *json_lines(const struct lines *l)
{
	json_t *a = json_array();

	for (int i = 0; i < l->nr; i++)
		json_array_append_new(a, json_string(l->text[i]));
	return a;
}

/* "4711 12 1": the pid in each name space, ours first. */
static json_t *json_nspid(const struct proc_status *st)
{
	json_t *a = json_array();
	const char *p = st->nspid;

	while (*p) {
		json_array_append_new(a, json_integer(atoi(p)));
		p += strcspn(p, "\t");
		p += *p == '\t';
	}
	return a;
}

static json_t *json_safe(const char *text)
{
	char safe[1024];

	return json_string(out_safe(safe, sizeof(safe), text));
}

static json_t *json_blamed(const struct finding *f)
{
	json_t *a = json_array();
	int n = f->nr_blamed < (int)ARRAY_SIZE(f->blamed) ?
			f->nr_blamed :
			(int)ARRAY_SIZE(f->blamed);

	for (int i = 0; i < n; i++) {
		const struct task *t = f->blamed[i];
		char state[2] = { t->st.state, '\0' };

		json_array_append_new(a,
				      json_pack("{si so ss sI sb sb si so so si so so si si}",
						"tid", t->st.pid, "name",
						json_safe(t->st.name), "state",
						state, "idle_ms",
						(json_int_t)t->idle_ms,
						"exiting", t->exiting,
						"sigkill", t->killed, "syscall",
						t->syscall, "wchan",
						json_safe(t->wchan), "stack",
						json_safe(t->stack), "fd",
						t->clue.fd, "file",
						json_safe(t->clue.file), "mount",
						json_safe(t->clue.where), "fuse",
						(int)t->clue.fuse, "lock_owner",
						t->clue.owner_pid));
	}
	return a;
}

json_t *answer_json(const struct patient *p, const struct verdict *v,
		    const struct finding *f)
{
	const struct task *l = &p->tasks[0];
	char state[2] = { l->st.state, '\0' };

	return json_pack("{si so so ss sI si si ss ss so so so so so so so}",
			 "pid", p->pid, "nspid", json_nspid(&l->st), "name",
			 json_safe(l->st.name), "state", state, "idle_ms",
			 (json_int_t)l->idle_ms, "threads", p->nr, "alive",
			 p->alive, "verdict", v ? v->name : "unknown", "cause",
			 v ? v->cause : "", "threads_blocking", json_blamed(f),
			 "evidence", json_lines(&f->evidence), "blocker",
			 json_lines(&f->blocker), "parent",
			 json_lines(&f->parent), "helps", json_lines(&f->helps),
			 "no_use", json_lines(&f->no_use), "as_root",
			 json_lines(&f->root));
}
