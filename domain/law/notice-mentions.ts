/** What a formal notice must show, and whether a printed one does. */

export const NOTICE_MENTIONS = [
  'title',
  'date',
  'creditor',
  'debtor',
  'invoices',
  'amounts',
  'claimApart',
  'total',
  'deadline',
  'howToPay',
  'texts',
  'whatFollows',
  'perDay',
  'disputeContact',
  'signature',
] as const;
export type NoticeMention = (typeof NOTICE_MENTIONS)[number];

/** What one country wants on a formal notice beyond what every notice shows. */
export interface NoticeRule {
  /** The words that make it one, as they stand in the title. */
  title: string;
  /** Articles that are named, where the debtor is a firm. */
  texts: readonly string[];
  /** Words by which the deadline is set. */
  deadline: RegExp;
  /** Words that say what follows when nobody pays. */
  whatFollows: RegExp;
  source: string;
}

/** What one notice says, in the very words and figures in which it is printed. */
export interface PrintedNotice {
  /** The whole of its text. */
  text: string;
  isForBusiness: boolean;
  date: string;
  creditor: readonly string[];
  debtor: readonly string[];
  invoices: readonly { number: string; issuedOn: string; dueOn: string; amount: string }[];
  /** Principal, interest and compensation where they are claimed: each stands apart. */
  claim: readonly string[];
  total: string;
  /** Interest for each further day; null where none is claimed. */
  perDay: string | null;
  iban: string;
  reference: string;
  /** Where a dispute is to be sent. */
  contact: string;
  signedBy: string;
}

/**
 * The mentions that a notice lacks, in the order of {@link NOTICE_MENTIONS}: "MISE EN DEMEURE" or what stands for it,
 * date, both parties, numbers, dates, due dates and amounts of the invoices, principal, interest and compensation apart,
 * total, deadline, how to pay, the articles, what follows, signature (C. civ. art. 1344, C. com.
 * art. L441-10; BGB § 286(1)); and, by choice, interest per further day, reference, contact for a dispute. White space does
 * not count.
 */
export function missingMentions(rule: NoticeRule, notice: PrintedNotice): NoticeMention[] {
  const text = plain(notice.text);
  const has = (...wanted: readonly string[]): boolean => wanted.every((one) => text.includes(plain(one)));
  const shown: Record<NoticeMention, boolean> = {
    title: text.includes(plain(rule.title)),
    date: has(notice.date),
    creditor: has(...notice.creditor),
    debtor: has(...notice.debtor),
    invoices: notice.invoices.every(({ number, issuedOn, dueOn }) => has(number, issuedOn, dueOn)),
    amounts: notice.invoices.every(({ amount }) => has(amount)),
    claimApart: has(...notice.claim),
    total: has(notice.total),
    deadline: rule.deadline.test(text),
    howToPay: has(notice.iban, notice.reference),
    texts: !notice.isForBusiness || has(...rule.texts),
    whatFollows: rule.whatFollows.test(text),
    perDay: notice.perDay === null || has(notice.perDay),
    disputeContact: has(notice.contact),
    signature: has(notice.signedBy),
  };
  return NOTICE_MENTIONS.filter((mention) => !shown[mention]);
}

/** One space wherever there is room, whatever kind it is. */
const plain = (text: string): string => text.replace(/[\s\u00a0\u202f]+/g, ' ').trim();
