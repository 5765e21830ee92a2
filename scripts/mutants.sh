#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# mutants.sh [--sample N] [--first N] [--only FUNCTION...] [--left EQUIVALENT]: which mutants of
# the kernel does the catalogue notice? All of them, or N drawn by the commit. What
# is known already is not run again: results are kept in the cache, by kernel and
# catalogue. A table in build/.
. "$(dirname "$0")/lib.sh"

which=("$@")
[ "${1:-}" != --sample ] || which=("${@:1:2}" "$(git -C "$top" rev-parse HEAD)" "${@:3}")
kernel=$top/selftests/kernel
kdir=$("$top/scripts/build-kernel.sh" mutants)
folder=$cache/mutants-${kdir##*-}
key=$(cd "$top" && git ls-files -z user kmod | xargs -0 cat | cksum | cut -d' ' -f1)
mkdir -p "$folder" "$top/build"
touch "$folder/plan"
exec {lock}>"$folder/lock"
flock -n "$lock" || die "another run is at it: $folder"
for file in "$top"/user/scenarios/*.c; do
	functions=$(grep -oE '[a-z_0-9]+\(' "$file" | tr -d '(' | sort -u | tr '\n' ' ')
	grep -oP '\.name = "\K[^"]+' "$file" | while read -r name; do
		echo "$name $functions"
	done
done >"$folder/cites"
status=0
"$top/build/mutants" run "$folder" "$kdir" "$key" "${which[@]}" -- \
	"$top/scripts/vm.sh" --kdir "$kdir" --mem 1024 --timeout 3600 \
	--artifacts "$top/build/mutants.vm" \
	--add "$top/build/drive:/drive" --add "$folder/plan:/plan" -- >&2 || status=$?
[ "$status" -le 1 ] || exit "$status"
grep -rhoE '"[a-z_0-9]+\(\):' "$top/user" | tr -d '"():' | sort -u >"$folder/cited"
"$top/build/mutants" table "$folder" "$kdir" "$key" "$kernel/equivalent" "$folder/cited" >"$top/build/mutants.txt" || status=$?
grep "^#" "$top/build/mutants.txt"
exit "$status"
