#!/usr/bin/env bash
# Obtains iPXE, the first-stage boot program, from the package that Debian 13 (trixie) ships, and unpacks it under
# build/ipxe. The package comes over the machine's own apt configuration with the suite swapped; nothing is installed.
# Only a package whose SHA-256 stands in hack/ipxe.pin is accepted.
#
#   hack/ipxe.sh [FOLDER]
#
# IPXE_PIN="VERSION SHA256" in the environment accepts that package too.
set -euo pipefail
hack=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=hack/lib/apt.sh
. "$hack/lib/apt.sh"
suite=trixie
into=${1:-$(dirname "$hack")/build/ipxe}
cache=${TUGBOOT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/tugboot}

die() {
  echo "ipxe: $*" >&2
  exit 1
}

pins=$(grep -v '^#' "$hack/ipxe.pin"; echo "${IPXE_PIN:-}")
accepted() { # FILE
  local sum
  sum=$(sha256sum "$1" | cut -d' ' -f1)
  awk -v sum="$sum" '$2 == sum { found = 1 } END { exit !found }' <<<"$pins"
}

# The newest pinned package that the cache holds, else what the archive has now.
package=
while read -r version sum; do
  [ -n "$version" ] || continue
  held=$cache/ipxe-$sum.deb
  if [ -f "$held" ] && accepted "$held"; then package=$held; fi
done <<<"$pins"

if [ -z "$package" ]; then
  echo "downloading Debian $suite's package ipxe"
  scratch=$(mktemp -d -t tugboot-ipxe.XXXXXX)
  trap 'rm -rf "$scratch"' EXIT
  private_apt "$scratch" "$(dpkg --print-architecture)" "$suite"
  found=$(candidate ipxe)
  [ -n "$found" ] || die "no apt source of this machine offers ipxe in $suite: a Debian mirror that carries $suite is needed"
  fetch "$scratch/debs" "ipxe=$found"
  deb=$(echo "$scratch"/debs/ipxe_*.deb)
  sum=$(sha256sum "$deb" | cut -d' ' -f1)
  if ! accepted "$deb"; then
    echo "ipxe: the archive's package is none of those pinned in hack/ipxe.pin:" >&2
    awk 'NF == 2 { print "  expected " $1 "  sha256 " $2 }' <<<"$pins" >&2
    echo "  found    $found  sha256 $sum" >&2
    die "read its changelog, then add the line \"$found $sum\" to hack/ipxe.pin, or set IPXE_PIN to it for this once"
  fi
  package=$cache/ipxe-$sum.deb
  mkdir -p "$cache"
  cp "$deb" "$package.$$" && mv "$package.$$" "$package"
fi

stamp=$(basename "$package")
if [ "$(cat "$into/.package" 2>/dev/null)" = "$stamp" ]; then exit 0; fi
unpacked=$(mktemp -d -t tugboot-ipxe.XXXXXX)
trap 'rm -rf "$unpacked" "${scratch:-}"' EXIT
dpkg-deb -x "$package" "$unpacked"
rm -rf "$into"
mkdir -p "$into"
# The CD image is no use to a boot server.
find "$unpacked/usr/lib/ipxe" -maxdepth 1 \( -type f -o -type l \) ! -name '*.iso' -exec cp -P {} "$into/" \;
cp "$unpacked/usr/share/doc/ipxe/copyright" "$into/copyright"
echo "$stamp" >"$into/.package"
echo "iPXE $(dpkg-deb -f "$package" Version) is in $into"
