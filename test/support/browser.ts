import { existsSync } from 'node:fs';
import { chromium, type Browser } from 'playwright-core';

const PLACES = [
  process.env['CHROMIUM_PATH'],
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** An installed Chromium; undefined where there is none: its tests are then skipped and say so. */
export const chromiumPath = PLACES.find((path) => path !== undefined && existsSync(path));

/** Why a test that needs a browser is skipped; part of its name, so that it is seen. */
export const browserNote = chromiumPath ? '' : ' (skipped: no Chromium here; set CHROMIUM_PATH)';

export async function openBrowser(): Promise<Browser> {
  return await chromium.launch({
    executablePath: chromiumPath!,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}
