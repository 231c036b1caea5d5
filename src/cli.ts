#!/usr/bin/env node
/** The entry of the command `gump-action` (docs/local.md). The runner never starts it. */
import { realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import { localMain } from './local/local-main.js';

process.exitCode = await localMain({
  args: process.argv.slice(2),
  environment: process.env,
  directory: process.cwd(),
  platform: process.platform,
  // npm starts it through a link.
  dist: dirname(realpathSync(process.argv[1] ?? '')),
});
