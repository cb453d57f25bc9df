import { afterEach, describe, expect, it } from 'vitest';
import { findTemplate, putTemplate } from '../../db/repositories/templates.ts';
import type { Language, TemplateParts } from '../../domain/policy/templates.ts';
import { addCustomer, addInvoice, openBook } from '../support/book.ts';
import { openWorld, REMINDERS, type World } from './world.ts';

const WORDS: TemplateParts = {
  subject: 'Un mot de nous [{{ reference }}]',
  lead: '{{ salutation }}\n\nIl reste {{ totals }}.',
  close: 'À bientôt <chez> nous,',
};

describe('a creditor’s own text', () => {
  let world: World;
  afterEach(async () => {
    await world.close();
  });

  const put = (parts: TemplateParts | null, language: Language = 'fr', creditorId = world.creditor.id) =>
    world.within((tx, act) => putTemplate(tx, act, creditorId, 'reminder', language, parts));
  const invoice = (dueOn: string, lastStepSent?: string) =>
    addInvoice({ db: world.db, clock: world.deps.clock }, world.creditor, world.customer, {
      issuedOn: '2026-01-15',
      dueOn,
      ...(lastStepSent === undefined ? {} : { lastStepSent }),
    });
  const written = () =>
    world.db
      .selectFrom('contacts')
      .select(['template', 'template_version', 'subject', 'body_text', 'body_html'])
      .orderBy('seq')
      .execute();

  it('is what the next message says, and its version stands with the contact', async () => {
    world = await openWorld();
    const first = await invoice('2026-02-27');
    await put(WORDS, 'de');
    await world.turn(first);
    await world.plan();
    await world.send();
    await put(WORDS);
    await put({ ...WORDS, lead: 'Il reste à payer {{ totals }}.' });
    world.goTo('2026-03-16T09:00:00Z');
    await world.turn(first);
    await world.plan();
    await world.send();

    const [builtIn, own] = await written();
    // There was none in French when the first was written.
    expect(builtIn).toMatchObject({ template: 'reminder', template_version: null });
    expect(builtIn?.subject).toContain('facture');
    expect(own).toMatchObject({ template: 'reminder', template_version: 2 });
    expect(own?.subject).toMatch(/^Un mot de nous \[R-\w+\]$/);
    expect(own?.body_text).toContain('Il reste à payer 1\u202f200,00\u00a0€.');
    expect(own?.body_html).toContain('À bientôt &lt;chez&gt; nous,');
    expect(world.provider.sent.map((mail) => mail.message.subject)).toEqual([builtIn?.subject, own?.subject]);
  });

  it('leaves what is queued as it is, and ends with the return to the built-in one', async () => {
    world = await openWorld();
    const first = await invoice('2026-02-27');
    await put(WORDS);
    await world.turn(first);
    await world.plan();
    await put(null);
    await world.send();
    expect(world.provider.sent[0]?.message.subject).toMatch(/^Un mot de nous/);
    world.goTo('2026-03-16T09:00:00Z');
    await world.turn(first);
    await world.plan();
    expect((await written()).map((contact) => contact.template_version)).toEqual([1, null]);
    expect(await findTemplate(world.db, world.creditor.id, 'reminder', 'fr')).toMatchObject({
      version: 2,
      parts: null,
    });
  });

  it('is nobody else’s', async () => {
    world = await openWorld();
    const other = await openBook({ db: world.db, clock: world.deps.clock }, REMINDERS);
    await addCustomer({ db: world.db, clock: world.deps.clock }, other, { reference: 'c-1' });
    await put(WORDS, 'fr', other.id);
    const first = await invoice('2026-02-27');
    await world.turn(first);
    await world.plan();
    expect(await written()).toMatchObject([{ template_version: null }]);
  });

  it('that cannot be filled in after all becomes a task, and nothing is sent', async () => {
    world = await openWorld();
    // What the API refuses, as if a case had a shape that none of its samples has.
    await put({ ...WORDS, lead: 'Payez avant le {{ payBy }}.' });
    const first = await invoice('2026-02-27');
    await world.turn(first);
    await world.plan();
    expect(await world.send()).toBe(0);
    expect(await world.stepsOf(first)).toEqual(['one:failed']);
    const tasks = await world.db.selectFrom('tasks').select(['kind', 'data']).execute();
    expect(tasks).toEqual([{ kind: 'notWritten', data: { step: 'one', code: 'templateFailed' } }]);
  });

  it('gets one number a version, however many write at once', async () => {
    world = await openWorld();
    const made = await Promise.all([1, 2, 3, 4].map((n) => put({ ...WORDS, subject: `Mot ${n}` })));
    expect(made.map((one) => one?.version ?? 0).sort((a, b) => a - b)).toEqual([1, 2, 3, 4]);
    const current = await findTemplate(world.db, world.creditor.id, 'reminder', 'fr');
    expect((await put(current!.parts))?.version).toBe(4);
  });
});
