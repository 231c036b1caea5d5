/** `npm run record -- <provider> [scene]`: starts `test/real/record.ts`. */
import './typescript.mjs';

await import('../test/real/record.ts');
