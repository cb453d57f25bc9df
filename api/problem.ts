import { DomainError, type Fault } from '../domain/errors.ts';

/**
 * The one table of everything the API refuses: code -> HTTP status and title. `docs/errors.md` is made from it. A
 * `DomainError` whose code is not listed is a 422.
 */
export const PROBLEMS = {
  // The request as such
  malformedJson: [400, 'The body is not JSON'],
  invalidUtf8: [400, 'The body is not UTF-8'],
  badRequest: [400, 'The request cannot be read'],
  unauthorized: [401, 'No valid API key'],
  overloaded: [503, 'Too much waits to be written'],
  signatureInvalid: [401, 'The signature does not fit'],
  forbidden: [403, 'The key may not do this'],
  notFound: [404, 'There is no such thing'],
  methodNotAllowed: [405, 'The resource does not have this method'],
  payloadTooLarge: [413, 'The body is too large'],
  unsupportedMediaType: [415, 'The content type is not taken here'],
  validationFailed: [422, 'The request is not valid'],
  cursorInvalid: [422, 'The cursor is not one of this list'],
  actorInvalid: [422, 'The header Relance-Actor is not usable'],
  idempotencyKeyInvalid: [422, 'The header Idempotency-Key is not usable'],
  idempotencyKeyReused: [422, 'The idempotency key was used for another request'],
  requestRunning: [409, 'The first request with this idempotency key is still running'],
  tooManyRequests: [429, 'Too many requests'],
  internal: [500, 'Something broke on our side'],
  dependencyDown: [503, 'A service we depend on is not available'],
  outcomeUnknown: [503, 'The command was handed over; its outcome is not known yet'],

  // Values
  amountInvalid: [422, 'The amount is not valid'],
  tooManyDecimals: [422, 'The amount has more decimals than its currency'],
  unknownCurrency: [422, 'The currency is not known'],
  currencyMismatch: [422, 'The currency is not the one of the invoice'],
  dateInvalid: [422, 'The date does not exist'],
  instantInvalid: [422, 'The instant is not valid'],
  timeZoneInvalid: [422, 'The time zone is not known'],
  timeInvalid: [422, 'The time of day is not valid'],
  futureDate: [422, 'The date lies in the future'],
  dueBeforeIssue: [422, 'The due date lies before the issue date'],
  ibanInvalid: [422, 'The IBAN is not valid'],
  invalidPolicy: [422, 'The policy is not valid'],
  noPolicy: [422, 'No policy fits the invoice'],
  unknownPolicy: [422, 'There is no policy of that name'],
  templateInvalid: [422, 'The text cannot be used'],
  templateFailed: [422, 'The text cannot be filled in for this case'],
  unknownStep: [422, 'The policy has no such step'],
  agencyIdNotAllowed: [422, 'A key names an agency exactly when its role is agency'],
  webhookUrlInvalid: [422, 'The webhook address cannot be used'],
  unknownParent: [422, 'There is no such customer to be the parent'],
  parentCycle: [422, 'A customer cannot be its own parent'],
  discountInvalid: [422, 'The discount does not fit the invoice'],
  unknownCustomer: [422, 'There is no such customer'],
  // Bank files
  statementEmpty: [422, 'The file is empty'],
  statementFormatUnknown: [422, 'The file is in no format that is read here'],
  statementMissing: [422, 'The file holds no statement'],
  statementTooLarge: [413, 'The file is too large for its format'],
  wrongAccount: [422, 'The statement is of another account'],
  balanceBroken: [422, 'The balances of the statement do not hold'],
  xmlBroken: [422, 'The XML is not well-formed'],
  xmlEncoding: [422, 'The XML is in an encoding that is not read'],
  xmlDoctype: [422, 'The XML has a document type declaration'],
  xmlTooDeep: [422, 'The XML is nested too deep'],
  xmlTooLarge: [422, 'The XML has too much in one place'],
  csvNoHeader: [422, 'The table has no header that is known'],
  columnMissing: [422, 'The file lacks a column'],

  shareInvalid: [422, 'The share is not a decimal'],
  weightsInvalid: [422, 'The weights cannot split an amount'],
  dayInvalid: [422, 'The length of a day is not valid'],
  daysInvalid: [422, 'The number of days is not valid'],
  limitationNotKnown: [422, 'No rule of limitation is known for the place'],
  limitationEventNotKnown: [422, 'What this does to limitation there is not known'],
  limitationYearsNotAllowed: [422, 'No contract sets these years of limitation'],
  lifecycleUnknown: [422, 'The status is not known'],
  collectorSetIncomplete: [422, 'Collecting for others needs more than this'],
  collectorLetterFirst: [409, 'Whoever collects for others writes a letter first'],

  // Conflicts with the state of things
  invoiceExists: [409, 'Another invoice has this number'],
  customerExists: [409, 'Another customer has this reference'],
  customerDiffers: [409, 'The customer is known with other details'],
  creditNoteExists: [409, 'Another credit note has this number'],
  caseClosed: [409, 'The case is closed'],
  caseOpen: [409, 'The case is open'],
  nothingOwed: [409, 'Nothing is owed on the invoice'],
  stageForbids: [409, 'The stage of the case does not allow this'],
  rolloutRunning: [409, 'A roll-out of this policy is running'],
  dryRunNeeded: [409, 'No dry run shows what this would do'],
  tooManyCases: [422, 'Too many cases match'],
  alreadyPaused: [409, 'The case is paused already'],
  notPaused: [409, 'The case is not paused'],
  stepUnderWay: [409, 'The step is under way'],
  nothingToApprove: [409, 'Nothing waits for approval'],
  nothingToSkip: [409, 'There is no step to skip'],
  nothingToTake: [409, 'There is no step to take'],
  notDue: [409, 'The invoice is not late yet'],
  held: [409, 'Something holds the case'],
  branchOff: [409, 'The policy has this branch switched off'],
  approvalAsked: [409, 'A person was asked already'],
  notReminded: [409, 'The whole amount was never reminded'],
  noAddress: [409, 'There is no address to write to'],
  noticePeriodRuns: [409, 'The period of the formal notice is not over'],
  nothingToPrint: [409, 'No letter waits to be printed'],
  printedMeanwhile: [409, 'Another batch took some of the letters'],
  notALetter: [409, 'The contact did not go by post'],
  contactWithdrawn: [409, 'The contact was taken back'],
  deliveryConflict: [409, 'The post has said something else before'],
  notPlaced: [409, 'No agency has the case'],
  agencyRequired: [409, 'No agency is named'],
  unknownAgency: [422, 'There is no such agency'],
  promiseInPast: [422, 'The promised day lies in the past'],
  promiseEnded: [409, 'The promise has ended'],
  duplicateInvoice: [422, 'An invoice is named twice'],
  planSeveralCustomers: [422, 'A plan covers invoices of one customer'],
  planSeveralCurrencies: [422, 'A plan has one currency'],
  planDoesNotAddUp: [422, 'The instalments do not add up to what is owed'],
  instalmentInPast: [422, 'The date of an instalment lies in the past'],
  instalmentOrder: [422, 'The instalments are not in the order of their dates'],
  tooManyInstalments: [422, 'The policy does not allow so many instalments'],
  partDisputed: [409, 'At least a part is disputed'],
  planExists: [409, 'An instalment plan covers the invoice'],
  planEnded: [409, 'The plan has ended'],
  limitationEventExists: [409, 'The event is known with another end'],
  timeBarred: [409, 'The claim was barred before'],
  lifecycleExists: [409, 'The status is known with another amount'],
  disputeExceedsBalance: [422, 'More is disputed than is owed'],
  disputeResolved: [409, 'The dispute is resolved already'],
  creditInvalid: [422, 'The credited amount does not fit the outcome'],
  exceedsBalance: [422, 'More is assigned than is owed'],
  exceedsUnapplied: [422, 'More is assigned than is left of the money'],
  exceedsCollected: [422, 'More is remitted than the agency has collected'],
  rateUnknown: [409, 'A reference rate is not known'],
  percentInvalid: [422, 'The rate is no per cent a year'],
  ratesInvalid: [422, 'The rates do not fit what is known'],
  chartInvalid: [422, 'The chart of accounts cannot be used'],
  registrationIdMissing: [422, 'A registration number is needed for this'],
  foreignCurrency: [422, 'There are entries in other currencies'],
  vatUnknown: [422, 'The VAT of the invoice is not known'],
  vatReliefUnknown: [422, 'No rule for the VAT of losses is known for the place'],
  vatNotDue: [409, 'No VAT was due on the invoice that could come back'],
  notWrittenOff: [409, 'Nothing of the invoice was written off'],
  allowanceInvalid: [422, 'The allowance is no share of the claim'],
  alreadyDoubtful: [409, 'The invoice is held to be doubtful already'],
  notDoubtful: [409, 'The invoice is not held to be doubtful'],
  vatRelieved: [409, 'The VAT of the loss has come back already'],
  periodInvalid: [422, 'The period begins after it ends'],
  notAcceptable: [406, 'None of the accepted formats can be answered'],
  nothingToWaive: [409, 'There is nothing to waive'],
  candidateGone: [409, 'The candidate is not among those of this moment'],
  nothingUnapplied: [409, 'Nothing of the money is left to decide about'],
  notIgnored: [409, 'Nothing of the money was put aside'],
  exceedsReceipt: [422, 'More is returned than is left of the receipt'],
  invoiceClosed: [409, 'The invoice takes no money in its stage'],
  customerMismatch: [422, 'The invoice is another customer’s'],
  alreadyReversed: [409, 'The allocation was undone already'],
  untilInPast: [422, 'The day lies in the past'],
  holdLifted: [409, 'The hold has ended already'],
  holdNotLiftable: [409, 'This hold is not lifted by hand'],
  taskClosed: [409, 'The task is closed'],
  insolvencyExists: [409, 'Insolvency proceedings are open already'],
  noInsolvency: [409, 'No insolvency proceedings are open'],
  beforeJudgment: [422, 'The day lies before the judgment'],
  placementEnded: [409, 'The agency does not have the case any more'],
  alreadyGivenUp: [409, 'The agency has given the case up already'],
  reportExists: [409, 'Another report has this reference'],
  fileNotReady: [409, 'The file is being made'],
  customerOpen: [409, 'A case of the customer is open'],
  onlyAddress: [409, 'It is the only address of a customer with an open case'],
  contactUnderWay: [409, 'A message is on its way'],
  unknownContact: [422, 'The customer has no such contact'],
  erased: [410, 'It was erased'],
  adviceUnreadable: [422, 'The remittance advice cannot be read'],
  adviceUsed: [409, 'The remittance advice is not open any more'],
  tooManyReceipts: [422, 'Too many receipts match'],
  columnsInvalid: [422, 'The mapping of columns cannot be read'],
  feedHasNoWebhook: [409, 'The feed takes files, not webhooks'],
  pdfInvalid: [422, 'The file is not a PDF'],

  // Letters and forms
  unprintable: [422, 'A text holds characters that cannot be printed'],
  addressTooLong: [422, 'The address does not fit the window of an envelope'],
  statementBroken: [422, 'The statement does not add up'],
  declarationBroken: [422, 'The declaration does not add up'],
  batchEmpty: [422, 'There is nothing to print'],
} as const satisfies Record<string, readonly [status: number, title: string]>;

export type ProblemCode = keyof typeof PROBLEMS;

/** A refusal that is about HTTP rather than about a rule; everything else is a `DomainError`. */
export class Problem extends Error {
  readonly code: ProblemCode;
  readonly faults: readonly Fault[];
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    code: ProblemCode,
    detail: string,
    extra: { faults?: readonly Fault[]; headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(detail);
    this.name = 'Problem';
    this.code = code;
    this.faults = extra.faults ?? [];
    this.headers = extra.headers ?? {};
  }
}

/** What a client reads (RFC 9457). `type` is the anchor of the code on the page /errors. */
export interface ProblemDetails {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: string;
  errors: Fault[];
}

export interface ProblemAnswer {
  status: number;
  headers: Record<string, string>;
  body: ProblemDetails;
}

/** 404 in the same words whether a thing does not exist or belongs to another creditor. */
export const notFound = (): Problem => new Problem('notFound', 'Nothing of yours has this id.');

/** What any thrown thing is answered with. What is not known to be harmless says nothing about itself. */
export function toProblemAnswer(error: unknown): ProblemAnswer {
  if (error instanceof Problem) return answer(error.code, error.message, error.faults, error.headers);
  if (error instanceof DomainError) {
    // In the words of any other 404, so that nobody learns whether the thing is somebody else's.
    if (error.code === 'notFound') return toProblemAnswer(notFound());
    const later = error.code === 'overloaded' ? { 'retry-after': '1' } : {};
    return answer(error.code, error.message, error.faults, later);
  }
  if (isDown(error)) {
    return answer('dependencyDown', 'The database or Temporal does not answer. Nothing was changed; try again.', [], {
      'retry-after': '5',
    });
  }
  const { code, statusCode } = shapeOf(error);
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return answer('payloadTooLarge', 'The body is larger than is taken here.');
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
    return answer('unsupportedMediaType', 'Send the content type this resource takes (see /docs).');
  }
  if (code === 'FST_ERR_CTP_EMPTY_JSON_BODY') return answer('malformedJson', 'The body is empty.');
  if (code.startsWith('FST_ERR_') && statusCode >= 400 && statusCode < 500) {
    return answer('badRequest', 'The request cannot be read.');
  }
  return answer('internal', 'The request was not carried out. The request id is in the header Request-Id.');
}

/** Whether the error says that PostgreSQL or Temporal cannot be reached (and not that it refused something). */
export function isDown(error: unknown): boolean {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth += 1) {
    const { code } = shapeOf(at);
    if (DOWN_CODES.has(code) || DOWN_MESSAGES.some((part) => at instanceof Error && at.message.includes(part)))
      return true;
    // gRPC numbers its codes: 4 deadline exceeded, 14 unavailable.
    if (at.name === 'ServiceError' && (code === '4' || code === '14')) return true;
    if (at instanceof AggregateError && at.errors.some(isDown)) return true;
  }
  return false;
}

const DOWN_CODES: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENOENT',
  // PostgreSQL: connection exceptions, shutting down, starting up, too many connections, disk or memory full.
  '08000',
  '08003',
  '08006',
  '57P01',
  '57P02',
  '57P03',
  '53100',
  '53200',
  '53300',
]);

const DOWN_MESSAGES = [
  'Connection terminated',
  'timeout exceeded when trying to connect',
  'Client has encountered a connection error',
];

function answer(
  code: string,
  detail: string,
  faults: readonly Fault[] = [],
  headers: Readonly<Record<string, string>> = {},
): ProblemAnswer {
  const [status, title] = Object.hasOwn(PROBLEMS, code)
    ? PROBLEMS[code as ProblemCode]
    : ([422, 'The request is not valid'] as const);
  return {
    status,
    headers: { ...headers },
    body: { type: `/errors#${code}`, title, status, detail, code, errors: [...faults] },
  };
}

function shapeOf(error: unknown): { code: string; statusCode: number } {
  const { code, statusCode } = (typeof error === 'object' && error !== null ? error : {}) as Record<string, unknown>;
  return {
    code: typeof code === 'string' || typeof code === 'number' ? String(code) : '',
    statusCode: typeof statusCode === 'number' ? statusCode : 500,
  };
}

/** `docs/errors.md`, its table aligned as prettier would. */
export function errorsMarkdown(): string {
  const rows = Object.entries(PROBLEMS).map(([code, [status, title]]) => [
    `<a id="${code}"></a>\`${code}\``,
    String(status),
    title,
  ]);
  const table = [['code', 'status', 'meaning'], ...rows];
  const widths = [0, 1, 2].map((column) => Math.max(...table.map((row) => row[column]!.length)));
  const lineOf = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |`;
  return [
    '# Errors of the API',
    '',
    'Every refusal is `application/problem+json` (RFC 9457) with a stable `code`; `errors` points at the fields, by RFC 6901',
    'pointers into the body. Made from `api/problem.ts` by `npm run openapi`.',
    '',
    lineOf(table[0]!),
    lineOf(widths.map((width) => '-'.repeat(width))),
    ...rows.map(lineOf),
    '',
    'Codes inside `errors`: the value codes above, and `required`, `unknownField`, `wrongType`, `tooShort`, `tooLong`,',
    '`tooSmall`, `tooLarge`, `notAllowed`, `invalidFormat`, `invalid`.',
    '',
  ].join('\n');
}

/** The same table as a page: where `type` of a problem leads. */
export function errorsHtml(): string {
  const escape = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  const rows = Object.entries(PROBLEMS).map(
    ([code, [status, title]]) =>
      `<tr id="${code}"><td><code>${code}</code></td><td>${status}</td><td>${escape(title)}</td></tr>`,
  );
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Errors of the API</title>
<style>body{font:16px/1.5 system-ui;max-width:60rem;margin:2rem auto}td{padding:.2rem 1rem .2rem 0}:target{background:#ff9}</style>
<h1>Errors of the API</h1><table>${rows.join('')}</table></html>`;
}
