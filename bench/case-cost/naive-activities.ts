/** The effects of the naive twin. They do nothing: what is counted is what Temporal records about them. */
export const naiveActivities = {
  loadInvoice: async (input: { invoiceId: string }) => Promise.resolve({ ...input, open: true }),
  checkHolds: async (input: { invoiceId: string }) => Promise.resolve({ ...input, allowed: true }),
  renderMessage: async (input: { invoiceId: string; step: number }) =>
    Promise.resolve({ contactId: `con_${input.invoiceId.slice(4)}` }),
  sendMessage: async (input: { contactId: string }) => Promise.resolve({ ...input, accepted: true }),
  recordContact: async (input: { contactId: string }) => Promise.resolve({ ...input, recorded: true }),
};

export type NaiveActivities = typeof naiveActivities;
