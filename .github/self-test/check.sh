#!/usr/bin/env bash
# The second job took over what the first did, and went on in its conversation: one call here, a resume.
set -euo pipefail
test "$RESUMED" = true
test "$PERSISTED" = true
test -f made/tests.txt
test -f made/impl.txt
test "$(wc -l < "$RUNNER_TEMP/calls.jsonl")" -eq 1
node -e '
  const [before, after] = [process.env.BEFORE, process.env.AFTER].map((text) => JSON.parse(text));
  const ids = [before.tests.id, after.tests.id, after.impl.id];
  if (new Set(ids).size !== 1) throw new Error(`not one conversation: ${ids.join(", ")}`);
'
