#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# soak.sh SEED KDIR: what takes hours: a million fuzzed operations on the kernel
# KDIR, or on the debug kernel, the doctor's races and fuzzer, the catalogue 200
# times, and all mutants of the kernel. A line for each, passed or not, goes into
# docs/soak.md.
. "$(dirname "$0")/lib.sh"

seed=$1 kdir=$2
[ -n "$kdir" ] || kdir=$("$top/scripts/build-kernel.sh" debug)
commit=$(git -C "$top" describe --always --dirty --abbrev=12)
log=$top/build/soak.log
failed=0

# record COMMAND...: run it, and write down what its summary says
record() {
	local status=0 summary
	"$@" | tee "$log" || status=$?
	summary=$(sed -n 's/^# summary: //p' "$log")
	printf -- '- %s, commit %s: %s; exit status %s\n' "$(date -u +%F)" "$commit" \
		"${summary:-no result}" "$status" >>"$top/docs/soak.md"
	[ "$status" = 0 ] || failed=1
}

# shellcheck disable=SC2016
record "$top/scripts/vm.sh" --kdir "$kdir" --mem 2048 --timeout 14400 --add "$top/build/fuzz:/fuzz" \
	--add "$top/build/kselftest/undead/warnings_test:/fuzz/warnings_test" -- \
	sh -c '/fuzz/fuzz --ops 1000000 --seed "$1" && /fuzz/warnings_test' sh "$seed"
record "$top/scripts/soak-doctor.sh"
record "$top/scripts/soak-catalogue.sh"
record "$top/scripts/mutants.sh"
exit "$failed"
