/**
 * The version of each CLI that is installed if the CLI is missing: the version in the tests with the real CLIs.
 * Updated by `node scripts/update-versions.mjs`.
 */
export const pinnedVersions: Readonly<Record<string, string>> = {
  claude: '2.1.330',
  codex: '0.169.0',
  gemini: '0.61.0',
  qwen: '0.24.4',
  opencode: '1.18.33',
};
