/** `npm run bench [-- GROUP …]`: starts `main.ts`. */
import '../scripts/typescript.mjs';

const { main } = await import('./main.ts');
process.exitCode = await main(process.argv.slice(2));
