#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# race-mutant.sh RACE FUNCTION KIND N OPERATION: does the race find this mutant of
# the kernel (selftests/kernel/equivalent: "race only")? Status 0 if a promise is
# broken that it checks, or the kernel dies of it.
# Killed with -9, it takes its VM along.
#
# example: scripts/race-mutant.sh two-waiters wait_task_zombie condition 8 'forced false'
. "$(dirname "$0")/lib.sh"

[ $# = 5 ] || die "usage: race-mutant.sh RACE FUNCTION KIND N OPERATION"
case $5 in
negated) operation=1 ;;
'forced true') operation=2 ;;
'forced false') operation=3 ;;
'left out') operation=4 ;;
*) die "unknown operation '$5': take negated, forced true, forced false or left out" ;;
esac
kdir=$("$top/scripts/build-kernel.sh" mutants)
site=$(awk -F'\t' -v name="$operation $2 $3 $4" '$3 " " $6 " " $7 " " $8 == name { print $2; exit }' "$kdir/mutants.list")
[ -n "$site" ] || die "the kernel has no mutant '${*:2}': see $kdir/mutants.list"
setpriv --pdeathsig KILL "$top/scripts/vm.sh" --kdir "$kdir" --mem 1024 --timeout 300 -- sh -c "
	echo '$site $operation' >/sys/kernel/debug/undead_mutants/select || exit 125
	undead race --full --budget 2m $1" && status=0 || status=$?
case $status in
1) say "found: a promise was broken" ;;
126) say "found: the kernel died" ;;
*) die "not found, status $status: at 0 the race has passed, else see above" ;;
esac
