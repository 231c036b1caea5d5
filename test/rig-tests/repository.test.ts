import { lstat, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { git } from '../rig/git.js';
import { createMachine, type Machine } from '../rig/machine.js';
import { makeRepository, type Repository } from '../rig/repository.js';

let repository: Repository;
let machine: Machine;

beforeEach(async () => {
  repository = await makeRepository({
    'a.txt': 'one\n',
    'run.sh': { content: '#!/bin/sh\n', executable: true },
  });
  machine = await createMachine();
});

afterEach(async () => {
  await machine.wipe();
  await repository.remove();
});

it('gives the same files the same commit ids', async () => {
  const twin = await makeRepository({
    'a.txt': 'one\n',
    'run.sh': { content: '#!/bin/sh\n', executable: true },
  });
  expect(twin.sha).toBe(repository.sha);
  await twin.remove();
});

it('checks out a branch as actions/checkout does: shallow, on the branch, clean', async () => {
  const second = await repository.commit({ 'a.txt': 'two\n' });
  expect(await machine.checkout(repository)).toBe(second);
  expect(await git(machine.workspace, 'symbolic-ref', 'HEAD')).toBe('refs/heads/main');
  expect(await git(machine.workspace, 'rev-list', '--count', 'HEAD')).toBe('1');
  expect(await git(machine.workspace, 'status', '--porcelain')).toBe('');
  expect((await lstat(join(machine.workspace, 'run.sh'))).mode & 0o111).not.toBe(0);
});

it('checks out the merge of a pull request, detached', async () => {
  const pull = await repository.pullRequest(7, { 'b.txt': 'new\n' });
  expect(await machine.checkout(repository, { ref: 'refs/pull/7/merge' })).toBe(pull.merge);
  await expect(git(machine.workspace, 'symbolic-ref', 'HEAD')).rejects.toThrow();
  expect(await readFile(join(machine.workspace, 'b.txt'), 'utf8')).toBe('new\n');
  expect(pull.merge).not.toBe(pull.head);
});

it('checks out an older commit, with history on request', async () => {
  await repository.commit({ 'a.txt': null });
  await repository.commit({ 'c.txt': 'three' });
  await machine.checkout(repository, { commit: repository.sha });
  expect(await readFile(join(machine.workspace, 'a.txt'), 'utf8')).toBe('one\n');
  await machine.checkout(repository, { depth: 0 });
  expect(await git(machine.workspace, 'rev-list', '--count', 'HEAD')).toBe('3');
});

it('accepts a push to a branch', async () => {
  await machine.checkout(repository);
  await git(machine.workspace, 'commit', '--quiet', '--allow-empty', '--message', 'Pushed');
  await git(machine.workspace, 'push', '--quiet', 'origin', 'HEAD:main');
  expect(await repository.git('log', '-1', '--format=%s', 'main')).toBe('Pushed');
});
