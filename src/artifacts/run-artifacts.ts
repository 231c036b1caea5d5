/**
 * The artifacts of this run, with the `@actions/artifact` client (6.2.1). It needs no permission of the job token. The
 * client takes its settings from `process.env`, reads and writes files, prints, and reports its errors only as text.
 *
 * Facts about the service: an artifact is immutable. Its name is unique per attempt of the run, not per run. Its id is
 * not a sequence. After "Re-run failed jobs", a job sees the artifacts of earlier attempts; after "Re-run all jobs" it
 * does not (go-gitea/gitea#38857, actions/upload-artifact#585; seen in 2026). A job may create 500.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { captureOutput } from '../system/captured-output.js';
import { type FileIdentity, identify, isUnchanged } from '../system/file-identity.js';
import { readRegularFile } from '../system/regular-file.js';
import { isZip, readOnlyFile } from './zip-file.js';

export interface RunArtifact {
  readonly id: number;
  readonly name: string;
  /** Of the zip file, as its creator reported it. */
  readonly bytes: number;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
}

/** Every function rejects with an `ArtifactError`. */
export interface RunArtifacts {
  list(): Promise<readonly RunArtifact[]>;
  /** Stores one file. The days are limited by the settings of the repository. */
  upload(name: string, content: Buffer, retentionDays: number): Promise<void>;
  /** The content of an artifact with one file. `undefined` if it has another form or more than `maxBytes`. */
  download(artifact: Pick<RunArtifact, 'id' | 'bytes'>, maxBytes: number): Promise<Buffer | undefined>;
  /** Deletes the newest artifact with this name of this attempt. */
  remove(name: string): Promise<void>;
}

/**
 * `taken`: this attempt has an artifact with the name. `refused`: asking again does not help. `unanswered`: the service
 * failed or did not answer.
 */
export class ArtifactError extends Error {
  constructor(
    readonly kind: 'taken' | 'refused' | 'unanswered',
    message: string,
  ) {
    super(message);
    this.name = 'ArtifactError';
  }
}

export interface RunArtifactsOptions {
  /** A private directory for the files of the client. It is created with the first one. */
  readonly directory: string;
  /** Shows what the client prints. */
  readonly isDebug: boolean;
}

type ArtifactClient = InstanceType<typeof import('./artifact-package.js').DefaultArtifactClient>;

/** More than one small file adds to its zip file. */
const zipBytes = 1000;

export function openRunArtifacts({ directory, isDebug }: RunArtifactsOptions): RunArtifacts {
  const packageFile = noteClient();

  async function call<T>(use: (client: ArtifactClient) => Promise<T>): Promise<T> {
    const work = async () => {
      try {
        return { result: await use(await loadClient(packageFile)) };
      } catch (error) {
        return { error: artifactError(error) };
      }
    };
    const { value } = await captureOutput(work, isDebug);
    if ('error' in value) throw value.error;
    return value.result;
  }

  return {
    async list() {
      const { artifacts } = await call((client) => client.listArtifacts());
      return artifacts.map(({ id, name, size, createdAt }) => ({
        id,
        name,
        bytes: size,
        createdAt: createdAt?.getTime() ?? 0,
      }));
    },
    upload: (name, content, retentionDays) =>
      inNewFolder(directory, async (folder) => {
        const file = join(folder, 'state.gump');
        await writeFile(file, content, { flag: 'wx', mode: 0o600 });
        // Sealed content cannot be compressed.
        const options = { retentionDays, compressionLevel: 0 };
        await call((client) => client.uploadArtifact(name, [file], folder, options));
      }),
    async download({ id, bytes }, maxBytes) {
      if (bytes > maxBytes + zipBytes) return undefined;
      return inNewFolder(directory, async (folder) => {
        // The client would unpack to any path that the file names.
        await call((client) => client.downloadArtifact(id, { path: folder, skipDecompress: true }));
        const [name] = await readdir(folder);
        const file = name && (await readRegularFile(join(folder, name), maxBytes + zipBytes));
        return file ? contentOf(file, maxBytes) : undefined;
      });
    },
    async remove(name) {
      await call((client) => client.deleteArtifact(name));
    },
  };
}

/** The file in an artifact: GitHub passes most on as zip files, and some as they are. */
export function contentOf(downloaded: Buffer, maxBytes: number): Buffer | undefined {
  if (isZip(downloaded)) return readOnlyFile(downloaded, maxBytes);
  return downloaded.length <= maxBytes ? downloaded : undefined;
}

/** The client is loaded when it is needed, and an agent may have replaced its file by then. */
function noteClient(): FileIdentity | undefined {
  try {
    return identify(fileURLToPath(new URL('artifact-package.js', import.meta.url)));
  } catch {
    // Tests run the source, which has no such file.
    return undefined;
  }
}

async function loadClient(noted: FileIdentity | undefined): Promise<ArtifactClient> {
  if (noted !== undefined && !isUnchanged(noted))
    throw new ArtifactError('refused', `the file ${noted.path} of this action was replaced during the run`);
  const { DefaultArtifactClient } = await import(/* webpackIgnore: true */ './artifact-package.js');
  return new DefaultArtifactClient();
}

async function inNewFolder<T>(directory: string, work: (folder: string) => Promise<T>): Promise<T> {
  const folder = join(directory, randomUUID());
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    return await work(folder);
  } catch (error) {
    throw error instanceof ArtifactError ? error : new ArtifactError('refused', messageOf(error));
  } finally {
    await rm(folder, { recursive: true, force: true }).catch(() => undefined);
  }
}

/** The client repeats what may succeed later, five times within half a minute, and says so only in its text. */
function artifactError(error: unknown): ArtifactError {
  if (error instanceof ArtifactError) return error;
  const message = messageOf(error).split('\n', 1)[0] ?? '';
  if (/CreateArtifact: .*\(409\)/.test(message)) return new ArtifactError('taken', message);
  const isFinal = /non-retryable|not found|storage quota|JWT|env variable/i.test(message);
  return new ArtifactError(isFinal ? 'refused' : 'unanswered', message);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
