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
scripts/vm.sh --suite "$suite" --timeout 600 --add build/bench:/bench -- \
	env ${UNDEAD_BENCH_JSON:+UNDEAD_BENCH_JSON=1} PATH=/bench:/bin compare \
	'200 reproductions / 200 x fork, thread, kill, reap' 2 $runs \
	'undead bench --rounds 200' 'yardstick 200'
