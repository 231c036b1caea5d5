import { describe, expect, it } from 'vitest';
import { chooseSecrets, stateKeyLines } from '../../src/checkpoint/seal-secrets.js';

const long = 'sk-ant-0123456789abcdef';

describe('state-key', () => {
  it('has one key per line, without blank lines and duplicates', () => {
    const input = `  ${long}  \r\n\n${'k'.repeat(20)}\n${long}\n`;
    expect(stateKeyLines(input)).toEqual([long, 'k'.repeat(20)]);
    expect(stateKeyLines('')).toEqual([]);
  });

  it('refuses a short key and names its line, without showing the key', () => {
    const read = () => stateKeyLines(`${long}\nhunter2hunter2hunte`);
    expect(read).toThrow(/^Input `state-key`: line 2 has fewer than 20 characters\. Create a key with/);
    expect(read).not.toThrow(/hunter2/);
  });
});

describe('the secrets of a job', () => {
  const credentials = [
    { variable: 'ANTHROPIC_API_KEY', value: long },
    { variable: 'SHORT_KEY', value: 'x'.repeat(19) },
  ];

  it('are only the state key if there is one', () => {
    const secrets = chooseSecrets({
      stateKeys: [long, 'l'.repeat(30)],
      credentials,
      keyFile: 'f'.repeat(43),
    });
    expect(secrets.map(({ kind, value }) => [kind, value])).toEqual([
      ['state-key', long],
      ['state-key', 'l'.repeat(30)],
    ]);
  });

  it('are otherwise the credentials of sufficient length, each with its variable', () => {
    expect(chooseSecrets({ stateKeys: [], credentials })).toEqual([
      { kind: 'credential', name: 'ANTHROPIC_API_KEY', value: long },
    ]);
  });

  it('are none, or the key file, if there is nothing else', () => {
    expect(chooseSecrets({ stateKeys: [], credentials: [] })).toEqual([]);
    expect(chooseSecrets({ stateKeys: [], credentials: [], keyFile: 'f'.repeat(43) })).toEqual([
      { kind: 'key-file', name: 'key-file', value: 'f'.repeat(43) },
    ]);
  });
});
