/** The arguments and variables for each permission (docs/security.md). `test/real` tests their effect. */
import { describe, expect, it } from 'vitest';
import { claude } from '../../src/providers/claude.js';
import { codex } from '../../src/providers/codex.js';
import { cursor } from '../../src/providers/cursor.js';
import { gemini } from '../../src/providers/gemini.js';
import { opencode } from '../../src/providers/opencode.js';
import type { Permission, Provider, TurnRequest } from '../../src/providers/provider.js';
import { providers } from '../../src/providers/provider-registry.js';
import { qwen } from '../../src/providers/qwen.js';

type ArgsByPermission = Readonly<Record<Permission, readonly string[]>>;

const outputRule = 'permissions.gump_read_only.filesystem={":root"="read","/work/.gump/out"="write"}';

const table: readonly (readonly [Provider, ArgsByPermission])[] = [
  [
    claude,
    {
      'read-only': ['--permission-mode dontAsk', '--allowedTools Read,Grep,Glob,Edit(.gump/out/**)'],
      workspace: ['--permission-mode acceptEdits', '--allowedTools Bash,Read,Grep,Glob,WebFetch,WebSearch'],
      full: ['--permission-mode bypassPermissions'],
    },
  ],
  [
    codex,
    {
      'read-only': ['-c default_permissions="gump_read_only"', `-c ${outputRule}`],
      workspace: ['-s workspace-write'],
      full: ['-s danger-full-access'],
    },
  ],
  [
    gemini,
    {
      'read-only': ['--approval-mode=auto_edit'],
      workspace: ['--approval-mode=yolo'],
      full: ['--approval-mode=yolo'],
    },
  ],
  [
    qwen,
    {
      'read-only': ['--approval-mode=auto-edit'],
      workspace: ['--approval-mode=yolo'],
      full: ['--approval-mode=yolo'],
    },
  ],
  [opencode, { 'read-only': [], workspace: [], full: ['--auto'] }],
  [
    cursor,
    {
      'read-only': ['--force --trust'],
      workspace: ['--force --trust'],
      full: ['--force --trust --sandbox disabled'],
    },
  ],
];

const sessions: readonly TurnRequest['session'][] = [
  { mode: 'start', id: 'an-id' },
  { mode: 'resume', id: 'an-id' },
];

function commandLine(provider: Provider, permission: Permission, session: TurnRequest['session']): string {
  const turn = { prompt: 'x', session, permission, directory: '/work', isRoot: false };
  return ` ${provider.buildCommand(turn).args.join(' ')} `;
}

/** All arguments for permissions of this CLI. */
const permissionArgs = (row: ArgsByPermission): readonly string[] => [...new Set(Object.values(row).flat())];

describe('every provider', () => {
  it('has a row here', () => {
    expect(table.map(([provider]) => provider.id).sort()).toEqual(providers.map(({ id }) => id).sort());
  });

  const cases = table.flatMap(([provider, row]) =>
    (Object.keys(row) as Permission[]).flatMap((permission) =>
      sessions.map((session) => [provider.id, permission, session.mode, provider, row, session] as const),
    ),
  );

  it.each(cases)(
    '%s %s %s: has exactly the arguments of this permission',
    (_id, permission, _mode, provider, row, session) => {
      const line = commandLine(provider, permission, session);
      const expectedArgs = row[permission];
      for (const text of expectedArgs) expect(line).toContain(` ${text} `);
      const others = permissionArgs(row).filter((text) => !expectedArgs.some((one) => one.includes(text)));
      for (const text of others) expect(line).not.toContain(` ${text} `);
      expect(line).not.toMatch(/dangerously/);
    },
  );
});

/** OpenCode reads its permissions from the environment, the other CLIs from the command line. */
describe('OpenCode', () => {
  const rulesFor = (permission: Permission) =>
    opencode.buildCommand({
      prompt: 'x',
      session: { mode: 'start' },
      permission,
      directory: '/work',
      isRoot: false,
    }).env.OPENCODE_PERMISSION;

  it('has rules only if it is read-only', () => {
    expect(JSON.parse(rulesFor('read-only') ?? '')).toEqual({
      edit: { '*': 'deny', '.gump/out/*': 'allow', '*/.gump/out/*': 'allow' },
      bash: 'deny',
      external_directory: { '*': 'deny' },
    });
    expect([rulesFor('workspace'), rulesFor('full')]).toEqual([undefined, undefined]);
  });
});
