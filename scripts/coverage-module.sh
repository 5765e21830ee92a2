#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# coverage-module.sh: which lines of kmod/ the suite and a sample of the fuzzer
# run on the debug kernel; those that did not are to be in docs/device.md.
. "$(dirname "$0")/lib.sh"

need gcov gcc
kdir=$("$top/scripts/build-kernel.sh" debug)
out=$top/build/coverage-module
rm -rf "$out"
export UNDEAD_GCOV=1
# shellcheck disable=SC2016
UNDEAD_AFTER='for file in $(find /sys/kernel/debug/gcov -path "*/kmod/*.gcda"); do
	cat "$file" >"$UNDEAD_ARTIFACTS/${file##*/}"; done' \
	"$top/scripts/kselftest.sh" --kdir "$kdir" --timeout 3600 --artifacts "$out" \
	--add "$top/build/fuzz/fuzz:/kselftest/undead/fuzz"
cd "$(dirname "$("$top/scripts/kmod.sh" --kdir "$kdir")")"
[ -e "$out/hold.gcda" ] || die "the guest has sent no counts: see $out"
cp "$out"/*.gcda kmod
gcov -o kmod kmod/*.gcda >"$out/gcov.log"
exec "$top/build/lines" 95 "$top/docs/device.md" ./*.c.gcov
