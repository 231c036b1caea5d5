/**
 * Whether a value is too weak to seal a state: somebody who can write the cache could guess it and forge a checkpoint.
 * Local services accept any key, so users set words, such as `sk-no-key-required-local`. Pure.
 */

/** At the start of a word: a long random key contains short words by chance. */
const placeholderWords =
  /(?<![A-Za-z0-9])(?:dummy|placeholder|change[-_ ]?me|your[-_ ]?|not[-_ ]?(?:needed|required|used|set|a[-_ ]?(?:real[-_ ]?)?key)|no[-_ ]?(?:api[-_ ]?)?key|fake[-_ ]?|mock[-_ ]?|unused|ignored|anything|insert[-_ ]?|example)/i;

/** A key has at least this many characters that are not in words. */
const minRandomCharacters = 12;
const minDistinctCharacters = 8;

export function isPlaceholder(value: string): boolean {
  if (new Set(value).size < minDistinctCharacters || placeholderWords.test(value)) return true;
  const random = value.split(/[^A-Za-z0-9]+/).filter(looksRandom);
  return random.join('').length < minRandomCharacters;
}

/** A part with letters and digits, with capitals in its middle, or longer than words are. */
function looksRandom(part: string): boolean {
  if (part.length < 4 || new Set(part.toLowerCase()).size < 4) return false;
  const isMixed = /[A-Za-z]/.test(part) && /\d/.test(part);
  return isMixed || /[a-z][A-Z]/.test(part.slice(1)) || part.length >= 20;
}
