#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# proc-table.sh [SUITE...]: the table of docs/proc-files.md, made anew from what
# the scenario proc-files says on the kernel of each suite.
. "$(dirname "$0")/lib.sh"

doc=$top/docs/proc-files.md
seen=$(mktemp -d)
trap 'rm -rf "$seen"' EXIT
[ $# -gt 0 ] || set -- bullseye bookworm trixie forky
for suite; do
	"$top/scripts/vm.sh" --suite "$suite" -- \
		sh -c 'uname -r; undead run proc-files' >"$seen/$suite" ||
		die "proc-files did not pass on $suite"
done
# A scene is "3. text", what it blocks "note   blocked: names".
(cd "$seen" && awk '
FNR == 1 {
	split($1, v, "[.]")
	kernels[++nk] = v[1] "." v[2]
}
/^[0-9]+[.] / {
	scene = $0
	sub(/^[0-9]+[.] /, "", scene)
	if (nk == 1)
		scenes[++ns] = scene
}
sub(/^ *note *blocked: /, "") { blocked[scene, nk] = $0 }
END {
	line = "| scene |"
	rule = "|---|"
	for (k = 1; k <= nk; k++) {
		line = line " " kernels[k] " |"
		rule = rule "---|"
	}
	print line
	print rule
	for (s = 1; s <= ns; s++) {
		line = "| " scenes[s] " |"
		for (k = 1; k <= nk; k++)
			line = line " " blocked[scenes[s], k] " |"
		print line
	}
}' "$@") >"$seen/table"
awk -v table="$seen/table" '
/^[|]/ {
	if (!done)
		while ((getline line <table) > 0)
			print line
	done = 1
	next
}
{ print }' "$doc" >"$seen/doc"
cat "$seen/doc" >"$doc"
