/**
 * Codex 0.169.0, first half: its command line and where it stores sessions. It has no databases, because a resume
 * needs only the rollout file.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { readArguments, refuse } from './arguments.mjs';
import { findFiles, readEntries } from './files.mjs';

const table = (kind, names) => Object.fromEntries(names.map((name) => [name, kind]));

const bypass = '--dangerously-bypass-approvals-and-sandbox';

/** Options before and after `resume`, and options only before it: `-s` after it is an error in the real CLI too. */
const resumeOptions = {
  ...table('flag', ['--json', bypass, '--skip-git-repo-check', '--ephemeral']),
  ...table('value', ['-m', '--model', '-c', '--config', '-o', '--output-last-message']),
  ...table('value', ['--disable', '--enable', '-i', '--image']),
};
const execOptions = {
  ...resumeOptions,
  ...table('value', ['-s', '--sandbox', '-C', '--cd', '-p', '--profile']),
  ...table('value', ['--output-schema', '--add-dir', '--color']),
};

export function parse(argv, prompt) {
  const { given, id, text } = readCommandLine(argv);
  const last = (...names) => names.flatMap((name) => given[name] ?? []).at(-1);
  if (text !== undefined && text !== '-') {
    prompt.text = text + (prompt.text ? `\n\n<stdin>\n${prompt.text}\n</stdin>` : '');
  }
  const cwd = last('-C', '--cd') ?? process.cwd();
  checkDirectories(cwd, given);
  const settings = [...(given['-c'] ?? []), ...(given['--config'] ?? [])];
  return {
    session: id === undefined ? { mode: 'start' } : { mode: 'resume', id },
    model: last('-m', '--model'),
    ...permissionOf(given[bypass] ? 'danger-full-access' : last('-s', '--sandbox'), settings),
    cwd,
    lastMessageFile: last('-o', '--output-last-message'),
  };
}

function readCommandLine(argv) {
  if (argv[0] !== 'exec') refuse(2, "error: the stand-in knows only 'codex exec'");
  const split = argv.indexOf('resume');
  const before = readArguments(argv.slice(1, split < 0 ? undefined : split), execOptions);
  if (split < 0) return { given: before, text: before.words.at(-1) };
  const after = readArguments(argv.slice(split + 1), resumeOptions);
  const [id, text] = after.words;
  const given = { ...before };
  for (const [name, value] of Object.entries(after)) {
    given[name] = Array.isArray(value) ? [...(before[name] ?? []), ...value] : value;
  }
  return { given, id: id ?? '', text };
}

/** Without a flag Codex is read-only, also on every resume; `-s` takes precedence over a permission profile. */
function permissionOf(sandbox, settings) {
  const value = (pattern) => settings.map((setting) => setting.match(pattern)?.[1]).findLast(Boolean);
  const permission = sandbox ?? value(/^sandbox_mode\s*=\s*"?([\w-]+)"?$/) ?? 'read-only';
  const profile = sandbox === undefined && value(/^permissions\.[\w-]+\.filesystem\s*=\s*(\{.*\})$/);
  const writable = [...(profile || '').matchAll(/"((?:[^"\\]|\\.)*)"\s*=\s*"write"/g)];
  return { permission, writable: writable.map((match) => JSON.parse(`"${match[1]}"`)) };
}

function checkDirectories(cwd, given) {
  const moved = process.env.CODEX_HOME;
  if (moved && !(existsSync(moved) && statSync(moved).isDirectory())) {
    refuse(1, `Error finding codex home: CODEX_HOME points to "${moved}", but that path does not exist`);
  }
  if (given['--skip-git-repo-check'] || isInRepository(cwd)) return;
  refuse(1, 'Not inside a trusted directory and --skip-git-repo-check was not specified.');
}

function isInRepository(directory) {
  if (existsSync(join(directory, '.git'))) return true;
  return dirname(directory) !== directory && isInRepository(dirname(directory));
}

const sessions = () => join(process.env.CODEX_HOME ?? join(homedir(), '.codex'), 'sessions');

export function open({ session }) {
  if (session.mode === 'start') return { earlier: [], before: {}, ...newSession() };
  const { id } = session;
  // Any date folder is valid, but the file must have its original name.
  const canonical = new RegExp(`^rollout-\\d{4}-\\d\\d-\\d\\dT\\d\\d-\\d\\d-\\d\\d-${id}\\.jsonl$`);
  const [file] = /^[\w-]+$/.test(id) ? findFiles(sessions(), (name) => canonical.test(name)) : [];
  if (file === undefined) {
    refuse(
      1,
      `Error: thread/resume: thread/resume failed: no rollout found for thread id ${id} (code -32600)`,
    );
  }
  return { id, file, ...readHistory(readEntries(file)) };
}

function newSession() {
  const id = timeUuid();
  const now = new Date().toISOString();
  const stamp = now.slice(0, 19).replaceAll(':', '-');
  const file = join(sessions(), ...now.slice(0, 10).split('-'), `rollout-${stamp}-${id}.jsonl`);
  return { id, file };
}

/** UUID version 7, as the real thread ids, which sort by time. */
function timeUuid() {
  const time = Date.now().toString(16).padStart(12, '0');
  const random = randomBytes(10).toString('hex');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${random.slice(0, 3)}-8${random.slice(3, 6)}-${random.slice(6, 18)}`;
}

function readHistory(entries) {
  const events = entries.filter(({ type }) => type === 'event_msg').map(({ payload }) => payload);
  const totals = events
    .filter(({ type }) => type === 'token_count')
    .map(({ info }) => info.total_token_usage);
  const earlier = events.filter(({ type }) => type === 'user_message').map(({ message }) => message);
  return { earlier, before: totals.at(-1) ?? {} };
}

export function mayWrite({ request }, path) {
  if (request.permission !== 'read-only') return true;
  return request.writable.some((folder) => path === folder || path.startsWith(`${folder}/`));
}
