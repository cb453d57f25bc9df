import { createHash } from 'node:crypto';
import type { Act } from '../db/act.ts';
import type { Tx } from '../db/database.ts';
import type { TurningCase } from '../db/repositories/case-steps.ts';
import { keepClaimForm, loadClaimForm, type ClaimForm } from '../db/repositories/claim-forms.ts';
import { holdUnderInsolvency } from '../db/repositories/insolvency-holds.ts';
import type { CaseFacts } from '../domain/case/facts.ts';
import { DomainError } from '../domain/errors.ts';
import type { Claim } from '../domain/law/claim.ts';
import { formatAmount } from '../domain/money.ts';
import { addDays, type LocalDate } from '../domain/time/dates.ts';
import { postalLines, renderClaimDeclaration, type ClaimDeclarationModel } from './letters/index.ts';
import type { ActivityDeps } from './deps.ts';

/**
 * What a turn adds while proceedings over the customer hold the case: its hold, where it was registered or reopened while
 * they were being entered; and the form to declare with, written again whenever what it says has changed. Whichever case
 * comes first writes it for all. True when the case is held since this moment.
 */
export async function underInsolvency(
  deps: Pick<ActivityDeps, 'log'>,
  tx: Tx,
  act: Act,
  one: TurningCase,
  facts: CaseFacts,
  today: LocalDate,
): Promise<boolean> {
  const claim = { invoiceId: one.invoiceId, customerId: one.customerId, issuedOn: facts.issuedOn };
  const held = await holdUnderInsolvency(tx, act, [claim], today, { ever: true });
  if (facts.insolvency?.outcome === null) await writeClaimForm(deps, tx, act, one.customerId, today);
  return held.length > 0;
}

async function writeClaimForm(
  deps: Pick<ActivityDeps, 'log'>,
  tx: Tx,
  act: Act,
  customerId: string,
  today: LocalDate,
): Promise<void> {
  const form = await loadClaimForm(tx, customerId);
  if (form === null) return;
  const models = modelsOf(form, today);
  // The day it bears changes nothing that is declared.
  const digest = createHash('sha256')
    .update(JSON.stringify(models.map(({ model: { date: _, ...said } }) => said)))
    .digest('hex');
  if (digest === form.digest) return;
  const pdfs: { bytes: Buffer; invoiceIds: string[] }[] = [];
  try {
    for (const { model, invoiceIds } of models) {
      pdfs.push({ bytes: Buffer.from(await renderClaimDeclaration(model)), invoiceIds });
    }
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    deps.log.error({ customer: customerId, code: error.code }, 'a declaration of claims could not be written');
    await keepClaimForm(tx, act, form, { digest, pdfs: [], error: error.code });
    return;
  }
  await keepClaimForm(tx, act, form, { digest, pdfs, error: null });
}

/** One form per currency, in the order of their codes: what is in another one is converted by whoever signs. */
function modelsOf(form: ClaimForm, today: LocalDate): { model: ClaimDeclarationModel; invoiceIds: string[] }[] {
  const currencies = [...new Set(form.claims.map((claim) => claim.currency))].sort();
  return currencies.map((currency) => {
    const claims = form.claims.filter((claim) => claim.currency === currency);
    return { model: modelOf(form, today, currency, claims), invoiceIds: claims.map((claim) => claim.invoiceId) };
  });
}

function modelOf(
  form: ClaimForm,
  today: LocalDate,
  currency: string,
  claims: readonly ClaimForm['claims'][number][],
): ClaimDeclarationModel {
  const { creditor, debtor, judgmentOn } = form;
  const [name = 'Mandataire judiciaire ou liquidateur', ...addressLines] = linesOfText(form.trustee);
  const due = claims.filter((claim) => claim.dueOn <= judgmentOn);
  return {
    date: today,
    place: creditor.city,
    reference: debtor.reference,
    fromCountry: creditor.country,
    // A country is named only where it is another one than that of the court.
    creditor: { ...creditor, addressLines: postalLines(creditor.addressLines, creditor.country) },
    debtor: {
      name: debtor.name,
      addressLines: postalLines(debtor.addressLines, creditor.country),
      siren: debtor.registration,
    },
    trustee: { name, addressLines },
    proceedings: form.kind,
    judgmentOn,
    publishedOn: form.publishedOn,
    // Reckoned from the judgment it is provisional, and a form says only what is certain.
    lastDay: form.publishedOn === null ? null : form.declareBy,
    currency,
    due: due.map(({ number, issuedOn, dueOn, balanceMinor, claim }) => {
      const amount = (minor: bigint): string => formatAmount(minor, currency);
      return {
        number,
        issuedOn,
        dueOn,
        principal: amount(balanceMinor),
        interest: claim && amount(claim.interestMinor),
        compensation: claim && amount(claim.compensationMinor),
        total: amount(balanceMinor + besidePrincipal(claim)),
      };
    }),
    interestUntil: due.some(({ claim }) => claim !== null && claim.interestMinor > 0n) ? addDays(judgmentOn, -1) : null,
    notYetDue: claims
      .filter((claim) => claim.dueOn > judgmentOn)
      .map(({ number, issuedOn, dueOn, balanceMinor }) => ({
        number,
        issuedOn,
        dueOn,
        amount: formatAmount(balanceMinor, currency),
      })),
    total: formatAmount(
      claims.reduce(
        (sum, one) => sum + one.balanceMinor + (one.dueOn <= judgmentOn ? besidePrincipal(one.claim) : 0n),
        0n,
      ),
      currency,
    ),
  };
}

/** Interest and compensation; costs are not declared with the claims of the invoices. */
const besidePrincipal = (claim: Claim | null): bigint =>
  claim === null ? 0n : claim.interestMinor + claim.compensationMinor;

const linesOfText = (text: string | null): string[] =>
  (text ?? '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
