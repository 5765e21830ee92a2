#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A bisection with scripts/bisect in a short history of one file of a kernel: one
# commit breaks the autoreap of SIG_IGN, one does not build, the others change
# nothing. It has to name the first, and to skip the second.
. "$(dirname "$0")/../../scripts/lib.sh"

mkdir -p "$cache"
exec {lock}>"$cache/tree.lock"
flock -n "$lock" || die "another run is at it: $cache/tree.lock"
tree=$("$top/scripts/work-tree.sh")
file=kernel/signal.c
echo $file >"$tree.changed"
trap '"$top/scripts/work-tree.sh" restore >/dev/null' EXIT
cd "$tree"
git init -q
git config user.name nobody
git config user.email nobody@localhost
# What the change does, as a commit whose name it is.
change() {
	sed -i "$2" $file
	git add -f $file
	git commit -qm "$1"
}
# shellcheck disable=SC2016
{
change base ''
git tag base
change comment '$a/* one */'
change 'does not build' '$a#error no'
change 'builds again' '$d'
change 'breaks' 's/sa_handler == SIG_IGN ||/sa_handler == SIG_ERR ||/'
change 'comment again' '$a/* two */'
}

failed=0
# check TEXT SEEN WANTED
check() {
	n=$((n + 1))
	if [ "$2" = "$3" ]; then
		echo "ok $n $1"
	else
		echo "not ok $n $1: $2"
		failed=1
	fi
}

echo 1..3
n=0 status=0
"$top/scripts/bisect" no-such-scenario || status=$?
check 'a wrong name aborts' "$status" 128
git bisect start HEAD base >/dev/null
git bisect run "$top/scripts/bisect" sigchld >"$tree.log" 2>&1 || :
sed 's/^/# /' "$tree.log" | grep -E 'bisect|FAILED|first bad' || :
check 'the commit that does not build is skipped' \
	"$(git bisect log | sed -nE 's/^# skip: \[[0-9a-f]*\] //p')" 'does not build'
check 'the commit that breaks it is named' "$(git log -1 --format=%s refs/bisect/bad)" breaks
exit "$failed"
