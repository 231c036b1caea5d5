// Makes dist/ from build/: a small file that starts (index.js), which loads the action (entry.js), each one minified
// chunk by ncc; the artifact client, which the action loads only if it uses artifacts; the licenses of everything in
// them; the module marker; the entries of post and of resume/; and the
// local command. Minified, because a job compiles the chunk at every start. The source map stays in build/ and is not
// shipped.
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
bundle('artifact-package.js', 'build/artifact-client', ['--license', 'licenses.txt'], 'build/artifacts');
copyFileSync('build/artifact-client/artifact-package.js', 'dist/artifact-package.js');
copyFileSync('build/artifact-client/licenses.txt', 'dist/artifact-package.licenses.txt');
bundle('resume-runs.js', 'build/start-resume-runs', []);
copyFileSync('build/start-resume-runs/resume-runs.js', 'dist/resume-runs.js');
// The local command is a file of its own, so that a job does not load it.
bundle('cli.js', 'build/local-command', []);
copyFileSync('build/local-command/cli.js', 'dist/cli.js');
chmodSync('dist/cli.js', 0o755);

/** Writes `index.js` of ncc under the name of its source, so that errors name the right file. */
function bundle(name, folder, more, source = 'build') {
  execFileSync('ncc', ['build', `${source}/${name}`, '-o', folder, ...options, ...more], {
    stdio: 'inherit',
  });
  renameSync(`${folder}/index.js.map`, `build/${name}.map`);
  const text = readFileSync(`${folder}/index.js`, 'utf8');
  rmSync(`${folder}/index.js`);
  writeFileSync(`${folder}/${name}`, text.replace(/\n\/\/# sourceMappingURL=.*\s*$/, '\n'));
}

const files = readdirSync('dist').sort();
const expected = [
  'artifact-package.js',
  'artifact-package.licenses.txt',
  'cli.js',
  'entry.js',
  'index.js',
  'licenses.txt',
  'package.json',
  'post.js',
  'resume-runs.js',
];
if (files.join() !== expected.join())
  throw new Error(`dist contains ${files.join(', ')}; expected ${expected.join(', ')}`);
const { type } = JSON.parse(readFileSync('dist/package.json', 'utf8'));
if (type !== 'module') throw new Error('dist/package.json lacks "type": "module"');
if (!existsSync('dist/licenses.txt')) throw new Error('dist/licenses.txt is missing');
