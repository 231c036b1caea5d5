import { describe, expect, it } from 'vitest';
import { createTail } from '../../src/system/tail.js';

describe('a tail', () => {
  it('is the whole stream if that is short', () => {
    const tail = createTail(10);
    tail.push(Buffer.from('abc'));
    tail.push(Buffer.from('def'));
    expect(tail.text()).toBe('abcdef');
  });

  it('is the last bytes of a long stream', () => {
    const tail = createTail(10);
    for (let index = 0; index < 1000; index++) tail.push(Buffer.from(String(index)));
    expect(tail.text()).toBe('6997998999');
  });

  it('does not begin in the middle of a character', () => {
    const tail = createTail(5);
    tail.push(Buffer.from('aé€b€'));
    expect(tail.text()).toBe('b€');
  });
});
