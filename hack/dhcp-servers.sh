#!/usr/bin/env bash
# Prints a folder with newer DHCP servers than Debian 12 has, for tests to set beside the installed ones. In it, for each
# Debian suite named below: SUITE/bin/{dnsmasq,kea-dhcp4}, Kea's hook libraries in SUITE/hooks, and what it is in
# SUITE/versions. The packages and all that they need come over the machine's own apt configuration with the suite
# swapped; they are unpacked, not installed, and run with the libraries of their own suite.
#
# The folder stays in the cache, about 120 MB; REFRESH=1 asks the archive again.
set -euo pipefail
hack=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=hack/lib/apt.sh
. "$hack/lib/apt.sh"
cache=${TUGBOOT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/tugboot}

die() {
  echo "dhcp-servers: $*" >&2
  exit 1
}

# at_least SUITE PACKAGE VERSION fails unless the archive has that version or a newer one.
at_least() {
  local found
  found=$(candidate "$2")
  [ -n "$found" ] || die "no apt source of this machine offers $2 in $1: a Debian mirror that carries $1 is needed"
  dpkg --compare-versions "$found" ge "$3" || die "$1 has $2 $found, and $3 or newer is needed"
  echo "$2 $found" >>"$made/$1/versions"
}

# wrap SUITE PROGRAM writes the script that runs it: its own suite's loader takes its own suite's libraries.
wrap() {
  cat >"$made/$1/bin/$2" <<'WRAPPER'
#!/bin/sh
suite=$(cd "$(dirname "$0")/.." && pwd)
export KEA_HOOKS_PATH="$suite/hooks" KEA_LFC_EXECUTABLE="$suite/bin/kea-lfc"
libraries=$(echo "$suite"/root/usr/lib/*-linux-gnu*)
exec "$libraries"/ld-linux-*.so.* --library-path "$libraries" "$suite/root/usr/sbin/$(basename "$0")" "$@"
WRAPPER
  chmod 755 "$made/$1/bin/$2"
}

# make_suite SUITE KEA fills the suite's folder; KEA is the oldest version that will do.
make_suite() {
  local suite=$1 folder=$made/$1 deb program libraries
  echo "dhcp-servers: downloading dnsmasq and Kea of Debian $suite" >&2
  mkdir -p "$folder"/{bin,root}
  private_apt "$scratch/$suite" "$(dpkg --print-architecture)" "$suite"
  at_least "$suite" dnsmasq-base 2.91
  at_least "$suite" kea-dhcp4-server "$2"
  closure "$folder/debs" dnsmasq-base kea-dhcp4-server
  for deb in "$folder"/debs/*.deb; do dpkg-deb -x "$deb" "$folder/root"; done
  # What no daemon reads.
  rm -rf "$folder/debs" "$folder"/root/{etc,var} "$folder"/root/usr/{bin,share,lib/systemd,lib/*/systemd,lib/*/gconv}
  libraries=$(echo "$folder"/root/usr/lib/*-linux-gnu*)
  ln -s "root/usr/lib/$(basename "$libraries")/kea/hooks" "$folder/hooks"
  for program in dnsmasq kea-dhcp4 kea-lfc; do wrap "$suite" "$program"; done
  "$folder/bin/dnsmasq" --version >/dev/null || die "dnsmasq of $suite does not run here"
  "$folder/bin/kea-dhcp4" -v >/dev/null || die "kea-dhcp4 of $suite does not run here"
}

folder=$cache/dhcp-servers-$(dpkg --print-architecture)-$(cat "$hack/dhcp-servers.sh" "$hack/lib/apt.sh" | sha256sum | cut -c1-16)
if [ -z "${REFRESH:-}" ] && [ -d "$folder" ]; then
  echo "$folder"
  exit 0
fi
started=$SECONDS
mkdir -p "$cache"
scratch=$(mktemp -d -t tugboot-dhcp-servers.XXXXXX)
made=$(mktemp -d "$cache/dhcp-servers.XXXXXX")
trap 'rm -rf "$scratch" "$made"' EXIT
chmod 755 "$made"
make_suite trixie 2.6 # Debian 13
make_suite forky 3.0  # the one after it
rm -rf "$folder"
mv -T "$made" "$folder"
for suite in trixie forky; do sed "s/^/dhcp-servers: $suite has /" "$folder/$suite/versions" >&2; done
echo "dhcp-servers: made in $((SECONDS - started)) s" >&2
echo "$folder"
