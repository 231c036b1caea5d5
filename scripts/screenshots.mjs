/**
 * `npm run screenshots [-- NAME…] [--open] [--images]`: takes pictures of job summaries, from real runs of `dist/`
 * with stand-ins for the agents. Needs `chromium`, `cmark-gfm`, and `npm ci --prefix scripts/screenshots`.
 *
 * `--open` shows what is folded. `--images` writes the two pictures of the README instead.
 */
import './typescript.mjs';

const { main } = await import('./screenshots/main.ts');
process.exitCode = await main(process.argv.slice(2));
