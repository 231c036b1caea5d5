// Creates dist/ from build/: one chunk by ncc, the licenses of everything in it, the module marker, and the
// entry point of post, which loads the chunk.
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';

rmSync('dist', { recursive: true, force: true });
execFileSync('ncc', ['build', 'build/index.js', '-o', 'dist', '--license', 'licenses.txt', '-q'], {
  stdio: 'inherit',
});

copyFileSync('build/post.js', 'dist/post.js');

const files = readdirSync('dist').sort();
const expected = ['index.js', 'licenses.txt', 'package.json', 'post.js'];
if (files.join() !== expected.join())
  throw new Error(`dist contains ${files.join(', ')}; expected ${expected.join(', ')}`);
const { type } = JSON.parse(readFileSync('dist/package.json', 'utf8'));
if (type !== 'module') throw new Error('dist/package.json lacks "type": "module"');
if (!existsSync('dist/licenses.txt')) throw new Error('dist/licenses.txt is missing');
