import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createBoundedOutput } from '../../src/gates/bounded-output.js';
import { cutMiddle } from '../../src/gates/cut-middle.js';
import { errorText, gateErrorText } from '../../src/gates/error-text.js';
import type { GateResult } from '../../src/gates/gate-result.js';
import { holds } from '../fakes/holds.js';

function numbered(count: number): string {
  return Array.from({ length: count }, (_, index) => `line ${index}`).join('\n');
}

function result(name: string, status: GateResult['status'], output: string): GateResult {
  return { name, type: name, status, output, durationMs: 1 };
}

describe('cutMiddle', () => {
  it('does not change a text that fits', () => {
    expect(cutMiddle('a\nb\n', 4)).toBe('a\nb\n');
  });

  it('keeps whole lines at both ends and names the number of removed characters', () => {
    const shortened = cutMiddle(numbered(1000), 100);
    expect(shortened).toBe(
      'line 0\nline 1\nline 2\nline 3\nline 4\n[… 8829 characters left out …]\nline 997\nline 998\nline 999',
    );
  });

  it('cuts a line that is too long for its half', () => {
    const shortened = cutMiddle(`${'a'.repeat(500)}${'b'.repeat(500)}`, 101);
    expect(shortened).toMatch(/^a{30,}\n\[… \d+ characters left out …\]\nb{30,}$/);
    expect(shortened.length).toBeLessThanOrEqual(101);
  });

  it('never splits a character, whatever the limit', () => {
    const text = '🙂'.repeat(200);
    for (let max = 0; max < 120; max++) expect(cutMiddle(text, max)).not.toMatch(/\p{Surrogate}/u);
  });

  it('is never longer than the limit, and consists of the two ends', () => {
    const lines = fc.array(fc.string({ maxLength: 60 }), { maxLength: 60 }).map((all) => all.join('\n'));
    holds(
      fc.property(lines, fc.integer({ min: 60, max: 600 }), (text, max) => {
        const shortened = cutMiddle(text, max);
        expect(shortened.length).toBeLessThanOrEqual(max);
        if (text.length <= max) return;
        const [head = '', tail = ''] = shortened.split(/\n\[… \d+ characters left out …\]\n/);
        expect(text.startsWith(head) && text.endsWith(tail)).toBe(true);
      }),
    );
  });
});

describe('the output of failed gates', () => {
  it('follows the names of the gates, separated by lines with ---', () => {
    const results = [
      result('compile', 'passed', 'fine'),
      result('test', 'failed', '\n1 failed\n'),
      result('lint', 'skipped', 'no tool'),
      result('bash_2', 'failed', 'unused variable'),
    ];
    expect(errorText(results)).toBe('gate test:\n1 failed\n---\ngate bash_2:\nunused variable');
  });

  it('is empty if none failed', () => {
    expect(errorText([result('test', 'passed', 'fine')])).toBe('');
  });

  it('has at most 8,000 characters and contains every gate', () => {
    const text = errorText([
      result('compile', 'failed', numbered(5000)),
      result('lint', 'failed', 'short'),
      result('test', 'failed', numbered(5000)),
    ]);
    expect(text.length).toBeLessThanOrEqual(8000);
    expect(text.length).toBeGreaterThan(7900);
    expect(text.match(/^gate \w+:|^line 4999$|^short$|^---$/gm)).toEqual([
      'gate compile:',
      'line 4999',
      '---',
      'gate lint:',
      'short',
      '---',
      'gate test:',
      'line 4999',
    ]);
  });

  it('is within the limit for any number of gates', () => {
    const outputs = fc.array(fc.nat(5000), { maxLength: 300 });
    holds(
      fc.property(outputs, fc.integer({ min: 0, max: 2000 }), (lengths, max) => {
        const results = lengths.map((length, index) => result(`g${index}`, 'failed', 'x'.repeat(length)));
        expect(errorText(results, max).length).toBeLessThanOrEqual(max);
      }),
    );
  });

  it('has at most 4,000 characters in the state, and none for a gate that did not fail', () => {
    expect(gateErrorText(result('test', 'failed', ' a\n'))).toBe('a');
    expect(gateErrorText(result('test', 'failed', numbered(5000))).length).toBeLessThanOrEqual(4000);
    expect(gateErrorText(result('test', 'passed', 'fine'))).toBe('');
    expect(gateErrorText(result('lint', 'skipped', 'no tool'))).toBe('');
  });
});

describe('createBoundedOutput', () => {
  function kept(lines: readonly string[], limit: number): string {
    const output = createBoundedOutput(limit);
    for (const line of lines) output.add(line);
    return output.text();
  }

  it('keeps a short output completely', () => {
    expect(kept(['a', '', 'b'], 1000)).toBe('a\n\nb\n');
  });

  it('keeps the first and the last lines of a long output', () => {
    const lines = Array.from({ length: 100_000 }, (_, index) => `line ${index}`);
    const text = kept(lines, 1000);
    expect(text.length).toBeLessThan(1100);
    const dropped = Number(/\n\[… (\d+) lines left out …\]\n/.exec(text)?.[1]);
    const shown = text.split('\n').filter((line) => line.startsWith('line'));
    expect(dropped + shown.length).toBe(100_000);
    expect([shown.at(0), shown.at(-1)]).toEqual(['line 0', 'line 99999']);
  });

  it('shortens a very long line', () => {
    const text = kept(['before', `${'a'.repeat(5000)}${'b'.repeat(5000)}`, 'after'], 1000);
    expect(text).toMatch(/^before\na+ \[… 9750 characters left out …\] b+\nafter\n$/);
    expect(text.length).toBeLessThan(300);
  });
});
