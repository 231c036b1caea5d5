import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { createCommandVariables } from '../../src/event/command-variables.js';

const known: Readonly<Record<string, string>> = {
  'pr.number': '7',
  'pr.title': '"; rm -rf $HOME; `id` $(id)',
  'pr.diff': `${'+0123456789\n'.repeat(20_000)}`,
};

const values = {
  async read(names: readonly string[]) {
    return {
      values: new Map(names.flatMap((name) => (known[name] === undefined ? [] : [[name, known[name]]]))),
      problems: new Map(names.flatMap((name) => (known[name] === undefined ? [[name, 'No answer.']] : []))),
    };
  },
};

describe('the variables of commands', () => {
  it('are those that the workflow or the command uses', async () => {
    const read = createCommandVariables(values, ['pr.number']);
    expect(await read([])).toEqual({ env: { GUMP_PR_NUMBER: '7' } });
    expect(await read(['echo "$GUMP_PR_TITLE"'])).toEqual({
      env: { GUMP_PR_NUMBER: '7', GUMP_PR_TITLE: known['pr.title'] },
    });
    expect(await createCommandVariables(values, [])(['npm test'])).toEqual({ env: {} });
  });

  it('are a problem only for a command that uses them itself', async () => {
    const read = createCommandVariables(values, ['pr.files']);
    expect(await read(['npm test'])).toEqual({ env: {} });
    expect(await read(['lint $GUMP_PR_FILES'])).toEqual({ env: {}, problem: '`$GUMP_PR_FILES`: No answer.' });
  });

  it('fit into the environment of a process, and their text is never run', async () => {
    const { env } = await createCommandVariables(values, ['pr.diff', 'pr.title'])([]);
    const printed = execFileSync('sh', ['-c', 'printf "%s" "$GUMP_PR_DIFF"; printf "%s" "$GUMP_PR_TITLE"'], {
      env: { PATH: process.env.PATH, ...env },
      encoding: 'utf8',
    });
    expect(printed).toMatch(/^\+0123456789\n/);
    expect(printed.endsWith(`\n[The rest does not fit into a variable.]${known['pr.title']}`)).toBe(true);
    expect(Buffer.byteLength(env.GUMP_PR_DIFF ?? '')).toBeLessThan(128 * 1024 - 100);
  });
});
