// The inputs of action.yml in groups, in the order of the README. `readme-tables.mjs` fails if an input is missing
// here or is named twice.

export const inputGroups = {
  Essential: ['workflow', 'spec', 'spec-file', 'vars', 'agent', 'working-directory', 'dry-run'],
  'Sessions and state': [
    'state-key',
    'state-name',
    'state-store',
    'resume',
    'checkpoint-interval',
    'from-step',
    'until',
    'approve',
    'on-lost-session',
    'keep-sessions',
  ],
  Limits: ['max-budget', 'max-time'],
  Publishing: ['apply', 'transcripts'],
  Security: [
    'permissions',
    'pass-env',
    'allowed-bots',
    'allow-untrusted-checkout',
    'on-no-credentials',
    'github-token',
  ],
  Advanced: [
    'commands',
    'worktree-setup',
    'install',
    'cache-clis',
    'cli-versions',
    'agent-args',
    'matrix',
    'job-status',
  ],
};
