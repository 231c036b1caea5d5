/** The summaries of nine whole runs, as recorded in `test/fixtures/summaries`. */
import { expect, it } from 'vitest';
import { createHarness } from './harness.js';
import { stableSummary, summaryScenes } from './summary-scenes.js';

it.each(summaryScenes)('the summary of the run `$name`', async ({ name, workflow, files, jobs, status }) => {
  const harness = await createHarness({ code: name === 'split' ? 'dist' : 'src', workflow, files });
  const results = [];
  for (const job of jobs) results.push(await harness.runJob(job));
  const last = results.at(-1);
  expect(last?.main.outputs.status, last?.main.log).toBe(status);
  await expect(stableSummary(last?.main ?? { summary: '' })).toMatchFileSnapshot(
    `../fixtures/summaries/${name}.md`,
  );
});
