#!/usr/bin/env bash
# Fails where the committed dist is not what the sources make: a changed, a missing or a further file.
set -euo pipefail
cd "$(dirname "$0")/.."

npm run package
git --no-pager diff --stat --exit-code HEAD -- dist || {
  echo 'dist is not what the sources make: run `npm run package` and commit it.' >&2
  exit 1
}
further=$(git ls-files --others -- dist)
if [ -n "$further" ]; then
  printf 'dist holds files that are not committed:\n%s\n' "$further" >&2
  exit 1
fi
