// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <limits.h>
#include <signal.h>
#include <string.h>

#include "answer.h"
#include "command.h"
#include "doctor.h"
#include "drgn.h"

#define UNDEAD_WHY_JSON 1

enum {
	OPT_SNAPSHOT = OPT_OWN,
	OPT_FROM,
	OPT_DRGN,
};

enum {
	WHY_HEALTHY,
	WHY_STUCK,
	WHY_UNKNOWN = 3,
};

static bool as_drgn;

static int save(const struct snap *s, const char *path)
{
	_cleanup_file_ FILE *f = fopen(path, "we");

	if (f && !snap_save(s, f))
		return 0;
	complain(&cmd_why, "cannot write %s: %m", path);
	return WHY_UNKNOWN;
}

/* hidepid=2 says of others that they are not there; kill() knows. */
static void cannot_look(pid_t pid, int err, bool live)
{
	bool there = live && (!kill(pid, 0) || errno == EPERM);

	if (err == -ESRCH && !there)
		complain(&cmd_why, "there is no process %d", pid);
	else if (err == -ESRCH || err == -EPERM || err == -EACCES)
		complain(&cmd_why,
			 "process %d is there, but /proc does not show it to us (hidepid): ask as root",
			 pid);
	else
		complain(&cmd_why, "cannot look at %d: %s", pid,
			 strerror(-err));
}

/* Return: WHY_*; one more object in @all, or text. */
static int explain(struct snap *s, pid_t pid, bool live, json_t *all)
{
	static struct finding f;
	struct patient p = { .asked = pid, .or_group = true };
	const struct verdict *v;

	examine(s, &p, 1);
	if (p.err) {
		cannot_look(pid, p.err, live);
		patient_free(&p);
		return WHY_UNKNOWN;
	}
	v = judge(&p, &f);
	if (all)
		json_array_append_new(all, answer_json(&p, v, &f));
	else if (as_drgn)
		drgn_lines(&p, v, stdout);
	else
		answer_text(stdout, &p, v, &f);
	patient_free(&p);
	if (!v)
		return WHY_UNKNOWN;
	return v->stuck ? WHY_STUCK : WHY_HEALTHY;
}

static int explain_live(const char *text, const char *to, json_t *all)
{
	struct snap *s;
	uint64_t pid;
	int result;

	if (parse_number(text, INT_MAX, &pid) || !pid)
		return usage_error(&cmd_why, "'%s' is no process id", text);
	s = snap_live();
	if (!s) {
		complain(&cmd_why, "no memory");
		return WHY_UNKNOWN;
	}
	if (to)
		snap_to_save(s);
	result = explain(s, (pid_t)pid, true, all);
	if (to && save(s, to))
		result = WHY_UNKNOWN;
	snap_free(s);
	return result;
}

static int explain_file(const char *from, json_t *all)
{
	_cleanup_file_ FILE *f = fopen(from, "re");
	struct snap *s;
	int err, result;

	if (!f) {
		complain(&cmd_why, "cannot read %s: %m", from);
		return WHY_UNKNOWN;
	}
	s = snap_load(f, &err);
	if (!s) {
		complain(&cmd_why,
			 "%s: not written by 'undead why --snapshot': %s", from,
			 strerror(-err));
		return WHY_UNKNOWN;
	}
	result = explain(s, snap_first(s), false, all);
	snap_free(s);
	return result;
}

static void print_json(json_t *all)
{
	json_t *top = json_pack("{si so}", "undead_why", UNDEAD_WHY_JSON,
				"processes", all);

	json_dumpf(top, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
	putchar('\n');
	json_decref(top);
}

static int all_of(char **pids, const char *from, const char *to, json_t *all)
{
	int result = WHY_HEALTHY;

	if (from)
		return explain_file(from, all);
	for (; *pids; pids++) {
		int one = explain_live(*pids, to, all);

		if (one == STATUS_USAGE)
			return one;
		if (one > result)
			result = one;
	}
	return result;
}

static int why(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, OPT_HELP },
		{ "json", no_argument, NULL, OPT_JSON },
		{ "snapshot", required_argument, NULL, OPT_SNAPSHOT },
		{ "from", required_argument, NULL, OPT_FROM },
		{ "drgn", no_argument, NULL, OPT_DRGN },
		{ 0 }
	};
	const char *from = NULL, *to = NULL;
	json_t *all = NULL;
	int c, result;

	opterr = 0;
	as_drgn = false;
	while ((c = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
		switch (c) {
		case OPT_HELP:
			fputs(cmd_why.help, stdout);
			return 0;
		case OPT_JSON:
			all = all ? all : json_array();
			break;
		case OPT_SNAPSHOT:
			to = optarg;
			break;
		case OPT_FROM:
			from = optarg;
			break;
		case OPT_DRGN:
			as_drgn = true;
			break;
		default:
			return bad_option(&cmd_why, argv);
		}
	}
	argc -= optind;
	if (all && as_drgn)
		return usage_error(&cmd_why, "--json or --drgn, not both");
	if (from ? argc || to : !argc)
		return usage_error(&cmd_why, from ? "--from FILE stands alone" :
						    "which process?");
	if (to && argc > 1)
		return usage_error(&cmd_why, "--snapshot takes one process");
	result = all_of(argv + optind, from, to, all);
	if (all && result != STATUS_USAGE)
		print_json(all);
	return result;
}

const struct command cmd_why = {
	.name = "why",
	.summary = "explain a zombie or a process that cannot be killed",
	.help = "Usage: undead why [--json | --drgn] [--snapshot FILE] PID...\n"
		"       undead why [--json | --drgn] --from FILE\n\n"
		"Looks at a process (or thread) twice and says what keeps it: the cause, the\n"
		"thread that blocks, what helps and what is no use. Needs neither the module\n"
		"nor root; root sees kernel stacks. What may hang is read by a child that is\n"
		"given up after 30 ms.\n\n"
		"  --snapshot FILE   keep what was read, for --from, here or elsewhere\n"
		"  --from FILE       the same answer from that file\n"
		"  --drgn            Python instead, for drgn: what to look at next in the kernel\n"
		"  --json            docs/json.md\n"
		"  -h, --help        this text\n\n"
		"Examples:\n"
		"  undead why 4711\n"
		"  undead why --snapshot /tmp/4711 4711\n"
		"  undead why --drgn 4711 >/tmp/4711.py; drgn /tmp/4711.py\n"
		"  undead why --json $(ps -eo pid=,stat= | awk '$2 ~ /^[ZD]/ {print $1}')\n\n"
		"Exit status: 0 healthy; 1 stuck, with a verdict; 2 wrong usage; 3 could not\n"
		"tell. Of several processes: the largest.\n",
	.run = why,
};
