/** Where the CLI of a provider comes from: PATH, npm or nowhere. Pure. */
import type { NpmPackage, Provider } from '../providers/provider.js';

export interface CliRequest {
  readonly provider: Pick<Provider, 'id' | 'title' | 'executable' | 'installHint' | 'npm'>;
  /** The input `install`. */
  readonly mode: 'auto' | 'never';
  /** What the input `cli-versions` asks for. */
  readonly requestedVersion?: string;
  /** The version that is installed where nothing else is asked for. */
  readonly pinnedVersion?: string;
  /** The program on PATH; absent where there is none. Its version is not always known. */
  readonly onPath?: { readonly version?: string };
}

export type CliChoice =
  | { readonly from: 'path'; readonly version?: string }
  | { readonly from: 'npm'; readonly package: NpmPackage; readonly version: string }
  /** Whole sentences for the user. */
  | { readonly from: 'nowhere'; readonly problem: string };

/** What is on PATH is used as it is, unless another version is asked for. */
export function chooseCli(question: CliRequest): CliChoice {
  const { provider, requestedVersion, onPath } = question;
  if (requestedVersion !== undefined && provider.npm === undefined)
    return unavailable(versionNotSelectableMessage(question));
  if (onPath !== undefined && (requestedVersion === undefined || onPath.version === requestedVersion))
    return { from: 'path', ...onPath };
  const version = requestedVersion ?? question.pinnedVersion;
  if (provider.npm !== undefined && version !== undefined && question.mode === 'auto')
    return { from: 'npm', package: provider.npm, version };
  return unavailable(onPath === undefined ? missingMessage(question) : versionMismatchMessage(question));
}

function unavailable(problem: string): CliChoice {
  return { from: 'nowhere', problem };
}

function missingMessage({ provider, requestedVersion }: CliRequest): string {
  const wanted = requestedVersion === undefined ? '' : ` in version ${requestedVersion}`;
  return `${provider.title} is not there${wanted}: no program \`${provider.executable}\` is on PATH. ${provider.installHint}`;
}

function versionMismatchMessage({ provider, requestedVersion, onPath }: CliRequest): string {
  const found = onPath?.version === undefined ? 'of a version that it does not say' : onPath.version;
  return `${provider.title} on PATH is ${found}, input cli-versions asks for ${requestedVersion}, and with \`install: never\` none is installed.`;
}

function versionNotSelectableMessage({ provider }: CliRequest): string {
  return `Input cli-versions: a version of ${provider.title} cannot be chosen here. ${provider.installHint}`;
}
