import { expect, it } from 'vitest';
import { readablePatch } from '../../src/engine/readable-patch.js';

const text = 'diff --git a/a.txt b/a.txt\n--- a/a.txt\n+++ b/a.txt\n@@ -1 +1 @@\n-one\n+two\n';
const binary =
  'diff --git a/logo.png b/logo.png\nnew file mode 100644\nindex 0000000..1111111\nGIT binary patch\nliteral 3\nKcmZQzfB*mh\n\nliteral 0\nHcmV?d00001\n\n';

it('leaves out the bytes of binary files, and names them', () => {
  const readable = readablePatch(binary + text);
  expect(readable).toContain('b/logo.png');
  expect(readable).not.toContain('KcmZQz');
  expect(readable.endsWith(text)).toBe(true);
});

it('contains the words of a binary patch if a file contains them', () => {
  const about = `${text}+GIT binary patch\n`;
  expect(readablePatch(about)).toBe(about);
});

it('has an end', () => {
  expect(readablePatch(text + '+more\n'.repeat(100_000)).length).toBeLessThanOrEqual(100_000);
});
