/**
 * The annotations at places in files: what failed gates printed, and what reviews found. They come at the end of a run,
 * from the last attempt of each step, so that problems that a retry fixed have none. Pure.
 */
import type { RunState } from '../journal/run-state.js';
import { defined } from '../optional-keys.js';
import type { Finding, FindingSeverity } from '../outputs/findings.js';
import { isOfEarlierAttempt } from './earlier-calls.js';
import type { Report, ReportStep } from './report.js';
import type { Annotation, AnnotationLocation } from './workflow-commands.js';

export interface PlaceAnnotation {
  readonly kind: Annotation;
  readonly message: string;
  /** Absent: the finding has no place. */
  readonly location?: AnnotationLocation;
}

/** GitHub shows no more of one kind for a step of the job (actions/toolkit, `docs/problem-matchers.md`). */
const maxOfKind = 10;
const maxCharacters = 2_000;

export function placeAnnotations({ steps }: Report, state: RunState): readonly PlaceAnnotation[] {
  const current = steps.filter(({ path }) => !isOfEarlierAttempt(path, steps));
  const all = [
    ...current.flatMap((step) => gateAnnotations(step, state)),
    ...current.flatMap(({ path, result }) => (result?.findings ?? []).map((one) => toAnnotation(path, one))),
  ];
  const counts = new Map<FindingSeverity, number>();
  const seen = new Set<string>();
  return all.filter((one) => {
    const key = JSON.stringify([one.kind, one.message, one.location?.file, one.location?.line]);
    const count = counts.get(one.kind) ?? 0;
    if (seen.has(key) || count >= maxOfKind) return false;
    seen.add(key);
    counts.set(one.kind, count + 1);
    return true;
  });
}

function gateAnnotations({ path, status }: ReportStep, state: RunState): readonly PlaceAnnotation[] {
  if (status !== 'failed') return [];
  const gates = state.steps.get(path)?.attempts.at(-1)?.gates ?? [];
  return gates
    .filter((gate) => gate.status === 'failed')
    .flatMap(({ name, places = [] }) =>
      places.map(({ path: file, severity, message, ...place }) => ({
        kind: severity,
        message: message.slice(0, maxCharacters),
        location: { file, ...place, title: `${path}: gate ${name}` },
      })),
    );
}

function toAnnotation(step: string, finding: Finding): PlaceAnnotation {
  const { path, line, endLine, severity, message, suggestion } = finding;
  const advice = suggestion === undefined ? '' : `\nSuggestion: ${suggestion}`;
  const text = `${message}${advice}`.slice(0, maxCharacters);
  if (path === undefined) return { kind: severity, message: `Step \`${step}\`: ${text}` };
  return {
    kind: severity,
    message: text,
    location: { file: path, ...defined({ line, endLine }), title: step },
  };
}
