// SPDX-License-Identifier: GPL-2.0
/*
 * libundead as a user of it has it: 'make install' into a folder, then a program
 * that pkg-config finds it for. argv[1], the tool, is not needed. Runs at the
 * top of the checkout.
 */
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scratch.h"

static char dir[128];
static int tests, failures;

/* Ends by SIGTERM what has left its group, and is told so. */
static const char program[] =
	"#include <errno.h>\n"
	"#include <signal.h>\n"
	"#include <stdio.h>\n"
	"#include <undead.h>\n"
	"int main(void)\n"
	"{\n"
	"	struct undead_options how = { sizeof(how) };\n"
	"	char *argv[] = { \"sh\", \"-c\", \"setsid sleep 1000 & exec sleep 1000\", NULL };\n"
	"	struct undead *u;\n"
	"	int event;\n"
	"	if (undead_start(&u, argv, &how))\n"
	"		return 1;\n"
	"	if (undead_wait(u, 500) != -ETIMEDOUT || undead_cancel(u, 0))\n"
	"		return 2;\n"
	"	do\n"
	"		event = undead_wait(u, -1);\n"
	"	while (event == UNDEAD_LEADER_ENDED);\n"
	"	if (event != UNDEAD_ENDED || undead_left(u, NULL, 0) > 0)\n"
	"		return 3;\n"
	"	printf(\"%d\\n\", undead_report(u)->status);\n"
	"	undead_free(u);\n"
	"	return 0;\n"
	"}\n";

static void check(const char *what, const char *command)
{
	char line[1024];
	bool ok;

	snprintf(line, sizeof(line), "exec 2>&1; D='%s'; %s", dir, command);
	ok = !system(line);
	printf("%s %d %s\n", ok ? "ok" : "not ok", ++tests, what);
	fflush(stdout);
	failures += !ok;
}

#define FIND                                                                             \
	"export PKG_CONFIG_SYSROOT_DIR=\"$D\" PKG_CONFIG_PATH=\"$D/opt/lib/pkgconfig\";" \
	"P=\"pkg-config --cflags --libs libundead\";"

#define EXPORTS \
	"nm -D --defined-only \"$D/opt/lib/libundead.so.0\" | sed 's/.* //' | "

int main(void)
{
	char path[256];
	FILE *f;

	if (!scratch_make(dir, sizeof(dir), "lib_test"))
		return 2;
	printf("TAP version 13\n");
	snprintf(path, sizeof(path), "%s/program.c", dir);
	f = fopen(path, "we");
	if (!f || fputs(program, f) < 0 || fclose(f))
		return 2;
	check("make install",
	      "make -s install DESTDIR=\"$D\" PREFIX=/opt >/dev/null");
	check("the tool, the header, the manual",
	      "cd \"$D/opt\" && test -x bin/undead -a -f include/undead.h -a -f share/man/man3/libundead.3");
	check("it exports undead_... and nothing else", EXPORTS
	      "grep -q '^undead_start' && ! " EXPORTS "grep -v ^undead_");
	check("each function is in the manual",
	      "! " EXPORTS
	      "while read -r n; do grep -q \"$n(\" \"$D/opt/share/man/man3/libundead.3\" || echo $n; done | grep .");
	check("a program that pkg-config finds it for", FIND
	      "cc -Wall -Wextra -Wno-missing-field-initializers -Werror -o \"$D/p\" \"$D/program.c\" $($P) && test \"$(LD_LIBRARY_PATH=$D/opt/lib \"$D/p\")\" = 15");
	check("the same, static", FIND
	      "cc -static -o \"$D/s\" \"$D/program.c\" $($P) && test \"$(\"$D/s\")\" = 15");
	printf("1..%d\n", tests);
	return failures ? 1 : 0;
}
