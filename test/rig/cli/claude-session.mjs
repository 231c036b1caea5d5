/**
 * Claude Code 2.1.330, first half: its command line and where it stores sessions (one file each).
 * It is stricter than the real CLI in one point: it finds a session only under the slug of the present directory, as
 * 2.1.197 does (2.1.330 also searches elsewhere). So tests detect a file that is restored to the wrong place.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join, relative } from 'node:path';
import { isUuid, readArguments, refuse } from './arguments.mjs';
import { findFiles, readEntries } from './files.mjs';

export const version = '2.1.330';

const options = {
  ...flags('-p', '--print', '--verbose', '--dangerously-skip-permissions', '--fork-session', '--debug'),
  ...flags('--include-partial-messages', '--strict-mcp-config'),
  ...each(
    'value',
    '--output-format',
    '--input-format',
    '--session-id',
    '--resume',
    '-r',
    '--model',
    '--max-turns',
  ),
  ...each('value', '--max-budget-usd', '--permission-mode', '--append-system-prompt', '--system-prompt'),
  ...each('value', '--fallback-model', '--settings', '--setting-sources', '--effort'),
  ...each(
    'list',
    '--allowedTools',
    '--allowed-tools',
    '--disallowedTools',
    '--disallowed-tools',
    '--add-dir',
  ),
  ...each('list', '--mcp-config', '--tools'),
};

function flags(...names) {
  return each('flag', ...names);
}

function each(kind, ...names) {
  return Object.fromEntries(names.map((name) => [name, kind]));
}

export function parse(argv, prompt) {
  const given = readArguments(argv, options);
  const last = (name) => given[name]?.at(-1);
  prompt.text ||= given.words.join(' ');
  const resume = last('--resume') ?? last('-r');
  const id = last('--session-id');
  if (last('--output-format') === 'stream-json' && !given['--verbose']) {
    refuse(1, 'Error: When using --print, --output-format=stream-json requires --verbose');
  }
  const mode = given['--dangerously-skip-permissions']
    ? 'bypassPermissions'
    : (last('--permission-mode') ?? 'default');
  if (mode === 'bypassPermissions' && process.getuid?.() === 0 && !process.env.IS_SANDBOX) {
    refuse(1, '--dangerously-skip-permissions cannot be used with root/sudo privileges for security reasons');
  }
  if (id !== undefined && !isUuid(id)) refuse(1, 'Error: Invalid session ID. Must be a valid UUID.');
  if (prompt.text.trim() === '')
    refuse(
      1,
      'Error: Input must be provided either through stdin or as a prompt argument when using --print',
    );
  return {
    session: resume === undefined ? { mode: 'start', id } : { mode: 'resume', id: resume },
    model: last('--model'),
    maxTurns: numberOf(last('--max-turns')),
    permission: mode,
    isPartial: Boolean(given['--include-partial-messages']),
    allowed: [...(given['--allowedTools'] ?? []), ...(given['--allowed-tools'] ?? [])].flatMap((text) =>
      text.split(/[,\s]+(?![^(]*\))/),
    ),
  };
}

function numberOf(text) {
  return text === undefined ? undefined : Number(text);
}

const home = () => process.env.CLAUDE_CONFIG_DIR ?? join(homedir(), '.claude');

/** Every character but letters and digits becomes `-`; above 200 characters it is truncated and gets a short hash. */
function slugOf(directory) {
  const path = realpathSync(directory);
  const slug = path.replaceAll(/[^A-Za-z0-9]/g, '-');
  return slug.length <= 200 ? slug : `${slug.slice(0, 200)}-${hash(path)}`;
}

/** 31 h + c in 32 bits, to the base 36, as both versions gave for a path of 262 characters. */
function hash(text) {
  let value = 0;
  for (let index = 0; index < text.length; index += 1) {
    value = (Math.imul(value, 31) + text.charCodeAt(index)) | 0;
  }
  return Math.abs(value).toString(36);
}

export function open({ session }) {
  const projects = join(home(), 'projects');
  const folder = join(projects, slugOf(process.cwd()));
  if (session.mode === 'resume') return resume(session.id, folder);
  const id = session.id ?? randomUUID();
  if (findFiles(projects, (name) => name === `${id}.jsonl`).length > 0) {
    refuse(1, `Error: Session ID ${id} is already in use.`);
  }
  // A start uses up its id immediately, even if the API then refuses it.
  mkdirSync(folder, { recursive: true });
  return { id, file: join(folder, `${id}.jsonl`), earlier: [], costBefore: 0 };
}

function resume(name, folder) {
  const isPath = name.endsWith('.jsonl') && isAbsolute(name);
  if (!isPath && !isUuid(name))
    refuse(1, `Error: --resume requires a valid session ID. "${name}" is not a UUID.`);
  const file = isPath ? name : join(folder, `${name}.jsonl`);
  const entries = existsSync(file) ? readEntries(file) : [];
  if (!entries.some(({ type }) => type === 'user')) refuseUnknown(name);
  const states = entries.filter(({ type }) => type === 'cost-state');
  const prompts = entries.filter(
    ({ type, message }) => type === 'user' && typeof message.content === 'string',
  );
  const id = entries.find(({ sessionId }) => sessionId)?.sessionId ?? name;
  const earlier = prompts.map(({ message }) => message.content);
  return { id, file, earlier, costBefore: states.at(-1)?.totalCostUSD ?? 0 };
}

function refuseUnknown(id) {
  const message = `No conversation found with session ID: ${id}`;
  const result = {
    subtype: 'error_during_execution',
    is_error: true,
    errors: [message],
    session_id: id,
    type: 'result',
  };
  refuse(1, message, JSON.stringify({ duration_ms: 0, num_turns: 0, total_cost_usd: 0, ...result }));
}

export function mayWrite({ request, cwd }, path) {
  if (['acceptEdits', 'bypassPermissions', 'auto'].includes(request.permission)) return true;
  if (request.permission === 'plan') return false;
  return request.allowed.some((rule) => allowsWrite(rule, relative(realpathSync(cwd), path)));
}

function allowsWrite(rule, path) {
  const [, pattern] = rule.match(/^(?:Write|Edit)(?:\((.*)\))?$/) ?? [];
  if (pattern === undefined) return rule === 'Write' || rule === 'Edit';
  return path.startsWith(pattern.replace(/^\.?\//, '').replace(/\*.*$/, ''));
}

export function mayRun({ request }) {
  return request.permission === 'bypassPermissions' || request.allowed.some((rule) => /^Bash\b/.test(rule));
}
