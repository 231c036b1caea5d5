/** The repository of the demo, and the script of the stand-in agent. */
import { readFileSync } from 'node:fs';
import { parse, stringify } from 'yaml';
import type { Files } from '../../test/rig/files.js';
import type { AgentRule } from '../../test/rig/stand-in.js';

/** Which program acts as the agent. */
export type AgentKind = 'stand-in' | 'real';

export const testsFile = 'test/slug.test.mjs';
export const codeFile = 'src/slug.mjs';

export const spec =
  'slug(text), a named export of src/slug.mjs, converts text for use in a URL: lower case, one dash for each run of spaces, and only the characters a-z, 0-9 and dashes. Two short tests with node:test in test/slug.test.mjs are enough.';

/** The example of the README. */
const example = readFileSync(new URL('../../examples/tdd/.gump/workflows/tdd.yaml', import.meta.url), 'utf8');

/**
 * A real agent usually passes at once. Therefore the last step gets a gate that needs something that only the second
 * machine has. Its attempts cost money, so the first failure is final.
 */
function workflow(agentKind: AgentKind, agent: string): string {
  if (agentKind === 'stand-in') return example;
  const parsed: { readonly steps: Record<string, unknown>[] } = parse(example);
  for (const step of parsed.steps) step.agent = agent;
  const last = parsed.steps.at(-1);
  if (last === undefined) throw new Error('The example has no step.');
  last.gate = [...(last.gate as unknown[]), { bash: './staging.sh' }];
  delete last.retry;
  return stringify(parsed);
}

const stagingScript = `#!/bin/sh
# Simulates a server that is down during the first job attempt.
if [ "$GITHUB_RUN_ATTEMPT" = 1 ]; then
  echo 'The staging server does not answer. (The code is correct.)'
  exit 1
fi
`;

export function exampleFiles(agentKind: AgentKind, agent: string): Files {
  return {
    'README.md': '# Example\n',
    'package.json': '{ "private": true, "scripts": { "test": "node --test --test-reporter=dot" } }\n',
    '.gump/workflows/tdd.yaml': workflow(agentKind, agent),
    ...(agentKind === 'real' ? { 'staging.sh': { content: stagingScript, executable: true } as const } : {}),
  };
}

const testsCode = `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { slug } from '../src/slug.mjs';

test('lower case, and dashes for spaces', () => assert.equal(slug('Hello  World'), 'hello-world'));
test('other characters are removed', () => assert.equal(slug('What? Why!'), 'what-why'));
`;

const incompleteCode = `export function slug(text) {
  return text.toLowerCase().replaceAll(/\\s+/g, '-');
}
`;

const correctCode = `export function slug(text) {
  return text.toLowerCase().replaceAll(/[^a-z0-9\\s-]/g, '').trim().replaceAll(/\\s+/g, '-');
}
`;

/**
 * The stand-in omits half of the task in job attempt 1, so that the gate fails for a real reason. It writes the tests
 * in its first session and the code when it resumes it.
 */
export function standInRules(jobAttempt: number): readonly AgentRule[] {
  const code =
    jobAttempt === 1
      ? { content: incompleteCode, say: 'The function replaces the spaces.' }
      : { content: correctCode, say: 'I handled only the spaces. Now I remove the other characters too.' };
  return [
    {
      session: 'start',
      do: [
        {
          write: testsFile,
          content: testsCode,
          say: 'One test covers the spaces, one the other characters.',
        },
        { say: `The tests are in ${testsFile}.` },
      ],
    },
    { session: 'resume', do: [{ write: codeFile, ...code }, { say: `slug is in ${codeFile}.` }] },
  ];
}
