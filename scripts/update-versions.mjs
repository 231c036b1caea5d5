// Writes the newest version of each agent CLI, according to `npm view`, into src/providers/versions.ts. The new
// versions must be tested afterwards, so the script prints the other places that name them.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import './typescript.mjs';

const path = fileURLToPath(new URL('../src/providers/versions.ts', import.meta.url));
const { providers } = await import('../src/providers/provider-registry.ts');
const { pinnedVersions } = await import('../src/providers/versions.ts');

function newest(name) {
  const version = execFileSync('npm', ['view', name, 'dist-tags.latest'], { encoding: 'utf8' }).trim();
  if (!/^\d+\.\d+\.\d+$/.test(version))
    throw new Error(`\`npm view ${name}\` reports "${version}", which is not a version`);
  return version;
}

let text = readFileSync(path, 'utf8');
const changes = [];
for (const { id, npm } of providers) {
  if (npm === undefined) continue;
  const [before, after] = [pinnedVersions[id], newest(npm.name)];
  if (before === after) continue;
  text = text.replace(`  ${id}: '${before}',`, `  ${id}: '${after}',`);
  changes.push(`${npm.name} ${before} -> ${after}`);
}
writeFileSync(path, text);
// In its own process, because this one has read the former versions.
execFileSync(process.execPath, [fileURLToPath(new URL('cli-locks.mjs', import.meta.url))], {
  stdio: 'inherit',
});
for (const change of changes) console.log(change);
if (changes.length === 0) console.log('All versions are current.');
else
  console.log(
    'Next: update test/real/package.json, run `npm run test:real`, and update the tables in README.md and docs/providers.md.',
  );
