import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';

/** What cases can be found by in the Temporal UI. Ids, states, dates and amounts only: never a name or an address. */
export const searchAttributes = {
  creditorId: defineSearchAttributeKey('CreditorId', SearchAttributeType.KEYWORD),
  customerId: defineSearchAttributeKey('CustomerId', SearchAttributeType.KEYWORD),
  caseStage: defineSearchAttributeKey('CaseStage', SearchAttributeType.KEYWORD),
  nextAction: defineSearchAttributeKey('NextAction', SearchAttributeType.KEYWORD),
  caseHold: defineSearchAttributeKey('CaseHold', SearchAttributeType.KEYWORD_LIST),
  nextActionAt: defineSearchAttributeKey('NextActionAt', SearchAttributeType.DATETIME),
  dueAt: defineSearchAttributeKey('DueAt', SearchAttributeType.DATETIME),
  balanceMinor: defineSearchAttributeKey('BalanceMinor', SearchAttributeType.INT),
} as const;
