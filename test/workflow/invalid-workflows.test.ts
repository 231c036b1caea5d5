import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { positionOf, renderDiagnostic } from '../../src/workflow/diagnostic.js';
import { codes, type DiagnosticCode } from '../../src/workflow/diagnostic-codes.js';
import { parseWorkflow } from '../fakes/parse-workflow.js';
import { fixtures, providers } from './fixtures.js';

const folder = join(fixtures, 'bad');
const files = readdirSync(folder).filter((file) => file.endsWith('.yaml'));

/** The first line of each file lists the expected problems: `# expect: CODE LINE:COLUMN, …`. */
function expected(text: string): readonly string[] {
  const [, list = ''] = /^# expect: (.+)$/m.exec(text) ?? [];
  return list.split(', ').sort();
}

describe('invalid workflows', () => {
  it('have at least 140 examples', () => {
    expect(files.length).toBeGreaterThanOrEqual(140);
  });

  it.each(files)('%s', async (file) => {
    const text = readFileSync(join(folder, file), 'utf8');
    const { workflow, diagnostics } = parseWorkflow(text, { file, providers });
    const found = diagnostics.map((one) => {
      const { line, column } = positionOf(one, text);
      return `${one.code} ${line}:${column}`;
    });
    expect([...found].sort()).toEqual(expected(text));
    const isRefused = diagnostics.some(({ severity }) => severity === 'error');
    expect(workflow === undefined).toBe(isRefused);
    const shown = diagnostics.map((one) => renderDiagnostic(one, { file, text })).join('\n');
    await expect(`${shown}\n`).toMatchFileSnapshot(join(folder, file.replace(/yaml$/, 'txt')));
  });

  it('cover every code', () => {
    const texts = files.map((file) => readFileSync(join(folder, file), 'utf8'));
    const covered = new Set(texts.flatMap(expected).map((one) => one.split(' ')[0]));
    // `random-text.test.ts` and `event-names.test.ts` cover the first two, `load.test.ts` those that need several files.
    const elsewhere: readonly DiagnosticCode[] = [
      'too-many',
      'unavailable-name',
      'unreadable-file',
      'unknown-workflow',
      'workflow-cycle',
      'unknown-input',
      'missing-input',
    ];
    const uncovered = Object.keys(codes).filter((code) => !covered.has(code));
    expect(uncovered.sort()).toEqual([...elsewhere].sort());
  });
});
