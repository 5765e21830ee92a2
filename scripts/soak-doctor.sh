#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# soak-doctor.sh [SECONDS]: of make soak the doctor: pids that die or are reused
# at each of its reads, 10 000 times, and its parsers and --from fuzzed with
# sanitizers for 10 minutes, or so long. As root, or the first is skipped.
. "$(dirname "$0")/lib.sh"

seconds=${1:-600}
log=$(mktemp)
trap 'rm -f "$log"' EXIT
failed=0

{
	REUSE_ROUNDS=10000 "$top/build/host/reuse_test" || failed=1
	make -s -C "$top" fuzz-doctor TIME="$seconds" 2>&1 || failed=1
	[ "$failed" = 0 ] || echo failed
} | tee "$log"
printf '# summary: doctor: %s; fuzzed, sanitizers on: %s\n' \
	"$(sed -n 's/^\(not \)*ok 1 //p' "$log")" \
	"$(sed -n 's/^Done \(.*\)/\1, no finding/p' "$log")"
! grep -qx failed "$log"
