/** The types of Temporal's custom search attributes, as its command line names them. */
export type SearchAttributeType = 'Text' | 'Keyword' | 'KeywordList' | 'Int' | 'Double' | 'Bool' | 'Datetime';

/** Name to type. */
export type SearchAttributes = Readonly<Record<string, SearchAttributeType>>;

/** Those of Relance: ids, stages, amounts and dates only, never a name or a text. */
export const relanceSearchAttributes = {
  CreditorId: 'Keyword',
  CustomerId: 'Keyword',
  CaseStage: 'Keyword',
  NextAction: 'Keyword',
  CaseHold: 'KeywordList',
  NextActionAt: 'Datetime',
  DueAt: 'Datetime',
  BalanceMinor: 'Int',
} as const satisfies SearchAttributes;
