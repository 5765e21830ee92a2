#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# soak.sh SEED KDIR: what takes hours, on the kernel KDIR, or on the debug kernel.
# A line for each run, passed or not, goes into docs/soak.md.
. "$(dirname "$0")/lib.sh"

seed=$1 kdir=$2
[ -n "$kdir" ] || kdir=$("$top/scripts/debug-kernel.sh")
commit=$(git -C "$top" describe --always --dirty --abbrev=12)
log=$top/build/soak.log
status=0
# shellcheck disable=SC2016
"$top/scripts/vm.sh" --kdir "$kdir" --mem 2048 --timeout 14400 --add "$top/build/fuzz:/fuzz" \
	--add "$top/build/kselftest/undead/warnings_test:/fuzz/warnings_test" -- \
	sh -c '/fuzz/fuzz --ops 1000000 --seed "$1" && /fuzz/warnings_test' sh "$seed" |
	tee "$log" || status=$?
summary=$(sed -n 's/^# summary: //p' "$log")
printf -- '- %s, commit %s: %s; exit status %s\n' "$(date -u +%F)" "$commit" \
	"${summary:-no result}" "$status" >>"$top/docs/soak.md"
exit "$status"
