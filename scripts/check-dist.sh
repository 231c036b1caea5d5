#!/usr/bin/env bash
# Fails if the committed dist does not match the sources: a file is changed, missing or extra.
set -euo pipefail
cd "$(dirname "$0")/.."

npm run package
git --no-pager diff --stat --exit-code HEAD -- dist || {
  echo 'dist does not match the sources. Run `npm run package` and commit the result.' >&2
  exit 1
}
extra=$(git ls-files --others -- dist)
if [ -n "$extra" ]; then
  printf 'dist contains files that are not committed. Commit or delete them:\n%s\n' "$extra" >&2
  exit 1
fi
