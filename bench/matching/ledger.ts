import { normaliseToken } from '../../domain/matching/tokens.ts';
import {
  MOST_ITEMS,
  type Answer,
  type Item,
  type Payment,
  type Question,
  type Share,
} from '../../domain/matching/types.ts';
import type { TableInvoice } from '../../scripts/tables/read.ts';

/** Deductions of the tables are a few cents, and in proportion where the unit of the currency is small (their README). */
const TOLERANCE: Readonly<Record<string, bigint>> = { JPY: 20_000n, KRW: 20_000n };

/** Invoices of one amount that are looked at. */
const MOST_EQUAL = 10;

/** Books in memory that answer what matching asks, from indexes as the database has them. */
export class MemoryLedger {
  readonly #balances = new Map<string, bigint>();
  readonly #invoices = new Map<string, TableInvoice>();
  readonly #byToken = new Map<string, TableInvoice[]>();
  readonly #openOf = new Map<string, Set<TableInvoice>>();
  readonly #byBalance = new Map<string, Set<TableInvoice>>();
  readonly #byName = new Map<string, Set<string>>();
  readonly #byAccount = new Map<string, Set<string>>();
  readonly #byAlias = new Map<string, Set<string>>();

  constructor(invoices: readonly TableInvoice[]) {
    for (const invoice of invoices) {
      this.#invoices.set(invoice.id, invoice);
      this.#balances.set(invoice.id, invoice.amountMinor);
      for (const token of invoice.tokens) push(this.#byToken, token, invoice);
      add(this.#openOf, `${invoice.customerId} ${invoice.currency}`, invoice);
      add(this.#byBalance, `${invoice.amountMinor} ${invoice.currency}`, invoice);
      add(this.#byName, normaliseToken(invoice.customerName), invoice.customerId);
    }
  }

  answer(question: Question, payment: Payment): Answer {
    const known = (invoice: TableInvoice): boolean => invoice.issuedOn <= payment.bookedOn;
    switch (question.ask) {
      case 'tokens': {
        const hits = new Set(question.tokens.flatMap((token) => this.#byToken.get(token) ?? []));
        return { items: [...hits].filter(known).map((invoice) => this.#item(invoice)), truncated: false };
      }
      case 'payer': {
        const named = payment.payerName === null ? '' : normaliseToken(payment.payerName);
        return {
          payers: [
            ...[...(this.#byAccount.get(payment.payerAccount ?? '') ?? [])].map((customerId) => ({
              customerId,
              by: 'account' as const,
            })),
            ...[...(this.#byAlias.get(named) ?? [])].map((customerId) => ({ customerId, by: 'alias' as const })),
            ...[...(this.#byName.get(named) ?? [])].map((customerId) => ({ customerId, by: 'name' as const })),
          ],
        };
      }
      case 'itemsOf': {
        const open = question.customerIds
          .flatMap((id) => [...(this.#openOf.get(`${id} ${payment.currency}`) ?? [])])
          .filter(known);
        return {
          items: open.slice(0, MOST_ITEMS).map((invoice) => this.#item(invoice)),
          truncated: open.length > MOST_ITEMS,
        };
      }
      case 'amount': {
        const equal = [...(this.#byBalance.get(`${question.amountMinor} ${payment.currency}`) ?? [])].filter(known);
        return {
          items: equal.slice(0, MOST_EQUAL).map((invoice) => this.#item(invoice)),
          truncated: equal.length > MOST_EQUAL,
        };
      }
    }
  }

  /** Takes an accepted decision: balances fall, and whoever paid is known from then on. */
  apply(shares: readonly Share[], payment: Payment): void {
    for (const { invoiceId, customerId, amountMinor, writeOff } of shares) {
      const invoice = this.#invoices.get(invoiceId)!;
      const before = this.#balances.get(invoiceId)!;
      const after = before - amountMinor - (writeOff?.amountMinor ?? 0n);
      this.#balances.set(invoiceId, after);
      this.#byBalance.get(`${before} ${invoice.currency}`)?.delete(invoice);
      if (after > 0n) add(this.#byBalance, `${after} ${invoice.currency}`, invoice);
      else this.#openOf.get(`${customerId} ${invoice.currency}`)?.delete(invoice);
      if (payment.payerAccount !== null) add(this.#byAccount, payment.payerAccount, customerId);
      if (payment.payerName !== null) add(this.#byAlias, normaliseToken(payment.payerName), customerId);
    }
  }

  #item(invoice: TableInvoice): Item {
    const balanceMinor = this.#balances.get(invoice.id)!;
    return {
      invoiceId: invoice.id,
      customerId: invoice.customerId,
      tokens: invoice.tokens,
      open: balanceMinor > 0n,
      chased: true,
      balanceMinor,
      payableMinor: balanceMinor,
      currency: invoice.currency,
      issuedOn: invoice.issuedOn,
      dueOn: invoice.dueOn,
      country: 'FR',
      toleranceMinor: TOLERANCE[invoice.currency] ?? 11n,
      discount: null,
    };
  }
}

function push<T>(map: Map<string, T[]>, key: string, value: T): void {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
}

function add<T>(map: Map<string, Set<T>>, key: string, value: T): void {
  const set = map.get(key);
  if (set) set.add(value);
  else map.set(key, new Set([value]));
}
