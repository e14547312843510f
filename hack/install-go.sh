#!/usr/bin/env bash
# Makes sure that there is a Go new enough for go.mod. When the machine's own is too old, or there is none, Debian's
# package golang-go fetches the right one from Go's module proxy, as the go command itself does when it changes to
# another toolchain; it is checked against Go's checksum database and left in ~/.cache/tugboot/go, which the Makefile
# puts first in PATH.
set -euo pipefail
hack=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${TUGBOOT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/tugboot}
wanted=$(awk '$1 == "go" { go = $2 } $1 == "toolchain" { sub("go", "", $2); go = $2 } END { print go }' "$hack/../go.mod")

die() {
  echo "install-go: $*" >&2
  exit 1
}

# new_enough GO: whether that program is Go of at least the wanted version.
new_enough() {
  local have
  # Asked outside the module: inside it, an older Go would try to change to the wanted one.
  have=$(cd / && GOTOOLCHAIN=local "$1" version 2>/dev/null | awk '{ sub("go", "", $3); print $3 }') || return 1
  [ -n "$have" ] && [ "$(printf '%s\n%s\n' "$wanted" "$have" | sort -V | head -n 1)" = "$wanted" ]
}

if command -v go >/dev/null && new_enough go; then exit 0; fi

case $(uname -m) in
  x86_64) arch=amd64 ;;
  aarch64) arch=arm64 ;;
  *) die "no Go for $(uname -m) is known here: install Go $wanted and put it in PATH" ;;
esac
if ! command -v go >/dev/null; then "$hack/install-packages.sh" bootstrap-go; fi
echo "fetching Go $wanted"
started=$SECONDS
module=golang.org/toolchain@v0.0.1-go$wanted.linux-$arch
scratch=$(mktemp -d -t tugboot-go.XXXXXX)
trap 'chmod -R u+w "$scratch"; rm -rf "$scratch"' EXIT
# A module cache of its own, since what lies in a module cache is read-only and may be cleaned away.
if ! (cd "$scratch" && GOTOOLCHAIN=local GOFLAGS=-modcacherw GOMODCACHE=$scratch/modules go mod download "$module") >"$scratch/log" 2>&1; then
  tail -n 5 "$scratch/log" >&2
  die "Go's module proxy did not give $module: install Go $wanted by hand and put it in PATH"
fi
tree=$scratch/modules/$module
# Module archives hold no permissions; these are the programs in it.
chmod -R +x "$tree/bin" "$tree/pkg/tool"
mkdir -p "$cache"
rm -rf "$cache/go"
cp -r "$tree" "$cache/go"
new_enough "$cache/go/bin/go" || die "the Go that was fetched does not run"
echo "Go $wanted is in $cache/go after $((SECONDS - started)) s"
