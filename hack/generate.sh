#!/usr/bin/env bash
# Writes everything that is made from the Go sources: deep copies, the CRD, the role and the reference of flags. The
# tools are those that hack/tools/go.mod pins. With --check it changes nothing and fails when the files in the checkout are not up to date.
#
#   hack/generate.sh [--check]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Built once for all runs; -modfile keeps the tools' modules out of the project's go.mod.
go build -modfile=hack/tools/go.mod -o "$scratch/controller-gen" sigs.k8s.io/controller-tools/cmd/controller-gen
generate() { "$scratch/controller-gen" "$@"; }

types="api/tinkerbell/v1alpha1 api/tugboot/v1alpha1"
mkdir -p "$scratch/crd" "$scratch/rbac"
for package in $types; do
  mkdir -p "$scratch/$package"
  generate object:headerFile=hack/boilerplate.go.txt "paths=./$package" output:object:dir="$scratch/$package"
done
generate crd paths=./api/... output:crd:dir="$scratch/crd"
generate rbac:roleName=tugboot paths=./controllers/... output:rbac:dir="$scratch/rbac"

# made DESTINATION FILE: puts a generated file into the checkout, or compares it.
stale=0
made() {
  if [ "${check:-}" = yes ]; then
    diff -u "$1" "$2" || stale=1
  else
    cp "$2" "$1"
  fi
}
[ "${1:-}" != --check ] || check=yes

for package in $types; do made "$package/zz_generated.deepcopy.go" "$scratch/$package/zz_generated.deepcopy.go"; done
for crd in "$scratch"/crd/*.yaml; do made "config/crd/bases/${crd##*/}" "$crd"; done
made config/rbac/role.yaml "$scratch/rbac/role.yaml"
# The chart's own copies: a chart cannot read what is outside of its folder.
for crd in "$scratch"/crd/*.yaml; do made "charts/tugboot/files/crd/${crd##*/}" "$crd"; done
made charts/tugboot/files/rbac/role.yaml "$scratch/rbac/role.yaml"
for room in takeover dhcpservice remote-check; do made "charts/tugboot/files/rbac/$room.yaml" "config/rbac/$room/role.yaml"; done
go run ./hack/chart charts/tugboot/values.yaml "$scratch/chart.md"
made charts/tugboot/README.md "$scratch/chart.md"
go run ./hack/reference "$scratch/reference.md"
made docs/reference.md "$scratch/reference.md"
if [ "$stale" = 1 ]; then
  echo "generated files are out of date: run make generate and commit what it changes" >&2
  exit 1
fi
