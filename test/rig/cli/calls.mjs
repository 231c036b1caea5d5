/**
 * The calls file and the script. The number of calls in the file selects a rule of the script. So the script needs no
 * state, works over several machines, and parallel calls cannot get the same number.
 */
import { randomUUID } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

const folder = () => join(homedir(), '.fake-agent');

function callsFile() {
  const pointer = join(folder(), 'calls-path');
  return existsSync(pointer) ? readFileSync(pointer, 'utf8').trim() : join(dirname(homedir()), 'calls.jsonl');
}

export function recordCall(provider, argv, prompt, request, opened) {
  const call = {
    token: randomUUID(),
    provider,
    argv,
    prompt,
    cwd: process.cwd(),
    session: { mode: request.session?.mode ?? 'start', id: opened.id ?? request.session?.id },
    model: request.model,
    earlier: opened.earlier ?? [],
    refused: opened.refusal ? (opened.refusal.stderr ?? opened.refusal.stdout ?? '') : undefined,
    sharedWith: opened.refusal ? undefined : lockOwner(provider, opened.id),
    pid: process.pid,
    home: homedir(),
    environment: Object.keys(process.env).sort(),
  };
  appendFileSync(callsFile(), `${JSON.stringify(call)}\n`);
  return call;
}

/** The first matching rule; without one the agent answers `ok`. */
export async function ruleFor(call) {
  const script = await readScript();
  if (typeof script === 'function') return toRule(await script(call));
  const calls = parseCalls(readFileSync(callsFile(), 'utf8'));
  return chooseRule(Array.isArray(script) ? { rules: script } : script, calls, call);
}

/** The calls in the text of a calls file. The last line is incomplete while another agent appends its call. */
export function parseCalls(text) {
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));
}

/** `calls`: all recorded calls, including this one. */
export function chooseRule({ rules, since = 0 }, calls, call) {
  const until = calls.findIndex(({ token }) => token === call.token);
  const seen = calls.slice(since, until + 1).filter(({ refused }) => refused === undefined);
  return rules.find((rule) => matchesRule(rule, call) && matchesCount(rule, seen)) ?? {};
}

function toRule(answer) {
  return Array.isArray(answer) ? { do: answer } : (answer ?? {});
}

function matchesRule(rule, call) {
  return (
    (rule.provider === undefined || rule.provider === call.provider) &&
    (rule.prompt === undefined || call.prompt.includes(rule.prompt)) &&
    (rule.session === undefined || rule.session === call.session.mode) &&
    (rule.model === undefined || rule.model === call.model)
  );
}

/** `call: n` or `[n, m]`: the number among the calls that match the rest of the rule, from 1, in order of arrival. */
function matchesCount(rule, seen) {
  if (rule.call === undefined) return true;
  const number = seen.filter((call) => matchesRule(rule, call)).length;
  return [rule.call].flat().includes(number);
}

async function readScript() {
  const module = join(folder(), 'script.mjs');
  const file = process.env.GUMP_FAKE_SCRIPT ?? (existsSync(module) ? module : join(folder(), 'script.json'));
  if (!existsSync(file)) return [];
  if (file.endsWith('.mjs')) return (await import(pathToFileURL(file).href)).default;
  return JSON.parse(readFileSync(file, 'utf8'));
}

/** Records that this process uses the session; the returned function removes the record. */
export function lockSession(provider, id) {
  const lock = lockFile(provider, id);
  mkdirSync(dirname(lock), { recursive: true });
  writeFileSync(lock, String(process.pid));
  return () => rmSync(lock, { force: true });
}

/** The living process that already uses the session, if any. */
function lockOwner(provider, id) {
  const lock = lockFile(provider, id);
  if (!existsSync(lock)) return undefined;
  const pid = Number(readFileSync(lock, 'utf8'));
  try {
    process.kill(pid, 0);
    return pid;
  } catch {
    return undefined; // It was killed and could not remove its record.
  }
}

function lockFile(provider, id) {
  return join(folder(), 'busy', `${provider}-${id}`);
}
