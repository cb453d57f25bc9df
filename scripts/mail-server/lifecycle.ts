import { addressOf } from './requests.ts';
import type { MailEvent, StoredMail } from './store.ts';

/** What happens to a mail after it was accepted: Resend's event names in order, with the detail of the last. */
export interface Fate {
  types: string[];
  detail: Record<string, unknown>;
}

/**
 * Resend's test addresses (delivered@, bounced@, complained@, suppressed@resend.dev, with +labels) and, so that a demo
 * can have customers of its own, the domains `bounce.example` and `complain.example`. The worst recipient decides.
 */
export function fateOf(mail: StoredMail): Fate {
  const fates = new Set([...mail.to, ...mail.cc, ...mail.bcc].map(fateOfAddress));
  if (fates.has('suppressed')) {
    const detail = {
      suppressed: { message: 'The recipient is on the suppression list.', type: 'OnAccountSuppressionList' },
    };
    return { types: ['email.sent', 'email.suppressed'], detail };
  }
  if (fates.has('bounced')) {
    const message = "The recipient's email provider sent a hard bounce message.";
    return {
      types: ['email.sent', 'email.bounced'],
      detail: { bounce: { message, subType: 'General', type: 'Permanent' } },
    };
  }
  if (fates.has('complained')) return { types: ['email.sent', 'email.delivered', 'email.complained'], detail: {} };
  return { types: ['email.sent', 'email.delivered'], detail: {} };
}

function fateOfAddress(mailbox: string): string {
  const [local = '', domain = ''] = (addressOf(mailbox) ?? '').toLowerCase().split('@');
  if (domain === 'bounce.example') return 'bounced';
  if (domain === 'complain.example') return 'complained';
  return domain === 'resend.dev' ? local.split('+')[0]! : 'delivered';
}

/** The `last_event` of Resend's answers: the latest event without its prefix. */
export function lastEventOf(mail: StoredMail, events: readonly MailEvent[]): string {
  return events.at(-1)?.type.replace(/^email\./, '') ?? (mail.scheduledAt === null ? 'queued' : 'scheduled');
}

/** The body of a webhook, as Resend publishes it; tags travel as an object there. */
export function webhookBody(event: MailEvent, mail: StoredMail): string {
  return JSON.stringify({
    type: event.type,
    created_at: new Date(event.at).toISOString(),
    data: {
      email_id: mail.id,
      message_id: mail.messageId,
      created_at: new Date(mail.createdAt).toISOString(),
      from: mail.from,
      to: mail.to,
      subject: mail.subject,
      tags: Object.fromEntries(mail.tags.map((tag) => [tag.name, tag.value])),
      ...event.detail,
    },
  });
}
