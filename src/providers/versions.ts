/**
 * The version of each CLI that is installed where none is there: the one that the tests with the real CLIs
 * ran. Renewed by `node scripts/update-versions.mjs`.
 */
export const pinnedVersions: Readonly<Record<string, string>> = {
  claude: '2.1.330',
  codex: '0.169.0',
  gemini: '0.61.0',
  qwen: '0.24.4',
  opencode: '1.18.33',
};
