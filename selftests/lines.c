// SPDX-License-Identifier: GPL-2.0
/*
 * lines PERCENT DOC FILE.c.gcov...: how many lines of these files ran, at least
 * PERCENT; and are those that did not the very lines that DOC gives a reason
 * for? There they are indented by four, "    hold.c: return NULL;", as often as
 * they are in the file. TAP on stdout.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_LISTED 256
#define LINE       512

static struct {
	char text[LINE];
	bool seen;
} listed[MAX_LISTED];
static int nr_listed, lines, ran, unlisted;

static void read_doc(const char *path)
{
	FILE *file = fopen(path, "r");
	char line[LINE], name[64];

	while (file && nr_listed < MAX_LISTED &&
	       fgets(line, sizeof(line), file)) {
		if (sscanf(line, "    %63[a-z].c: ", name) != 1 ||
		    !strstr(line, ".c: "))
			continue;
		line[strcspn(line, "\n")] = 0;
		strcpy(listed[nr_listed++].text, line + 4);
	}
	if (file)
		fclose(file);
}

static bool is_listed(const char *text)
{
	for (int i = 0; i < nr_listed; i++)
		if (!listed[i].seen && !strcmp(listed[i].text, text))
			return listed[i].seen = true;
	return false;
}

/* "    #####:   12:	text", where ##### is a count, or - for no code. */
static void read_gcov(const char *path)
{
	const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	char line[LINE], count[32], text[LINE + 64];
	FILE *file = fopen(path, "r");
	int number, at;

	while (file && fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = 0;
		if (sscanf(line, " %31[^:]: %d:%n", count, &number, &at) != 2 ||
		    !number || !strcmp(count, "-"))
			continue;
		lines++;
		if (*count != '#' && *count != '=') {
			ran++;
			continue;
		}
		at += (int)strspn(line + at, " \t");
		snprintf(text, sizeof(text), "%.*s: %s",
			 (int)(strlen(name) - strlen(".gcov")), name,
			 line + at);
		if (is_listed(text))
			continue;
		printf("# did not run, line %d: %s\n", number, text);
		unlisted++;
	}
	if (file)
		fclose(file);
}

int main(int argc, char **argv)
{
	int wanted = argc > 2 ? atoi(argv[1]) : 0, stale = 0;
	bool enough;

	if (argc < 4) {
		fputs("usage: lines PERCENT DOC FILE.c.gcov...\n", stderr);
		return 2;
	}
	read_doc(argv[2]);
	for (int i = 3; i < argc; i++)
		read_gcov(argv[i]);
	for (int i = 0; i < nr_listed; i++)
		if (!listed[i].seen) {
			printf("# did run, or is gone: %s\n", listed[i].text);
			stale++;
		}
	enough = lines && ran * 100 >= lines * wanted;
	printf("%sok 1 - %d of %d lines ran, %.1f %%, at least %d %%\n",
	       enough ? "" : "not ", ran, lines,
	       lines ? ran * 100.0 / lines : 0, wanted);
	printf("%sok 2 - the others are in %s, with a reason\n",
	       unlisted ? "not " : "", argv[2]);
	printf("%sok 3 - and nothing else is\n1..3\n", stale ? "not " : "");
	return !enough || unlisted || stale;
}
