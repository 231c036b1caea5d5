// Writes src/builtin/builtin-workflows.ts from the workflows beside it: the bundle holds nothing but code. With `--check`
// it writes nothing and fails when the file is not current.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../src/builtin/', import.meta.url));
const target = `${folder}builtin-workflows.ts`;

const literal = (text) => `\`${text.replaceAll(/[\\`]|\$\{/g, '\\$&')}\``;
const key = (name) => (/^\w+$/.test(name) ? name : `'${name}'`);

const names = readdirSync(folder, { recursive: true })
  .filter((path) => path.endsWith('.yaml'))
  .map((path) => path.replaceAll('\\', '/').replace(/\.yaml$/, ''))
  .sort();
const entries = names.map(
  (name) => `  ${key(name)}: ${literal(readFileSync(`${folder}${name}.yaml`, 'utf8'))},\n`,
);
const text = `/** The workflows that come with the action, by the name that \`workflow:\` and \`validate:\` call them. */
// Written by scripts/builtins.mjs from the files beside it: change those.
export const builtIns: Readonly<Record<string, string>> = {
${entries.join('')}};
`;

if (process.argv.includes('--check')) {
  if (readFileSync(target, 'utf8') !== text) {
    process.stderr.write(
      'src/builtin/builtin-workflows.ts is not made of the files beside it: run node scripts/builtins.mjs\n',
    );
    process.exitCode = 1;
  }
} else {
  writeFileSync(target, text);
}
