/** Where the CLI of a provider comes from: PATH, npm or nowhere. Pure. */
import type { NpmPackage, Provider } from '../providers/provider.js';

export interface CliQuestion {
  readonly provider: Pick<Provider, 'id' | 'title' | 'executable' | 'installHint' | 'npm'>;
  /** The input `install`. */
  readonly mode: 'auto' | 'never';
  /** What the input `cli-versions` asks for. */
  readonly asked?: string;
  /** The version that is installed where nothing else is asked for. */
  readonly pinned?: string;
  /** The program on PATH; absent where there is none. Its version is not always known. */
  readonly onPath?: { readonly version?: string };
}

export type CliChoice =
  | { readonly from: 'path'; readonly version?: string }
  | { readonly from: 'npm'; readonly package: NpmPackage; readonly version: string }
  /** Whole sentences for the user. */
  | { readonly from: 'nowhere'; readonly fault: string };

/** What is on PATH is used as it is, unless another version is asked for. */
export function chooseCli(question: CliQuestion): CliChoice {
  const { provider, asked, onPath } = question;
  if (asked !== undefined && provider.npm === undefined) return nowhere(cannotChoose(question));
  if (onPath !== undefined && (asked === undefined || onPath.version === asked))
    return { from: 'path', ...onPath };
  const version = asked ?? question.pinned;
  if (provider.npm !== undefined && version !== undefined && question.mode === 'auto')
    return { from: 'npm', package: provider.npm, version };
  return nowhere(onPath === undefined ? missing(question) : otherVersion(question));
}

function nowhere(fault: string): CliChoice {
  return { from: 'nowhere', fault };
}

function missing({ provider, asked }: CliQuestion): string {
  const wanted = asked === undefined ? '' : ` in version ${asked}`;
  return `${provider.title} is not there${wanted}: no program \`${provider.executable}\` is on PATH. ${provider.installHint}`;
}

function otherVersion({ provider, asked, onPath }: CliQuestion): string {
  const found = onPath?.version === undefined ? 'of a version that it does not say' : onPath.version;
  return `${provider.title} on PATH is ${found}, input cli-versions asks for ${asked}, and with \`install: never\` none is installed.`;
}

function cannotChoose({ provider }: CliQuestion): string {
  return `Input cli-versions: a version of ${provider.title} cannot be chosen here. ${provider.installHint}`;
}
