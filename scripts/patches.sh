#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# patches.sh DIR: which of the -p1 patches in DIR to the newest kernel does the
# catalogue notice? One is built and booted after the other; a line for each. A
# patch that has its line for this catalogue is not built again.
. "$(dirname "$0")/lib.sh"

dir=$(cd "$1" && pwd)
kdir=$("$top/scripts/build-kernel.sh" gcov)
tree=$cache/patches-${kdir##*-}
key=$(cd "$top" && git ls-files -z user kmod | xargs -0 cat | cksum | cut -d' ' -f1)
results=$tree.results
exec {lock}>"$tree.lock"
flock -n "$lock" || die "another run is at it: $tree"

# A copy of its own, changed by one patch at a time; the first build in a new
# place is a whole one.
[ -e "$tree" ] || { rm -rf "$tree.tmp"; cp -a "$kdir" "$tree.tmp"; mv "$tree.tmp" "$tree"; }

# In TAP: what FAILED, or broke, and in which scenario
reason() { grep -m 1 -E '^# (FAILED|BROKEN): ' "$1" || echo '# -'; }
scenario() { sed -n 's/^not ok [0-9]* \([^ ]*\).*/\1/p' "$1" | head -n 1; }

try() {
	local log=$tree.log status=0 outcome
	SECONDS=0
	if ! make -s -C "$tree" -j"$(nproc)" bzImage modules >"$log" 2>&1; then
		outcome='does not build'
	else
		"$top/scripts/vm.sh" --kdir "$tree" --mem 1024 --timeout 300 --artifacts "$top/build/patches.vm" -- \
			undead run --tap --fail-fast >"$log" 2>"$log.err" || status=$?
		case $status in
		0) outcome=survived ;;
		1) outcome=noticed ;;
		124) outcome=hang ;;
		126) outcome=crashed ;;
		*) outcome=broken ;;
		esac
	fi
	printf '%s %s %-14s %s %ds %s %s\n' "$key" "$sum" "$outcome" "$1" "$SECONDS" \
		"$(scenario "$log")" "$(reason "$log")" | tee -a "$results" | cut -d' ' -f3-
}

touch "$results"
# First without any: what fails there says nothing of a patch.
for patch in /dev/null "$dir"/*.patch; do
	sum=$(cksum <"$patch" | cut -d' ' -f1)
	if grep "^$key $sum " "$results" | cut -d' ' -f3- | grep .; then continue; fi
	if [ "$patch" != /dev/null ]; then
		patch -s -d "$tree" -p1 --dry-run <"$patch" >&2 || die "$patch does not apply to this kernel"
		patch -s -d "$tree" -p1 <"$patch"
	fi
	try "${patch##*/}"
	[ "$patch" = /dev/null ] || patch -s -R -d "$tree" -p1 <"$patch"
done
