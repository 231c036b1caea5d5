/** What GitHub's REST API sends about runs and jobs, as values of this folder. Pure. */
import type { RunJob, WorkflowRun } from './run-source.js';

/** The used part of a run; the same in a list and alone. */
export interface RunBody {
  readonly id: number;
  readonly name?: string | null;
  readonly run_number: number;
  readonly workflow_id: number;
  readonly path: string;
  readonly status: string | null;
  readonly conclusion: string | null;
  readonly run_attempt?: number;
  readonly created_at: string;
  readonly updated_at: string;
  readonly event: string;
  readonly repository: { readonly full_name: string };
  /** `null` if it was deleted. */
  readonly head_repository: { readonly full_name: string } | null;
}

export interface JobBody {
  readonly id: number;
  readonly name: string;
  readonly conclusion: string | null;
  readonly started_at: string | null;
  readonly completed_at: string | null;
  readonly steps?: readonly { readonly name: string }[];
}

export function runOf(body: RunBody): WorkflowRun {
  return {
    id: body.id,
    name: body.name ?? body.path,
    number: body.run_number,
    workflowId: body.workflow_id,
    // Some runs have the ref after it: `.github/workflows/build.yml@main`.
    path: body.path.replace(/@.*$/, ''),
    status: body.status ?? '',
    conclusion: body.conclusion ?? undefined,
    attempt: body.run_attempt ?? 1,
    createdAt: Date.parse(body.created_at),
    updatedAt: Date.parse(body.updated_at),
    event: body.event,
    isOfFork: body.head_repository?.full_name !== body.repository.full_name,
  };
}

/** A job that never got a machine may have no times. It counts as the first one. */
export function jobOf({ id, name, conclusion, started_at, completed_at, steps = [] }: JobBody): RunJob {
  const startedAt = Date.parse(started_at ?? '') || 0;
  return {
    id,
    name,
    conclusion: conclusion ?? undefined,
    startedAt,
    completedAt: Date.parse(completed_at ?? '') || startedAt,
    steps: steps.map((step) => step.name),
  };
}
