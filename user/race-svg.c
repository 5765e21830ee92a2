// SPDX-License-Identifier: GPL-2.0
/*
 * Histograms as SVG: a bar for each delay, as high as the share of each outcome,
 * with the number of rounds above it; one race below the other. The picture is
 * written beside its name and renamed when it is whole.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "race-engine.h"

#define WIDTH 900
#define HIGH  260 /* of one race */
#define LEFT  20
#define TOP   60
#define BARS  120 /* height of a bar */
#define MAX   4096

static const char *const colours[RACE_OUTCOMES] = { "#3b6fb6", "#e0912f",
						    "#5a9e4b", "#a05195" };

static FILE *file;
static char final[MAX], unfinished[MAX + 16];
static int races_drawn;
static char *body;
static size_t body_size;

int race_svg_open(const char *path)
{
	if (strlen(path) >= sizeof(final))
		return -ENAMETOOLONG;
	strcpy(final, path);
	snprintf(unfinished, sizeof(unfinished), "%s.%d", path, getpid());
	file = open_memstream(&body, &body_size);
	return file ? 0 : -errno;
}

static void text(int x, int y, const char *anchor, const char *fmt, ...)
	__printf(4, 5);

static void text(int x, int y, const char *anchor, const char *fmt, ...)
{
	char buf[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(buf, sizeof(buf), fmt, args);
	va_end(args);
	fprintf(file, "<text x=\"%d\" y=\"%d\" text-anchor=\"%s\">", x, y,
		anchor);
	for (const char *p = buf; *p; p++)
		if (strchr("<>&", *p))
			fprintf(file, "&#%d;", *p);
		else
			fputc(*p, file);
	fputs("</text>\n", file);
}

static void draw_bar(const struct search *search, const struct cell *c, int x,
		     int width)
{
	uint64_t sum = 0, below = 0;
	int y = 0;

	for (int o = 0; o < search->outcomes; o++)
		sum += c->met[o];
	for (int o = 0; sum && o < search->outcomes; o++) {
		int to;

		below += c->met[o];
		to = (int)(below * BARS / sum);
		fprintf(file,
			"<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"%s\"><title>%" PRId64
			" ns: %" PRIu64 " of %" PRIu64 "</title></rect>\n",
			x, TOP + y, width, to - y, colours[o], c->delay,
			c->met[o], c->rounds);
		y = to;
	}
	fprintf(file,
		"<text transform=\"translate(%d %d) rotate(60)\" font-size=\"8\">%" PRId64
		"</text>\n",
		x, TOP + BARS + 10, c->delay);
}

static int draw_legend(const struct race_result *r)
{
	int x = LEFT;

	for (int o = 0; o < r->shared->search.outcomes; o++, x += 160) {
		fprintf(file,
			"<rect x=\"%d\" y=\"38\" width=\"10\" height=\"10\" fill=\"%s\"/>\n",
			x, colours[o]);
		text(x + 14, 47, "start", "%s %" PRIu64, r->race->outcomes[o],
		     r->shared->search.met[o]);
	}
	return x;
}

void race_svg_add(const struct race_result *r)
{
	const struct search *search = &r->shared->search;
	int used = 0, n = 0, width;

	if (!file || !search->rounds)
		return;
	for (int i = 0; i < search->nr; i++)
		used += search->cells[i].rounds > 0;
	width = (WIDTH - 2 * LEFT) / used;
	if (width > 40)
		width = 40;
	fprintf(file, "<g transform=\"translate(0 %d)\">\n",
		races_drawn++ * HIGH);
	text(LEFT, 20, "start", "%s: %s (%s, seed %#" PRIx64 ")", r->race->name,
	     race_end_name(r->end), r->race->summary, r->seed);
	text(draw_legend(r), 47, "start", "by delay of '%s', ns",
	     r->race->sides[0].name);
	for (int i = 0; i < search->nr; i++)
		if (search->cells[i].rounds)
			draw_bar(search, &search->cells[i], LEFT + n++ * width,
				 width - (width > 3));
	fputs("</g>\n", file);
}

/* Return: 0, or -errno. */
int race_svg_close(void)
{
	FILE *out;
	int err = 0;

	if (!file)
		return 0;
	fclose(file);
	file = NULL;
	out = fopen(unfinished, "we");
	if (!out)
		return -errno;
	fprintf(out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n",
		WIDTH, races_drawn * HIGH);
	fwrite(body, 1, body_size, out);
	free(body);
	fputs("</svg>\n", out);
	if (ferror(out))
		err = -EIO;
	if (fclose(out) && !err)
		err = -errno;
	if (!err && rename(unfinished, final))
		err = -errno;
	if (err)
		unlink(unfinished);
	return err;
}
