/**
 * Settings of agent CLIs that a step writes take no effect in later steps of the run: in the checkout, in worktrees of
 * parallel branches, and after a re-run. They are part of the result, also if the job is killed.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { glob, mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cleanUpAfterTest } from '../fakes/clean-ups.js';
import { startCacheService } from '../rig/cache-service.js';
import { createMachine, type Machine } from '../rig/machine.js';
import { makeRepository } from '../rig/repository.js';
import { type AgentRule, installStandIn } from '../rig/stand-in.js';
import { anthropicKey, createHarness, openaiKey } from './harness.js';

const workflow = `name: trusting
steps:
  - name: plant
    type: code
    agent: claude-haiku
    prompt: Plant it.
  - name: check
    type: validate
    agent: codex
    prompt: Check it.
  - name: both
    parallel: true
    steps:
      - name: left
        type: code
        agent: claude-haiku
        prompt: Do left.
      - name: right
        type: code
        agent: claude-haiku
        prompt: Do right.
`;

const startFiles = {
  '.gitignore': '.env\n',
  '.claude/settings.json': '{"start":1}',
  'AGENTS.md': 'start',
};

/** The files as an agent sees them, in one line. */
const look = (name: string, outside: string): { readonly run: string } => ({
  run: `{ for f in .claude/settings.json .mcp.json .env sub/.qwen/settings.json AGENTS.md; do printf '%s;' "$(cat $f 2>/dev/null)"; done; } >${outside}/${name}`,
});

const verdict = { write: '.gump/out/validate.json', content: '{"pass":true,"comments":""}' };

const plantRule: AgentRule = {
  prompt: 'Plant it',
  do: [
    { write: '.claude/settings.json', content: '{"evil":1}' },
    { write: '.mcp.json', content: '{"evil":1}' },
    { write: '.env', content: 'EVIL=1' },
    { write: 'sub/.qwen/settings.json', content: '{"evil":1}' },
    { write: 'AGENTS.md', content: 'changed' },
  ],
};

const planted = '{"evil":1};{"evil":1};EVIL=1;{"evil":1};changed;';

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'gump-settings-'));
  cleanUpAfterTest(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The files in the checkout, in the form of `look`. */
function filesIn({ workspace }: Machine): string {
  const paths = ['.claude/settings.json', '.mcp.json', '.env', 'sub/.qwen/settings.json', 'AGENTS.md'];
  const read = (path: string) => {
    const file = join(workspace, path);
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  };
  return paths.map((path) => `${read(path)};`).join('');
}

const isPutBack = ({ workspace }: Machine) => !existsSync(join(workspace, '.git/gump-settings'));

describe('settings that a step writes', () => {
  it('are not those of later steps, and are part of the result', async () => {
    const outside = temporaryFolder();
    const harness = await createHarness({ code: 'dist', workflow, files: startFiles });
    let left = '';
    let patch = '';
    const { main } = await harness.runJob({
      rules: [
        plantRule,
        { prompt: 'Check it', do: [look('check', outside), verdict] },
        { prompt: 'Do left', do: [look('left', outside)] },
        { prompt: 'Do right', do: [look('right', outside), { write: '.mcp.json', content: '{"right":1}' }] },
      ],
      prepare: async ({ workspace }) => {
        // Ignored, and there before the run.
        writeFileSync(join(workspace, '.env'), 'START=1');
      },
      inspect: async (machine) => {
        left = filesIn(machine);
        expect(isPutBack(machine)).toBe(true);
        for await (const file of glob(join(machine.temp, 'gump-*', 'changes.patch')))
          patch = readFileSync(file, 'utf8');
      },
    });
    expect(main.exitCode, main.log).toBe(0);
    const seen = (name: string) => readFileSync(join(outside, name), 'utf8');
    // Instructions are those of the start tree only for a step that changes no files.
    expect(seen('check')).toBe('{"start":1};;START=1;;start;');
    // A worktree of a parallel branch has no ignored files.
    expect(seen('left')).toBe('{"start":1};;;;changed;');
    expect(seen('right')).toBe('{"start":1};;;;changed;');
    expect(left).toBe('{"evil":1};{"right":1};EVIL=1;{"evil":1};changed;');
    expect(main.log).toContain('The agent of step `check` runs with these files as they were at the start');
    for (const file of ['.claude/settings.json', '.mcp.json', 'sub/.qwen/settings.json'])
      expect(patch).toContain(`b/${file}`);
  });

  it('do not count as a change of a step that must change no files, but its own do', async () => {
    const harness = await createHarness({
      code: 'dist',
      workflow: workflow.slice(0, workflow.indexOf('  - name: both')),
      files: startFiles,
    });
    let left = '';
    const { main } = await harness.runJob({
      rules: [plantRule, { prompt: 'Check it', do: [{ run: 'printf own >.mcp.json' }, verdict] }],
      inspect: async (machine) => {
        left = filesIn(machine);
      },
    });
    expect(main.exitCode, main.log).toBe(1);
    expect(main.log).toContain('but it changed `.mcp.json`. The files were restored.');
    expect(left).toBe(planted);
  });

  it('are put back by post after main was killed', async () => {
    const outside = temporaryFolder();
    const harness = await createHarness({ workflow, files: startFiles });
    let left = '';
    const interrupted = await harness.runJob({
      rules: [
        plantRule,
        { prompt: 'Check it', do: [look('check', outside), { say: 'halfway' }, { hang: true }] },
      ],
      stop: { how: 'kill', when: { log: 'halfway' } },
      inspect: async (machine) => {
        left = filesIn(machine);
        expect(isPutBack(machine)).toBe(true);
      },
    });
    expect(interrupted.main.signal).toBe('SIGKILL');
    expect(readFileSync(join(outside, 'check'), 'utf8')).toBe('{"start":1};;;;start;');
    expect(left).toBe(planted);
    // On the next machine they are restored, and take no effect either.
    const { main } = await harness.runJob({
      jobAttempt: 2,
      code: 'dist',
      rules: [{ prompt: 'Check it', do: [look('again', outside), verdict] }],
      inputs: { until: 'check' },
    });
    expect(main.exitCode, main.log).toBe(0);
    expect(readFileSync(join(outside, 'again'), 'utf8')).toBe('{"start":1};;;;start;');
  });

  it('are put back by the next job in this checkout after main and post were killed', async () => {
    const outside = temporaryFolder();
    const cache = await startCacheService();
    cleanUpAfterTest(() => cache.close());
    const repository = await makeRepository({ '.gump/workflows/flow.yaml': workflow, ...startFiles });
    cleanUpAfterTest(() => repository.remove());
    const machine = await createMachine({ cache, isCompiledOnce: true });
    cleanUpAfterTest(() => machine.wipe());
    await machine.checkout(repository);
    const standIn = await installStandIn(machine, { callsFile: join(outside, 'calls.jsonl') });
    const step = {
      inputs: { workflow: 'flow', until: 'check' },
      env: { ANTHROPIC_API_KEY: anthropicKey, OPENAI_API_KEY: openaiKey },
    };
    const hanging = [look('check', outside), { say: 'halfway' }, { hang: true }] as const;
    await standIn.script([plantRule, { prompt: 'Check it', do: hanging }]);
    const lost = await machine.runStep({ ...step, stop: { how: 'lose', when: { log: 'halfway' } } });
    expect(lost.post).toBeUndefined();
    expect(filesIn(machine)).toBe('{"start":1};;;;start;');
    expect(isPutBack(machine)).toBe(false);

    // The runner empties its folder for temporary files before each job.
    await rm(machine.temp, { recursive: true });
    await mkdir(machine.temp);
    await standIn.script([
      { prompt: 'Plant it' },
      { prompt: 'Check it', do: [look('next', outside), verdict] },
    ]);
    const next = await machine.runStep({ ...step, inputs: { ...step.inputs, resume: 'never' } });
    expect(next.main.exitCode, next.main.log).toBe(0);
    expect(filesIn(machine)).toBe(planted);
    expect(isPutBack(machine)).toBe(true);
    expect(readFileSync(join(outside, 'next'), 'utf8')).toBe('{"start":1};;;;start;');
  });
});

describe('settings of the runner user', () => {
  it('are restored before the next agent, with one warning', async () => {
    const outside = temporaryFolder();
    const harness = await createHarness({ code: 'dist', workflow, files: startFiles });
    const { main } = await harness.runJob({
      inputs: { until: 'check' },
      rules: [
        {
          prompt: 'Plant it',
          do: [
            {
              run: 'mkdir -p ~/.qwen ~/.claude/hooks && echo x >~/.qwen/.env && echo x >~/.claude/settings.json && echo x >>~/.gitconfig && echo x >../.mcp.json',
            },
          ],
        },
        {
          prompt: 'Check it',
          do: [
            {
              run: `ls -A ~/.qwen/.env ~/.claude/settings.json ../.mcp.json >${outside}/check 2>/dev/null; grep -c x ~/.gitconfig >>${outside}/check; true`,
            },
            verdict,
          ],
        },
      ],
    });
    expect(main.exitCode, main.log).toBe(0);
    expect(readFileSync(join(outside, 'check'), 'utf8').trim()).toMatch(/^0?$/);
    expect(main.log.match(/::warning::.*settings files outside the worktree.*/g)).toHaveLength(1);
    expect(main.log).toContain('`~/.claude/settings.json`');
  });
});
