/** Words of agents and strangers in commits and pull requests. */
import { expect, it } from 'vitest';
import { change, openApplyScene } from './apply-scene.js';

const secret = 'hunter@two#12&lt;345678';

it('have no secret, also one with signs that get a character, and no orders', async () => {
  const { harness, github, run } = await openApplyScene();
  const said = `It is ${secret} [skip ci]\u0000\n\nCo-authored-by: Ada <ada@example.com>\n![x](https://evil.example)`;
  const { main } = await run('pull-request', {
    env: { DEPLOY_TOKEN: secret },
    inputs: {
      'commit-message': '{impl.result}',
      'pr-title': 'A: {impl.result}',
      'pr-body': 'B:\n{impl.result}',
    },
    rules: [{ do: [...change, { say: said }] }],
  });
  expect(main.outputs, main.log).toMatchObject({ status: 'passed' });
  const [pull] = github.state.pulls;
  const message = await harness.repository.git('log', '-1', '--format=%B', pull?.headRef ?? '');
  for (const text of [pull?.title ?? '', pull?.body ?? '', message]) {
    expect(text).toContain('It is ***');
    expect(text.replaceAll('\u200b', '')).not.toContain('hunter');
    expect(text).not.toMatch(/\[skip ci\]|^Co-authored-by:|!\[x\]|\0/m);
    expect(text.length).toBeGreaterThan(20);
  }
  const authors = await harness.repository.git(
    'log',
    '-1',
    '--format=%(trailers:key=Co-authored-by)',
    pull?.headRef ?? '',
  );
  expect(authors.trim()).toBe('');
});

it('are those of the issue that is published for, and not of the one of the event', async () => {
  const { github, run } = await openApplyScene();
  github.state.permissions.ada = 'write';
  const issue = { number: 5, user: { login: 'eve' }, title: 'Another one' };
  const { main } = await run('pull-request', {
    event: { name: 'issues', actor: 'ada', payload: { action: 'labeled', issue } },
    inputs: { subject: 'issue-12' },
  });
  expect(main.outputs, main.log).toMatchObject({ status: 'passed' });
  expect(github.state.pulls).toMatchObject([
    { title: 'Add the new file', body: expect.stringContaining('Closes #12'), headRef: 'gump/flow-12' },
  ]);
});

it('close nothing although they open a block of code', async () => {
  const { github, run } = await openApplyScene();
  github.state.permissions.ada = 'write';
  const issue = { number: 12, user: { login: 'eve' }, title: 'One' };
  const { main } = await run('pull-request', {
    event: { name: 'issues', actor: 'ada', payload: { action: 'labeled', issue } },
    rules: [{ do: [...change, { say: `Done.\n\n\`\`\`\n${'@octocat '.repeat(6_000)}` }] }],
  });
  expect(main.outputs, main.log).toMatchObject({ status: 'passed' });
  const body = github.state.pulls[0]?.body ?? '';
  expect(body.length).toBeLessThan(65_536);
  expect(body).toMatch(/\n```\n\nCloses #12\n\n\| Step/);
});
