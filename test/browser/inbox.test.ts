import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { Resend } from 'resend';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMailServer } from '../../scripts/mail-server/server.ts';
import { browserNote, chromiumPath, openBrowser } from '../support/browser.ts';

describe.skipIf(!chromiumPath)(`the inbox page in a browser${browserNote}`, () => {
  let folder: string;
  let server: Awaited<ReturnType<typeof createMailServer>>;
  let url: string;
  let browser: Browser;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'relance-inbox-'));
    server = await createMailServer({ dataFolder: folder });
    url = await server.listen();
    browser = await openBrowser();
    const resend = new Resend('re_test', { baseUrl: url });
    const send = async (subject: string, html: string) =>
      await resend.emails.send({ from: 'a@atelier.example', to: 'b@client.example', subject, html, text: 'Bonjour' });
    await send('Facture 2026-0042 échue', '<p id="hello">Bonjour</p><script>parent.document.title = "taken"</script>');
    await send('<img src=x onerror="document.title=1">', '<p>Another</p>');
  });
  afterAll(async () => {
    await browser.close();
    await server.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('lists what was sent, finds it, shows it, and runs nothing that a mail brings', async () => {
    const page = await browser.newPage();
    const wrong: string[] = [];
    page.on('pageerror', (error) => wrong.push(error.message));
    await page.goto(url);
    expect(await page.getByText('2 mails').count()).toBe(1);
    expect(await page.getByText('<img src=x onerror').count()).toBe(1);

    await page.getByPlaceholder(/Search/).fill('2026-0042');
    await page.getByRole('button', { name: 'Search' }).click();
    await page.getByText('Facture 2026-0042 échue').first().click();
    await page.waitForSelector('iframe');
    expect(await page.frameLocator('iframe').locator('#hello').innerText()).toBe('Bonjour');
    expect(await page.title()).not.toMatch(/taken|^1$/);
    expect(wrong).toEqual([]);
  });
});
