/** The workflow `rerun.yml` in nektos/act: a job that fails once, then its re-run on another machine. */
import { describe, expect, it } from 'vitest';
import { findAct, makeActRepository } from './act-machine.js';

const act = findAct();

describe.skipIf(act === undefined)('nektos/act', () => {
  it('pays for the passed step once, and resumes the session of the failed one in the re-run', async () => {
    const repository = makeActRepository(act ?? '');

    const first = await repository.run('rerun.yml', 1);
    expect(first.output).toContain('RESULT status=failed resumed=false persisted=true calls=2');
    expect(first.output).toContain('does not set `GITHUB_REPOSITORY_ID` and `GITHUB_WORKFLOW_REF`');
    expect(first.code).toBe(1);

    const second = await repository.run('rerun.yml', 2);
    expect(second.output).toContain('✓ tests: passed in job attempt 1, result reused');
    expect(second.output).toContain('RESULT status=passed resumed=true persisted=true calls=1');
    expect(second.code).toBe(0);
    expect(sessionsIn(second.output)).toEqual(sessionsIn(first.output));
  });
});

function sessionsIn(output: string): unknown {
  const [, json = ''] = /SESSIONS (\{.*\})/.exec(output) ?? [];
  return JSON.parse(json);
}
