/** Examples as repositories: their files in a project for which they are written. */
import { glob, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import type { AgentAction } from '../rig/stand-in.js';
import { createHarness, type Harness, type HarnessOptions } from './harness.js';

export const exampleFolder = fileURLToPath(new URL('../../examples', import.meta.url));

/** A project for which the examples are written. */
const project = {
  'package.json': JSON.stringify({
    name: 'sample',
    type: 'module',
    scripts: { build: 'node --check src/add.js', test: 'node --test', lint: 'true' },
  }),
  'package-lock.json': JSON.stringify({ name: 'sample', lockfileVersion: 3, packages: { '': {} } }),
  'src/add.js': 'export const add = (a, b) => a - b;\n',
  'test/start.test.js': "import { test } from 'node:test';\ntest('starts', () => {});\n",
};

export const addTest: AgentAction = {
  write: 'test/add.test.js',
  content: `import assert from 'node:assert';
import { test } from 'node:test';
import { add } from '../src/add.js';
test('adds', () => assert.equal(add(1, 2), 3));
`,
};

export const writeAdd = (sign: string): AgentAction => ({
  write: 'src/add.js',
  content: `export const add = (a, b) => a ${sign} b;\n`,
});

/** In place of the secret GUMP_STATE_KEY. */
const stateKey = 'R8x2vQ0mT5kLw7yZ3nB6cF1hJ4pS9dGa';

export type Inputs = Readonly<Record<string, string>>;

export interface Example {
  readonly harness: Harness;
  /** The inputs of each job, in order, without expressions that only GitHub can evaluate. */
  readonly inputs: readonly Inputs[];
  /** The script of the last step of the job `publish`. */
  readonly publish: string | undefined;
}

/** The examples that a test of this process opened. */
export const testedExamples = new Set<string>();

/** Creates a project with the files of the example, and reads the inputs from its job. */
export async function openExample(name: string, options: ExampleOptions = {}): Promise<Example> {
  testedExamples.add(name);
  const files: Record<string, string> = {};
  for await (const path of glob(`${name}/.*/**/*.{yml,yaml}`, { cwd: exampleFolder }))
    files[path.slice(name.length + 1)] = await readFile(join(exampleFolder, path), 'utf8');
  return openProject(files, options);
}

type ExampleOptions = Pick<HarnessOptions, 'changeStage'>;

/** Creates a project with these files, among them GitHub workflows. */
export async function openProject(
  files: Readonly<Record<string, string>>,
  options: ExampleOptions = {},
): Promise<Example> {
  const harness = await createHarness({
    workflow: 'name: unused',
    files: { ...project, ...files },
    code: 'dist',
    ...options,
  });
  const workflows = workflowsWithAgents(files).map((text) => jobsOf(text));
  const publish = workflows[0]?.publish?.steps.at(-1)?.run;
  return { harness, inputs: workflows.flatMap(inputsOf), publish };
}

/** In the order of their names. An example may have another workflow next to them, without agents. */
function workflowsWithAgents(files: Readonly<Record<string, string>>): readonly string[] {
  const found = Object.entries(files).filter(
    ([path, text]) => path.startsWith('.github/') && text.includes('gump-action@'),
  );
  return found.toSorted(([one], [other]) => one.localeCompare(other)).map(([, text]) => text);
}

interface Job {
  readonly steps: readonly {
    readonly uses?: string;
    readonly run?: string;
    readonly with?: Readonly<Record<string, string | number>>;
  }[];
}

type Jobs = Readonly<Record<string, Job>>;

const jobsOf = (workflow: string) => (parse(workflow) as { readonly jobs: Jobs }).jobs;

function inputsOf(jobs: Jobs): readonly Inputs[] {
  const steps = Object.values(jobs).flatMap((job) => job.steps);
  return steps
    .filter((step) => step.uses?.includes('gump-action') === true)
    .map((step) => {
      const given = Object.entries(step.with ?? {}).map(([name, value]) => [name, String(value)] as const);
      const own = given.filter(([, value]) => !value.includes('${{'));
      return { ...Object.fromEntries(own), 'state-key': stateKey, spec: 'SPEC: sums are wrong' };
    });
}
