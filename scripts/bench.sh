#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# bench.sh SUITE: every figure beside its yardstick (selftests/bench/), measured
# alternately in the same run.
set -eu
cd "$(dirname "$0")/.."
suite=$1 runs=11
export UNDEAD_BENCH_JSON=${JSON:-}
[ -n "$UNDEAD_BENCH_JSON" ] || unset UNDEAD_BENCH_JSON

build/bench/compare 'warm make demo / the same VM with nothing to do' 3 $runs \
	"make -s demo SUITE=$suite >/dev/null 2>&1" \
	"scripts/vm.sh --suite $suite --no-module -- true >/dev/null 2>&1"
# In the guest: compare ARGUMENT...
guest() {
	scripts/vm.sh --suite "$suite" --cpus "${cpus:-2}" --mem 2048 --timeout 900 --add build/bench:/bench -- \
		env ${UNDEAD_BENCH_JSON:+UNDEAD_BENCH_JSON=1} PATH=/bench:/bin compare "$@"
}

# With two emulated CPUs both take 0.5 to 5 s, as the host pleases.
cpus=1 guest '200 reproductions / 200 x fork, thread, kill, reap' 2 $runs \
	'undead bench --rounds 200' 'yardstick 200'
guest -p us 'hold and release of a thread, all together: 10 000 held / 100 held' 1.5 $runs \
	'holds cycle 10000 1 all' 'holds cycle 100 100 all'
guest -p us 'hold and release of a thread, by its tid: 10 000 held / 100 held' 1.5 $runs \
	'holds cycle 10000 1 tid' 'holds cycle 100 100 tid'
guest -p us 'release to return in user space / the same of an eventfd' 1.5 $runs \
	'holds wake 500 undead' 'holds wake 500 eventfd'
guest -p B 'slab for each thread held / 256 B' 1 $runs \
	'holds slab 2000 read' 'echo 256'
guest -p B 'slab for each request held (aio) / 256 B' 1 $runs \
	'holds slab 2000 aio' 'echo 256'
