#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# soak.sh SEED [VM-OPTION...]: what takes hours. A line for each run, passed or
# not, goes into docs/soak.md.
. "$(dirname "$0")/lib.sh"

seed=$1
shift
commit=$(git -C "$top" describe --always --dirty --abbrev=12)
log=$top/build/soak.log
status=0
"$top/scripts/vm.sh" --timeout 7200 "$@" --add "$top/build/fuzz:/fuzz" -- \
	/fuzz/fuzz --ops 1000000 --seed "$seed" | tee "$log" || status=$?
summary=$(sed -n 's/^# summary: //p' "$log")
printf -- '- %s, commit %s: %s\n' "$(date -u +%F)" "$commit" \
	"${summary:-no result, status $status}" >>"$top/docs/soak.md"
exit "$status"
