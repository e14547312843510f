# shellcheck shell=bash
# Sourced. An apt of our own beside the machine's: the machine's mirrors, keys and proxy, but lists, status and cache in
# a folder that the caller throws away. It installs nothing, so it needs no root, and it may look at another
# architecture or another Debian suite without the machine's own apt noticing.

# private_apt FOLDER ARCHITECTURE [SUITE] makes it and fetches its lists. SUITE is a Debian code name that takes the
# place of the machine's own in every source that names it; without it, the sources stay as they are.
private_apt() {
  local folder=$1 architecture=$2 suite=${3:-} own source target
  mkdir -p "$folder"/{lists/partial,cache/archives/partial,parts,empty}
  own=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
  for source in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
    [ -s "$source" ] || continue
    # apt tells the two formats apart by the file's extension.
    target=$folder/parts/$(basename "$source")
    cp "$source" "$target"
    if [ -n "$suite" ]; then
      swap_suite "$target" "$own" "$suite"
      grep -qw "$suite" "$target" || rm "$target" # not one of Debian's
    fi
  done
  APT=(-q -o "APT::Architecture=$architecture" -o "APT::Architectures::=$architecture" -o "APT::Sandbox::User=root"
    -o "Dir::Etc::sourcelist=/dev/null" -o "Dir::Etc::sourceparts=$folder/parts"
    -o "Dir::Etc::preferences=/dev/null" -o "Dir::Etc::preferencesparts=$folder/empty"
    -o "Dir::State=$folder" -o "Dir::State::status=/dev/null" -o "Dir::Cache=$folder/cache" -o "APT::Default-Release=")
  # Another vendor's source may have nothing for that suite; whether the package wanted is there shows later.
  if ! apt-get "${APT[@]}" update >"$folder/update.log" 2>&1; then
    grep '^[WE]:' "$folder/update.log" >&2 || tail -n 5 "$folder/update.log" >&2
  fi
}

# swap_suite FILE OWN SUITE rewrites the suites of a sources file, one-line or deb822, and nothing else in it.
swap_suite() {
  local names="($2|stable|oldstable|testing)((-updates|-security)?)" blank="[[:space:]]" end="([[:space:]]|$)"
  local word="s,$blank$names$end, $3\\2\\4,g"
  sed -i -E \
    -e "s,^(deb(-src)?$blank+(\\[[^]]*\\]$blank+)?[^[:space:]]+$blank+)$names$end,\\1$3\\5\\7," \
    -e "/^Suites:/ { $word; $word; }" "$1" # twice: two neighbours share the blank between them
}

# candidate PACKAGE prints the version that private_apt would fetch, or nothing.
candidate() {
  apt-cache "${APT[@]}" policy "$1" | awk '$1 == "Candidate:" && $2 != "(none)" { print $2 }'
}

# fetch FOLDER PACKAGE[=VERSION]... downloads packages and leaves them in FOLDER.
fetch() {
  local into=$1
  shift
  mkdir -p "$into"
  if ! (cd "$into" && apt-get "${APT[@]}" download "$@" >fetch.log 2>&1); then
    tail -n 5 "$into/fetch.log" >&2
    return 1
  fi
  rm "$into/fetch.log"
}

# closure FOLDER PACKAGE... downloads packages together with all that they need, as for a machine that has nothing yet.
closure() {
  local into=$1
  shift
  mkdir -p "$into/partial"
  # Nothing is installed, so that the machine's own dpkg need not be waited for.
  if ! apt-get "${APT[@]}" -o Debug::NoLocking=1 -o "Dir::Cache::archives=$into" --yes --no-install-recommends --download-only \
    install "$@" >"$into/closure.log" 2>&1; then
    tail -n 5 "$into/closure.log" >&2
    return 1
  fi
}
