#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# docs.sh [--check]: the last column of the tables of docs/exit-path.md, made
# from what the scenarios say of themselves. A row of theirs that is not there,
# one of the tables that no scenario has, and a way out of a decision that
# neither a scenario nor the last table has, are errors.
. "$(dirname "$0")/lib.sh"

doc=$top/docs/exit-path.md
made=$(mktemp)
trap 'rm -f "$made"' EXIT
"$top/build/undead" list --rows | awk -F' *[|] *' '
NR == FNR {
	split($0, w, " ")
	name = w[1]
	sub(/[.][12]$/, "", name)
	taken[name] = taken[name] " " (name == w[1] ? name ".1 " name ".2" : w[1])
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
	if ($2 !~ /^A[0-9]/)
		for (way = 1; way <= 2; way++)
			if ($(3 + way) != "" && index(taken[$2] " ", " " $2 "." way " ") == 0)
				open[$2 "." way] = 1
}
/^[|] [A-Z]+[0-9.]+[, |]/ && NF == 4 {
	n = split($2, w, ", ")
	while (n)
		delete open[w[n--]]
}
{ print }
END {
	for (name in pinned)
		if (!(name in known)) {
			print pinned[name] " has " name ", which " FILENAME " has not" >"/dev/stderr"
			bad = 1
		}
	for (name in open) {
		print "neither a scenario nor a note has " name >"/dev/stderr"
		bad = 1
	}
	exit bad
}' - "$doc" >"$made" || die "$doc and the scenarios do not agree"
case ${1:-} in
--check) diff -u "$doc" "$made" || die "$doc is stale: run 'make docs'" ;;
*) cat "$made" >"$doc" ;;
esac
