/** A mail that the local mail server has accepted. */
export interface SentMail {
  readonly id: string;
  readonly to: string[];
  readonly subject: string;
  /** Real time. */
  readonly created_at: string;
  readonly last_event: string;
  readonly tags: { name: string; value: string }[];
}

/** Everything the mail server has ever accepted, oldest first: the only witness that is not Relance itself. */
export async function mailJournal(mailUrl: string): Promise<SentMail[]> {
  const mails: SentMail[] = [];
  for (let after = ''; ;) {
    const response = await fetch(`${mailUrl}/emails?limit=100${after}`, { signal: AbortSignal.timeout(10_000) });
    if (!response.ok) throw new Error(`The mail server answered ${response.status}.`);
    const page = (await response.json()) as { data: SentMail[]; has_more: boolean };
    mails.push(...page.data);
    const last = page.data.at(-1);
    if (!page.has_more || last === undefined) return mails.toReversed();
    after = `&after=${last.id}`;
  }
}

export const tagOf = (mail: SentMail, name: string): string | undefined =>
  mail.tags.find((tag) => tag.name === name)?.value;
