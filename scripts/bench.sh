#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# bench.sh SUITE: every figure beside its yardstick (selftests/bench/), measured
# alternately in the same run. What is measured, and a dot each second, are on
# stderr.
. "$(dirname "$0")/lib.sh"
cd "$top"
suite=$1 runs=11
export UNDEAD_BENCH_JSON=${JSON:-}
[ -n "$UNDEAD_BENCH_JSON" ] || unset UNDEAD_BENCH_JSON

while kill -0 $$ 2>/dev/null; do printf . >&2; sleep 1; done &
trap 'kill $!' EXIT

# measure [-p UNIT] NAME GOAL COMMAND YARDSTICK, with compare run by "$@" of $in
measure() {
	local unit=() result
	[ "$1" != -p ] || { unit=(-p "$2"); shift 2; }
	printf '%s\n' "$1" >&2
	result=$("${in[@]}" compare "${unit[@]}" "$1" "$2" "$runs" "$3" "$4" 2>"$top/build/bench.log") ||
		{ echo >&2; cat "$top/build/bench.log" >&2; printf '%s\n' "$result" >&2; die "not measured: $1"; }
	echo >&2
	printf '%s\n' "$result"
}

PATH=$top/build/bench:$PATH in=(env)
measure 'warm make demo / the same VM with nothing to do' 3 \
	"make -s demo SUITE=$suite >/dev/null" \
	"scripts/vm.sh --suite $suite --no-module -- true >/dev/null"

# With two emulated CPUs both take 0.5 to 5 s, as the host pleases.
guest=(scripts/vm.sh --suite "$suite" --mem 2048 --timeout 900 --add build/bench:/bench)
env=(env ${UNDEAD_BENCH_JSON:+UNDEAD_BENCH_JSON=1} PATH=/bench:/bin)
in=("${guest[@]}" --cpus 1 -- "${env[@]}")
measure '200 reproductions / 200 x fork, thread, kill, reap' 2 \
	'undead bench --rounds 200' 'yardstick 200'
plain=$(UNDEAD_BREAK=no-trace-events scripts/kmod.sh --suite "$suite")
in=("${guest[@]}" --add "$plain:/undead/plain.ko" -- "${env[@]}")
# The goal of rounds a second is half of the yardstick's: twice its time.
race="undead race --full --budget 2s --json"
figure='sed -n "s/.*us_per_round\": \([0-9.]*\).*/\1/p"'
measure -p us 'a round of a race of 3 threads / barrier and join of 3 threads' 2 \
	"$race lifecycle | $figure" 'barrier threads 3'
measure -p us 'a round of a race of 2 processes / fork, barrier and reap of 2 processes' 2 \
	"$race exit-parent-child | $figure" 'barrier processes 2'
measure -p us 'hold and release of a thread, all together: 10 000 held / 100 held' 1.5 \
	'holds cycle 10000 1 all' 'holds cycle 100 100 all'
measure -p us 'hold and release of a thread, by its tid: 10 000 held / 100 held' 1.5 \
	'holds cycle 10000 1 tid' 'holds cycle 100 100 tid'
with='undead unload && undead load --module /undead/undead.ko && holds cycle 1000 20 all'
measure -p us 'hold and release, events off / a module without events' 1.1 \
	"$with" "${with/undead.ko/plain.ko}"
measure -p us 'release to return in user space / the same of an eventfd' 1.5 \
	'holds wake 500 undead' 'holds wake 500 eventfd'
measure -p B 'slab for each thread held / 256 B' 1 \
	'holds slab 2000 read' 'echo 256'
measure -p B 'slab for each request held (aio) / 256 B' 1 \
	'holds slab 2000 aio' 'echo 256'
measure -p us 'SIGKILL and reaping of 1 000: undead exec / kill(-pgid) and wait()' 2 \
	'cancel undead 1000 best' 'cancel kill 1000'
PATH=$top/build:$PATH in=(env)
measure -p us 'start to exec: undead exec / timeout' 1.5 \
	'cancel exec 100 undead exec --timeout 1h --' 'cancel exec 100 timeout 1h'
# A crowd, and in it what looks at everybody.
PATH=$top/build/bench:$PATH in=(crowd 2000 5)
scan='undead scan >/dev/null; [ $? -le 1 ]'
measure 'undead scan of 2 000 processes with 5 threads / a walk of /proc/PID/status' 1.5 \
	"$scan" 'crowd walk'
measure 'undead scan of 2 000 processes with 5 threads / ps -eLo pid,tid,stat,wchan:32' 0.1 \
	"$scan" 'ps -eLo pid,tid,stat,wchan:32 >/dev/null'
measure -p kB 'undead scan of 2 000 processes: memory / 8 MB' 1 \
	'crowd rss undead scan' 'echo 8192'
in=(crowd 20000 1)
measure 'undead scan of 20 000 processes / a walk of /proc/PID/status' 1.5 \
	"$scan" 'crowd walk'
measure -p kB 'undead scan of 20 000 processes: memory / 8 MB' 1 \
	'crowd rss undead scan' 'echo 8192'
# Less the pause before its second look; 5 ms more.
measure -p ms 'undead why in 20 000 processes, without its pause / undead why --help and 5 ms' 1 \
	'crowd ms 40 undead why 1' 'crowd ms -5 undead why --help'
