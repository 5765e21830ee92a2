#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# soak-catalogue.sh [--host] [--suite S] [BOOTS]: every scenario 200 times in a
# row beside two busy loops, in the VM, two to a boot, in BOOTS boots or as many
# as it takes. What is through at this commit is not played again, so that it
# can be stopped and begun again at any time.
#   --host  first on this machine, whatever needs neither module nor VM; then
#           the VM plays the rest
. "$(dirname "$0")/lib.sh"

suite=trixie boots=1000 host=''
while [ $# -gt 0 ]; do
	case $1 in
	--host) host=1 ;;
	--suite) suite=$2; shift ;;
	*) boots=$1 ;;
	esac
	shift
done
commit=$(git -C "$top" describe --always --dirty --abbrev=12)
dir=$top/build/soak/$commit
mkdir -p "$dir"
touch "$dir/record"
how=(--repeat 200 --busy 2 --record)
failed=0

# SKIP is no failure: for somebody else to play.
soak() {
	local status=0
	"$@" || status=$?
	case $status in
	0|4) ;;
	1|3) failed=1 ;;
	*) die "ended by $status: once more goes on from here" ;;
	esac
}

# Who has no line yet, or was only skipped on this machine.
left() {
	"$top/build/undead" list | cut -d' ' -f1 | grep -vxFf \
		<(awk -v here="$(uname -r)" '!($1 == here && $6) { print $2 }' "$dir/record") || :
}

[ -z "$host" ] || soak "$top/build/undead" run "${how[@]}" "$dir/record"
while [ "$boots" -gt 0 ] && mapfile -t some < <(left | head -n 2) && [ -n "${some[*]}" ]; do
	# shellcheck disable=SC2016
	soak "$top/scripts/vm.sh" --suite "$suite" --timeout 3600 --share "$dir" -- \
		sh -c 'undead run "$@"' sh "${how[@]}" /share/record "${some[@]}"
	boots=$((boots - 1))
done
awk -v left="$(left | wc -l)" '
{ if ($1 in n) n[$1]++; else n[$1] = 1; for (i = 3; i < 7; i++) sum[$1, i] += $i }
END {
	for (k in n)
		text = text sprintf("Linux %s: %d scenarios: %d passed, %d failed, %d broken, %d skipped; ",
			k, n[k], sum[k, 3], sum[k, 4], sum[k, 5], sum[k, 6])
	print "# summary: each 200 times in a row beside two busy loops: " text left " left"
}' "$dir/record"
exit "$failed"
