// Makes dist/ from build/: a small file that starts (index.js), which loads the action (entry.js), each one minified
// chunk by ncc; the licenses of everything in them; the module marker; the entry of post; and the local command. Minified, because a job
// compiles the chunk at every start. The source map stays in build/ and is not shipped.
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';

const options = ['--minify', '--source-map', '--no-source-map-register', '-q'];
rmSync('dist', { recursive: true, force: true });
bundle('entry.js', 'dist', ['--license', 'licenses.txt']);
bundle('index.js', 'build/start', []);
copyFileSync('build/start/index.js', 'dist/index.js');
copyFileSync('build/post.js', 'dist/post.js');
// The local command is a file of its own, so that a job does not load it.
bundle('cli.js', 'build/local-command', []);
copyFileSync('build/local-command/cli.js', 'dist/cli.js');
chmodSync('dist/cli.js', 0o755);

/** Writes `index.js` of ncc under the name of its source, so that errors name the right file. */
function bundle(name, folder, more) {
  execFileSync('ncc', ['build', `build/${name}`, '-o', folder, ...options, ...more], { stdio: 'inherit' });
  renameSync(`${folder}/index.js.map`, `build/${name}.map`);
  const text = readFileSync(`${folder}/index.js`, 'utf8');
  rmSync(`${folder}/index.js`);
  writeFileSync(`${folder}/${name}`, text.replace(/\n\/\/# sourceMappingURL=.*\s*$/, '\n'));
}

const files = readdirSync('dist').sort();
const expected = ['cli.js', 'entry.js', 'index.js', 'licenses.txt', 'package.json', 'post.js'];
if (files.join() !== expected.join())
  throw new Error(`dist contains ${files.join(', ')}; expected ${expected.join(', ')}`);
const { type } = JSON.parse(readFileSync('dist/package.json', 'utf8'));
if (type !== 'module') throw new Error('dist/package.json lacks "type": "module"');
if (!existsSync('dist/licenses.txt')) throw new Error('dist/licenses.txt is missing');
