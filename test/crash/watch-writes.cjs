/**
 * Watches what `dist/` does to the world, and kills its process with SIGKILL at one of these points. It is loaded
 * with NODE_OPTIONS, so `dist/` itself contains no hook. Each point has a name (what is written, not where) and a
 * number among the points with that name.
 *
 * A file next to the machine loads this one with `{ points, kill, places }`: the file to list the points in, the
 * point to kill at (`stage`, `name`, `number`, `moment`), and the folders of the machine.
 */
const fs = require('node:fs');
const childProcess = require('node:child_process');
const { subscribe } = require('node:diagnostics_channel');
const http = require('node:http');
const { syncBuiltinESMExports } = require('node:module');
const { basename, resolve, sep } = require('node:path');

exports.watchWrites = (options) => {
  const stage = stageOf(process.argv[1]);
  if (stage === undefined) return;
  const watch = createWatch(options, stage);
  watchSynchronous(watch, options);
  watchAsynchronous(watch, options);
  watchPrograms(watch);
  watchRequests(watch);
  watchGitHub(watch);
  syncBuiltinESMExports();
};

/** Only the two stages of the action, not the programs that they start. */
function stageOf(script = '') {
  if (!script.includes('gump-rig')) return undefined;
  return basename(script) === 'post.js' ? 'post' : basename(script) === 'index.js' ? 'main' : undefined;
}

function createWatch({ points, kill }, stage) {
  const counts = new Map();
  // Before the functions are replaced.
  const { writeSync } = fs;
  const list = fs.openSync(points, 'a');
  const die = () => process.kill(process.pid, 'SIGKILL');
  return {
    /** Calls `act` at the point. */
    at(name, act) {
      const number = (counts.get(name) ?? 0) + 1;
      counts.set(name, number);
      writeSync(list, `${JSON.stringify({ stage, name, number })}\n`);
      const isHere = kill?.stage === stage && kill.name === name && kill.number === number;
      if (isHere && kill.moment === 'before') die();
      const result = act();
      if (!isHere) return result;
      if (typeof result?.then !== 'function') return die();
      return result.finally(die);
    },
  };
}

const syncNames = [
  'writeFileSync',
  'appendFileSync',
  'renameSync',
  'rmSync',
  'unlinkSync',
  'linkSync',
  'symlinkSync',
  'copyFileSync',
  'cpSync',
];
const asyncNames = ['writeFile', 'appendFile', 'rename', 'rm', 'unlink', 'link', 'symlink', 'copyFile', 'cp'];

function watchSynchronous(watch, options) {
  let isInside = false;
  const outermost = (name, act) => {
    // Node's own functions call each other.
    if (isInside) return act();
    isInside = true;
    try {
      return watch.at(name, act);
    } finally {
      isInside = false;
    }
  };
  for (const name of syncNames) {
    const original = fs[name];
    fs[name] = (...args) =>
      outermost(nameOf(options, name.replace('Sync', ''), targetOf(name, args), args[1]), () =>
        original(...args),
      );
  }
  const files = new Map();
  const { openSync, writeSync, closeSync } = fs;
  fs.openSync = (path, ...args) => {
    const descriptor = openSync(path, ...args);
    files.set(descriptor, String(path));
    return descriptor;
  };
  fs.closeSync = (descriptor) => {
    files.delete(descriptor);
    return closeSync(descriptor);
  };
  fs.writeSync = (descriptor, ...args) => {
    const path = files.get(descriptor);
    const write = () => writeSync(descriptor, ...args);
    return path === undefined ? write() : outermost(nameOf(options, 'write', path, args[0]), write);
  };
}

function watchAsynchronous(watch, options) {
  for (const name of asyncNames) {
    const original = fs.promises[name];
    fs.promises[name] = (...args) =>
      watch.at(nameOf(options, name, targetOf(name, args), args[1]), () => original(...args));
  }
  const { open } = fs.promises;
  fs.promises.open = (path, flags = 'r', ...rest) => {
    const start = () => open(path, flags, ...rest);
    const isRead = flags === 'r' || (typeof flags === 'number' && (flags & 3) === 0);
    return isRead ? start() : watch.at(nameOf(options, 'open', String(path)), start);
  };
}

/** The programs of the cache client. Agents, gates and git are other programs. */
function watchPrograms(watch) {
  const { spawn } = childProcess;
  childProcess.spawn = (file, ...rest) => {
    const name = basename(String(file)).split(' ')[0];
    return name === 'tar' ? watch.at('cache client: tar', () => spawn(file, ...rest)) : spawn(file, ...rest);
  };
}

/** Requests of the clients of the cache and of artifacts: when they are sent, and when the answer arrives. */
function watchRequests(watch) {
  const { request } = http;
  http.request = (...args) => {
    const { method = 'GET', path = '' } = args.find((one) => one?.path !== undefined) ?? args[0];
    const what = /[^/?]*(?=$|\?)/.exec(path)?.[0];
    const name = /^[A-Z]\w+$/.test(what) ? what : `${method} blob`;
    const sent = watch.at(`request: ${name}`, () => request(...args));
    sent.prependOnceListener('response', () => watch.at(`answer: ${name}`, () => undefined));
    return sent;
  };
}

/** Requests to GitHub's API. Its client uses undici: before one is sent, and when the answer arrives. */
function watchGitHub(watch) {
  const at = (moment) => (message) =>
    watch.at(`GitHub ${moment}: ${routeOf(message.request)}`, () => undefined);
  subscribe('undici:request:create', at('request'));
  subscribe('undici:request:headers', at('answer'));
}

/** `GET pulls/N`. */
function routeOf({ method, path }) {
  const route = path.replace(/\?.*/, '').replace(/^\/(?:repos\/[^/]+\/[^/]+\/)?/, '');
  return `${method} ${route.replace(/[^/]*\d[^/]*/g, 'N')}`;
}

/** The second path of the functions that have one, because that is the one that appears. */
function targetOf(name, args) {
  return String(/^(?:rename|link|symlink|copyFile|cp)/.test(name) ? args[1] : args[0]);
}

function nameOf({ places }, operation, path, data) {
  const full = resolve(path);
  const file = basename(full);
  if (file === 'journal.ndjson') return `journal: ${eventOf(data)}`;
  if (file === 'handover.ndjson') return `post state: ${fieldsOf(data)}`;
  const place = Object.entries(places).find(([, folder]) => full === folder || full.startsWith(folder + sep));
  if (place === undefined) return `unknown: ${operation} ${full}`;
  const [name, folder] = place;
  const inside = full.slice(folder.length + 1);
  return name === 'temp' ? `${nameInTemp(inside)}: ${operation}` : `${name}: ${operation}`;
}

function eventOf(data) {
  const lines = String(data)
    .split('\n')
    .filter((line) => line !== '');
  return lines.length === 1 ? /"type":"([a-z-]+)"/.exec(lines[0])?.[1] : 'earlier events';
}

function fieldsOf(data) {
  const [json = ''] = String(data).split('\t');
  const fields = Object.keys(JSON.parse(json)).sort();
  return fields.length > 6 ? 'first line' : fields.join(', ');
}

const tempPlaces = [
  [/^gump-start-[^/]+/, 'start environment'],
  [/^gump-[^/]+\/sessions\//, 'session copies'],
  [/^gump-[^/]+\/cache\//, 'cache file'],
  [/^gump-[^/]+\/artifacts\//, 'artifact file'],
  [/^gump-[^/]+\/git(\/|$)/, 'private git'],
  [/^gump-[^/]+\/imports\//, 'session import'],
  [/^gump-[^/]+\/settings\//, 'CLI settings'],
  [/^gump-[^/]+\/environment\.sealed$/, 'variables of main'],
  [/^gump-[^/]+\/main-process\.json$/, 'main process'],
  [/^gump-[^/]+\/reserve$/, 'disk reserve'],
  [/^gump-[^/]+\/[^/]+\.sealed$/, 'local checkpoint'],
  [/^gump-[^/]+\/results(\/|$)/, 'result files'],
  [/^gump-[^/]+\/(report\.json|changes\.patch)$/, 'result'],
  [/^gump_units\//, 'agent directories'],
  [/^_runner_file_commands\//, 'runner files'],
  [/^[0-9a-f-]{36}(\/|$)/, 'cache archive'],
];

function nameInTemp(path) {
  return tempPlaces.find(([pattern]) => pattern.test(path))?.[1] ?? `unknown: ${path}`;
}
