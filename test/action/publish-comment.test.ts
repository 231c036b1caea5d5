/** The sticky comment: jobs about a pull request, with GitHub's API on loopback. */
import { describe, expect, it } from 'vitest';
import { actionsBot } from '../rig/github/state.js';
import { pullRequestEvent } from '../rig/machine.js';
import { anthropicKey } from './harness.js';
import { type PublishScene, type PublishSceneOptions, publishScene } from './publish-scene.js';

const workflow = `
name: flow
steps:
  - name: notes
    type: artifact
    agent: claude-haiku
    prompt: notes
  - name: impl
    type: code
    agent: claude-haiku
    prompt: do it
    gate: [bash: "test ! -e broken"]
`;

const changes = { 'src/a.txt': 'one\ntwo\n' };

const notes = (content: string) => ({
  prompt: 'notes',
  do: [{ write: '.gump/out/artifact.txt', content }],
});
const works = { do: [{ write: 'done.txt', content: 'done\n' }] };
const breaks = { do: [{ write: 'broken', content: '' }] };

const scene = (options: Partial<PublishSceneOptions> = {}) => publishScene({ workflow, changes, ...options });
const bodies = ({ github }: PublishScene) => github.state.comments.map(({ body }) => body);
const always = { comment: 'always' };

describe('the comment of a run', () => {
  it('is posted once and updated in place by later runs', async () => {
    const one = await scene({ code: 'dist' });
    const first = await one.run(
      { ...always, 'comment-results': 'notes' },
      { rules: [notes('## Plan\n\n- step one\n'), works] },
    );
    expect(first.main.outputs.status).toBe('passed');
    const [body = ''] = bodies(one);
    expect(body).toMatch(/^<!-- gump-action:comment:1 [0-9a-f]{20} -->\n### ✅ flow: passed · /);
    expect(body).toContain('[run](https://github.com/octo/sample/actions/runs/2001/attempts/1)');
    expect(body).toContain('**Result of notes**\n\n## Plan\n\n- step one');
    expect(body).toContain('| Step | Agent |');
    expect(body).toMatch(/<details><summary>Results<\/summary>[\s\S]*Result of impl/);
    await one.run(always, { rules: [notes('x'), breaks] });
    expect(bodies(one)).toHaveLength(1);
    expect(bodies(one)[0]).toMatch(/### ❌ flow: failed at <code>impl<\/code>/);
    expect(bodies(one)[0]).toContain('runs/2002/attempts/1');
    expect(one.github.state.comments[0]?.author).toEqual(actionsBot);
  });

  it('is made only for failures with `on-failure`, and says so when a later run passed', async () => {
    const one = await scene();
    const inputs = { comment: 'on-failure' };
    await one.run(inputs, { rules: [notes('x'), works] });
    expect(bodies(one)).toEqual([]);
    await one.run(inputs, { rules: [notes('x'), breaks] });
    expect(bodies(one)).toEqual([expect.stringContaining('flow: failed')]);
    await one.run(inputs, { rules: [notes('x'), works] });
    expect(bodies(one)).toEqual([expect.stringContaining('flow: passed')]);
  });

  it('is one for each workflow, job and matrix leg', async () => {
    const one = await scene();
    await one.run(always, { matrix: { os: 'linux' }, rules: [notes('x')] });
    await one.run(always, { matrix: { os: 'macos' }, rules: [notes('x')] });
    await one.run(always, { job: 'other', rules: [notes('x')] });
    await one.run(always, { matrix: { os: 'linux' }, rules: [notes('x')] });
    expect(bodies(one)).toHaveLength(3);
  });

  it('is found on a later page, and a copy of its marker by somebody else is left alone', async () => {
    const one = await scene();
    await one.run(always, { rules: [notes('x')] });
    const [own] = one.github.state.comments;
    if (own === undefined) throw new Error('no comment');
    const others = Array.from({ length: 150 }, (_, at) => ({
      id: at + 1,
      number: 7,
      author: { login: 'eve', type: 'User' } as const,
      body: own.body,
      createdAt: own.createdAt,
      updatedAt: own.updatedAt,
    }));
    one.github.state.comments.unshift(...others);
    await one.run(always, { rules: [notes('x'), breaks] });
    const changed = one.github.state.comments.filter(({ body }) => body.includes('failed at'));
    expect(changed.map(({ id }) => id)).toEqual([own.id]);
    expect(one.github.state.comments).toHaveLength(151);
  });

  it('is made again if a person deleted it', async () => {
    const one = await scene();
    await one.run(always, { rules: [notes('x')] });
    one.github.state.comments.splice(0);
    await one.run(always, { rules: [notes('x')] });
    expect(bodies(one)).toHaveLength(1);
  });

  it('has no secret, mentions nobody and hides nothing that an agent wrote', async () => {
    const one = await scene();
    const text = `@octocat &#64;octocat #12 <!-- hidden --> ![x](https://evil.example/a) ${anthropicKey}\n\n\`\`\`ts\n@Injectable()\n`;
    await one.run({ ...always, 'comment-results': 'notes' }, { rules: [notes(text)] });
    const [body = ''] = bodies(one);
    expect(body).toContain(
      '@\u200boctocat &\u200b#\u200b64;octocat #\u200b12 <\u200b!-- hidden --> !\u200b[x]',
    );
    expect(body).toContain('```ts\n@Injectable()\n```\n');
    expect(body).not.toContain(anthropicKey);
    expect(body.match(/<!--/g)).toHaveLength(1);
  });

  it('is posted on an issue', async () => {
    const one = await scene();
    one.github.state.permissions.ada = 'write';
    const issue = { number: 9, title: 'x', body: '', author: actionsBot, state: 'open', labels: [] } as const;
    one.github.state.issues.push({ ...issue });
    const event = { name: 'issues', actor: 'ada', payload: { action: 'labeled', issue: { number: 9 } } };
    await one.run(always, { event, checkout: {}, rules: [notes('x')] });
    expect(one.github.state.comments.map(({ number }) => number)).toEqual([9]);
  });

  it('has nowhere to be outside of a pull request and an issue', async () => {
    const one = await scene();
    const { main } = await one.run(always, { event: { name: 'push' }, checkout: {}, rules: [notes('x')] });
    expect(main.notices).toContainEqual(
      expect.stringMatching(/^No comment was posted: the event of this run/),
    );
    expect(one.github.requests()).toEqual([]);
  });
});

describe('a comment that GitHub does not accept', () => {
  /** Status, warnings and comments of a run with this fault. */
  const withFault = async (prepare: (scene: PublishScene) => void, inputs = always) => {
    const one = await scene();
    prepare(one);
    const { main } = await one.run(inputs, { rules: [notes('x')] });
    return { status: main.outputs.status, warnings: main.warnings, comments: bodies(one).length, one };
  };
  const create = { method: 'POST', path: '/issues/7/comments' };

  it('because the token may not do it is one warning, and the run keeps its status', async () => {
    const found = await withFault(({ github }) =>
      github.state.missingPermissions.add('pull-requests: write'),
    );
    expect(found).toMatchObject({ status: 'passed', comments: 0 });
    expect(found.warnings).toEqual([expect.stringMatching(/may not do it .*`pull-requests: write`/)]);
  });

  it('because its answer got lost is posted once', async () => {
    const found = await withFault(({ github }) =>
      github.inject({ ...create, status: 502, moment: 'after', times: 1 }),
    );
    expect(found).toMatchObject({ status: 'passed', comments: 1, warnings: [] });
  });

  it('because GitHub fails all the time is one warning', async () => {
    const found = await withFault(({ github }) => github.inject({ path: '/', status: 503 }));
    expect(found).toMatchObject({ status: 'passed', comments: 0 });
    expect(found.warnings).toEqual([expect.stringMatching(/did not accept it .*Re-run the job/)]);
  });

  it('because its conversation is locked names that', async () => {
    const found = await withFault(({ github }) => github.state.locked.add(7));
    expect(found.warnings).toEqual([expect.stringMatching(/the conversation is locked\. Unlock it/)]);
  });

  it('because the token of a fork can only read is a notice', async () => {
    const one = await scene();
    one.github.state.missingPermissions.add('pull-requests: write');
    one.github.state.permissions.ada = 'write';
    const event = pullRequestEvent({ number: 7, head: one.pull.head, headRef: 'x', fork: 'eve' });
    const { main } = await one.run(always, { event: { ...event, actor: 'ada' }, rules: [notes('x')] });
    expect(main.outputs.status).toBe('passed');
    expect(main.warnings).toEqual([]);
    expect(main.notices).toContainEqual(
      expect.stringMatching(/^The comment was not posted on #7: the token/),
    );
    expect(bodies(one)).toEqual([]);
  });

  it('is refused before any agent starts if its inputs make no sense', async () => {
    const one = await scene();
    const { main } = await one.run({
      comment: 'sometimes',
    });
    expect(main.errors.join('\n')).toContain('Input `comment`: "sometimes" is not allowed');
    const other = await one.run({
      ...always,
      'comment-results': 'notez',
      review: 'impl',
      'github-token': '',
    });
    const text = other.main.errors.join('\n');
    expect(text).toContain(
      'Input `comment-results`: the workflow has no step `notez`. Did you mean `notes`?',
    );
    expect(text).toContain('Input `review`: step `impl` is not of type `validate`');
    expect(text).toContain('Input `comment` needs `github-token`');
    expect(await one.harness.calls()).toEqual([]);
  });
});
