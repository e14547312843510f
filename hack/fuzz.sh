#!/usr/bin/env bash
# Runs every fuzz target of the project in turn, one worker each, for FUZZTIME (1m by default). With a pattern, only those
# whose package and name, such as "internal/tftp FuzzParse", match it. What fails is left in testdata/fuzz of its package.
#
#   [FUZZTIME=5m] hack/fuzz.sh [PATTERN]
#   hack/fuzz.sh --keep [PATTERN]   copies, of what earlier runs found interesting, a few small inputs into testdata/fuzz
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# How many inputs are kept of each target, and the longest in bytes.
most=24
longest=4096

keep=no
if [ "${1:-}" = --keep ]; then
  keep=yes
  shift
fi
module=$(go list -m)
found="$(go env GOCACHE)/fuzz/$module"

# keep_some PACKAGE TARGET: of the inputs in the cache, by size, every so many, so that they are few and differ.
keep_some() {
  local from="$found/$1/$2" to="$1/testdata/fuzz/$2"
  [ -d "$from" ] || return 0
  mkdir -p "$to"
  find "$from" -type f -size "-${longest}c" -printf '%s %p\n' | sort -n | awk -v most="$most" '
    { path[NR] = $2 }
    END { step = NR > most ? NR / most : 1; for (i = 0; i < NR && i < most; i++) print path[int(i * step) + 1] }' |
    while read -r input; do cp "$input" "$to/"; done
}

failed=0
while read -r package target; do
  if [ $keep = yes ]; then
    keep_some "$package" "$target"
    continue
  fi
  echo "== $package $target"
  # Minimising what is merely interesting takes most of the time otherwise.
  go test -run '^$' -fuzz "^$target\$" -fuzztime "${FUZZTIME:-1m}" -fuzzminimizetime 2s -parallel 1 "./$package" || failed=1
done < <(grep -r --include='*_test.go' -oE '^func Fuzz[A-Za-z0-9]+\(f \*testing\.F\)' api controllers internal |
  sed -E 's|/[^/]+:func (Fuzz[A-Za-z0-9]+)\(.*| \1|' | sort -u | grep -E -- "${1:-.}")
exit $failed
