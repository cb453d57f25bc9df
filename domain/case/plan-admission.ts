import { DomainError, type Fault } from '../errors.ts';
import { formatAmount, parseAmount } from '../money.ts';
import type { Policy } from '../policy/types.ts';
import type { LocalDate } from '../time/dates.ts';

/** What admission has to know of each invoice that a plan would cover. */
export interface PlannedInvoice {
  id: string;
  number: string;
  customerId: string;
  currency: string;
  balanceMinor: bigint;
  policy: Policy;
  closed: boolean;
  /** An agency looks after it. */
  placed: boolean;
  /** An open dispute contests all or part of it. */
  disputed: boolean;
  /** Insolvency proceedings hold it. */
  insolvent: boolean;
  /** Another active plan covers it. */
  planned: boolean;
}

export interface AdmittedPlan {
  customerId: string;
  currency: string;
  totalMinor: bigint;
  /** The least of the policies' days: no invoice gets more grace than its own policy gives. */
  graceDays: number;
  instalments: { n: number; dueOn: LocalDate; amountMinor: bigint }[];
}

/**
 * Whether a plan over these invoices can be agreed, and on what terms: the strictest of what their policies say. `today`
 * is the creditor's date. Throws what is wrong with the invoices first, then with the instalments, all faults of a kind
 * at once: `duplicateInvoice`, `planSeveralCustomers`, `planSeveralCurrencies`, `invoiceClosed`, `nothingOwed`,
 * `stageForbids`, `planExists`, `held`, `partDisputed`, `branchOff`; `tooManyInstalments`, `instalmentInPast`,
 * `instalmentOrder`, faults of amounts, and `planDoesNotAddUp` unless the sums agree to the cent.
 */
export function admitPlan(
  invoices: readonly PlannedInvoice[],
  instalments: readonly { dueOn: LocalDate; amount: string }[],
  today: LocalDate,
): AdmittedPlan {
  const [first] = invoices;
  if (!first) throw new DomainError('nothingOwed', 'Nothing is owed any more that a plan could cover.');
  refuseInvoices(invoices, first);
  const { currency, customerId } = first;
  const policies = invoices.flatMap(({ policy }) => policy.plan ?? []);
  const most = Math.min(...policies.map((plan) => plan.maxInstalments));
  if (instalments.length > most) {
    const message = `The policy allows ${most} instalments, these are ${instalments.length}.`;
    throw new DomainError('tooManyInstalments', message, [
      { pointer: '/instalments', code: 'tooManyInstalments', message },
    ]);
  }
  refuseFaults(dateFaults(instalments, today));
  const amounts = amountsOf(instalments, currency);
  const totalMinor = amounts.reduce((sum, amount) => sum + amount, 0n);
  const owed = invoices.reduce((sum, { balanceMinor }) => sum + balanceMinor, 0n);
  if (totalMinor !== owed) {
    const message =
      `The instalments add up to ${formatAmount(totalMinor, currency)} ${currency}, the invoices owe ` +
      `${formatAmount(owed, currency)} ${currency}.`;
    throw new DomainError('planDoesNotAddUp', message, [
      { pointer: '/instalments', code: 'planDoesNotAddUp', message },
    ]);
  }
  return {
    customerId,
    currency,
    totalMinor,
    graceDays: Math.min(...policies.map((plan) => plan.graceDays)),
    instalments: instalments.map(({ dueOn }, index) => ({ n: index + 1, dueOn, amountMinor: amounts[index]! })),
  };
}

function refuseInvoices(invoices: readonly PlannedInvoice[], first: PlannedInvoice): void {
  const refuse = (code: string, isWrong: (invoice: PlannedInvoice, index: number) => boolean, what: string): void => {
    const wrong = invoices.flatMap((invoice, index) => (isWrong(invoice, index) ? [{ invoice, index }] : []));
    if (wrong.length === 0) return;
    const faults = wrong.map(({ invoice, index }) => ({
      pointer: `/invoiceIds/${index}`,
      code,
      message: `${invoice.number} ${what}`,
    }));
    throw new DomainError(code, `${faults.map((fault) => fault.message).join('; ')}.`, faults);
  };
  refuse('duplicateInvoice', ({ id }, index) => invoices.findIndex((i) => i.id === id) < index, 'is named twice');
  refuse('planSeveralCustomers', (i) => i.customerId !== first.customerId, 'is another customer’s');
  refuse('planSeveralCurrencies', (i) => i.currency !== first.currency, `is not in ${first.currency}`);
  refuse('invoiceClosed', (i) => i.closed, 'is closed');
  refuse('nothingOwed', (i) => i.balanceMinor <= 0n, 'is paid');
  refuse('stageForbids', (i) => i.placed, 'is with an agency');
  refuse('planExists', (i) => i.planned, 'is under another plan');
  refuse('held', (i) => i.insolvent, 'is held by insolvency proceedings');
  refuse('partDisputed', (i) => i.disputed, 'is disputed at least in part');
  refuse('branchOff', (i) => i.policy.plan === null, 'has a policy without plans');
}

function dateFaults(instalments: readonly { dueOn: LocalDate }[], today: LocalDate): Fault[] {
  const faults = instalments.flatMap(({ dueOn }, index): Fault[] =>
    dueOn < today ? [fault(index, 'dueOn', 'instalmentInPast', `${dueOn} is before ${today}`)] : [],
  );
  if (faults.length > 0) return faults;
  return instalments.flatMap(({ dueOn }, index): Fault[] => {
    const before = instalments[index - 1]?.dueOn;
    if (before === undefined || before < dueOn) return [];
    return [fault(index, 'dueOn', 'instalmentOrder', `${dueOn} does not come after ${before}`)];
  });
}

function amountsOf(instalments: readonly { amount: string }[], currency: string): bigint[] {
  const faults: Fault[] = [];
  const amounts = instalments.map(({ amount }, index) => {
    try {
      const minor = parseAmount(amount, currency);
      if (minor === 0n) faults.push(fault(index, 'amount', 'amountInvalid', 'must be more than zero'));
      return minor;
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      faults.push(fault(index, 'amount', error.code, error.message));
      return 0n;
    }
  });
  refuseFaults(faults);
  return amounts;
}

const fault = (index: number, field: string, code: string, message: string): Fault => ({
  pointer: `/instalments/${index}/${field}`,
  code,
  message,
});

function refuseFaults(faults: Fault[]): void {
  const [first] = faults;
  if (first) throw new DomainError(first.code, `${first.pointer}: ${first.message}.`, faults);
}
