import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ApiError } from './errors.ts';
import { notFoundPage, renderInbox } from './inbox-page.ts';
import type { MailStore, StoredMail } from './store.ts';

const PAGE_SIZE = 50;
const PAGE_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
/** A mail's own HTML runs no scripts, loads nothing from the network, and opens its links outside the frame. */
const MAIL_POLICY =
  "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'self'; frame-ancestors 'self'";

/** The pages a person reads mails on: list, one mail, its HTML part in a frame, its attachments. */
export function registerInbox(
  app: FastifyInstance,
  store: MailStore,
  mayRead: (request: FastifyRequest) => boolean,
): void {
  const guard = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    if (!mayRead(request)) throw new ApiError(403, 'invalid_access', 'The inbox is for this machine only.');
    reply.headers({
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      'content-security-policy': PAGE_POLICY,
    });
  };

  app.get('/', { preHandler: guard }, (request, reply) => {
    const query = request.query as Record<string, unknown>;
    const search = typeof query['q'] === 'string' ? query['q'].slice(0, 200) : '';
    const found = store.mails.toReversed().filter((mail) => matches(mail, search));
    const pages = Math.max(Math.ceil(found.length / PAGE_SIZE), 1);
    const page = Math.min(Math.max(Math.trunc(Number(query['page'])) || 1, 1), pages);
    const chosen = typeof query['mail'] === 'string' ? (store.mail(query['mail']) ?? null) : null;
    const mails = found.slice((page - 1) * PAGE_SIZE, page * PAGE_SIZE);
    return reply
      .type('text/html; charset=utf-8')
      .send(renderInbox({ store, mails, found: found.length, total: store.mails.length, page, pages, search, chosen }));
  });

  app.get('/inbox/:id/html', { preHandler: guard }, (request, reply) => {
    const mail = store.mail((request.params as { id: string }).id);
    reply.type('text/html; charset=utf-8');
    if (mail?.html === undefined || mail.html === null) return reply.code(404).send(notFoundPage());
    return reply.header('content-security-policy', MAIL_POLICY).send(`<base target="_blank">${mail.html}`);
  });

  app.get('/inbox/:id/attachments/:attachmentId', { preHandler: guard }, async (request, reply) => {
    const { id, attachmentId } = request.params as { id: string; attachmentId: string };
    const attachment = store.mail(id)?.attachments.find((one) => one.id === attachmentId);
    if (!attachment) return reply.code(404).type('text/html; charset=utf-8').send(notFoundPage());
    const name = encodeURIComponent(attachment.filename).replace(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16)}`);
    return reply
      .type(attachment.contentType)
      .header('content-security-policy', "sandbox; default-src 'none'")
      .header('content-disposition', `attachment; filename*=UTF-8''${name}`)
      .send(await store.readAttachment(attachment.sha256));
  });
}

/** A mail's whole id finds it; else every word must occur somewhere in addresses, subject, text, tags or attachment names. */
function matches(mail: StoredMail, search: string): boolean {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return true;
  const hay = [
    mail.from,
    ...mail.to,
    ...mail.cc,
    mail.subject,
    mail.text ?? mail.html ?? '',
    ...mail.tags.map((tag) => `${tag.name}=${tag.value}`),
    ...mail.attachments.map((one) => one.filename),
  ]
    .join('\n')
    .toLowerCase();
  return words.every((word) => word === mail.id || hay.includes(word));
}
