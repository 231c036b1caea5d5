#!/usr/bin/env bash
# Moves the tag of the major version, v1 for v1.2.3, to this release. Does nothing for a pre-release, and if a newer
# release of this major version exists, as after a fix of an old minor version.
set -euo pipefail
tag=$1

if ! [[ $tag =~ ^v([0-9]+)\.[0-9]+\.[0-9]+$ ]]; then
  echo "$tag is not a release such as v1.2.3. No tag moves."
  exit 0
fi
major=v${BASH_REMATCH[1]}

newest=$(git ls-remote --refs --tags origin "refs/tags/$major.*" | sed 's|.*refs/tags/||' |
  grep -E '^v[0-9]+\.[0-9]+\.[0-9]+$' | sort --version-sort | tail -n 1)
if [ "$newest" != "$tag" ]; then
  echo "$newest is newer than $tag. $major stays."
  exit 0
fi
git push --force origin "refs/tags/$tag^{commit}:refs/tags/$major"
