// Writes the tables of inputs and outputs in README.md from action.yml, between markers such as
// `<!-- inputs -->` and `<!-- /inputs -->`. With `--check` it writes nothing and fails if they are not current.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

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

function inputTable() {
  const rows = Object.entries(inputs).map(
    ([name, input]) => `| ${code(name)} | ${defaultOf(input)} | ${cell(input.description)} |`,
  );
  return ['| Input | Default | Meaning |', '|---|---|---|', ...rows].join('\n');
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
  return `${text.slice(0, start + open.length)}\n${table}\n${text.slice(end)}`;
}

const before = readFileSync(path('README.md'), 'utf8');
const after = replaceBetween(replaceBetween(before, 'inputs', inputTable()), 'outputs', outputTable());
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
