# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Sourced by the other scripts: messages, the checkout, the cache.
set -Eeuo pipefail
# What nobody foresaw has its line as well.
trap 'status=$?; case $status in 77|125) exit "$status" ;; esac; say "failed ($status) at line $LINENO: ${BASH_COMMAND%%$'"'\\n'"'*}"; exit 125' ERR

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
PATH=$PATH:/usr/sbin:/sbin
cache=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/undead

EX_SETUP=125		# our own set-up failed; the message says what to do
EX_GONE=77		# what it needs is gone from the mirror

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
die() { say "$*"; exit "$EX_SETUP"; }

# need COMMAND PACKAGE...: COMMAND is there, or we say how to get it
need() {
	command -v "$1" >/dev/null ||
		die "$1 is missing: run 'make deps', or install ${*:2}"
}

# need_space KB: room for that much in the cache
need_space() {
	local avail
	mkdir -p "$cache" 2>/dev/null ||
		die "cannot make $cache: set XDG_CACHE_HOME to a folder you can write"
	avail=$(df --output=avail -k "$cache" | tail -n 1)
	[ "$avail" -ge "$1" ] ||
		die "$cache has $((avail / 1024)) MB left and $(($1 / 1024)) are needed: free some, or set XDG_CACHE_HOME"
}

# make_once NAME FUNCTION: print $cache/NAME, made by FUNCTION TMP if it is not
# there. Made beside and renamed, under a lock that the makers inherit: what is
# found there under the lock is the rest of a run that was killed.
make_once() {
	local entry=$cache/$1 lock status
	if [ ! -e "$entry" ]; then
		mkdir -p "$cache" 2>/dev/null ||
			die "cannot make $cache: set XDG_CACHE_HOME to a folder you can write"
		exec {lock}>"$entry.lock"
		flock -n "$lock" || { say "waiting for another run that makes $1"; flock "$lock"; }
		if [ ! -e "$entry" ]; then
			rm -rf "$entry.tmp"
			"$2" "$entry.tmp" >&2 || {
				status=$?
				rm -rf "$entry.tmp"
				[ "$status" = "$EX_GONE" ] || status=$EX_SETUP
				exit "$status"
			}
			mv -T "$entry.tmp" "$entry"
		fi
		exec {lock}>&-
	fi
	printf '%s\n' "$entry"
}

# progress WHAT [TOTAL]: pass on what is read, and every 5 s say how long it took,
# and how many of about TOTAL lines came. Ends with the script, however that does,
# and what writes to it then ends as well.
progress() {
	local line status n=0 since=$SECONDS next=5
	while kill -0 $$ 2>/dev/null; do
		IFS= read -r -t 5 line && status=0 || status=$?
		if [ "$status" = 0 ]; then
			printf '%s\n' "$line"
			n=$((n + 1))
		elif [ "$status" -le 128 ]; then
			return 0
		fi
		[ $((SECONDS - since)) -ge "$next" ] || continue
		next=$((SECONDS - since + 5))
		say "$1: $((SECONDS - since)) s${2:+, $n of about $2}"
	done
}

# The Debian mirror of this machine's own apt configuration.
mirror() {
	local uri=${UNDEAD_MIRROR:-}
	[ -n "$uri" ] || uri=$(apt-get indextargets --format '$(REPO_URI)' \
		'Created-By: Packages' 'Origin: Debian' 'Label: Debian' | head -n 1)
	[ -n "$uri" ] || uri=$(apt-get indextargets --format '$(REPO_URI)' \
		'Created-By: Packages' | grep -m 1 '/debian/$' || :)
	[ -n "$uri" ] ||
		die "apt knows no Debian mirror here: run 'apt-get update', or set UNDEAD_MIRROR to the URL of one"
	printf '%s\n' "$uri"
}

# gone LOG: the mirror answers, and does not have the suite
gone() {
	grep -qE 'does not have a Release file|404 +Not Found' "$1" &&
		! grep -qE 'resolving|Could not connect|Cannot initiate|unreachable|timed out' "$1"
}

# explain LOG WHAT: one line of why apt could not, and what to do
explain() {
	if gone "$1"; then
		say "$2: it is not on the Debian mirror any more (UNDEAD_MIRROR may be one that keeps it)"
	elif grep -qE 'No space left|enough free space' "$1"; then
		say "$2: the disk is full: free some room in $cache, or set XDG_CACHE_HOME"
	elif grep -qE 'resolving|Could not connect|Cannot initiate|unreachable|timed out|Failed to fetch' "$1"; then
		say "$2: the Debian mirror does not answer: check the network (or set UNDEAD_MIRROR); once made it is kept and needs none"
	else
		say "$2: $(grep -E '^E:' "$1" | head -n 1 || tail -n 1 "$1")"
	fi
}

# fetch DIR SUITE PACKAGES WHAT: unpacked into DIR and not installed, so that no
# privilege is needed; else one line of why there is no WHAT
fetch() {
	local log=$1.log url status=1
	url=$(mirror)
	need mmdebstrap mmdebstrap
	rm -rf "$1"
	if ! mmdebstrap --variant=extract --mode=chrootless \
	     --aptopt='Acquire::Check-Valid-Until "false"' \
	     --include="$3" "$2" "$1" "$url" 2>&1 | progress fetching >"$log"; then
		explain "$log" "there is no $4"
		gone "$log" && status=$EX_GONE
		rm -rf "$log" "$1"
		return "$status"
	fi
	rm "$log"
}

# fetch_source DIR SUITE [PATTERN...]: the sources of a kernel, or what matches
fetch_source() {
	local dir=$1 suite=$2 status
	shift 2
	fetch "$dir.root" "$suite" linux-source "sources of $suite" || return
	mkdir "$dir"
	tar -xvf "$dir".root/usr/src/linux-source-*.tar.xz -C "$dir" \
		--strip-components=1 --wildcards "$@" | progress unpacking >/dev/null && status=0 || status=1
	rm -rf "$dir.root"
	return "$status"
}
