/**
 * What an agent changes in the repository's settings, in the home directory or in `.gitattributes` has no effect on
 * what is recorded and restored, also before it is restored.
 */
import { chmodSync, existsSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Checkout, checkoutAt, repository, temporaryDirectory } from './checkout.js';

const files = { 'a.txt': 'a\n', 'b.txt': 'b\n', 'sub/c.txt': 'c\n', '.gitignore': '*.log\n' };

/** A command that leaves a mark, for settings that name programs. */
const program = (checkout: Checkout) => `touch ${join(checkout.home, 'program-that-ran')}; cat; false`;

interface Case {
  readonly act: (checkout: Checkout) => void;
  /** Files that the act itself changes. */
  readonly own?: readonly string[];
  /** What `watch` reports. Default: `.git/config`. */
  readonly reported?: string | null;
}

const config = (name: string, value: (checkout: Checkout) => string): Case => ({
  act: (one) => one.git('config', name, value(one)),
});
const write = (path: string, text: string | ((checkout: Checkout) => string), more: Partial<Case> = {}) => ({
  act: (one: Checkout) => one.write(path, typeof text === 'string' ? text : text(one)),
  reported: path,
  ...more,
});

const filter: Case['act'] = (one) => {
  for (const name of ['clean', 'smudge', 'process']) one.git('config', `filter.evil.${name}`, program(one));
  one.git('config', 'filter.evil.required', 'true');
};

const cases: Readonly<Record<string, Case>> = {
  'another worktree': config('core.worktree', ({ home }) => home),
  'a configuration that git cannot read': write('.git/config', '[core\nnonsense'),
  'an extension that git does not know': {
    act: (one) => {
      one.git('config', 'extensions.nonsense', 'true');
      one.git('config', 'core.repositoryformatversion', '1');
    },
  },
  'a bare repository': config('core.bare', () => 'true'),
  'modes that do not count': config('core.fileMode', () => 'false'),
  'names without case': config('core.ignoreCase', () => 'true'),
  'line ends': config('core.autocrlf', () => 'true'),
  'a file with exclude rules': {
    act: (one) => {
      writeFileSync(join(one.home, 'rules'), '*\n');
      one.git('config', 'core.excludesFile', join(one.home, 'rules'));
    },
  },
  'an included file': {
    act: (one) => {
      writeFileSync(join(one.home, 'more'), `[core]\n\tworktree = ${one.home}\n`);
      one.git('config', 'includeIf.gitdir:/**.path', join(one.home, 'more'));
    },
  },
  'a watcher': config('core.fsmonitor', program),
  'a sparse checkout': {
    act: (one) => {
      one.write('.git/info/sparse-checkout', '/sub/\n');
      one.git('config', 'core.sparseCheckout', 'true');
    },
    reported: '.git/info/sparse-checkout',
  },
  'a worktree configuration': {
    act: (one) => {
      one.git('config', 'extensions.worktreeConfig', 'true');
      one.write('.git/config.worktree', '[core]\n\tworktree = /\n');
    },
    reported: '.git/config.worktree',
  },
  'a filter by info/attributes': {
    act: (one) => {
      filter(one);
      one.write('.git/info/attributes', '* filter=evil\n');
    },
    reported: '.git/info/attributes',
  },
  'a filter by .gitattributes': {
    act: (one) => {
      filter(one);
      one.write('.gitattributes', '* filter=evil\n');
    },
    own: ['.gitattributes'],
  },
  'an encoding that does not exist': write('.gitattributes', '* working-tree-encoding=nonsense text\n', {
    own: ['.gitattributes'],
    reported: null,
  }),
  'line ends by .gitattributes': write('.gitattributes', '* text eol=crlf ident\n', {
    own: ['.gitattributes'],
    reported: null,
  }),
  'exclude rules': write('.git/info/exclude', '*\n'),
  'another common directory': write('.git/commondir', ({ home }) => `${home}\n`),
  'other objects': write('.git/objects/info/alternates', ({ home }) => `${home}\n`),
  'a shallow history': write('.git/shallow', (one) => one.git('rev-parse', 'HEAD'), { reported: null }),
  'another history': write('.git/info/grafts', (one) => one.git('rev-parse', 'HEAD')),
  'a replaced tree': {
    act: (one) => one.git('replace', 'HEAD^{tree}', one.git('rev-parse', 'HEAD:sub').trim()),
    reported: '.git/refs/replace/',
  },
  'a replaced tree in the list of packed branches': {
    act: (one) => {
      one.git('replace', 'HEAD^{tree}', one.git('rev-parse', 'HEAD:sub').trim());
      one.git('pack-refs', '--all');
    },
    reported: '.git/packed-refs',
  },
  'a hook': write('.git/hooks/post-index-change', program),
  'a link in place of the hooks': {
    act: (one) => {
      rmSync(join(one.root, '.git/hooks'), { recursive: true, force: true });
      symlinkSync(one.home, join(one.root, '.git/hooks'));
    },
    reported: '.git/hooks',
  },
  'the settings of the user': {
    act: (one) => one.git('config', '--global', 'core.worktree', one.home),
    reported: '.gitconfig',
  },
  'the exclude rules of the user': {
    act: ({ home }) => {
      mkdirSync(join(home, '.config/git'), { recursive: true });
      writeFileSync(join(home, '.config/git/ignore'), '*\n');
    },
    reported: '.config/git/ignore',
  },
};

const governing = (checkout: Checkout) =>
  checkout
    .gitState()
    .split('\n')
    .filter((line) => !/^(?:objects|logs|refs\/heads|index|COMMIT_EDITMSG|packed-refs|shallow)\b/.test(line))
    // A restored file has a new time, and folders that are empty now may stay.
    .flatMap((line) => (/ 1\d{4} {2}$/.test(line) ? [] : [line.replace(/ [\d.]+ (\w+)$/, ' $1')]));

describe('after an agent that changes', () => {
  it.each(Object.entries(cases))(
    '%s, its files are recorded and restored by the rules of the start',
    async (_name, one) => {
      const checkout = repository(files);
      chmodSync(join(checkout.root, 'b.txt'), 0o755);
      checkout.git('commit', '-qam', 'mode');
      const before = checkout.files();
      const start = governing(checkout);
      const workspace = await checkout.open();
      one.act(checkout);
      checkout.write('a.txt', 'one\r\ntwo\n$Id$\n');
      checkout.write('new.txt', 'new\n');
      // The file systems of macOS know no difference.
      const upperCase = process.platform === 'linux' ? ['A.TXT'] : [];
      for (const name of upperCase) checkout.write(name, 'upper case\n');
      chmodSync(join(checkout.root, 'sub/c.txt'), 0o755);
      const wanted = checkout.files();
      const after = await workspace.record('x');
      expect(
        (await workspace.changes(workspace.startSnapshot, after)).map(({ path }) => path).sort(),
      ).toEqual([...(one.own ?? []), ...upperCase, 'a.txt', 'new.txt', 'sub/c.txt'].sort());
      expect((await workspace.pack([after])).length).toBeGreaterThan(0);
      await workspace.reset(workspace.startSnapshot);
      expect(checkout.files()).toEqual(before);
      await workspace.reset(after);
      expect(checkout.files()).toEqual(wanted);
      expect(existsSync(join(checkout.home, 'program-that-ran'))).toBe(false);

      const reported = await workspace.watch.restore();
      const { reported: name = '.git/config' } = one;
      if (name === null) expect(reported).toEqual([]);
      else expect(reported.map(({ what }) => what).join()).toContain(name);
      expect(reported.map(({ effect }) => effect)).not.toContain('run');
      expect(governing(checkout)).toEqual(start);
      expect(checkout.git('for-each-ref', 'refs/replace')).toBe('');
      expect(await workspace.watch.restore()).toEqual([]);
    },
  );
});

describe('a file of the user that git reads', () => {
  it('outside the repository is restored with a warning, and one in it fails a step that must not write', async () => {
    const checkout = repository(files);
    checkout.git('config', '--global', 'test.key', 'before');
    const workspace = await checkout.open();
    checkout.git('config', '--global', 'test.key', 'after');
    checkout.git('config', 'test.key', 'after');
    expect((await workspace.watch.restore()).map(({ effect }) => effect)).toEqual(['read-only', 'warning']);
    expect(checkout.git('config', 'test.key')).toBe('before\n');
  });

  it('may be touched, and branches and remotes may be fetched', async () => {
    const source = repository(files);
    const checkout = repository(files);
    checkout.git('remote', 'add', 'origin', `file://${source.root}`);
    const workspace = await checkout.open();
    checkout.git('fetch', '-q', 'origin');
    checkout.git('gc', '-q');
    checkout.git('stash', 'list');
    checkout.write('.git/config', checkout.read('.git/config'));
    expect(await workspace.watch.restore()).toEqual([]);
  });

  it('is not the list of a shallow clone: a branch that a gate fetched keeps the history that git expects', async () => {
    const source = repository(files);
    const commit = (text: string) => {
      source.write('a.txt', text);
      source.git('commit', '-qam', text);
    };
    commit('2');
    const checkout = repository(files);
    checkout.remove('.git');
    checkout.git('clone', '-q', '--depth=1', '--no-checkout', `file://${source.root}`, 'clone');
    renameSync(join(checkout.root, 'clone/.git'), join(checkout.root, '.git'));
    checkout.remove('clone');
    source.git('checkout', '-qb', 'topic');
    for (const text of ['3', '4']) commit(text);
    const workspace = await checkout.open();
    checkout.git('fetch', '-q', '--depth=1', 'origin', 'topic:refs/remotes/origin/topic');
    expect(await workspace.watch.restore()).toEqual([]);
    expect(checkout.git('log', '--format=%s', 'origin/topic').trim().split('\n')).toHaveLength(1);
  });

  it('is restored in the repository of a submodule', async () => {
    const library = repository({ 'lib.c': '1' });
    const checkout = repository(files);
    checkout.git('submodule', '--quiet', 'add', '--name', 'deep/lib', `file://${library.root}`, 'lib');
    checkout.git('commit', '-qm', 'submodule');
    const workspace = await checkout.open();
    const module = checkoutAt(join(checkout.root, 'lib'));
    module.git('config', 'core.fsmonitor', 'false');
    checkout.write('.git/modules/deep/lib/hooks/post-checkout', 'x');
    const [change] = await workspace.watch.restore();
    expect(change?.what).toContain('.git/modules/deep/lib/config');
    expect(change?.what).toContain('.git/modules/deep/lib/hooks/post-checkout');
    expect(existsSync(join(checkout.root, '.git/modules/deep/lib/hooks/post-checkout'))).toBe(false);
  });

  it('is not searched through a link that an agent made', async () => {
    const checkout = repository(files);
    const elsewhere = temporaryDirectory();
    writeFileSync(join(elsewhere, 'HEAD'), 'x');
    writeFileSync(join(elsewhere, 'config'), 'of somebody else');
    const workspace = await checkout.open();
    rmSync(join(checkout.root, '.git/info'), { recursive: true, force: true });
    symlinkSync(elsewhere, join(checkout.root, '.git/info'));
    symlinkSync(elsewhere, join(checkout.root, '.git/modules'));
    await workspace.watch.restore();
    expect(existsSync(join(elsewhere, 'config'))).toBe(true);
  });
});

describe('the git directory of the action', () => {
  it.each([
    'repository/config',
    'repository/info/attributes',
    'repository/commondir',
    'exclude',
    'objects/info/alternates',
  ])('stops the run if somebody changes its file %s', async (name) => {
    const checkout = repository(files);
    const workspace = await checkout.open();
    await workspace.record('x');
    expect(await workspace.watch.restore()).toEqual([]);
    const file = join(checkout.privateDirectory(), name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, '*.txt\n');
    expect(await workspace.watch.restore()).toEqual([
      { what: "files of the action's own git", effect: 'run' },
    ]);
    expect(await workspace.watch.restore()).toEqual([]);
  });
});

describe('a repository that was', () => {
  it.each<[string, (checkout: Checkout) => void]>([
    ['removed', (one) => one.remove('.git')],
    [
      'replaced',
      (one) => {
        one.remove('.git');
        one.git('init', '-q');
        one.git('commit', '-q', '--allow-empty', '-m', 'new');
      },
    ],
    ['emptied', (one) => one.remove('.git/objects')],
  ])('%s stops the run, and recording says why', async (_name, act) => {
    const checkout = repository(files);
    const workspace = await checkout.open();
    const restore = await workspace.saveGitState();
    checkout.write('a.txt', 'changed\n');
    act(checkout);
    expect(await workspace.watch.restore()).toEqual([
      { what: expect.stringContaining('`.git` was removed or replaced'), effect: 'run', isPermanent: true },
    ]);
    const message = /^The git repository of the checkout is damaged: .* removed or replaced `\.git`/;
    const failed = restore().then(() => workspace.record('x'));
    await expect(failed).rejects.toThrow(message);
  });
});
