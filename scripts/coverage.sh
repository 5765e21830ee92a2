#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# coverage.sh [COMMAND...]: what COMMAND (the whole catalogue; 'true' is a boot
# and nothing else) takes of the branches of selftests/kernel/functions, on the
# kernel that counts them. A table on stdout, JSON in build/coverage/.
. "$(dirname "$0")/lib.sh"

kernel=$top/selftests/kernel
counts=$top/build/coverage
[ $# -gt 0 ] || set -- undead run
kdir=$("$top/scripts/build-kernel.sh" gcov)
rm -rf "$counts"
mkdir -p "$counts"
# shellcheck disable=SC2016
"$top/scripts/vm.sh" --kdir "$kdir" --mem 1024 --timeout 900 --artifacts "$counts" -- sh -c '
	"$@" >$UNDEAD_ARTIFACTS/output
	status=$?
	for file in $(find /sys/kernel/debug/gcov -name "*.gcda"); do
		cat $file >$UNDEAD_ARTIFACTS/${file##*/}
	done
	exit $status' sh "$@" || { status=$?; tail -n 30 "$counts/output"; die "'$*' ended with $status: $counts/output"; }
exec "$top/build/coverage-table" "$kdir" "$counts" "$kernel/functions" "$kernel/unreachable" "$counts/coverage.json"
