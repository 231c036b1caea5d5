// Uses the real cache client in a separate process, because the client reads the environment:
//   node cache-client.mjs save KEY PATH | restore KEY[,RESTORE_KEY…] PATH | lookup KEY[,…] PATH
// The last line of output is `RESULT ` and JSON.
import { restoreCache, saveCache } from '@actions/cache';

const [command, keys, path] = process.argv.slice(2);
const [key, ...restoreKeys] = keys.split(',');
const result =
  command === 'save'
    ? await saveCache([path], key)
    : await restoreCache([path], key, restoreKeys, { lookupOnly: command === 'lookup' });
console.log(`RESULT ${JSON.stringify(result ?? null)}`);
