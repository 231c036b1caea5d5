import { expect, it } from 'vitest';
import { formatCount } from '../../src/report/format.js';

it('parts thousands by commas', () => {
  const counts = [undefined, 0, 999, 1000, 12_345, 123_456, 1_234_567];
  expect(counts.map(formatCount)).toEqual(['–', '0', '999', '1,000', '12,345', '123,456', '1,234,567']);
});
