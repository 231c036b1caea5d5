/** Every workflow in the docs, the examples and this repository is valid. */
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { providers } from '../../src/providers/provider-registry.js';
import { renderDiagnostic } from '../../src/workflow/diagnostic.js';
import { parseWorkflow } from '../fakes/parse-workflow.js';
import {
  type ActionYaml,
  actionMetadata,
  codeBlocks,
  docPages,
  listFiles,
  readText,
  resumeMetadata,
} from './project-files.js';

interface WorkflowText {
  readonly title: string;
  readonly text: string;
}

const docWorkflows: readonly WorkflowText[] = docPages
  .flatMap((page) => codeBlocks(page, 'yaml'))
  .map(({ page, line, text }) => ({ title: `${page}:${line}`, text }));
const workflowFiles = listFiles(
  'examples/**/*.yml',
  'examples/**/*.yaml',
  '.github/**/*.yml',
  '.github/**/*.yaml',
)
  .filter((path) => /\/(?:workflows|self-test)\//.test(path))
  .map((path) => ({ title: path, text: readText(path) }));
const all = [...docWorkflows, ...workflowFiles];

const isJobs = ({ text }: WorkflowText) => /^jobs:/m.test(text);
const isSteps = ({ text }: WorkflowText) => /^- name:/.test(text);
const isWorkflow = ({ text }: WorkflowText) => /^steps:/m.test(text);

function problemsIn({ title, text }: WorkflowText): readonly string[] {
  const options = { file: title, providers: providers.map(({ id }) => id) };
  return parseWorkflow(text, options).diagnostics.map((one) => renderDiagnostic(one, { file: title, text }));
}

interface GitHubWorkflow {
  readonly permissions?: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, { readonly steps: readonly GitHubStep[] }>>;
}

interface GitHubStep {
  readonly uses?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}

const stepsOf = ({ text }: WorkflowText) =>
  Object.values((parse(text) as GitHubWorkflow).jobs).flatMap(({ steps }) => steps);

/** `undefined` for actions of others. */
function metadataOf(uses: string | undefined): ActionYaml | undefined {
  if (uses?.startsWith('OWNER/gump-action/resume@')) return resumeMetadata;
  return uses === './' || uses?.startsWith('OWNER/gump-action@') ? actionMetadata : undefined;
}

describe('workflows in pages and files', () => {
  it('all have a kind that this test checks', () => {
    expect(all.filter((one) => !isJobs(one) && !isSteps(one) && !isWorkflow(one))).toEqual([]);
    expect(all.filter(isJobs).length).toBeGreaterThan(3);
  });

  it.each(all.filter(isWorkflow))('$title is a workflow without problems', (one) => {
    expect(problemsIn(one)).toEqual([]);
  });

  it.each(all.filter(isSteps))('$title are steps without problems', ({ title, text }) => {
    const inList = text.replaceAll(/^(?=.)/gm, '  ');
    expect(problemsIn({ title, text: `name: x\nsteps:\n${inList}` })).toEqual([]);
  });

  it.each(all.filter(isJobs))('$title uses only inputs that the action has', (one) => {
    const ours = stepsOf(one).filter(({ uses }) => metadataOf(uses) !== undefined);
    // Workflows of this repository also test, search and release without the action, and one page deletes artifacts.
    const isOther = one.title.startsWith('.github/') || /^name: forget$/m.test(one.text);
    if (!isOther) expect(ours.length).toBeGreaterThan(0);
    for (const step of ours) {
      expect(Object.keys(metadataOf(step.uses)?.inputs ?? {})).toEqual(
        expect.arrayContaining(Object.keys(step.with ?? {})),
      );
    }
  });

  it.each(all.filter(isJobs))('$title stores no token where an agent can read it', (one) => {
    const isResume = stepsOf(one).every(({ uses }) => metadataOf(uses) === resumeMetadata);
    const { permissions = {} } = parse(one.text) as GitHubWorkflow;
    // A job that publishes asks for more itself.
    if (isResume) expect(permissions).toEqual({ actions: 'write', checks: 'read' });
    else expect(new Set(Object.values(permissions))).toEqual(new Set(['read']));
    const checkouts = stepsOf(one).filter(({ uses }) => uses?.startsWith('actions/checkout@'));
    for (const step of checkouts) expect(step.with?.['persist-credentials']).toBe(false);
  });
});
