// SPDX-License-Identifier: GPL-2.0
/*
 * One JSON object, written at the end; docs/json.md has its shape.
 * UNDEAD_RUN_JSON rises when something in it changes its meaning.
 */
#include <jansson.h>
#include <stdio.h>
#include <sys/utsname.h>

#include "out.h"

#define UNDEAD_RUN_JSON 1

static json_t *scenarios, *steps, *facts, *evidence;

static void json_begin(size_t n)
{
	(void)n;
	scenarios = json_array();
}

static void json_open(const struct result *r)
{
	(void)r;
	steps = json_array();
	evidence = json_array();
	facts = NULL;
}

static void json_event(const struct event *e)
{
	switch (e->type) {
	case EVENT_STEP:
		facts = json_array();
		json_array_append_new(steps,
				      json_pack("{si ss so}", "number",
						e->number, "text", e->text,
						"expectations", facts));
		break;
	case EVENT_EXPECT:
		json_array_append_new(facts ? facts : evidence,
				      json_pack("{sb ss ss}", "held", e->ok,
						"text", e->text, "why", e->why));
		break;
	case EVENT_DUMP:
	case EVENT_NOTE:
		json_array_append_new(evidence, json_string(e->text));
		break;
	default:
		break;
	}
}

static void json_close(const struct result *r)
{
	json_array_append_new(scenarios,
			      json_pack("{ss ss ss ss si si sI so so}", "name",
					r->name, "summary", r->summary,
					"outcome", outcome_name(r->outcome),
					"reason", r->reason, "held", r->held,
					"failed", r->failed, "ms",
					(json_int_t)r->ms, "steps", steps,
					"evidence", evidence));
}

static void json_end(const int *count, int status)
{
	struct utsname u;
	json_t *all;

	uname(&u);
	all = json_pack("{si ss so s{si si si si} si}", "undead_run",
			UNDEAD_RUN_JSON, "kernel", u.release, "scenarios",
			scenarios, "count", "pass", count[OUTCOME_PASS], "fail",
			count[OUTCOME_FAIL], "broken", count[OUTCOME_BROKEN],
			"skip", count[OUTCOME_SKIP], "status", status);
	json_dumpf(all, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
	putchar('\n');
	json_decref(all);
}

const struct out out_json = {
	.begin = json_begin,
	.open = json_open,
	.event = json_event,
	.close = json_close,
	.end = json_end,
};
