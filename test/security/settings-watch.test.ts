/** Settings of the runner user are restored after foreign code changed them. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { watchOutsideSettings } from '../../src/action/outside-settings.js';
import { locateHomeFiles } from '../../src/providers/home-files.js';
import { providers } from '../../src/providers/provider-registry.js';
import { cleanUpAfterTest } from '../fakes/clean-ups.js';

let top: string;
let home: string;

const at = (path: string) => join(top, path);
const read = (path: string) => readFileSync(at(path), 'utf8');

function write(path: string, text: string): void {
  mkdirSync(dirname(at(path)), { recursive: true });
  writeFileSync(at(path), text);
}

function watch(environment: Readonly<Record<string, string>> = {}) {
  return watchOutsideSettings({
    providers,
    environment: { HOME: home, ...environment },
    root: at('work/repository'),
    directory: at('work/repository'),
    agentRoot: at('temp/units'),
  });
}

beforeEach(() => {
  top = realpathSync(mkdtempSync(join(tmpdir(), 'gump-watch-')));
  cleanUpAfterTest(() => rmSync(top, { recursive: true, force: true }));
  home = at('home');
  write('home/.claude/settings.json', '{"own":1}');
  write('home/.codex/config.toml', 'model = "own"\n');
  write('home/.gitconfig', '[user]\n');
});

test('without a change, nothing is reported', async () => {
  const { restore } = watch();
  expect(await restore()).toEqual([]);
  expect(await restore()).toEqual([]);
});

test('changed, new and removed files are restored, and all are named', async () => {
  const { restore } = watch();
  write('home/.claude/settings.json', '{"hooks":1}');
  write('home/.claude/skills/evil/SKILL.md', 'evil');
  write('home/.claude/remote-settings.json', '{"hooks":1}');
  write('home/.qwen/.env', 'OPENAI_BASE_URL=evil');
  write('home/.config/opencode/plugin/evil.js', 'evil');
  rmSync(at('home/.gitconfig'));
  const [change, ...others] = await restore();
  expect(others).toEqual([]);
  expect(change).toEqual({
    effect: 'warning',
    what: expect.stringMatching(/^settings files outside the worktree \(`~\/.claude\/settings.json`, /),
  });
  for (const name of ['~/.claude/skills/evil/SKILL.md', '~/.qwen/.env', '~/.gitconfig', 'plugin/evil.js'])
    expect(change?.what).toContain(name);
  expect([read('home/.claude/settings.json'), read('home/.gitconfig')]).toEqual(['{"own":1}', '[user]\n']);
  expect(existsSync(at('home/.qwen/.env'))).toBe(false);
  expect(existsSync(at('home/.claude/remote-settings.json'))).toBe(false);
  expect(await restore()).toEqual([]);
});

test('of many new files, each is removed, and the message names some', async () => {
  write('home/.claude/skills/own/SKILL.md', 'own');
  const { restore } = watch();
  for (let number = 0; number < 2100; number++) write(`home/.claude/skills/a/${number}`, '');
  write('home/.claude/skills/z/SKILL.md', 'evil');
  const [change] = await restore();
  expect(change?.what.length).toBeLessThan(1000);
  expect(change?.what).toContain('more)');
  expect(existsSync(at('home/.claude/skills/z/SKILL.md'))).toBe(false);
  expect(read('home/.claude/skills/own/SKILL.md')).toBe('own');
});

test('a file of the worktree that a variable names is part of the result of a step', async () => {
  write('work/repository/ci/env.sh', 'own');
  const { restore } = watch({ BASH_ENV: 'ci/env.sh', NPM_CONFIG_USERCONFIG: at('temp/npmrc') });
  write('work/repository/ci/env.sh', 'of a step');
  write('temp/npmrc', 'registry=evil');
  expect((await restore()).map(({ what }) => what)).toEqual([expect.stringContaining('/npmrc`')]);
  expect(read('work/repository/ci/env.sh')).toBe('of a step');
});

test('the list of services that OpenCode downloads is that of the start, without a warning', async () => {
  const path = 'home/.cache/opencode/models.json';
  const { restore } = watch();
  write(path, '{"anthropic":{"api":"http://evil/v1"}}');
  expect(await restore()).toEqual([]);
  expect(existsSync(at(path))).toBe(false);
  write(path, '{"anthropic":{}}');
  const next = watch();
  write(path, '{"anthropic":{"api":"http://evil/v1"}}');
  expect(await next.restore()).toEqual([]);
  expect(read(path)).toBe('{"anthropic":{}}');
});

test('the list that Qwen Code writes into its extensions is removed without a warning, and an extension with one', async () => {
  const { restore } = watch();
  write('home/.qwen/extensions/extension-enablement.json', '{}');
  expect(await restore()).toEqual([]);
  expect(existsSync(at('home/.qwen/extensions/extension-enablement.json'))).toBe(false);
  write('home/.qwen/extensions/evil/qwen-extension.json', '{}');
  expect(await restore()).toEqual([expect.objectContaining({ what: expect.stringContaining('evil') })]);
});

test('modes and links are kept', async () => {
  mkdirSync(at('dotfiles'));
  write('dotfiles/npmrc', 'own');
  symlinkSync('../dotfiles/npmrc', at('home/.npmrc'));
  const { restore } = watch();
  write('home/.npmrc', 'evil');
  expect(await restore()).toHaveLength(1);
  expect(readlinkSync(at('home/.npmrc'))).toBe('../dotfiles/npmrc');
  expect(read('dotfiles/npmrc')).toBe('own');
  expect(statSync(at('home/.claude/settings.json')).mode & 0o777).toBe(0o644);
});

test('folders above the repository and above worktrees are watched as well', async () => {
  const { restore } = watch();
  for (const path of ['.mcp.json', 'work/.env', 'temp/.gemini/.env', 'temp/units/bare/.opencode/plugin/x.js'])
    write(path, 'evil');
  expect(await restore()).toHaveLength(1);
  for (const path of ['.mcp.json', 'work/.env', 'temp/.gemini/.env', 'temp/units/bare/.opencode/plugin/x.js'])
    expect(existsSync(at(path)), path).toBe(false);
});

test('a login of OpenCode that loads the configuration of a server is undone, and another one stays', async () => {
  const path = 'home/.local/share/opencode/auth.json';
  const own = { anthropic: { type: 'oauth', refresh: 'old' } };
  write(path, JSON.stringify(own));
  const { restore } = watch();
  const refreshed = JSON.stringify({ anthropic: { type: 'oauth', refresh: 'new' } });
  write(path, refreshed);
  expect(await restore()).toEqual([]);
  expect(read(path)).toBe(refreshed);
  write(
    path,
    JSON.stringify({ ...own, 'https://evil.example': { type: 'wellknown', key: 'A', token: 'b' } }),
  );
  expect(await restore()).toHaveLength(1);
  expect(JSON.parse(read(path))).toEqual(own);
});

describe('what a CLI itself writes is no change', () => {
  test('Claude Code: counters, but not what it allows', async () => {
    write('home/.claude.json', '{"numStartups":1,"mcpServers":{}}');
    const { restore } = watch();
    const project = { hasTrustDialogAccepted: false, allowedTools: [], lastCost: 1 };
    write(
      'home/.claude.json',
      JSON.stringify({ numStartups: 2, mcpServers: {}, projects: { '/a': project } }),
    );
    expect(await restore()).toEqual([]);
    const servers = { evil: { command: 'sh' } };
    write('home/.claude.json', JSON.stringify({ numStartups: 3, mcpServers: servers }));
    expect(await restore()).toHaveLength(1);
    expect(read('home/.claude.json')).toBe('{"numStartups":1,"mcpServers":{}}');
    const allowed = { '/a': { mcpServers: servers } };
    write('home/.claude.json', JSON.stringify({ projects: allowed, mcpServers: {} }));
    expect(await restore()).toHaveLength(1);
  });

  test('Claude Code: a new file', async () => {
    const { restore } = watch();
    write('home/.claude.json', '{"numStartups":1,"projects":{"/a":{"lastCost":1}}}');
    expect(await restore()).toEqual([]);
  });

  test('Qwen Code: the version and the layout', async () => {
    write('home/.qwen/settings.json', '{"model":{"name":"a"}}');
    const { restore } = watch();
    write('home/.qwen/settings.json', '{\n  "model": { "name": "a" },\n  "$version": 4\n}');
    expect(await restore()).toEqual([]);
    write('home/.qwen/settings.json', '{"model":{"name":"a"},"hooks":{}}');
    expect(await restore()).toHaveLength(1);
  });

  test('OpenCode: a new file with its schema', async () => {
    const { restore } = watch();
    for (const text of ['{"$schema":"https://opencode.ai/config.json"}', '{\n  "$schema": "x",}']) {
      write('home/.config/opencode/opencode.json', text);
      expect(await restore()).toEqual([]);
    }
    write('home/.config/opencode/opencode.json', '{"mcp":{}}');
    expect(await restore()).toHaveLength(1);
    expect(existsSync(at('home/.config/opencode/opencode.json'))).toBe(false);
  });
});

test('variables that move a home are respected', () => {
  const environment = {
    HOME: '/home/a',
    CLAUDE_CONFIG_DIR: '/c',
    CODEX_HOME: '/x',
    GEMINI_CLI_HOME: '/g',
    QWEN_HOME: '/q',
    XDG_CONFIG_HOME: '/xdg',
    GIT_CONFIG_GLOBAL: '/git/config',
  };
  const files = locateHomeFiles(providers, environment, '/work', '/home/a');
  const paths = files.map(({ path }) => path);
  for (const path of [
    '/c/settings.json',
    '/c/.claude.json',
    '/home/a/.claude.json',
    '/x/config.toml',
    '/g/.gemini/settings.json',
    '/q/settings.json',
    '/xdg/opencode/opencode.json',
    '/home/a/.opencode/opencode.json',
    '/git/config',
    '/xdg/git/config',
    '/home/a/.npmrc',
  ])
    expect(paths).toContain(path);
  // A CLI renews its login, so an old one would be useless.
  const logins = files.filter(({ path }) => /auth|credential|oauth/.test(path));
  expect(logins.filter(({ relevantPart }) => relevantPart === undefined)).toEqual([]);
});
