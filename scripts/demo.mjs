/** `npm run demo [-- --agent claude-haiku]`: starts `demo/main.ts`. */
import './typescript.mjs';

const { main } = await import('./demo/main.ts');
process.exitCode = await main(process.argv.slice(2));
