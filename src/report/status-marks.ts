/** The sign of a status, in tables, headings and charts. Pure. */
import type { GateResult } from '../gates/gate-result.js';
import type { RunStatus, StepStatus } from './report.js';

export const stepMarks: Readonly<Record<StepStatus, string>> = {
  passed: '✅',
  failed: '❌',
  skipped: '⏭️',
  paused: '⏸️',
  cancelled: '🛑',
  'not-run': '⚪',
};

export const gateMarks: Readonly<Record<GateResult['status'], string>> = {
  passed: '✅',
  failed: '❌',
  skipped: '⏭️',
  warned: '⚠️',
};

export const runMarks: Readonly<Record<RunStatus, string>> = {
  passed: '✅',
  failed: '❌',
  cancelled: '🛑',
  paused: '⏸️',
  waiting: '⏳',
  skipped: '⏭️',
  planned: '📋',
};
