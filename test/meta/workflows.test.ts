/** Every workflow in the docs, the examples and this repository is valid. */
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { providers } from '../../src/providers/provider-registry.js';
import { renderDiagnostic } from '../../src/workflow/diagnostic.js';
import { parseWorkflow } from '../fakes/parse-workflow.js';
import { actionMetadata, codeBlocks, docPages, listFiles, readText } from './project-files.js';

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
    const ours = stepsOf(one).filter(({ uses }) => uses === './' || uses?.startsWith('OWNER/gump-action@'));
    // Workflows of this repository also test, search and release without the action.
    if (!one.title.startsWith('.github/')) expect(ours.length).toBeGreaterThan(0);
    for (const step of ours) {
      expect(Object.keys(actionMetadata.inputs)).toEqual(
        expect.arrayContaining(Object.keys(step.with ?? {})),
      );
    }
  });

  it.each(all.filter(isJobs))('$title stores no token where an agent can read it', (one) => {
    expect((parse(one.text) as GitHubWorkflow).permissions).toEqual({ contents: 'read' });
    const checkouts = stepsOf(one).filter(({ uses }) => uses?.startsWith('actions/checkout@'));
    for (const step of checkouts) expect(step.with?.['persist-credentials']).toBe(false);
  });
});
