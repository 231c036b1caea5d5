/** Runs the scenes and takes a picture of each summary, in light and dark, in two widths. */
import { mkdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type SummaryScene, summaryScenes } from '../../test/action/summary-scenes.js';
import { summaryPage } from './page.js';
import { type Theme, takePicture } from './picture.js';
import { runScene } from './run-scene.js';

const themes: readonly Theme[] = ['light', 'dark'];

/** GitHub shows a summary about this wide on a large and on a small screen. */
const widths = [1012, 720];

/** The scene in the README. */
const readmeScene = 'failed-then-passed';

/** Returns the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  const names = args.filter((arg) => !arg.startsWith('--'));
  const isForReadme = args.includes('--images');
  const wanted = isForReadme ? [readmeScene] : names;
  const scenes = summaryScenes.filter(({ name }) => wanted.length === 0 || wanted.includes(name));
  if (scenes.length === 0) {
    console.error(`No such scene. There are: ${summaryScenes.map(({ name }) => name).join(', ')}.`);
    return 1;
  }
  const folder = resolve(isForReadme ? 'docs/images' : 'build/screenshots');
  if (!isForReadme && names.length === 0) rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const scene of scenes)
    await takePictures(scene, { folder, isForReadme, isOpen: args.includes('--open') });
  return 0;
}

interface PictureOptions {
  readonly folder: string;
  readonly isForReadme: boolean;
  readonly isOpen: boolean;
}

async function takePictures(
  scene: SummaryScene,
  { folder, isForReadme, isOpen }: PictureOptions,
): Promise<void> {
  const summary = await runScene(scene);
  for (const theme of themes) {
    for (const width of isForReadme ? widths.slice(0, 1) : widths) {
      const name = isForReadme ? `summary-${theme}` : `${scene.name}-${theme}-${width}`;
      const file = join(folder, `${name}.png`);
      takePicture(summaryPage(summary, { theme, isOpen }), { file, width, theme });
      console.log(file);
    }
  }
}
