import { describe, expect, it } from 'vitest';
import { agentMarkdown, agentMessage, markdownWithin } from '../../src/report/agent-markdown.js';

const z = '\u200b';

describe('the Markdown of an agent', () => {
  it.each([
    ['a mention', '@octocat and @org/team', `@${z}octocat and @${z}org/team`],
    ['a mention behind a backslash', '\\@octocat', `\\@${z}octocat`],
    [
      'a mention made of entities',
      '&#64;octocat &commat;octocat',
      `&${z}#${z}64;octocat &${z}commat;octocat`,
    ],
    ['a mention with an entity in it', '@&#111;ctocat', `@${z}&${z}#${z}111;ctocat`],
    ['a reference', '#12, octo/sample#12, GH-12', `#${z}12, octo/sample#${z}12, GH-${z}12`],
    ['an address of an issue', 'https://github.com/o/r/issues/12', `https://github.com/o/r/issues/${z}12`],
    ['a comment that hides text', 'a <!-- b', `a <${z}!-- b`],
    ['a tag', '</details><img src=x>', `<${z}/details><${z}img src=x>`],
    ['an image', '![x](https://evil.example)', `!${z}[x](https://evil.example)`],
    ['a mention in a line of code', '`@Injectable() <T>`', `\`@${z}Injectable() <${z}T>\``],
    ['a definition, which is not shown', '[x]: # (secret order)', `[x]${z}: # (secret order)`],
    ['characters that nobody sees', 'a\u202eb\u{e0041}c\u0000d\ud800e', 'abcde'],
    ['the info of a fence', '``` @octocat\nx\n```', `\`\`\` @${z}octocat\nx\n\`\`\``],
    [
      'a mention after a list that ends in a fence',
      '- a\n  ```\n  b\n  ```\n@octocat',
      `- a\n  \`\`\`\n  b\n  \`\`\`\n@${z}octocat`,
    ],
  ])('makes %s harmless', (_name, text, expected) => {
    expect(agentMarkdown(text)).toBe(expected);
  });

  it.each([
    ['lists, tables and emphasis', '- *a*\n\n| a | b |\n|---|---|\n| 1 < 2 | c & d |'],
    ['the code in a fence', '```ts\n@Injectable() // #12 <!-- x -->\n```'],
    ['a fence in a longer fence', '````md\n```\n@a\n```\n````'],
    ['a fence of tildes', '~~~\n@a ```\n~~~'],
    ['a path with the name of a part of an address', 'src/issues/12.ts'],
  ])('keeps %s', (_name, text) => {
    expect(agentMarkdown(text)).toBe(text);
  });

  it('closes a fence that is open at the end, and only with its own kind', () => {
    expect(agentMarkdown('````\na\n```')).toBe('````\na\n```\n````');
    expect(agentMarkdown('~~~\na\n```\r\n')).toBe('~~~\na\n```\n~~~');
  });

  it('reads backticks in the rest of the line as code in a paragraph', () => {
    expect(agentMarkdown('``` a ``` @octocat')).toBe(`\`\`\` a \`\`\` @${z}octocat`);
  });
});

describe('a message of an agent', () => {
  it.each([
    ['ask @octocat or @org/team', `ask @${z}octocat or @${z}org/team`],
    ['fixes #12, GH-3 and octo/sample#4', `fixes #${z}12, GH-${z}3 and octo/sample#${z}4`],
    ['Closes: https://github.com/o/r/issues/5', `Closes: https://github.com/o/r/issues/${z}5`],
    ['<!-- hidden -->', `<${z}!-- hidden -->`],
    ['```\n@octocat closes #1\n```', `\`\`\`\n@${z}octocat closes #${z}1\n\`\`\``],
    ['Typo [skip ci] [Actions Skip] [ci]', `Typo [${z}skip ci] [${z}Actions Skip] [ci]`],
    ['a\n\nskip-checks: true', `a\n\nskip-checks${z}: true`],
    ['a\n\n Co-authored-by: A <a@b.c>', `a\n\n Co-authored-by${z}: A <${z}a@${z}b.c>`],
    ['a\u0000b', 'ab'],
    ['nothing, 5 # 6, a @ b, day-by-day: x', 'nothing, 5 # 6, a @ b, day-by-day: x'],
  ])('%j mentions nobody, closes nothing and orders nothing', (text, quiet) => {
    expect(agentMessage(text)).toBe(quiet);
  });
});

describe('a text with a limit', () => {
  it('fits with the characters that make it harmless, and closes its fence', () => {
    const found = markdownWithin(`\`\`\`\n${'@a '.repeat(10_000)}`, 20_000, agentMessage);
    expect(Buffer.byteLength(found?.markdown ?? '')).toBeLessThanOrEqual(20_000);
    expect(found).toMatchObject({ isWhole: false, markdown: expect.stringMatching(/more bytes\]\n```$/) });
  });

  it('is read in a time that grows with its size only', () => {
    const text = `https://x${'/issues/a'.repeat(300_000)}`;
    expect(agentMarkdown(text)).toHaveLength(text.length + 300_000);
  });
});
