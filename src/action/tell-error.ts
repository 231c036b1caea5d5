/** What a phase threw, told once. */
import { UserError, UserErrors } from '../failure.js';
import { writeRefused } from './finish.js';
import { currentVoice } from './setting.js';

/** A user's fault is told as it stands; anything else is ours, and its place in the code is shown. */
export async function tellError(error: unknown): Promise<void> {
  const { log, redact } = currentVoice();
  const faults = error instanceof UserErrors ? error.faults : [messageOf(error)];
  for (const fault of faults) log.error(fault);
  if (!(error instanceof UserError))
    log.info(`This is a fault of the action itself. ${error instanceof Error ? error.stack : ''}`);
  log.close();
  const what = error instanceof UserError ? 'nothing was run' : 'ended by a fault of its own';
  await writeRefused(
    what,
    faults.map((fault) => redact(fault)),
  );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
