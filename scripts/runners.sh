#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# runners.sh: the table of docs/runners.md made anew, with this machine's
# runners, on the kernel of Debian 13 under virtme-ng.
. "$(dirname "$0")/lib.sh"

doc=$top/docs/runners.md
seen=$top/build/runners
mkdir -p "$seen"
"$top/scripts/vm.sh" --vng --mem 2048 --timeout 900 --add "$top/build/bench:/bench" -- \
	sh -c '/bench/runners && echo && uname -sr && dpkg-query -W coreutils util-linux tini' >"$seen/out" ||
	die "not measured"
with=$(sed '1,/^$/d' "$seen/out" | tr '\t' ' ' | paste -sd, | sed 's/,/, /g')
awk -v out="$seen/out" -v with="$with" '
/^Measured with / { $0 = "Measured with " with "." }
/^[|]/ {
	if (!done)
		while ((getline line <out) > 0 && line != "")
			print line
	done = 1
	next
}
{ print }' "$doc" >"$seen/doc"
cat "$seen/doc" >"$doc"
