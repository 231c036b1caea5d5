/**
 * `npm run record -- <provider> [scene]`: starts `test/real/record.ts`. Node strips the types by itself but
 * does not look for `x.ts` where the source says `x.js`, as the compiler does.
 */
import { registerHooks } from 'node:module';

registerHooks({
  resolve(specifier, context, next) {
    try {
      return next(specifier, context);
    } catch (error) {
      if (!specifier.startsWith('.') || !specifier.endsWith('.js')) throw error;
      return next(`${specifier.slice(0, -3)}.ts`, context);
    }
  },
});

await import('../test/real/record.ts');
