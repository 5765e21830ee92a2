// SPDX-License-Identifier: GPL-2.0
/*
 * The scripts with bad input, in a bad place or interrupted: each has its exit
 * status, its last line says what to do, and nothing but the cache's locks is
 * left. Runs at the top of the checkout and needs neither VM nor network.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scratch.h"

/*
 * $T is an empty folder. tree NAME CONFIG... makes a false kernel tree there,
 * stub NAME BODY a false command, and run COMMAND runs with the false commands
 * first and an empty cache.
 */
static const char prelude[] =
	"tree() { k=$T/$1; shift; mkdir -p $k/include/config $k/arch/x86/boot\n"
	"	echo 6.1.0-false >$k/include/config/kernel.release\n"
	"	touch $k/Makefile $k/Module.symvers $k/arch/x86/boot/bzImage\n"
	"	for o; do echo CONFIG_$o; done >$k/.config; }\n"
	"stub() { mkdir -p $T/bin; printf '#!/bin/sh\\n%s\\n' \"$2\" >$T/bin/$1\n"
	"	chmod +x $T/bin/$1; }\n"
	"run() { PATH=$T/bin:$PATH XDG_CACHE_HOME=$T/cache UNDEAD_MIRROR=http://mirror.invalid \"$@\"; }\n"
	"# sources RULE: of a false kernel, configured by RULE; $T/fetched and $T/built are run\n"
	"sources() { for c in bc bison flex; do stub $c true; done; stub df 'echo Avail; echo 9999999'\n"
	"	mkdir $T/src; : >$T/fetched; : >$T/built\n"
	"	printf 'allnoconfig:\\n\\t@%s\\nbzImage:\\n\\t@. $T/built\\nmodules:\\n' \"$1\" >$T/src/Makefile\n"
	"	stub mmdebstrap 'for d; do case $d in *.root) mkdir $d || exit 1; mkdir -p $d/usr/src; tar -cJf $d/usr/src/linux-source-9.tar.xz -C $T src;; esac; done; . $T/fetched'; }\n"
	"# what a root looks like: the name of its last folder is what counts\n"
	"ROOT='for d; do case $d in */root-*) mkdir -p $d/usr/bin; echo made >>$T/log;; esac; done'\n"
	"# lines PERCENT LISTED: one of two ran\n"
	"lines() { printf '%9s:%5s:%s;\\n' 1 1 a '#####' 2 '\tb' >$T/k.c.gcov\n"
	"	echo \"    $2\" >$T/doc; build/lines $1 $T/doc $T/k.c.gcov >&2; }\n"
	"# coverage REASONS: of a program with a branch that is not taken\n"
	"coverage() { top=$PWD; cd $T\n"
	"	printf 'int f(int x)\\n{\\n\\tif (x)\\n\\t\\treturn 1;\\n\\treturn 2;\\n}\\n' >c.c\n"
	"	echo 'int f(int); int main(void) { return f(1) - 1; }' >main.c\n"
	"	echo core c.c f >functions; echo \"$1\" >reasons\n"
	"	gcc --coverage -c c.c && gcc --coverage main.c c.o && ./a.out &&\n"
	"	$top/build/coverage-table . . functions reasons >&2; }\n"
	"# mutants EQUIVALENT: three; a VM that is false notices one, the next crashes\n"
	"# it, nobody reaches the last\n"
	"mutants() { echo \"$1\" >$T/equivalent; echo f >$T/cited\n"
	"	printf '%s k.c 3 f condition %s -\\n' '1 1 1' 1 '2 1 2' 1 '3 2 1' 2 >$T/mutants.list\n"
	"	stub vm 'case $2 in survey) echo reach s 1 5 0300;;\n"
	"		*) echo start 1; echo noticed 1 s 5 text; echo start 2; exit 126;; esac'\n"
	"	build/mutants run $T $T key -- $T/bin/vm && build/mutants table $T $T key $T/equivalent $T/cited >&2; }\n"
	"export T ROOT\n";

static const struct call {
	const char *name, *command;
	int status;
	const char *says;
} calls[] = {
	{ "unknown suite", "scripts/root.sh woody", 125, "take bullseye" },
	{ "unknown option", "scripts/vm.sh --frobnicate", 125, "see --help" },
	{ "option without value", "scripts/vm.sh --suite", 125,
	  "wants a value" },
	{ "share that is not there", "scripts/vm.sh --share $T/none -- true",
	  125, "no such folder" },

	{ "KDIR: no folder", "scripts/kmod.sh --kdir $T/none", 125,
	  "no such folder" },
	{ "KDIR: no kernel tree", "scripts/kmod.sh --kdir $T", 125,
	  "is no kernel tree" },
	{ "KDIR: not configured, or built with O=",
	  "tree k; rm $T/k/.config; scripts/kmod.sh --kdir $T/k", 125,
	  "output folder if it was built with O=" },
	{ "KDIR: configured, not built",
	  "tree k MODULES=y; rm -r $T/k/include; scripts/kmod.sh --kdir $T/k",
	  125, "is not built: run make" },
	{ "KDIR: kernel without modules", "tree k; scripts/kmod.sh --kdir $T/k",
	  125, "set CONFIG_MODULES=y" },
	{ "KDIR: enforced signatures",
	  "tree k MODULES=y MODULE_SIG_FORCE=y; scripts/kmod.sh --kdir $T/k",
	  125, "unset CONFIG_MODULE_SIG_FORCE" },
	{ "KDIR: MODVERSIONS without Module.symvers",
	  "tree k MODULES=y MODVERSIONS=y; : >$T/k/Module.symvers; scripts/kmod.sh --kdir $T/k",
	  125, "no Module.symvers" },
	{ "KDIR: built by clang, and clang is not here",
	  "tree k MODULES=y CC_IS_CLANG=y; mkdir $T/bin; for c in bash dirname cat sed; do ln -s $(command -v $c) $T/bin; done\n"
	  "PATH=$T/bin bash scripts/kmod.sh --kdir $T/k",
	  125, "clang is missing" },
	{ "KDIR: no image to boot",
	  "tree k MODULES=y; rm $T/k/arch/x86/boot/bzImage; scripts/vm.sh --kdir $T/k -- true",
	  125, "bzImage is missing" },
	{ "KDIR: no virtio",
	  "tree k DEVTMPFS=y; scripts/vm.sh --no-module --accel tcg --artifacts $T/artifacts --kdir $T/k -- true",
	  125, "lacks what the VM needs: CONFIG_VIRTIO_PCI" },

	{ "QEMU is missing",
	  "mkdir $T/bin; ln -s /usr/bin/* /bin/* $T/bin 2>/dev/null; rm -f $T/bin/qemu-system-x86_64\n"
	  "PATH=$T/bin scripts/vm.sh -- true",
	  125, "make deps" },
	{ "no network on the first run",
	  "stub mmdebstrap 'echo \"E: Temporary failure resolving\" >&2; mkdir ${1%/*} 2>/dev/null; exit 1'\n"
	  "run scripts/root.sh trixie",
	  125, "check the network" },
	{ "the disk is full at once",
	  "stub df 'echo Avail; echo 1000'; stub mmdebstrap true; run scripts/root.sh trixie",
	  125, "set XDG_CACHE_HOME" },
	{ "the disk is full later",
	  "stub mmdebstrap 'echo \"write: No space left on device\" >&2; exit 1'; run scripts/root.sh trixie",
	  125, "the disk is full" },
	{ "the cache cannot be written",
	  "stub mmdebstrap true; XDG_CACHE_HOME=/proc/none scripts/root.sh trixie",
	  125, "set XDG_CACHE_HOME" },
	{ "no mount rights, as in an unprivileged container",
	  "stub unshare 'exit 1'; PATH=$T/bin:$PATH scripts/kmod.sh", 125,
	  "no right to mount here" },

	{ "a run that was killed half-way is repaired",
	  "stub mmdebstrap \"$ROOT; kill -9 \\$PPID\"; run scripts/root.sh trixie\n"
	  "[ -d $T/cache/undead/root-*.tmp ] || exit 1\n"
	  "stub mmdebstrap \"$ROOT\"; run scripts/root.sh trixie && [ ! -e $T/cache/undead/root-*.tmp ]",
	  0, "" },
	{ "two runs at once make it once",
	  "stub mmdebstrap \"$ROOT; timeout 9 sh -c 'until grep -q waiting $T/err; do :; done'\"; : >$T/err\n"
	  "run scripts/root.sh trixie >$T/1 & until [ -s $T/log ]; do :; done\n"
	  "run scripts/root.sh trixie >$T/2 2>$T/err; wait; cmp $T/1 $T/2 && [ \"$(cat $T/log)\" = made ]",
	  0, "" },
	{ "the debug kernel: killed as it is fetched, and as it compiles",
	  "sources 'cp $(KCONFIG_ALLCONFIG) .config'\n"
	  "echo 'kill -9 $PPID' >$T/fetched; run scripts/build-kernel.sh debug\n"
	  "[ -d $T/cache/undead/source-sid.tmp.root ] || exit 1; : >$T/fetched\n"
	  "echo 'p=$PPID; for i in 1 2; do read _ _ _ p _ </proc/$p/stat; done; kill -9 $p' >$T/built; run scripts/build-kernel.sh debug\n"
	  "[ -d $T/cache/undead/kernel-debug-*.tmp ] || exit 1; : >$T/built\n"
	  "run scripts/build-kernel.sh debug && cat scripts/base.config scripts/debug.config | cmp - $T/cache/undead/kernel-debug-*[0-9]/.config",
	  0, "" },
	{ "the debug kernel: an option that is not taken",
	  "sources 'grep -v KASAN $(KCONFIG_ALLCONFIG) >.config'; run scripts/source.sh 2>$T/err; run scripts/build-kernel.sh debug",
	  125, "does not take CONFIG_KASAN=y" },
	{ "a mutant for a race: no such operation",
	  "scripts/race-mutant.sh two-waiters do_wait condition 1 upside-down",
	  125, "take negated, forced true" },
	{ "a second run needs no network",
	  "root=$(scripts/root.sh trixie) && unshare -rn scripts/root.sh trixie >$T/out && grep -qx \"$root\" $T/out",
	  0, "" },

	{ "kill -9 of a test that has a folder leaves none",
	  "mkdir -p $T/w/scripts; printf '#!/bin/sh\nexec sleep 1\n' >$T/w/scripts/vm.sh; chmod +x $T/w/scripts/vm.sh\n"
	  "tests=$PWD/build; cd $T/w; wait_for() { T=$T timeout 9 sh -c \"until $1; do :; done\" >&2; }\n"
	  "for t in host/script_test host/reboot_test 'vm/vm_test trixie'; do\n"
	  "	TMPDIR=$T $tests/$t >$T/o 2>&1 &\n"
	  "	wait_for '[ -d $T/undead-* ]' && kill -9 $! && wait_for '[ ! -d $T/undead-* ]' || exit 1\n"
	  "done",
	  0, "" },

	{ "tally: a plan not kept",
	  "build/tally -t x 'echo 1..2; echo ok 1' >&2", 1,
	  "1 passed, 1 failed, 0 skipped" },
	{ "tally: no test at all", "build/tally -t x true >&2", 1,
	  "0 passed, 1 failed, 0 skipped" },
	{ "tally: a failure that only the status shows",
	  "build/tally -t x 'echo ok 1; exit 3' >&2", 1,
	  "1 passed, 1 failed, 0 skipped" },
	{ "tally: a wrapped program that failed silently",
	  "build/tally -t x 'echo \"# ok 1\"; echo not ok 1 selftests: y' >&2",
	  1, "1 passed, 1 failed, 0 skipped" },
	{ "tally: nothing but SKIP",
	  "build/tally -t x 'echo ok 1 z \\# SKIP y' >&2", 1,
	  "0 passed, 0 failed, 1 skipped" },
	{ "tally: why it is no PASS, for all that have it",
	  "a='echo ok 1 x \\# SKIP no x; echo \"# BROKEN: no y\"; echo not ok 2 y'\n"
	  "build/tally --table --side-by-side 2 -t a \"$a\" -t b 'echo ok 1 x \\# SKIP no x; echo ok 2 y' >$T/o\n"
	  "grep -qx 'SKIP x, a, b: no x' $T/o && grep -qx 'BROKEN y, a: no y' $T/o &&\n"
	  "grep -qxE 'y +BROKEN +PASS' $T/o && grep -qx '1 passed, 1 failed, 2 skipped' $T/o",
	  0, "" },
	{ "tally: a suite that is gone from the mirror is a SKIP",
	  "mkdir -p $T/mirror/dists; export XDG_CACHE_HOME=$T/cache UNDEAD_MIRROR=file://$T/mirror\n"
	  "build/tally --table -s 'module on bullseye' 'scripts/kmod.sh --suite bullseye' \\\n"
	  "	-t bullseye 'scripts/kselftest.sh --suite bullseye' -s z true >$T/o 2>$T/err\n"
	  "grep -q 'is not on the Debian mirror any more' $T/err &&\n"
	  "grep -qx 'SKIP all of bullseye: gone from the mirror' $T/o && grep -qx '1 passed, 0 failed, 2 skipped' $T/o",
	  0, "" },
	{ "lines: what did not run is listed", "lines 50 'k.c: b;'", 0, "" },
	{ "lines: too few ran", "lines 51 'k.c: b;'", 1, "" },
	{ "lines: what did not run is not listed", "lines 50 ''", 1, "" },
	{ "lines: what is listed did run", "lines 50 \"k.c: b;\n    k.c: a;\"",
	  1, "" },
	{ "coverage: a branch that cannot be taken, and was not",
	  "coverage 'f 2: defensive for nobody calls it with 0'", 0, "" },
	{ "coverage: a branch that cannot be taken, and was",
	  "coverage 'f 1: defensive' 2>&1 | grep 'f branch 1 .*was taken' && exit 3",
	  3, "" },
	{ "coverage: a reason for no branch", "coverage 'f 7: race'", 1, "" },
	{ "coverage: no reason", "coverage 'f 2: because'", 125,
	  "'because' is no reason" },
	{ "mutants: noticed, crashed, unreached", "mutants ''; exit 9", 9,
	  "# score: 50.0 %" },
	{ "mutants: an equivalent one that was not noticed",
	  "mutants 'f condition 2 negated: x'; exit 9", 9, "# score: 100.0 %" },
	{ "mutants: an equivalent one that was noticed",
	  "mutants 'f condition 1 negated: x'", 1, "# score: 50.0 %" },
	{ "bisect: no such scenario",
	  "tree k; d=$PWD; cd $T/k; $d/scripts/bisect nonsense", 128,
	  "there is no scenario 'nonsense'" },
	{ "bisect: not configured",
	  "d=$PWD; cd $T; $d/scripts/bisect zombie-leader", 128,
	  "has no .config" },
	{ "bisect: a commit that does not build",
	  "tree k; d=$PWD; cd $T/k; $d/scripts/bisect zombie-leader", 125,
	  "does not build, it is skipped" },
	{ "bisect: unknown option", "scripts/bisect --crash perhaps", 128,
	  "bad, good or skip" },
	{ "tally: the sum of tallies",
	  "build/tally -r x 'echo 2 passed, 0 failed, 1 skipped' -s y true | grep -qx '3 passed, 0 failed, 1 skipped'",
	  0, "" },
	{ "tally: what failed is told again before the sum",
	  "build/tally -r a 'build/tally -t b \"echo not ok 1 c\" -s d \"exit 3\"' | tail -3 >$T/o\n"
	  "printf '# failed: a: %s\\n' 'b: c' 'd: exit status 3' >$T/want; echo '0 passed, 2 failed, 0 skipped' >>$T/want\n"
	  "cmp $T/o $T/want",
	  0, "" },
};

static char top[1024];
static int tests, failures;

static void check(const struct call *c)
{
	char dir[sizeof(top) + 8], command[16384];
	char line[1024], last[1024] = "";
	int status, lines = 0;
	bool ok, left;
	FILE *err;

	snprintf(dir, sizeof(dir), "%s/XXXXXX", top);
	if (!mkdtemp(dir))
		exit(1);
	snprintf(command, sizeof(command), "T=%s\n%s{ %s\n} 2>&1 >$T/stdout",
		 dir, prelude, c->command);
	err = popen(command, "r");
	while (err && fgets(line, sizeof(line), err)) {
		strcpy(last, line);
		lines++;
	}
	status = err ? pclose(err) : -1;
	status = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
	snprintf(command, sizeof(command),
		 "find %s/cache %s/artifacts -name '*.tmp*' -o -name 'guest*' 2>/dev/null | grep -q .",
		 dir, dir);
	left = !system(command);
	ok = status == c->status && !left &&
	     (!c->status ||
	      (strstr(last, c->says) && (lines <= 2 || c->status != 125)));
	printf("%s %d %s\n", ok ? "ok" : "not ok", ++tests, c->name);
	if (!ok)
		printf("# status %d, expected %d; %d lines, last \"%.*s\"%s\n",
		       status, c->status, lines, (int)strcspn(last, "\n"), last,
		       left ? "; something was left" : "");
	failures += !ok;
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	if (system(command))
		failures++;
}

int main(void)
{
	if (!scratch_make(top, sizeof(top), "script"))
		return 1;
	setlinebuf(stdout);
	printf("TAP version 13\n");
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
		check(&calls[i]);
	printf("1..%d\n", tests);
	return !!failures;
}
