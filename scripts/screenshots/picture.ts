/** A picture of a whole page, in headless Chromium. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type Theme = 'light' | 'dark';

export interface Picture {
  readonly file: string;
  readonly width: number;
  readonly theme: Theme;
}

/** Loads the page twice: its height is known only when it is drawn. */
export function takePicture(html: string, { file, width, theme }: Picture): void {
  const folder = mkdtempSync(join(tmpdir(), 'gump-picture-'));
  try {
    const page = join(folder, 'page.html');
    writeFileSync(page, html);
    const dom = chromium([`--window-size=${width},800`, '--dump-dom', page], folder);
    const height = /data-height="(\d+)"/.exec(dom)?.[1];
    if (height === undefined) throw new Error('Chromium did not draw the page.');
    const color = theme === 'light' ? 'ffffffff' : '0d1117ff';
    chromium(
      [
        `--window-size=${width},${height}`,
        `--default-background-color=${color}`,
        `--screenshot=${file}`,
        page,
      ],
      folder,
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function chromium(args: readonly string[], folder: string): string {
  const fixed = [
    '--headless',
    '--no-sandbox',
    '--hide-scrollbars',
    '--allow-file-access-from-files',
    '--virtual-time-budget=5000',
    `--user-data-dir=${join(folder, 'profile')}`,
  ];
  return execFileSync('chromium', [...fixed, ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
}
