import { describe, expect, test } from 'vitest';
import { renderMessage } from '../../activities/mail/render.ts';
import { collectorFaults, L111_8, MANDATE_TERMS } from '../../domain/law/collector.ts';
import { letter } from '../letters/models.ts';
import { COLLECTS_FOR } from '../support/collects-for.ts';

const TODAY = '2026-11-21';
const SET = COLLECTS_FOR;

describe('who collects for others (CPCE R124-1 to R124-3)', () => {
  const pointers = (draft: object, hasAddress = true) =>
    collectorFaults(draft, TODAY, hasAddress).map(({ pointer, code }) => {
      expect(code).toBe('collectorSetIncomplete');
      return pointer;
    });

  test('has all of it', () => {
    expect(pointers(SET)).toEqual([]);
    expect(pointers(SET, false)).toEqual(['/address']);
  });

  test('is told of each thing that is missing, at its place', () => {
    expect(pointers({})).toHaveLength(9 + MANDATE_TERMS.length);
    for (const part of ['principal', 'insurance', 'dedicatedIban', 'declaration', 'mandate'] as const) {
      const { [part]: _, ...rest } = SET;
      const found = pointers(rest);
      expect(found.length).toBeGreaterThan(0);
      expect(found.every((pointer) => pointer.startsWith(`/collectsFor/${part}`))).toBe(true);
    }
    for (const term of MANDATE_TERMS) {
      expect(pointers({ ...SET, mandate: { ...SET.mandate, [term]: false } })).toEqual([
        `/collectsFor/mandate/${term}`,
      ]);
    }
  });

  test('needs an insurance that runs, a declaration and a mandate that came before', () => {
    expect(pointers({ ...SET, insurance: { ...SET.insurance, validUntil: '2026-11-20' } })).toHaveLength(1);
    expect(pointers({ ...SET, insurance: { ...SET.insurance, validUntil: TODAY } })).toEqual([]);
    expect(pointers({ ...SET, declaration: { ...SET.declaration, declaredOn: '2026-11-22' } })).toHaveLength(1);
    expect(pointers({ ...SET, mandate: { ...SET.mandate, signedOn: '2026-11-22' } })).toHaveLength(1);
  });
});

describe.each(['fr-FR', 'de-DE', 'en-GB'])('its letters in %s (CPCE R124-4)', (locale) => {
  const collector = { principal: SET.principal, letters: [] };
  const plain = (text: string) => text.replace(/\s+/g, ' ');
  const written = (change: Parameters<typeof letter>[0]) =>
    renderMessage('reminder', letter({ locale, ...change }), {
      subject: 'Ours [{{ reference }}]',
      lead: 'Only these words.',
      close: 'Bye.',
    });

  test('show collector and creditor, basis and amounts apart, how to pay, and L111-8 in its very words, whatever the text', () => {
    const { text, html } = written({ collector });
    const seen = plain(text);
    for (const words of [
      'Ateliers Duvallon SAS, 12 rue des Tanneurs',
      'Imprimerie Vasseur SARL, 3 quai Perrache, 69002 Lyon',
      'R-7K3F2A',
      ...L111_8,
    ]) {
      expect(seen).toContain(words);
    }
    expect(seen).toMatch(/Principal|Hauptforderung/);
    expect(seen).toMatch(/Intérêts|Zinsen|Interest/);
    expect(html).toContain('titre exécutoire');
    expect(L111_8[0]!.startsWith('Les frais de recouvrement entrepris sans titre exécutoire')).toBe(true);
    expect(L111_8[1]!.endsWith('à la charge du débiteur de mauvaise foi.')).toBe(true);
  });

  test('are named with reference and date by whatever follows', () => {
    const letters = [{ reference: 'R-AAAAAA', on: '2026-10-05' }];
    const seen = plain(written({ collector: { ...collector, letters } }).text);
    expect(seen).toContain('Imprimerie Vasseur SARL');
    expect(seen).toMatch(/R-AAAAAA, (5 octobre 2026|5\. Oktober 2026|5 October 2026)/);
    expect(seen).not.toContain('titre exécutoire');
  });

  test('say nothing of the kind for a creditor of its own claims', () => {
    expect(plain(written({}).text)).not.toMatch(/recouvrement amiable|gütliche Einziehung|amicable collection/);
  });
});
