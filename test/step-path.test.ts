import { describe, expect, it } from 'vitest';
import {
  branchName,
  callAt,
  callPath,
  enclosingPrefixes,
  endsInPath,
  isAtOrBelow,
  isBelow,
  isChildOf,
  isInCall,
  isSameOrNestedBranch,
  nameBelow,
  namesIn,
  ownerOf,
  pathOf,
  pathOfPrefix,
  prefixBelow,
  roleInName,
} from '../src/step-path.js';

describe('step paths', () => {
  it('joins names and takes them apart again', () => {
    const path = pathOf(prefixBelow(pathOf(prefixBelow('build'), 'a')), 'impl');
    expect(path).toBe('build/a/impl');
    expect(namesIn(path)).toEqual(['build', 'a', 'impl']);
    expect(pathOfPrefix(prefixBelow(path))).toBe(path);
  });

  it('compares whole names, not the start of a name', () => {
    expect(isBelow('build/a', 'build')).toBe(true);
    expect(isBelow('build/a/impl', 'build')).toBe(true);
    expect(isBelow('builder/a', 'build')).toBe(false);
    expect(isBelow('build', 'build')).toBe(false);
    expect(isAtOrBelow('build', 'build')).toBe(true);
    expect(isAtOrBelow('builder', 'build')).toBe(false);
    expect(endsInPath('team/build/impl', 'build/impl')).toBe(true);
    expect(endsInPath('impl', 'impl')).toBe(true);
    expect(endsInPath('reimpl', 'impl')).toBe(false);
  });

  it('has every step below the empty path', () => {
    expect(isBelow('build', '')).toBe(true);
    expect(isBelow('build/a', '')).toBe(true);
  });

  it('finds the child that leads to a step', () => {
    expect(nameBelow('build/a/impl', 'build')).toBe('a');
    expect(isChildOf('build/a', 'build')).toBe(true);
    expect(isChildOf('build/a/impl', 'build')).toBe(false);
    expect(isChildOf('other/a', 'build')).toBe(false);
  });

  it('lists the prefixes around a step, the innermost first', () => {
    expect(enclosingPrefixes('build/a/impl')).toEqual(['build/a/', 'build/', '']);
    expect(enclosingPrefixes('build/a/')).toEqual(['build/a/', 'build/', '']);
    expect(enclosingPrefixes('impl')).toEqual(['']);
    expect(enclosingPrefixes('build/a/impl', 'build/')).toEqual(['build/a/', 'build/']);
  });
});

describe('the paths of calls', () => {
  const call = callPath('build/a/impl', 'gate:review', 2);

  it('names the purpose, the attempt and the step that calls', () => {
    expect(call).toBe('build/a/impl/gate:review:2');
    expect(callAt(call)).toEqual({ owner: 'build/a/impl', purpose: 'gate', attempt: 2 });
    expect(callAt(callPath('impl', 'retry:0', 12))).toEqual({ owner: 'impl', purpose: 'retry', attempt: 12 });
    expect(roleInName('get:arch:1')).toBe('get:arch');
  });

  it('keeps a gate name that holds a colon', () => {
    expect(callAt('impl/gate:a:b:3')).toEqual({ owner: 'impl', purpose: 'gate', attempt: 3 });
    expect(roleInName('gate:a:b:3')).toBe('gate:a:b');
  });

  it('does not take a step for a call', () => {
    expect(callAt('build/a/impl')).toBeUndefined();
    expect(callAt(`${call}/check`)).toBeUndefined();
    expect(roleInName('impl')).toBeUndefined();
  });

  it('knows what is in a call, as seen from a step', () => {
    expect(isInCall('build/a/impl')).toBe(false);
    expect(isInCall(call)).toBe(true);
    expect(isInCall(`${call}/check`)).toBe(true);
    expect(isInCall(`${call}/check`, call)).toBe(false);
    expect(isInCall(callPath(`${call}/check`, 'get:arch', 1), call)).toBe(true);
  });

  it('finds the step that makes the innermost call', () => {
    expect(ownerOf('build/')).toBeUndefined();
    expect(ownerOf(prefixBelow(call))).toBe('build/a/impl');
    expect(ownerOf(prefixBelow(callPath(`${call}/check`, 'get:arch', 1)))).toBe(`${call}/check`);
    expect(ownerOf(`${call}/group/`)).toBe('build/a/impl');
  });
});

describe('parallel branches', () => {
  it('are named by their prefix without the `/` at the end', () => {
    expect(branchName('build/a/')).toBe('build/a');
    expect(branchName('')).toBe('');
  });

  it('see each other only if one runs inside the other', () => {
    expect(isSameOrNestedBranch('', 'build/a/')).toBe(true);
    expect(isSameOrNestedBranch('build/a/', 'build/a/')).toBe(true);
    expect(isSameOrNestedBranch('build/a/sub/b/', 'build/a/')).toBe(true);
    expect(isSameOrNestedBranch('build/a/', 'build/b/')).toBe(false);
    expect(isSameOrNestedBranch('build/a/', 'build/ab/')).toBe(false);
  });
});
