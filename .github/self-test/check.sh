#!/usr/bin/env bash
# Checks that the second job reused the result of the first job and resumed its session, with one call of the CLI.
set -euo pipefail
test "$RESUMED" = true
test "$PERSISTED" = true
test -f made/tests.txt
test -f made/impl.txt
test "$(wc -l < "$RUNNER_TEMP/calls.jsonl")" -eq 1
node -e '
  const [before, after] = [process.env.BEFORE, process.env.AFTER].map((text) => JSON.parse(text));
  const ids = [before.tests.id, after.tests.id, after.impl.id];
  if (new Set(ids).size !== 1) throw new Error(`not one session: ${ids.join(", ")}`);
'
