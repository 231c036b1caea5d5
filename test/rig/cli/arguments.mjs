/** Reads command lines strictly: an option that the CLI does not have is refused, as by the real ones. */

/**
 * `options`: name → `flag`, `value` or `list` (values up to the next option). Returns the options by their
 * names, and the other words in `words`.
 */
export function readArguments(argv, options) {
  const found = { words: [] };
  const rest = [...argv];
  while (rest.length > 0) {
    const word = rest.shift();
    if (!word.startsWith('-') || word === '-') found.words.push(word);
    else readOption(found, options, word, rest);
  }
  return found;
}

function readOption(found, options, word, rest) {
  const equals = word.startsWith('--') ? word.indexOf('=') : -1;
  const name = equals < 0 ? word : word.slice(0, equals);
  const kind = options[name];
  if (kind === undefined) refuse(1, `error: unknown option '${name}'`);
  if (kind === 'flag') found[name] = true;
  else
    found[name] = [
      ...(found[name] ?? []),
      ...values(kind, equals < 0 ? undefined : word.slice(equals + 1), rest),
    ];
  if (kind !== 'flag' && found[name].some((value) => value === undefined)) {
    refuse(1, `error: option '${name}' argument missing`);
  }
}

function values(kind, inline, rest) {
  if (inline !== undefined) return [inline];
  if (kind === 'value') return [rest.shift()];
  const end = rest.findIndex((word) => word.startsWith('-'));
  return rest.splice(0, end < 0 ? rest.length : end);
}

/** Ends the process as the CLI does if it refuses to start. */
export function refuse(code, stderr, stdout) {
  throw { refusal: { code, stderr, stdout } };
}

export function isUuid(text) {
  return /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i.test(text ?? '');
}
