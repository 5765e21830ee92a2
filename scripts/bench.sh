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
in=("${guest[@]}" -- "${env[@]}")
measure -p us 'hold and release of a thread, all together: 10 000 held / 100 held' 1.5 \
	'holds cycle 10000 1 all' 'holds cycle 100 100 all'
measure -p us 'hold and release of a thread, by its tid: 10 000 held / 100 held' 1.5 \
	'holds cycle 10000 1 tid' 'holds cycle 100 100 tid'
measure -p us 'release to return in user space / the same of an eventfd' 1.5 \
	'holds wake 500 undead' 'holds wake 500 eventfd'
measure -p B 'slab for each thread held / 256 B' 1 \
	'holds slab 2000 read' 'echo 256'
measure -p B 'slab for each request held (aio) / 256 B' 1 \
	'holds slab 2000 aio' 'echo 256'
