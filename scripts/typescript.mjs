/**
 * Imported first by scripts whose code is TypeScript. Node strips the types by itself but does not look for
 * `x.ts` where the source says `x.js`, as the compiler does.
 */
import module from 'node:module';

if (module.registerHooks === undefined) {
  console.error(
    `Node ${process.version} cannot run this; start it by \`npm run\`, which takes Node 24 from node_modules.`,
  );
  process.exit(1);
}

module.registerHooks({
  resolve(specifier, context, next) {
    try {
      return next(specifier, context);
    } catch (error) {
      if (!specifier.startsWith('.') || !specifier.endsWith('.js')) throw error;
      return next(`${specifier.slice(0, -3)}.ts`, context);
    }
  },
});
