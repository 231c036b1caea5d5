// Makes dist/ from build/: one minified chunk by ncc, the licenses of everything in it, the module marker, and the
// entry of post, which loads the chunk. Minified, because a job compiles the chunk at every start. The source map
// stays in build/ and is not shipped.
import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';

const options = ['--minify', '--source-map', '--no-source-map-register', '--license', 'licenses.txt', '-q'];
rmSync('dist', { recursive: true, force: true });
execFileSync('ncc', ['build', 'build/index.js', '-o', 'dist', ...options], { stdio: 'inherit' });

renameSync('dist/index.js.map', 'build/index.js.map');
const bundle = readFileSync('dist/index.js', 'utf8');
writeFileSync('dist/index.js', bundle.replace(/\n\/\/# sourceMappingURL=.*\s*$/, '\n'));
copyFileSync('build/post.js', 'dist/post.js');

const files = readdirSync('dist').sort();
const expected = ['index.js', 'licenses.txt', 'package.json', 'post.js'];
if (files.join() !== expected.join())
  throw new Error(`dist contains ${files.join(', ')}; expected ${expected.join(', ')}`);
const { type } = JSON.parse(readFileSync('dist/package.json', 'utf8'));
if (type !== 'module') throw new Error('dist/package.json lacks "type": "module"');
if (!existsSync('dist/licenses.txt')) throw new Error('dist/licenses.txt is missing');
