// SPDX-License-Identifier: GPL-2.0
/*
 * 'undead why --from' on what the doctor was shown in VMs of several kernels:
 * selftests/snapshots/KERNEL/NAME, written by scripts/snapshots.sh. NAME is a
 * scenario or a scene, and what is to be said is what that declares. One that was
 * kept under the name of another is noticed.
 *
 * argv[1] is the tool.
 */
#include <glob.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../scenes/scene.h"
#include "runner.h"
#include "scenario.h"

extern const struct scene *__start_scenes[], *__stop_scenes[];

#define KEPT "selftests/snapshots/*/*"

static const char *tool;
static int tests, failures;

static void result(bool ok, const char *what, const char *path, const char *saw)
{
	printf("%s %d %s%s\n", ok ? "ok" : "not ok", ++tests, path, what);
	if (!ok)
		printf("# it says: %s\n", saw);
	failures += !ok;
}

/* NULL: there is no such scenario or scene. */
static const char *declared(const char *path)
{
	const char *name = strrchr(path, '/') + 1;
	const struct scenario *sc = scenario_find(name);

	if (sc)
		return sc->verdict;
	for (const struct scene **p = __start_scenes; p < __stop_scenes; p++)
		if (!strcmp((*p)->name, name))
			return (*p)->verdict;
	return NULL;
}

/* The verdict, "" for none, or where an escape has come through. */
static void ask_kept(const char *path, char *verdict, size_t size)
{
	static char text[1 << 20];
	const char *said;
	char args[512];
	json_t *json;

	snprintf(args, sizeof(args), "--json --from %s", path);
	scene_ask(tool, args, text, sizeof(text));
	json = json_loads(text, 0, NULL);
	said = json_string_value(
		json_object_get(json_array_get(json_object_get(json,
							       "processes"),
					       0),
				"verdict"));
	snprintf(verdict, size, "%s",
		 said && !strchr(text, '\033') ? said : "");
	json_decref(json);
}

/* Each, and then as if it were the one before it. */
static void play(char *const *paths, size_t n)
{
	const char *before = NULL;

	for (size_t i = 0; i < n; i++) {
		const char *wanted = declared(paths[i]);
		char said[64];

		ask_kept(paths[i], said, sizeof(said));
		result(wanted && !strcmp(said, wanted), "", paths[i], said);
		if (before && wanted && strcmp(before, wanted) != 0)
			result(strcmp(said, before), ", swapped: red", paths[i],
			       said);
		before = wanted;
	}
}

int main(int argc, char **argv)
{
	glob_t found;

	if (argc != 2 || glob(KEPT, 0, NULL, &found)) {
		fprintf(stderr,
			"usage: snapshot_test UNDEAD, in the folder above " KEPT
			"\n");
		return 2;
	}
	tool = argv[1];
	printf("TAP version 13\n");
	play(found.gl_pathv, found.gl_pathc);
	printf("1..%d\n", tests);
	globfree(&found);
	return failures != 0;
}
