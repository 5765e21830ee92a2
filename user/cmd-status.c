// SPDX-License-Identifier: GPL-2.0
#include <getopt.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "core/dev.h"
#include "core/out.h"
#include "core/proc.h"

#define UNDEAD_STATUS_JSON 1

struct view {
	struct undead_info info;
	struct undead_counters count;
	struct undead_hold *holds;
	ssize_t n;
};

static const char *const reasons[UNDEAD_REASONS] = {
	[UNDEAD_REASON_REQUEST] = "request",
	[UNDEAD_REASON_DEADLINE] = "deadline",
	[UNDEAD_REASON_OWNER] = "owner",
	[UNDEAD_REASON_SIGNAL] = "signal",
	[UNDEAD_REASON_SHUTDOWN] = "shutdown",
};

static double held_for(const struct undead_hold *h)
{
	return (double)(now_ms() - (int64_t)(h->since_ns / 1000000)) / 1000;
}

static void name_of(const struct undead_hold *h, char *name, size_t size)
{
	struct proc_status st;

	if (h->tid && !proc_status(h->tgid, h->tid, &st))
		out_safe(name, size, st.name);
	else
		snprintf(name, size, "?");
}

static void show_text(const struct view *v)
{
	printf("held %u of at most %u, gates %u of at most %u, deadline %" PRIu64
	       " s (at most %" PRIu64 " s)\n",
	       v->info.holds, v->info.max_holds, v->info.gates,
	       v->info.max_gates, (uint64_t)v->info.default_deadline_ms / 1000,
	       (uint64_t)v->info.max_deadline_ms / 1000);
	printf("ever held %" PRIu64 ", passed %" PRIu64 ", refused %" PRIu64
	       "; released by",
	       (uint64_t)v->count.admitted, (uint64_t)v->count.passed,
	       (uint64_t)v->count.refused);
	for (int i = 0; i < UNDEAD_REASONS; i++)
		printf("%s %s %" PRIu64, i ? "," : "", reasons[i],
		       (uint64_t)v->count.released[i]);
	putchar('\n');
	if (v->n > 0)
		printf("%8s %6s %8s %8s %-10s %-16s %10s  %s\n", "HOLD", "GATE",
		       "TGID", "TID", "POINT", "KIND", "HELD", "NAME");
	for (ssize_t i = 0; i < v->n; i++) {
		const struct undead_hold *h = &v->holds[i];
		char name[128];

		name_of(h, name, sizeof(name));
		printf("%8" PRIu64 " %6" PRIu64
		       " %8d %8d %-10s %-16s %8.1f s  %s\n",
		       (uint64_t)h->id, (uint64_t)h->gate, h->tgid, h->tid,
		       dev_point_name(h->point), dev_kind_name(h->kind),
		       held_for(h), name);
	}
}

static void show_json(const struct view *v)
{
	json_t *holds = json_array(), *by = json_object(), *top;

	for (int i = 0; i < UNDEAD_REASONS; i++)
		json_object_set_new(by, reasons[i],
				    json_integer(
					    (json_int_t)v->count.released[i]));
	for (ssize_t i = 0; i < v->n; i++) {
		const struct undead_hold *h = &v->holds[i];
		char name[128];

		name_of(h, name, sizeof(name));
		json_array_append_new(holds,
				      json_pack("{sI sI si si ss ss sf ss}",
						"hold", (json_int_t)h->id,
						"gate", (json_int_t)h->gate,
						"tgid", h->tgid, "tid", h->tid,
						"point",
						dev_point_name(h->point),
						"kind", dev_kind_name(h->kind),
						"held_s", held_for(h), "name",
						name));
	}
	top = json_pack("{si si si si sI sI sI sI sI so so}", "undead_status",
			UNDEAD_STATUS_JSON, "abi", (int)v->info.abi, "gates",
			(int)v->info.gates, "held", (int)v->info.holds,
			"deadline_ms", (json_int_t)v->info.default_deadline_ms,
			"max_deadline_ms", (json_int_t)v->info.max_deadline_ms,
			"admitted", (json_int_t)v->count.admitted, "passed",
			(json_int_t)v->count.passed, "refused",
			(json_int_t)v->count.refused, "released", by, "holds",
			holds);
	json_dumpf(top, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
	putchar('\n');
	json_decref(top);
}

static int show(bool json)
{
	_cleanup_close_ int ctl = open_device(&cmd_status);
	struct view v = { 0 };
	int err;

	if (ctl < 0)
		return STATUS_BROKEN;
	err = dev_info(ctl, &v.info);
	if (!err)
		err = dev_counters(ctl, &v.count);
	if (!err) {
		v.n = dev_list(ctl, &v.holds);
		err = v.n < 0 ? (int)v.n : 0;
	}
	if (err) {
		complain(&cmd_status, "the device does not answer: %s",
			 strerror(-err));
		return STATUS_BROKEN;
	}
	if (json)
		show_json(&v);
	else
		show_text(&v);
	free(v.holds);
	return 0;
}

static int status(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, OPT_HELP },
		{ "json", no_argument, NULL, OPT_JSON },
		{ 0 }
	};
	bool json = false;
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
		switch (c) {
		case OPT_HELP:
			fputs(cmd_status.help, stdout);
			return 0;
		case OPT_JSON:
			json = true;
			break;
		default:
			return bad_option(&cmd_status, argv);
		}
	}
	if (optind < argc)
		return usage_error(&cmd_status, "'%s' is one argument too many",
				   argv[optind]);
	return show(json);
}

const struct command cmd_status = {
	.name = "status",
	.summary = "who is held, where, since when",
	.help = "Usage: undead status [--json]\n\n"
		"Lists every held thread of the system, the limits and the counters.\n\n"
		"Examples:\n"
		"  undead status\n"
		"  undead status --json | jq '.holds[].tid'\n\n"
		"Exit status: 0; 2 wrong usage; 3 no device.\n",
	.run = status,
};
