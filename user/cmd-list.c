// SPDX-License-Identifier: GPL-2.0
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "runner.h"
#include "scenario.h"

#define UNDEAD_LIST_JSON 1

static json_t *strings(const char *const *list)
{
	json_t *a = json_array();

	for (; list && *list; list++)
		json_array_append_new(a, json_string(*list));
	return a;
}

static json_t *words(const char *text)
{
	json_t *a = json_array();

	for (; text && *text; text += strspn(text, " ")) {
		size_t n = strcspn(text, " ");

		json_array_append_new(a, json_stringn(text, n));
		text += n;
	}
	return a;
}

static void list_json(const struct scenario *const *all, size_t n)
{
	json_t *list = json_array(), *top;

	for (size_t i = 0; i < n; i++)
		json_array_append_new(list,
				      json_pack("{ss ss sb sb sb so so ss*}",
						"name", all[i]->name, "summary",
						all[i]->summary, "needs_device",
						!!(all[i]->needs & NEED_DEVICE),
						"needs_root",
						!!(all[i]->needs & NEED_ROOT),
						"needs_vm",
						!!(all[i]->needs & NEED_VM),
						"watches",
						strings(all[i]->watches),
						"rows", words(all[i]->rows),
						"verdict", all[i]->verdict));
	top = json_pack("{si so}", "undead_list", UNDEAD_LIST_JSON, "scenarios",
			list);
	json_dumpf(top, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);
	putchar('\n');
	json_decref(top);
}

/* For scripts/docs.sh. */
static void list_rows(const struct scenario *const *all, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		json_t *rows = words(all[i]->rows);

		for (size_t j = 0; j < json_array_size(rows); j++)
			printf("%s %s\n",
			       json_string_value(json_array_get(rows, j)),
			       all[i]->name);
		json_decref(rows);
	}
}

static int list(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, OPT_HELP },
		{ "json", no_argument, NULL, OPT_JSON },
		{ "rows", no_argument, NULL, 'r' },
		{ 0 }
	};
	const struct scenario *const *all;
	bool json = false, rows = false;
	size_t n;
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
		switch (c) {
		case OPT_HELP:
			fputs(cmd_list.help, stdout);
			return 0;
		case OPT_JSON:
			json = true;
			break;
		case 'r':
			rows = true;
			break;
		default:
			return bad_option(&cmd_list, argv);
		}
	}
	if (optind < argc)
		return usage_error(&cmd_list, "'%s' is one argument too many",
				   argv[optind]);
	all = scenarios(&n);
	if (json)
		list_json(all, n);
	else if (rows)
		list_rows(all, n);
	else
		for (size_t i = 0; i < n; i++)
			printf("%-26s %s\n", all[i]->name, all[i]->summary);
	return 0;
}

const struct command cmd_list = {
	.name = "list",
	.summary = "list the scenarios",
	.help = "Usage: undead list [--json | --rows]\n\n"
		"Lists every scenario with one line on what it makes; with --rows the\n"
		"decisions of docs/exit-path.md, each with a scenario that takes it.\n\n"
		"Examples:\n"
		"  undead list\n"
		"  undead list --json | jq -r '.scenarios[].name'\n\n"
		"Exit status: 0; 2 wrong usage.\n",
	.run = list,
};
