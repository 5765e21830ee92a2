#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# docs.sh [--check]: the last column of the tables of docs/exit-path.md, made
# from what the scenarios say of themselves. A row of theirs that is not there,
# or one of the tables that no scenario has, is an error.
. "$(dirname "$0")/lib.sh"

doc=$top/docs/exit-path.md
made=$(mktemp)
trap 'rm -f "$made"' EXIT
"$top/build/undead" list --rows | awk -F' *[|] *' '
NR == FNR {
	split($0, w, " ")
	name = w[1]
	sub(/[.][12]$/, "", name)
	pinned[name] = pinned[name] (pinned[name] ? ", " : "") w[2] \
		(name == w[1] ? "" : " (" substr(w[1], length(name) + 1) ")")
	next
}
/^[|] [A-Z]+[0-9]+ [|]/ && NF > 4 {
	if (!($2 in pinned)) {
		print "no scenario has " $2 >"/dev/stderr"
		bad = 1
	}
	sub(/[^|]*[|]$/, " " pinned[$2] " |")
	known[$2] = 1
}
{ print }
END {
	for (name in pinned)
		if (!(name in known)) {
			print pinned[name] " has " name ", which " FILENAME " has not" >"/dev/stderr"
			bad = 1
		}
	exit bad
}' - "$doc" >"$made" || die "$doc and the scenarios do not agree"
case ${1:-} in
--check) diff -u "$doc" "$made" || die "$doc is stale: run 'make docs'" ;;
*) cat "$made" >"$doc" ;;
esac
