/**
 * Scripts with TypeScript code import this first. Node strips the types, but unlike the compiler it does not
 * resolve an import of `x.js` to `x.ts`.
 */
import module from 'node:module';

if (module.registerHooks === undefined) {
  console.error(
    `Node ${process.version} cannot run this script. Start it with \`npm run\`, which uses Node 24 from node_modules.`,
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
