#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# soak-catalogue.sh [--host] [--suite S] [BOOTS]: every scenario 200 times in a
# row, four scenarios beside one another, which keeps two CPUs loaded, or, if it
# changes the machine, alone beside two busy loops; in the VM, twelve to a boot, in
# BOOTS boots or as many as it takes. What is through at this commit is not played
# again, so that it can be stopped and begun again at any time.
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
# Who has no line yet, or was only skipped on this machine. Half a line is none.
left() {
	"$top/build/undead" list --json | awk -F '"' -v alone="$1" '
		$2 == "name" { name = $4 }
		$2 == "needs_vm" && $3 ~ alone { print name }' | grep -vxFf \
		<(awk -v here="$(uname -r)" 'NF == 7 && !($1 == here && $6) { print $2 }' "$dir/record") || :
}

# play WORKERS NAME...: in the VM. What failed is in the record.
play() {
	local workers=$1 before; shift
	before=$(left . | wc -l)
	# shellcheck disable=SC2016
	"$top/scripts/vm.sh" --suite "$suite" --mem 1024 --timeout 7200 --share "$dir" -- \
		sh -c 'printf "%s\n" "$@" | xargs -n 1 -P '"$workers undead run $how /share/record" sh "$@" || :
	[ "$(left . | wc -l)" -lt "$before" ] || die "nothing is through in a whole boot: see above"
}

how='--repeat 200 --record'
# shellcheck disable=SC2086
[ -z "$host" ] || left false | xargs -n 1 -P 4 "$top/build/undead" run $how "$dir/record" || :
while [ "$boots" -gt 0 ]; do
	if mapfile -t some < <(left false | head -n 12) && [ -n "${some[*]}" ]; then
		play 4 "${some[@]}"
	elif mapfile -t some < <(left true | head -n 12) && [ -n "${some[*]}" ]; then
		how="--busy 2 $how" play 1 "${some[@]}"
	else
		break
	fi
	boots=$((boots - 1))
done
awk -v left="$(left . | wc -l)" '
{ bad = bad || $4 + $5; if ($1 in n) n[$1]++; else n[$1] = 1; for (i = 3; i < 7; i++) sum[$1, i] += $i }
END {
	for (k in n)
		text = text sprintf("Linux %s: %d scenarios: %d passed, %d failed, %d broken, %d skipped; ",
			k, n[k], sum[k, 3], sum[k, 4], sum[k, 5], sum[k, 6])
	print "# summary: each 200 times in a row, four at a time: " text left " left"
	exit bad
}' "$dir/record"
