/** What the log says about earlier runs of the subject. Pure. */
import type { EntryLookup } from '../previous/find-entry.js';
import type { SubjectScope } from '../previous/subject-scope.js';

/** One notice or warning for the whole run. `undefined` if there is nothing to say. */
export function lookUpText(found: EntryLookup, { subject, workflowFile }: SubjectScope): string | undefined {
  const where = `\`${workflowFile}\` on \`${subject}\``;
  const effect = 'Steps that resume a session of an earlier run start a new one.';
  switch (found.status) {
    case 'found':
      if (found.problems.length === 0) return undefined;
      return `${found.problems.join(' ')} The sessions of run ${found.contents.runId} are used instead.`;
    case 'none':
      return `This is the first run of ${where} that stores its sessions. ${effect} A later run can resume them.`;
    case 'unusable':
      return `No earlier run of ${where} can be used. ${found.problems.join(' ')} ${effect} This run stores its sessions again, for the next one.`;
    case 'unavailable':
      return `The sessions of earlier runs of ${where} cannot be read: ${sentence(found.reason)} ${effect}`;
    case 'denied':
      return `The sessions of earlier runs of ${where} cannot be read: ${sentence(found.reason)} ${effect}\n${permissionLines}`;
    case 'failed':
      return `The sessions of earlier runs of ${where} cannot be read: ${sentence(found.reason)} ${effect} Re-run the job later to resume them.`;
  }
}

/** The warning that nothing can be stored says more. */
export const missingSecretText =
  'there is no secret that opens them. Set the input `state-key` to a secret of the repository, in every workflow that works on them.';

/** What a job needs so that a step can resume a session of an earlier run. */
const permissionLines = `Add to the job:
permissions:
  actions: read
  contents: read`;

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
