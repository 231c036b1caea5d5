#!/usr/bin/env bash
# Adds a fake Claude Code CLI (test/rig/cli) to the PATH of this job. It follows script.json in this directory.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
bin=$RUNNER_TEMP/stand-in
mkdir -p "$bin" "$HOME/.fake-agent"
printf '#!/usr/bin/env node\nimport("%s").then(({ main }) => main("claude"));\n' "$top/test/rig/cli/agent.mjs" > "$bin/claude"
chmod +x "$bin/claude"
cp "$top/.github/self-test/script.json" "$HOME/.fake-agent/script.json"
printf '%s' "$RUNNER_TEMP/calls.jsonl" > "$HOME/.fake-agent/calls-path"
echo "$bin" >> "$GITHUB_PATH"
