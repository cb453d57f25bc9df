import { L111_8 } from '../../domain/law/collector.ts';
import type { Block } from './blocks.ts';
import { formatterFor, languageOf, type Language } from './format.ts';
import type { MessageModel } from './message-model.ts';
import { fill } from './templates.ts';

/** The words of a collector's letters beside the text of the law, which stays French. */
interface Words {
  collector: string;
  creditor: string;
  basis: string;
  principal: string;
  interest: string;
  accessories: string;
  demand: string;
  later: string;
}

const WORDS: Readonly<Record<Language, Words>> = {
  fr: {
    collector: '{name}, {address}, exerce une activité de recouvrement amiable.',
    creditor: 'Créancier : {name}, {address}.',
    basis:
      'La somme due a pour fondement les factures énumérées ci-dessus. Elle s’entend sans les frais qui restent à la charge du créancier :',
    principal: 'Principal',
    interest: 'Intérêts',
    accessories: 'Autres accessoires',
    demand: 'Nous vous demandons de payer cette somme sur le compte {iban}, en rappelant la référence {reference}.',
    later: 'Nous agissons pour le compte de {name}. Notre lettre : {letters}.',
  },
  de: {
    collector: '{name}, {address}, betreibt die gütliche Einziehung von Forderungen.',
    creditor: 'Gläubiger: {name}, {address}.',
    basis:
      'Der geschuldete Betrag beruht auf den oben aufgeführten Rechnungen. Er enthält keine Kosten, die der Gläubiger trägt:',
    principal: 'Hauptforderung',
    interest: 'Zinsen',
    accessories: 'Sonstige Nebenforderungen',
    demand: 'Wir bitten Sie, diesen Betrag auf das Konto {iban} zu zahlen und die Referenz {reference} anzugeben.',
    later: 'Wir handeln für {name}. Unser Schreiben: {letters}.',
  },
  en: {
    collector: '{name}, {address}, carries on the amicable collection of debts.',
    creditor: 'Creditor: {name}, {address}.',
    basis: 'What is owed is based on the invoices listed above. It is without costs that the creditor bears:',
    principal: 'Principal',
    interest: 'Interest',
    accessories: 'Other accessories',
    demand: 'We ask you to pay this amount to the account {iban}, quoting the reference {reference}.',
    later: 'We act for {name}. Our letter: {letters}.',
  },
};

/**
 * What somebody who collects for others says in each contact (CPCE R124-4): its first letter who it is and that it
 * collects, whose claim it is, its basis with principal, interest and accessories apart, how to pay, and L111-8 in its
 * very words; every later contact the reference and date of that letter. They stand beside the text, so that no
 * creditor's own words can leave them out. Empty for a creditor that collects for itself.
 */
export function collectorBlocks(model: MessageModel): Block[] {
  const { collector } = model;
  if (!collector) return [];
  const language = languageOf(model.locale);
  const words = WORDS[language];
  const format = formatterFor(model.locale);
  const paragraph = (pattern: string, values: Record<string, string>): Block => ({
    kind: 'paragraph',
    text: fill(pattern, values),
  });
  const creditor = { name: collector.principal.name, address: collector.principal.addressLines.join(', ') };
  if (collector.letters.length > 0) {
    const letters = collector.letters
      .map(({ reference, on }) => `${reference}, ${format.longDate(on)}`)
      .join(language === 'fr' ? ' ; ' : '; ');
    return [paragraph(words.later, { ...creditor, letters })];
  }
  const figures = model.tables.map<Block>(({ currency, total }) => {
    const claim = model.claim?.currency === currency ? model.claim : null;
    const money = (amount: string | null | undefined): string => format.money(amount ?? '0', currency);
    return {
      kind: 'figures',
      rows: [
        { label: words.principal, value: money(claim?.principal ?? total), sum: false },
        { label: words.interest, value: money(claim?.interest), sum: false },
        { label: words.accessories, value: money(claim?.compensation), sum: false },
      ],
    };
  });
  const { name, addressLines, iban } = model.creditor;
  return [
    paragraph(words.collector, { name, address: addressLines.join(', ') }),
    paragraph(words.creditor, creditor),
    paragraph(words.basis, {}),
    ...figures,
    paragraph(words.demand, { iban: iban ?? '', reference: model.reference }),
    ...L111_8.map<Block>((text) => ({ kind: 'paragraph', text })),
  ];
}
