/** Results leave the job: as files, in the report, in the outputs and the summary, as annotations, through `dist/`. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Machine, StepResult } from '../rig/machine.js';
import type { AgentRule } from '../rig/stand-in.js';
import { planRule } from './answer-rules.js';
import { anthropicKey, createHarness, type Harness, type RunJobOptions } from './harness.js';

const workflow = `name: flow
steps:
  - name: notes
    type: artifact
    agent: claude-haiku
    prompt: Take notes.
  - name: build
    type: split
    agent: claude-haiku
    prompt: Plan.
    each:
      - name: impl
        type: code
        agent: codex
        prompt: Build {task.name}.
  - name: review
    type: validate
    agent: claude-haiku
    prompt: Review.
`;

const findings = [
  { path: 'README.md', line: 1, severity: 'error', message: 'No title', suggestion: '# Title' },
  { path: 'missing.md', line: 3, severity: 'warning', message: `Key ${anthropicKey}` },
  { path: 'README.md', line: 99, severity: 'notice', message: 'Too short' },
  { path: 'README.md', severity: 'terrible', message: 'dropped' },
];

const verdict = (pass: boolean) => JSON.stringify({ pass, comments: pass ? 'fine' : 'not yet', findings });

const notesRule: AgentRule = {
  prompt: 'Take notes.',
  do: [{ write: '.gump/out/artifact.txt', content: `Notes with ${anthropicKey}.\n` }, { say: 'noted' }],
};

const rules = (pass: boolean): readonly AgentRule[] => [
  notesRule,
  planRule('Plan.', { name: 'login', description: 'a form' }, { name: '../../Log out', files: ['out.txt'] }),
  {
    prompt: 'Build login',
    do: [{ write: 'login.txt', content: 'a\nb\n' }, { say: `Built it: ${anthropicKey}` }],
  },
  { prompt: 'Build ../../Log out', do: [{ say: 'Nothing to do.' }] },
  { prompt: 'Review.', do: [{ write: '.gump/out/validate.json', content: verdict(pass) }, { say: 'done' }] },
];

/** Name of the file in a folder → its content. */
function filesBelow(folder: string): Record<string, string> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const files = names.filter((name) => statSync(join(folder, name)).isFile());
  return Object.fromEntries(files.sort().map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
}

interface JobWithFiles extends StepResult {
  /** The files of the output `results`, as later steps of the job see them. */
  readonly files: Readonly<Record<string, string>>;
}

/** `at`: whether the files are read before `post`, as later steps do, or after it. */
async function runWithFiles(
  harness: Harness,
  options: RunJobOptions,
  at: 'beforePost' | 'inspect' = 'beforePost',
): Promise<JobWithFiles> {
  let files: Readonly<Record<string, string>> = {};
  const read = async ({ temp }: Machine) => {
    const [name = ''] = readdirSync(temp).filter((one) => /^gump-(?!start)/.test(one));
    files = filesBelow(join(temp, name, 'results'));
  };
  const result = await harness.runJob({ ...options, [at]: read });
  return { ...result, files };
}

const resultsIn = ({ main }: StepResult) =>
  Object.fromEntries(
    (main.report?.steps ?? []).flatMap(({ path, result }) => (result === undefined ? [] : [[path, result]])),
  );

const logoutPath = (files: Readonly<Record<string, string>>) =>
  Object.keys(files).find((name) => /^build\/Log-out-[0-9a-f]{8}\/impl\.md$/.test(name)) ?? 'missing';

describe('the results of a run', () => {
  it('are in files, report, outputs, summary and annotations, for each kind of step', async () => {
    const harness = await createHarness({ code: 'dist', workflow });
    const job = await runWithFiles(harness, { rules: rules(true) });
    const { main, files } = job;
    expect(main.outputs, main.log).toMatchObject({
      status: 'passed',
      result: 'Nothing to do.',
      tasks: '["login","../../Log out"]',
    });
    expect(main.outputs.results).toMatch(/\/gump-\w+\/results$/);
    const placed = [
      { path: 'README.md', line: 1, severity: 'error', message: 'No title', suggestion: '# Title' },
      { severity: 'warning', message: 'Key ***' },
      { path: 'README.md', severity: 'notice', message: 'Too short' },
    ];
    const tasks = [
      { name: 'login', description: 'a form', files: [] },
      { name: '../../Log out', description: 'do ../../Log out', files: ['out.txt'] },
    ];
    expect(Object.keys(files)).toEqual([
      'build.json',
      logoutPath(files),
      'build/login/impl.md',
      'notes.md',
      'review.json',
    ]);
    expect(files['notes.md']).toBe('Notes with ***.\n');
    expect(files['build/login/impl.md']).toBe('Built it: ***\n');
    expect(JSON.parse(files['build.json'] ?? '')).toEqual(tasks);
    expect(JSON.parse(files['review.json'] ?? '')).toEqual({
      pass: true,
      comments: 'fine',
      findings: placed,
    });
    expect(resultsIn(job)).toEqual({
      notes: { text: 'Notes with ***.\n' },
      build: { tasks },
      'build/login/impl': { text: 'Built it: ***' },
      [logoutPath(files).slice(0, -3)]: { text: 'Nothing to do.' },
      review: { pass: true, comments: 'fine', findings: placed },
    });
    expect(main.summary).toContain(
      '| ❌&nbsp;error | <code>README.md:1</code> | No title<br>Suggestion: \\# Title |',
    );
    expect(main.summary).toContain('<summary>notes</summary>');
    expect(main.log).toContain(
      '::error file=README.md,line=1,endLine=1,title=review::No title%0ASuggestion: # Title\n',
    );
    expect(main.log).toContain('::warning::Step `review`: Key ***\n');
    expect(main.log).toContain('::notice file=README.md,title=review::Too short\n');
    expect(main.warnings).toContainEqual(
      expect.stringContaining('finding 4 has the "severity" "terrible", not "error", "warning" or "notice"'),
    );
    expect(JSON.stringify([files, main.report, main.outputs, main.summary])).not.toContain(anthropicKey);
  });

  it('are there again in a re-run that reuses the steps', async () => {
    const harness = await createHarness({ code: 'dist', workflow });
    const first = await runWithFiles(harness, { rules: rules(false) });
    expect(first.main.outputs).toMatchObject({ status: 'failed', 'failed-step': 'review' });
    expect(JSON.parse(first.files['review.json'] ?? '')).toMatchObject({ pass: false, comments: 'not yet' });
    expect(first.main.outputs.result).toBe('Nothing to do.');
    const calls = (await harness.calls()).length;
    const second = await runWithFiles(harness, { jobAttempt: 2, rules: rules(true) });
    expect(second.main.outputs, second.main.log).toMatchObject({
      status: 'passed',
      result: 'Nothing to do.',
    });
    expect((await harness.calls()).length).toBe(calls + 1);
    const withoutReview = ({ files: { 'review.json': _review, ...files } }: JobWithFiles) => files;
    expect(withoutReview(second)).toEqual(withoutReview(first));
    expect(second.main.report?.steps.find(({ path }) => path === 'notes')).toMatchObject({
      takenOver: true,
      result: { text: 'Notes with ***.\n' },
    });
  });

  it('show what a paused run waits for: a plan, with the outputs `tasks` and `result`', async () => {
    const harness = await createHarness({
      code: 'dist',
      workflow: workflow.replace('prompt: Plan.', 'prompt: Plan.\n    hitl: true'),
    });
    const job = await runWithFiles(harness, { rules: rules(true) });
    const { main, files } = job;
    expect(main.outputs, main.log).toMatchObject({
      status: 'paused',
      'failed-step': 'build',
      tasks: '["login","../../Log out"]',
      result: '1. login: a form\n2. ../../Log out: do ../../Log out\n   Files: out.txt',
    });
    expect(main.report).toMatchObject({
      approval: { step: 'build', changes: { added: 0, removed: 0, files: [] } },
    });
    expect(resultsIn(job)).toMatchObject({ build: { tasks: [{ name: 'login' }, {}] } });
    expect(main.summary).toContain('**Waits for approval: build** · no files changed');
    expect(main.summary).toContain('1. login: a form');
    expect(Object.keys(files)).toEqual(['build.json', 'notes.md']);
  });

  it('show what a paused run waits for: a change, with its size', async () => {
    const harness = await createHarness({
      workflow:
        'name: flow\nsteps:\n  - {name: impl, type: code, agent: claude-haiku, hitl: before_gate, prompt: Implement.}\n',
    });
    const { main } = await harness.runJob({
      rules: [
        {
          do: [
            { write: 'a b.txt', content: '1\n2\n' },
            { write: 'README.md', content: 'new\n' },
            { say: 'I did it.' },
          ],
        },
      ],
    });
    expect(main.outputs, main.log).toMatchObject({ status: 'paused', result: 'I did it.' });
    expect(main.report).toMatchObject({
      approval: {
        step: 'impl',
        changes: {
          added: 3,
          removed: 1,
          files: [
            { path: 'README.md', added: 1, removed: 1 },
            { path: 'a b.txt', added: 2, removed: 0 },
          ],
        },
      },
    });
    expect(main.summary).toContain('**Waits for approval: impl** · 2 files changed, +3 −1');
  });

  it('are written if the job is cancelled', async () => {
    const harness = await createHarness({ code: 'dist', workflow });
    const hang: AgentRule = { prompt: 'Plan.', do: [{ say: 'halfway' }, { hang: true }] };
    const { main, files } = await runWithFiles(harness, {
      rules: [notesRule, hang],
      stop: { how: 'cancel', when: { log: 'halfway' } },
    });
    expect(main.outputs, main.log).toMatchObject({ status: 'waiting', result: 'Notes with ***.\n' });
    expect(files).toEqual({ 'notes.md': 'Notes with ***.\n' });
  });

  it('are written by `post` if `main` was killed', async () => {
    const harness = await createHarness({ code: 'dist', workflow });
    const hang: AgentRule = { prompt: 'Plan.', do: [{ say: 'halfway' }, { hang: true }] };
    const { files, post } = await runWithFiles(
      harness,
      { rules: [notesRule, hang], stop: { how: 'kill', when: { log: 'halfway' } } },
      'inspect',
    );
    expect(files, post?.log).toEqual({ 'notes.md': 'Notes with ***.\n' });
  });

  it('are not written through a link that an agent puts in their place', async () => {
    const harness = await createHarness({
      code: 'dist',
      workflow: 'name: flow\nsteps:\n  - {name: impl, type: code, agent: claude-haiku, prompt: Implement.}\n',
    });
    const plant =
      'mkdir ../outside && ln -s "$PWD/../outside" "$(dirname "$(ls ../../_temp/gump-*/journal.ndjson)")/results"';
    let outside: readonly string[] = ['missing'];
    const { main, files } = await runWithFiles(harness, {
      rules: [{ do: [{ run: plant }, { say: 'Planted.' }] }],
      async inspect({ workspace }) {
        outside = readdirSync(join(workspace, '..', 'outside'));
      },
    });
    expect(main.outputs, main.log).toMatchObject({ status: 'passed' });
    expect(files).toEqual({ 'impl.md': 'Planted.\n' });
    expect(outside).toEqual([]);
  });

  it('of a failed gate become one annotation at each place of the repository, for the last attempt', async () => {
    const harness = await createHarness({
      code: 'dist',
      workflow: `name: flow
steps:
  - name: impl
    type: code
    agent: claude-haiku
    prompt: Implement.
    gate: [{bash: "echo 'app/a.ts(2,7): error TS2322: Wrong type.'; echo '/etc/passwd(1,1): error TS1: No.'; cat app/a.ts; exit 1"}]
    retry: [{exit: 2}]
`,
      files: { 'app/a.ts': 'a\nb\n' },
    });
    const { main } = await harness.runJob();
    expect(main.outputs, main.log).toMatchObject({ status: 'failed' });
    const places = main.log.split('\n').filter((line) => line.startsWith('::error file='));
    expect(places).toEqual([
      '::error file=app/a.ts,line=2,endLine=2,col=7,title=impl%3A gate bash_0::TS2322: Wrong type.',
    ]);
  });

  it('are conversations, too, with `transcripts`', async () => {
    const harness = await createHarness({ code: 'dist', workflow });
    const { main, files } = await runWithFiles(harness, {
      rules: rules(true),
      inputs: { transcripts: 'true' },
    });
    expect(main.outputs, main.log).toMatchObject({ status: 'passed' });
    const conversation = files['build/login/impl.transcript-1.md'] ?? '';
    expect(conversation).toContain('# Step `build/login/impl`, attempt 1, job attempt 1\n');
    expect(conversation).toContain('Build login');
    expect(conversation).toMatch(/- \*\*\w+\*\* `.*login\.txt`/);
    expect(conversation).toContain('Built it: ***');
    expect(files['review.transcript-1.md']).toContain('.gump/out/validate.json');
    expect(JSON.stringify(files)).not.toContain(anthropicKey);
  });
});

describe('a run that passed', () => {
  it('says in the log what changed, where it is and what it cost', async () => {
    const harness = await createHarness({
      workflow: 'name: flow\nsteps:\n  - {name: impl, type: code, agent: claude-haiku, prompt: Implement.}\n',
    });
    const rule: AgentRule = {
      do: [
        { write: 'a.txt', content: '1\n2\n' },
        { write: 'README.md', content: 'new\n' },
      ],
    };
    const { main } = await harness.runJob({ rules: [rule] });
    expect(main.log).toMatch(
      /✓ flow passed\n {2}Changes: 2 files changed, \+3 −1\n {4}README\.md \+1 −1\n {4}a\.txt \+2 −0\n {2}Where: uncommitted in the checkout, for later steps of the job; as a patch in \/\S+\/changes\.patch\n {2}Results: \/\S+\/results\n {2}Cost: 3 turns, .*\$0\.0030\n/,
    );
  });
});
