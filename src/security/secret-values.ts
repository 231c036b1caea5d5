/**
 * The secret parts of a value, whatever its variable is called: tokens with a known prefix, private keys, passwords
 * in addresses and connection strings, and the secrets in JSON, YAML, netrc and header texts. Pure.
 *
 * VALUE1 Nothing is judged by its randomness alone: commit ids, hashes and UUIDs are in many builds.
 * VALUE2 The parts of a pattern are bounded, so that the time is linear in the length of the value.
 * VALUE3 A short password for a server on this machine is no secret: builds use such databases for tests.
 */
import { tokenPattern, webhookPattern } from './token-patterns.js';

/** The parts of a value that are secret. Empty if there is none. */
export function secretsIn(value: string): readonly string[] {
  const found = [...directSecrets(value), ...secretsInBase64(value)];
  return [...new Set(found.map((part) => part.trim()).filter((part) => part !== '' && !isMasked(part)))];
}

/** Whether a value looks like a file path. Base64 rarely does, because it has no `.` and often `+` or `=`. */
export function isPath(value: string): boolean {
  return /^(?:~|\.{1,2})\/|^\/[^/\n:+=]+\/[^\n:+=]*$/.test(value.trim());
}

/** Whether a value is one URL without a user name or password. */
export function isPlainUrl(value: string): boolean {
  const text = value.trim();
  if (!/^[a-z][a-z0-9+.-]*:\/\/\S+$/i.test(text)) return false;
  return !/^[^/]+:\/\/[^/?#]*@/.test(text);
}

/** Whether a value cannot be a secret: empty, a switch, a number, a plain URL, a path or a list of paths. */
export function isHarmlessValue(value: string): boolean {
  const text = value.trim();
  if (/^(?:|true|false|yes|no|on|off|none|null|\d{1,2})$/i.test(text) || isPlainUrl(text)) return true;
  return text.split(':').every(isPath);
}

/** actions/setup-node (v4) sets NODE_AUTH_TOKEN to this text so that npm finds the variable. It opens nothing. */
export function isPlaceholder(value: string): boolean {
  return /^X{5}(?:-X{5})+$/.test(value);
}

/** GitHub replaces masked values by this. */
function isMasked(part: string): boolean {
  return /^\*+$/.test(part);
}

function directSecrets(value: string): readonly string[] {
  return [
    ...[...value.matchAll(tokenPattern), ...value.matchAll(webhookPattern)].map(([token]) => token),
    ...privateKeyLines(value),
    ...passwordsInAddresses(value),
    ...assignedSecrets(value),
    ...secretsInJson(value),
    ...secretsInYaml(value),
    ...secretsInLoginFiles(value),
    ...secretsInHeaders(value),
  ];
}

/** Credential files are often stored in base64, so that they fit on one line. */
function secretsInBase64(value: string): readonly string[] {
  const text = value.replaceAll(/\s/g, '');
  if (text.length < 40 || !/^[\w+/-]+={0,2}$/.test(text)) return [];
  const decoded = Buffer.from(text, 'base64').toString('utf8');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: a decoded text has none of these characters.
  if (/[\u0000-\u0008\u000e-\u001f\ufffd]/.test(decoded)) return [];
  const inner = directSecrets(decoded);
  return inner.length === 0 ? [] : [...inner, value];
}

/** The lines of PEM and PGP keys. In JSON and in many variables, `\n` is two characters. */
function privateKeyLines(value: string): readonly string[] {
  const blocks = value.matchAll(
    /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY[A-Z ]{0,20}-----([\s\S]*?)(?:-----END|$)/g,
  );
  return [...blocks].flatMap(([, body = '']) => body.split(/\r?\n|(?:\\r)?\\n|\s+/));
}

const localHost = /^\[?(?:localhost|127\.|::1|0\.0\.0\.0|host\.docker\.internal)/i;
const maxTestPasswordLength = 15;

/** Passwords as in `postgres://user:password@host`, also without scheme as in `user:password@tcp(host:3306)/db`. */
function passwordsInAddresses(value: string): readonly string[] {
  const urls = value.matchAll(
    /[a-z][a-z0-9+.-]{0,20}:\/\/([^\s/?#:"']{0,200}):([^\s/?#"']{1,2000})@([^\s/?#"']{0,300})/gi,
  );
  const bare = value.matchAll(/^([\w.%+-]+):([^\s/]+)@((?:tcp|unix)\(.*|[\w.-]+:\d+(?:\/.*)?)$/g);
  const passwords = [...urls, ...bare].flatMap(([, , password = '', host = '']) =>
    isForTests(password, host.replace(/^tcp\(/, '')) ? [] : [password, decodePercent(password)],
  );
  return [...passwords, ...userTokens(value)];
}

/** A token as the user name, as in `https://TOKEN@github.com`. */
function userTokens(value: string): readonly string[] {
  const urls = value.matchAll(/https?:\/\/([^\s/?#:@"']{16,2000})(?::x-oauth-basic)?@/gi);
  return [...urls].map(([, user = '']) => user);
}

function isForTests(password: string, host: string): boolean {
  return password.length <= maxTestPasswordLength && localHost.test(host);
}

/** In connection strings, addresses and lists of settings: `AccountKey=…;`, `?sig=…`, `password=…`. */
function assignedSecrets(value: string): readonly string[] {
  const host = /\b(?:server|data source|host)\s*=\s*(?:tcp:)?([^;\s,]+)/i.exec(value)?.[1] ?? '';
  const assigned = value.matchAll(
    /(?:^|[;\s?&,"'])(?:accountkey|sharedaccesskey|sharedaccesssignature|password|passwd|pwd|sig|client_secret|access_token|refresh_token|api[_-]?key|secret|token)\s?=\s?("[^"]{1,2000}"|'[^']{1,2000}'|[^;\s&"']{4,})/gi,
  );
  return [...assigned]
    .map(([, text = '']) => text.replace(/^(["'])(.*)\1$/s, '$2'))
    .filter((text) => !isForTests(text, host));
}

const secretKey =
  /^(?:auth|_?auth_?token|.*(?:password|passwd|passphrase|secret|private_?key|api_?key|access_?key|account_?key|token|credential|client-key-data))$/i;

/** Docker's `auths`, keys of service accounts, Azure credentials, the context `github`. */
function secretsInJson(value: string): readonly string[] {
  const members = value.matchAll(/"([\w.-]+)"\s*:\s*"((?:[^"\\]|\\.){8,})"/g);
  return [...members].flatMap(([, key = '', raw = '']) => {
    if (!secretKey.test(key)) return [];
    const text = unescapeJson(raw);
    if (key !== 'auth') return text.includes('\n') ? [] : [text];
    // Docker stores `user:password` in base64.
    const [, password = ''] = /^[^:]+:(.+)$/s.exec(Buffer.from(text, 'base64').toString('utf8')) ?? [];
    return [text, password];
  });
}

/** A kubeconfig, for example. One line alone is not YAML. */
function secretsInYaml(value: string): readonly string[] {
  if (!value.includes('\n')) return [];
  const members = value.matchAll(/^[ \t]*(?:-[ \t]+)?([\w.-]+):[ \t]+["']?([^\s"'#]{8,})["']?[ \t]*$/gm);
  return [...members].flatMap(([, key = '', text = '']) => (secretKey.test(key) ? [text] : []));
}

/** `.netrc` and `.pgpass`. */
function secretsInLoginFiles(value: string): readonly string[] {
  const netrc = value.matchAll(/\b(?:machine\s+\S+|default)\s+(?:login\s+\S+\s+)?password\s+(\S+)/g);
  const pgpass = value.matchAll(/^[\w.*-]+:(?:\d+|\*):[^:\s]+:[^:\s]+:(\S+)$/gm);
  return [...netrc, ...pgpass].map(([, password = '']) => password);
}

/** `Authorization: Bearer …`, `X-Api-Key: …`. A word of prose after `basic` has no digit. */
function secretsInHeaders(value: string): readonly string[] {
  const schemes = value.matchAll(/\b(?:bearer|basic|token)\s+(?=\S{0,2000}[\d=])([\w.~+/=-]{12,})/gi);
  const headers = value.matchAll(
    /^[ \t]*(?:(?:proxy-)?authorization|(?:x-)?[\w-]*(?:api-?key|-token|-secret|-auth)|cookie)\s*[:=]\s*(.{8,})$/gim,
  );
  const texts = [...headers].map(([, text = '']) => text.replace(/^(?:bearer|basic|token)\s+/i, ''));
  return [...schemes].map(([, text = '']) => text).concat(texts);
}

function unescapeJson(raw: string): string {
  try {
    return JSON.parse(`"${raw}"`) as string;
  } catch {
    return raw;
  }
}

function decodePercent(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
