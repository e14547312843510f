#!/usr/bin/env bash
# Prints a folder with other people's TFTP servers, for the conformance suite to set beside Tugboot: in it bin/in.tftpd of
# tftpd-hpa and bin/atftpd, and what they are in versions. Debian lets nobody install the two together; they are unpacked, not
# installed, with the libraries that they need, and nothing is started.
#
# The folder stays in the cache, about 5 MB; REFRESH=1 asks the archive again.
set -euo pipefail
hack=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${TUGBOOT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/tugboot}

die() {
  echo "tftp-servers: $*" >&2
  exit 1
}

# wrap PROGRAM writes the script that runs it, with the libraries beside it before those of the host.
wrap() {
  cat >"$made/bin/$1" <<'WRAPPER'
#!/bin/sh
folder=$(cd "$(dirname "$0")/.." && pwd)
LD_LIBRARY_PATH=$(echo "$folder"/root/usr/lib/*-linux-gnu*)
export LD_LIBRARY_PATH
exec "$folder/root/usr/sbin/$(basename "$0")" "$@"
WRAPPER
  chmod 755 "$made/bin/$1"
}

folder=$cache/tftp-servers-$(dpkg --print-architecture)-$(sha256sum <"$hack/tftp-servers.sh" | cut -c1-16)
if [ -z "${REFRESH:-}" ] && [ -d "$folder" ]; then
  echo "$folder"
  exit 0
fi
mkdir -p "$cache"
made=$(mktemp -d "$cache/tftp-servers.XXXXXX")
trap 'rm -rf "$made"' EXIT
chmod 755 "$made"
mkdir "$made"/{bin,debs,root}
command -v apt-get >/dev/null || die "this machine has no apt-get: Debian 12 or newer is needed"
(cd "$made/debs" && apt-get -qq -o APT::Sandbox::User=root download tftpd-hpa atftpd libwrap0 libpcre2-8-0 >/dev/null) ||
  die "the packages cannot be downloaded: run apt-get update, and look at the machine's apt sources"
for deb in "$made"/debs/*.deb; do dpkg-deb -x "$deb" "$made/root"; done
# Where a library still is in /lib.
if [ -d "$made/root/lib" ]; then cp -a "$made/root/lib/." "$made/root/usr/lib/" && rm -rf "$made/root/lib"; fi
for package in tftpd-hpa atftpd; do
  echo "$package $(dpkg-deb -f "$made"/debs/"$package"_*.deb Version)" >>"$made/versions"
done
rm -rf "$made/debs" "$made"/root/{etc,var} "$made"/root/usr/share
for program in in.tftpd atftpd; do wrap "$program"; done
"$made/bin/atftpd" --version >/dev/null || die "atftpd does not run here"
"$made/bin/in.tftpd" --version >/dev/null || die "in.tftpd does not run here"
rm -rf "$folder"
mv -T "$made" "$folder"
echo "$folder"
