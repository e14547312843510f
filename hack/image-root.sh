#!/usr/bin/env bash
# Lays out the file system of Tugboot's container image in a folder, which it makes anew: the program, Debian's iPXE, and
# the licences of both. Dockerfile and hack/image.sh both run it, so that both make the same image. Runs on Debian 12 or
# newer, with Go; owners, times and the program's file capabilities are for whoever packs the folder.
#
#   hack/image-root.sh ROOT
#
# GOARCH in the environment is what the program is built for (default: this machine's), VERSION the version that the bill of
# materials names.
set -euo pipefail
root=$(realpath -m "${1:?usage: hack/image-root.sh ROOT}")
cd "$(dirname "${BASH_SOURCE[0]}")/.."
tools=$PWD/build/bin
docs=$root/usr/share/doc

# Programs that run here, whatever GOARCH is.
tool() { # NAME PACKAGE [MODFILE]
  env -u GOARCH -u GOOS CGO_ENABLED=0 go build -trimpath -buildvcs=false ${3:+"-modfile=$3"} -o "$tools/$1" "$2"
}
tool image ./hack/image
tool cyclonedx-gomod github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod hack/tools/sbom.mod

rm -rf "$root"
mkdir -p "$root"/{etc,usr/lib/ipxe} "$docs"/{tugboot,ipxe} "$root/usr/share/common-licenses"

GOOS=linux CGO_ENABLED=0 go build -trimpath -buildvcs=auto -ldflags "-s -w" -o "$root/tugboot" .
cp LICENSE "$docs/tugboot/LICENSE"
"$tools/image" licenses "$root/tugboot" "$docs/tugboot/licenses"

hack/ipxe.sh
find build/ipxe -mindepth 1 ! -name .package ! -name copyright -exec cp -P {} "$root/usr/lib/ipxe/" \;
package=$(cat build/ipxe/.package) # ipxe-SHA256.deb
sum=${package#ipxe-}
sum=${sum%.deb}
version=$({ cat hack/ipxe.pin && echo "${IPXE_PIN:-}"; } | awk -v sum="$sum" '$2 == sum { print $1; exit }')
if [ -z "$version" ]; then
  echo "image-root: build/ipxe holds a package that hack/ipxe.pin does not name, sha256 $sum:" \
    "remove build/ipxe, or set IPXE_PIN as for hack/ipxe.sh" >&2
  exit 1
fi
cp build/ipxe/copyright "$docs/ipxe/copyright"
# Debian's copyright file refers to the licences that every Debian has; this image is none.
grep -o '/usr/share/common-licenses/[A-Za-z0-9.-]*[A-Za-z0-9]' "$docs/ipxe/copyright" | sort -u |
  while read -r license; do cp -L "$license" "$root$license"; done
cat >"$docs/ipxe/SOURCE" <<EOF
The files in /usr/lib/ipxe are those of Debian's binary package ipxe, version $version, unmodified.
They are free software under the GNU General Public License, version 2 or later, with parts under other terms: see the
file copyright here, and /usr/share/common-licenses.

The complete source they were built from is Debian's source package ipxe, version $version:

  https://snapshot.debian.org/package/ipxe/$version/
  https://deb.debian.org/debian/pool/main/i/ipxe/ipxe_$version.dsc (while Debian 13 ships this version)

Whoever passes this image on has to offer that source too. One who cannot reach those addresses may ask the Tugboot
project for it, at https://github.com/tugboot/tugboot/issues, for three years after this image was obtained.
EOF

"$tools/cyclonedx-gomod" bin -json -noserial -notimestamp -std -version "${VERSION:-unknown}" \
  -output "$docs/tugboot/sbom.cdx.json" "$root/tugboot"
"$tools/image" sbom "$docs/tugboot/sbom.cdx.json" --ipxe-version "$version" --ipxe-sha256 "$sum"

# For a Kubernetes API whose certificate a public authority has signed.
"$tools/image" roots "$root/etc/ssl/certs/ca-certificates.crt"
printf 'root:x:0:0:root:/:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/:/sbin/nologin\n' >"$root/etc/passwd"
printf 'root:x:0:\nnonroot:x:65532:\n' >"$root/etc/group"
