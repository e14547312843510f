#!/usr/bin/env bash
# Makes Tugboot's container image as an OCI archive, without a registry or a container engine, the same bytes each time.
# It holds what Dockerfile puts into its image. `ctr images import`, `docker load` and `podman load` read it.
#
#   hack/image.sh [ARCHIVE.tar]
#
# In the environment: PLATFORM, such as linux/arm64, or several with commas between (default: linux/amd64); IMAGE, the name
# with its tag (default: localhost/tugboot:dev); VERSION, REVISION and SOURCE_DATE_EPOCH (default: what git says).
set -euo pipefail
archive=$(realpath -m "${1:-$(dirname "${BASH_SOURCE[0]}")/../build/tugboot-image.tar}")
cd "$(dirname "${BASH_SOURCE[0]}")/.."

export VERSION=${VERSION:-$(git describe --tags --always --dirty 2>/dev/null || echo unknown)}
revision=${REVISION:-$(git rev-parse HEAD 2>/dev/null || echo unknown)}
epoch=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 0)}

roots=()
IFS=, read -ra platforms <<<"${PLATFORM:-linux/amd64}"
for platform in "${platforms[@]}"; do
  case $platform in
    linux/amd64 | linux/arm64) ;;
    *)
      echo "image: platform \"$platform\": choose linux/amd64, linux/arm64 or both with a comma between" >&2
      exit 1
      ;;
  esac
  root=build/image/${platform#linux/}
  GOARCH=${platform#linux/} hack/image-root.sh "$root"
  roots+=("$platform=$root")
done
build/bin/image archive --output "$archive" --name "${IMAGE:-localhost/tugboot:dev}" --version "$VERSION" --revision "$revision" \
  --epoch "$epoch" "${roots[@]}"
echo "image ${IMAGE:-localhost/tugboot:dev} is in $archive ($(sha256sum "$archive" | cut -d' ' -f1))"
