/** Chooses where the CLI of a provider comes from: PATH or npm. Pure. */
import type { NpmPackage, Provider } from '../providers/provider.js';

export interface CliRequest {
  readonly provider: Pick<Provider, 'id' | 'title' | 'executable' | 'installHint' | 'npm'>;
  /** The input `install`. */
  readonly mode: 'auto' | 'never';
  /** The version in the input `cli-versions`. */
  readonly requestedVersion?: string;
  /** The version that is installed if `cli-versions` has none. */
  readonly pinnedVersion?: string;
  /** The program on PATH; absent if there is none. Its version may be unknown. */
  readonly onPath?: { readonly version?: string };
}

export type CliChoice =
  | { readonly from: 'path'; readonly version?: string }
  | { readonly from: 'npm'; readonly package: NpmPackage; readonly version: string }
  /** A complete error message for the user. */
  | { readonly from: 'nowhere'; readonly problem: string };

/** The name of a CLI in messages, for example `Codex CLI`. */
export function cliName({ title }: Pick<Provider, 'title'>): string {
  return title.endsWith('CLI') ? title : `${title} CLI`;
}

/** Uses the program on PATH unless `cli-versions` requires another version. */
export function chooseCli(request: CliRequest): CliChoice {
  const { provider, requestedVersion, onPath } = request;
  if (requestedVersion !== undefined && provider.npm === undefined)
    return unavailable(versionNotSelectableMessage(request));
  if (onPath !== undefined && (requestedVersion === undefined || onPath.version === requestedVersion))
    return { from: 'path', ...onPath };
  const version = requestedVersion ?? request.pinnedVersion;
  if (provider.npm !== undefined && version !== undefined && request.mode === 'auto')
    return { from: 'npm', package: provider.npm, version };
  return unavailable(onPath === undefined ? missingMessage(request) : versionMismatchMessage(request));
}

function unavailable(problem: string): CliChoice {
  return { from: 'nowhere', problem };
}

function missingMessage({ provider, requestedVersion, mode }: CliRequest): string {
  const version = requestedVersion === undefined ? '' : ` ${requestedVersion}`;
  const start = `${cliName(provider)}${version} not found on PATH (program \`${provider.executable}\`)`;
  if (mode !== 'never' || provider.npm === undefined) return `${start}. ${provider.installHint}`;
  return `${start}, and \`install: never\` allows no installation. Remove \`install: never\`, or install it in an earlier step of the job. ${provider.installHint}`;
}

function versionMismatchMessage({ provider, requestedVersion, onPath }: CliRequest): string {
  const found = onPath?.version ?? 'an unknown version';
  return `Input \`cli-versions\` requires ${cliName(provider)} ${requestedVersion}, but PATH has ${found}, and \`install: never\` allows no installation. Remove one of the two inputs.`;
}

function versionNotSelectableMessage({ provider }: CliRequest): string {
  return `Input \`cli-versions\`: the version of ${cliName(provider)} cannot be selected. ${provider.installHint}`;
}
