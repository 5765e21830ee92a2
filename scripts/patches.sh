#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# patches.sh DIR: which of the -p1 patches in DIR to the newest kernel does the
# catalogue notice? One is built and booted after the other; a line for each. A
# patch that has its line for this catalogue is not built again; one that does not
# apply or build has its line as well. Ends with 1 if a scenario does not pass
# without any: what fails then says nothing of a patch.
. "$(dirname "$0")/lib.sh"

dir=$(cd "$1" && pwd) || die "there is no folder $1"
mkdir -p "$cache"
exec {lock}>"$cache/tree.lock"
flock -n "$lock" || die "another run is at it: $cache/tree.lock"
tree=$("$top/scripts/work-tree.sh")
key=$(cd "$top" && git ls-files -z user kmod | xargs -0 cat | cksum | cut -d' ' -f1)
results=$cache/patches.results
log=$tree.log

# In TAP: what FAILED and what it cites, or broke, and in which scenario; or why it
# was not played
reason() {
	sed -nE '/^# +FAILED/ { N; s/^# +//; s/\n# +/ | /; p; q }; /^# BROKEN/ { s/^# //; p; q }' "$log" | grep . ||
		sed -n '/error: \|FAILED\|find file/ { p; q }' "$log.make" | grep . || echo -
}
scenario() { sed -n 's/^not ok [0-9]* \([^ ]*\).*/\1/p' "$log" | head -n 1; }

apply() {
	[ "$patch" != /dev/null ] || return 0
	patch -f -d "$tree" -p1 --dry-run <"$patch" || return
	sed -nE 's,^(---|\+\+\+) [^/]*/([^[:space:]]*).*,\2,p' "$patch" >"$tree.changed"
	patch -s -d "$tree" -p1 <"$patch"
}

try() {
	local status=0 outcome
	SECONDS=0
	: >"$log"
	if ! apply >"$log.make"; then
		outcome='does not apply'
	elif ! make -s -C "$tree" -j"$(nproc)" bzImage modules >"$log.make" 2>&1; then
		outcome='does not build'
	else
		: >"$log.make"
		"$top/scripts/vm.sh" --kdir "$tree" --mem 1024 --timeout 900 --artifacts "$top/build/patches.vm" -- \
			undead run --tap --fail-fast --await 3s >"$log" 2>"$log.err" || status=$?
		case $status in
		0) outcome=survived ;;
		1) outcome=noticed ;;
		124) outcome=hang ;;
		126) outcome=crashed ;;
		*) outcome=broken ;;
		esac
	fi
	printf '%s %s %-14s %s %ds %s %s\n' "$key" "$sum" "$outcome" "$1" "$SECONDS" \
		"$(scenario)" "$(reason)" | tee -a "$results" | cut -d' ' -f3-
}

touch "$results"
for patch in /dev/null "$dir"/*.patch; do
	[ -e "$patch" ] || die "there is no .patch in $dir"
	sum=$(cksum <"$patch" | cut -d' ' -f1)
	if grep "^$key $sum " "$results" | cut -d' ' -f3- | grep .; then continue; fi
	try "${patch##*/}"
	"$top/scripts/work-tree.sh" restore >/dev/null
done
! grep "^$key $(cksum </dev/null | cut -d' ' -f1) " "$results" | grep -qv ' survived ' || exit 1
