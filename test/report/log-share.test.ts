import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createLogShare } from '../../src/report/log-share.js';
import { holds } from '../fakes/holds.js';

function shareOf(limit: number, prefix = '') {
  const printed: string[] = [];
  const share = createLogShare((text) => printed.push(text), prefix, limit);
  return { share, printed, log: () => printed.map((text) => `${text}\n`).join('') };
}

const note = '[… of what follows, the log shows only the last part, when the program has ended …]';

describe('a share of the log', () => {
  it('prints what fits immediately', () => {
    const { share, printed } = shareOf(10_000, '[test] ');
    share.print('one');
    share.print('two\nthree');
    expect(printed).toEqual(['[test] one', '[test] two\n[test] three']);
    share.end();
    expect(printed).toHaveLength(2);
  });

  it('prints the first part, then the last part at the end, with notes', () => {
    const { share, printed } = shareOf(2000, '- ');
    for (let number = 0; number < 1000; number += 1) share.print(`line ${number}`);
    const first = printed.length;
    expect(printed.slice(0, 2)).toEqual(['- line 0', '- line 1']);
    expect(printed.at(-1)).toBe(`- ${note}`);
    share.end();
    expect(printed).toHaveLength(first + 1);
    const last = printed.at(-1)?.split('\n') ?? [];
    expect(last[0]).toBe(`- [… ${1000 - (first - 1) - (last.length - 1)} lines left out …]`);
    expect(last.at(-1)).toBe('- line 999');
  });

  it('never exceeds its limit, whatever is printed, and keeps the first and the last line', () => {
    const line = fc.oneof(fc.string({ maxLength: 5 }), fc.string({ unit: 'grapheme', maxLength: 300 }));
    holds(
      fc.property(fc.array(line, { minLength: 1, maxLength: 200 }), (lines) => {
        const { share, log } = shareOf(5000, '[gate] ');
        for (const one of lines) share.print(one);
        share.end();
        expect(Buffer.byteLength(log())).toBeLessThanOrEqual(5000);
        expect(log().startsWith(`[gate] ${lines[0]}`)).toBe(true);
        expect(log().endsWith(`[gate] ${lines.at(-1)}\n`)).toBe(true);
      }),
    );
  });

  it('shortens a very long line', () => {
    const { share, log } = shareOf(1024 * 1024);
    share.print('x'.repeat(5_000_000));
    share.print('next');
    expect(log()).toBe(`${'x'.repeat(8000)}\nnext\n`);
  });
});
