/** The repository of the demo, and the script of the stand-in agent. */
import type { Files } from '../../test/rig/files.js';
import type { AgentRule } from '../../test/rig/stand-in.js';

/** Which program acts as the agent. */
export type AgentKind = 'stand-in' | 'real';

export const testsFile = 'slug.test.mjs';
export const codeFile = 'slug.mjs';

const testsPrompt = `Write tests for a function in ${testsFile}, with node:test and node:assert/strict: {spec} Two short tests are enough. Do not write the function.`;
const implPrompt = `Write ${codeFile} so that the tests in ${testsFile} pass. Do not change the tests.`;

export const spec =
  'slug(text), a named export of ./slug.mjs, converts text for use in a URL: lower case, one dash for each run of spaces, and only the characters a-z, 0-9 and dashes.';

/**
 * A real agent usually passes at once. Therefore this gate needs something that only the second machine has.
 */
const stagingGate = `
      - bash: ./staging.sh`;

function workflow(agentKind: AgentKind, agent: string): string {
  return `name: tdd
steps:
  - name: tests
    type: code
    agent: ${agent}
    prompt: ${JSON.stringify(testsPrompt)}
    gate:
      - touched: "${testsFile}"

  - name: impl
    type: code
    agent: ${agent}
    session: from: tests
    prompt: ${JSON.stringify(implPrompt)}
    gate:
      - bash: node --test${agentKind === 'real' ? stagingGate : ''}
`;
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
    '.gump/workflows/tdd.yaml': workflow(agentKind, agent),
    ...(agentKind === 'real' ? { 'staging.sh': { content: stagingScript, executable: true } as const } : {}),
  };
}

const testsCode = `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { slug } from './slug.mjs';

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

/** The stand-in omits half of the task at first, so that the gate of job attempt 1 fails for a real reason. */
export const standInRules: readonly AgentRule[] = [
  {
    prompt: 'Write tests for',
    do: [
      { write: testsFile, content: testsCode, say: 'One test covers the spaces, one the other characters.' },
      { say: `The tests are in ${testsFile}.` },
    ],
  },
  {
    prompt: `Write ${codeFile}`,
    call: 1,
    do: [{ write: codeFile, content: incompleteCode }, { say: `slug is in ${codeFile}.` }],
  },
  {
    prompt: `Write ${codeFile}`,
    call: 2,
    do: [
      {
        write: codeFile,
        content: correctCode,
        say: 'I handled only the spaces. Now I remove the other characters too.',
      },
      { say: 'Both tests should pass now.' },
    ],
  },
];
