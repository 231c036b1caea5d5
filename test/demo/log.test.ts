import { expect, it } from 'vitest';
import { renderLog } from '../../scripts/demo/log.js';

const log = `Hello
::group::One%0Astep
::stop-commands::abc
agent says ::error::not a command
::error::not this one either
::abc::
inside
::endgroup::
::debug::quiet
::error file=a.js,line=1::It broke
`;

it('shows a log as GitHub does: commands are applied, except in stopped text', () => {
  expect(renderLog({ masked: log }).split('\n')).toEqual([
    'Hello',
    '▼ One',
    'step',
    '  agent says ::error::not a command',
    '  ::error::not this one either',
    '  inside',
    'Error: It broke',
  ]);
});
