// Writes the tables of inputs and outputs in README.md from action.yml and input-groups.mjs, between markers such as
// `<!-- inputs -->` and `<!-- /inputs -->`. With `--check` it writes nothing and fails if they are not current.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { inputGroups } from './input-groups.mjs';

const path = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url));
const { inputs, outputs } = parse(readFileSync(path('action.yml'), 'utf8'));

const cell = (text) =>
  text
    .trim()
    .replaceAll(/[|*]/g, '\\$&')
    .replaceAll(/\s*\n\s*/g, ' ');
const code = (text) => `\`${text}\``;

function defaultOf({ required, default: value }) {
  if (required) return '**required**';
  return value === '' ? 'empty' : code(value);
}

function inputTables() {
  checkGroups(Object.values(inputGroups).flat());
  return Object.entries(inputGroups)
    .map(([group, names]) => `### ${group}\n\n${inputTable(names)}`)
    .join('\n\n');
}

function inputTable(names) {
  const rows = names.map(
    (name) => `| ${code(name)} | ${defaultOf(inputs[name])} | ${cell(inputs[name].description)} |`,
  );
  return ['| Input | Default | Meaning |', '|---|---|---|', ...rows].join('\n');
}

/** Every input of action.yml is in one group, and no group names anything else. */
function checkGroups(grouped) {
  const missing = Object.keys(inputs).filter((name) => !grouped.includes(name));
  const unknown = grouped.filter((name) => inputs[name] === undefined);
  const twice = grouped.filter((name, index) => grouped.indexOf(name) !== index);
  const wrong = Object.entries({ missing, unknown, twice }).filter(([, names]) => names.length > 0);
  if (wrong.length === 0) return;
  const text = wrong.map(([what, names]) => `${what}: ${names.join(', ')}`).join('; ');
  throw new Error(`scripts/input-groups.mjs does not match action.yml: ${text}`);
}

function outputTable() {
  const rows = Object.entries(outputs).map(
    ([name, output]) => `| ${code(name)} | ${cell(output.description)} |`,
  );
  return ['| Output | Value |', '|---|---|', ...rows].join('\n');
}

function replaceBetween(text, marker, table) {
  const [open, close] = [`<!-- ${marker} -->`, `<!-- /${marker} -->`];
  const [start, end] = [text.indexOf(open), text.indexOf(close)];
  if (start < 0 || end < start) throw new Error(`README.md has no ${open} … ${close}`);
  return `${text.slice(0, start + open.length)}\n\n${table}\n\n${text.slice(end)}`;
}

const before = readFileSync(path('README.md'), 'utf8');
const after = replaceBetween(replaceBetween(before, 'inputs', inputTables()), 'outputs', outputTable());
if (process.argv.includes('--check')) {
  if (after !== before) {
    process.stderr.write(
      'The tables in README.md do not match action.yml. Run `node scripts/readme-tables.mjs`.\n',
    );
    process.exitCode = 1;
  }
} else {
  writeFileSync(path('README.md'), after);
}
