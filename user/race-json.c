// SPDX-License-Identifier: GPL-2.0
/*
 * One JSON object, written at the end; docs/json.md has its shape.
 * UNDEAD_RACE_JSON rises when something in it changes its meaning.
 */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <sys/utsname.h>

#include "race-engine.h"

#define UNDEAD_RACE_JSON 1

static json_t *list;

static void begin(size_t n)
{
	(void)n;
	list = json_array();
}

static json_t *outcomes(const struct race_result *r)
{
	const struct search *search = &r->shared->search;
	json_t *a = json_array();

	for (int o = 0; o < search->outcomes; o++)
		json_array_append_new(a, json_pack("{ss sI sI}", "name",
						   r->race->outcomes[o], "met",
						   (json_int_t)search->met[o],
						   "forced",
						   (json_int_t)r->shared
							   ->forced_rounds[o]));
	return a;
}

static json_t *histogram(const struct search *search)
{
	json_t *a = json_array();

	for (int i = 0; i < search->nr; i++) {
		const struct cell *c = &search->cells[i];
		json_t *met = json_array();

		for (int o = 0; o < search->outcomes; o++)
			json_array_append_new(met,
					      json_integer(
						      (json_int_t)c->met[o]));
		json_array_append_new(a,
				      json_pack("{sI sI so}", "delay_ns",
						(json_int_t)c->delay, "rounds",
						(json_int_t)c->rounds, "met",
						met));
	}
	return a;
}

static json_t *window(const struct search *search)
{
	int64_t from, to;

	if (!search_window(search, &from, &to))
		return json_null();
	return json_pack("{sI sI}", "from_ns", (json_int_t)from, "to_ns",
			 (json_int_t)to);
}

static void show(const struct race_result *r)
{
	const struct search *search = &r->shared->search;
	double s = (double)r->shared->free_ms / 1000;
	char seed[32];

	snprintf(seed, sizeof(seed), "%#" PRIx64, r->seed);
	json_array_append_new(list,
			      json_pack("{ss ss ss ss ss sI sf sf sI so so so}",
					"name", r->race->name, "summary",
					r->race->summary, "outcome",
					race_end_name(r->end), "reason",
					r->reason, "seed", seed, "rounds",
					(json_int_t)search->rounds,
					"rounds_per_s",
					s > 0 ? (double)search->rounds / s : 0,
					"us_per_round",
					search->rounds ?
						s * 1e6 /
							(double)search->rounds :
						0,
					"ms", (json_int_t)r->ms, "outcomes",
					outcomes(r), "window", window(search),
					"histogram", histogram(search)));
}

static void end(const int *count, int status)
{
	struct utsname u;
	json_t *all;

	uname(&u);
	all = json_pack("{si ss so s{si si si si si} si}", "undead_race",
			UNDEAD_RACE_JSON, "kernel", u.release, "races", list,
			"count", "pass", count[RACE_PASS], "fail",
			count[RACE_FAIL], "broken", count[RACE_BROKEN], "skip",
			count[RACE_SKIP], "vacuous", count[RACE_VACUOUS],
			"status", status);
	json_dumpf(all, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
	putchar('\n');
	json_decref(all);
}

const struct race_out race_json = {
	.begin = begin,
	.show = show,
	.end = end,
};
