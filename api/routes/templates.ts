import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import type { Letterhead, PreviewOrder, TemplateTexts } from '../../activities/template-texts.ts';
import type { Db, Tx } from '../../db/database.ts';
import { findCreditor, type CreditorRow } from '../../db/repositories/creditors.ts';
import { findInvoice } from '../../db/repositories/invoices.ts';
import { standingsOf } from '../../db/repositories/standings.ts';
import { findTemplate, newestTemplates, putTemplate, type StoredTemplate } from '../../db/repositories/templates.ts';
import {
  isTemplateName,
  LANGUAGES,
  TEMPLATE_NAMES,
  TEMPLATES,
  type KnownTemplate,
  type Language,
  type TemplateParts,
} from '../../domain/policy/templates.ts';
import { TONES, type Channel } from '../../domain/policy/types.ts';
import { isoInstant, localDate } from '../../domain/time/zones.ts';
import { decodeNameCursor, encodeNameCursor } from '../cursor.ts';
import { accepted } from '../accept.ts';
import type { ApiDeps } from '../deps.ts';
import { callerOf } from '../plugins/auth.ts';
import { notFound, Problem } from '../problem.ts';
import type { App } from '../routing.ts';
import { across, id, instant, line, listQuery, page, prose, refusals } from '../schemas/common.ts';
import { ok, write, type Sent } from '../write.ts';

const nameParams = z.object({ name: line(200) });

const language = z.enum(LANGUAGES).meta({ description: 'English is also what readers of any other language get.' });
const subject = prose(2_000).meta({ description: 'Liquid; line breaks become spaces.' });
const lead = prose(20_000).meta({ description: 'Liquid, before the table of invoices. Blank lines part paragraphs.' });
const close = prose(20_000).meta({ description: 'Liquid, after the table.' });
const version = z.int().min(0).max(1_000_000).meta({ description: 'Of the creditor’s own; 0 is the built-in text.' });

const whichOut = {
  name: z.enum(TEMPLATE_NAMES),
  language: z.enum(LANGUAGES),
  version: z.int().nullable().meta({ description: 'Null where the built-in text was never changed.' }),
  builtIn: z.boolean().meta({ description: 'These are the words that come with the service.' }),
  createdAt: instant.nullable(),
  createdBy: z.string().nullable(),
};
const listedOut = z.object(whichOut).meta({ id: 'TemplateEntry' });
const templateOut = z
  .object({ ...whichOut, subject: z.string(), lead: z.string(), close: z.string() })
  .meta({ id: 'Template', description: 'A text in its three parts, each Liquid; see docs/policies.md.' });

const templateBody = z
  .strictObject({
    language,
    subject: subject.optional(),
    lead: lead.optional(),
    close: close.optional(),
    builtIn: z.literal(true).optional().meta({ description: 'Back to the built-in text; then without parts.' }),
  })
  .check(
    across((body) =>
      (['subject', 'lead', 'close'] as const).flatMap((part) => {
        const given = body[part] !== undefined;
        if (given !== (body['builtIn'] === true)) return [];
        return given
          ? [{ path: [part], code: 'notAllowed', message: 'the built-in text has its own words' }]
          : [{ path: [part], code: 'required', message: 'is required, or builtIn: true' }];
      }),
    ),
  )
  .meta({
    id: 'NewTemplate',
    example: {
      language: 'en',
      subject: 'Invoice{% if count > 1 %}s{% endif %} {{ numbers }} [{{ reference }}]',
      lead: '{{ salutation }}\n\nWe have not yet received {{ totals }}.',
      close: 'If anything is unclear, {{ reachUs }}.\n\nKind regards,',
    },
  });

const CHANNELS = ['email', 'call', 'letter', 'registeredLetter'] as const;
const FORMATS = ['html', 'text', 'pdf'] as const;

const previewBody = z
  .strictObject({
    language,
    subject: subject.optional(),
    lead: lead.optional(),
    close: close.optional(),
    version: version.optional(),
    invoiceId: id('inv').optional().meta({ description: 'A real case; an invented one without it.' }),
    channel: z.enum(CHANNELS).optional().meta({ description: 'The first the text is made for, unless named.' }),
    tone: z.enum(TONES).default('neutral'),
    format: z
      .enum(FORMATS)
      .optional()
      .meta({ description: 'Alone and as a file; without it, Accept decides, else JSON with both.' }),
  })
  .meta({
    description: 'Parts that are not given are those of the version, else of what is current.',
    example: { language: 'en', lead: '{{ salutation }}\n\nWe have not yet received {{ totals }}.' },
  });

const previewOut = z
  .object({ subject: z.string(), text: z.string(), html: z.string() })
  .meta({ id: 'TemplatePreview', description: 'A message as it would be sent.' });

/** Texts of messages: built in, or the creditor's own in versions that are never edited. */
export async function templateRoutes(app: App, deps: ApiDeps): Promise<void> {
  const { db, texts } = deps;

  app.get(
    '/v1/templates',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'listTemplates',
        tags: ['templates'],
        summary: 'Every text in every language, and which version is current',
        querystring: listQuery,
        response: { 200: page(listedOut), ...refusals },
      },
    },
    async (request) => {
      const { limit, cursor } = request.query;
      const after = decodeNameCursor('templates', cursor);
      const own = await newestTemplates(db, callerOf(request).creditorId);
      const rows = TEMPLATE_NAMES.flatMap((name) => LANGUAGES.map((of) => ({ key: `${name}.${of}`, name, of })))
        .sort((a, b) => (a.key < b.key ? -1 : 1))
        .filter(({ key }) => after === null || key > after);
      const shown = rows.slice(0, limit);
      const last = shown.at(-1);
      return {
        data: shown.map(({ name, of }) =>
          entryOf(
            name,
            of,
            own.find((row) => row.name === name && row.language === of),
          ),
        ),
        nextCursor: rows.length > limit && last ? encodeNameCursor('templates', last.key) : null,
      };
    },
  );

  app.get(
    '/v1/templates/:name',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'getTemplate',
        tags: ['templates'],
        summary: 'A text, its current version unless another is named',
        params: nameParams,
        querystring: z.strictObject({
          language,
          version: z.coerce.number().pipe(version).optional().meta({ description: version.description }),
        }),
        response: { 200: templateOut, ...refusals },
      },
    },
    async (request) => {
      const name = knownName(request.params.name);
      const { language: of, version: number } = request.query;
      const found = await versionOf(db, callerOf(request).creditorId, name, of, number);
      return presentTemplate(texts, name, of, found);
    },
  );

  app.put(
    '/v1/templates/:name',
    {
      config: { access: 'approver' },
      schema: {
        operationId: 'putTemplate',
        tags: ['templates'],
        summary: 'Store a text as the next version of its name and language',
        description:
          'Messages written from now on use it; what is queued keeps its words. The same words as the current ones make ' +
          'no new version. A text that would fail for some case is refused: `templateInvalid`.',
        params: nameParams,
        body: templateBody,
        response: { 200: templateOut, ...refusals },
      },
    },
    (request, reply) =>
      write(deps, request, reply, async (tx, act) => {
        const name = knownName(request.params.name);
        const { language: of, builtIn, ...given } = request.body;
        const parts = builtIn ? null : tidied(given as TemplateParts);
        if (parts) refuseFaults(texts, name, of, parts);
        const stored = await putTemplate(tx, act, callerOf(request).creditorId, name, of, parts);
        return ok(presentTemplate(texts, name, of, stored));
      }),
  );

  app.post(
    '/v1/templates/:name/preview',
    {
      config: { access: 'operator' },
      schema: {
        operationId: 'previewTemplate',
        tags: ['templates'],
        summary: 'How a text reads, for a case of yours or an invented one',
        description: 'Creates nothing. A draft is judged as if it were stored.',
        params: nameParams,
        body: previewBody,
        response: {
          200: {
            description: 'The message',
            content: {
              'application/json': { schema: previewOut },
              'text/html': { schema: z.string() },
              'text/plain': { schema: z.string() },
              'application/pdf': { schema: z.string().meta({ format: 'binary' }) },
            },
          },
          ...refusals,
        },
      },
    },
    async (request, reply) => {
      const name = knownName(request.params.name);
      const { creditorId } = callerOf(request);
      const { language: of, version: number, invoiceId, tone } = request.body;
      const format = request.body.format ?? accepted(request.headers.accept, MEDIA);
      const channel = channelOf(name, request.body.channel, format === 'pdf');
      const stored = await versionOf(db, creditorId, name, of, number);
      const draft = Object.fromEntries(
        (['subject', 'lead', 'close'] as const).flatMap((part) =>
          request.body[part] === undefined ? [] : [[part, request.body[part]]],
        ),
      );
      const parts = tidied({ ...(stored?.parts ?? texts.builtIn(name, of)), ...draft });
      if (Object.keys(draft).length > 0) refuseFaults(texts, name, of, parts);
      const creditor = (await findCreditor(db, creditorId))!;
      const real = invoiceId === undefined ? null : await realCase(deps, creditor, name, invoiceId);
      const order: PreviewOrder = { template: name, language: of, parts, channel, tone, real };

      if (format === 'pdf') {
        if (!texts.previewPdf) throw notPrinted();
        const pdf = await texts.previewPdf(db, order, letterheadOf(creditor));
        return file(reply, name, 'application/pdf', 'pdf', pdf);
      }
      const { subject: title, text, html } = await texts.preview(db, order);
      if (format === 'html') return file(reply, name, 'text/html; charset=utf-8', 'html', html);
      if (format === 'text') return file(reply, name, 'text/plain; charset=utf-8', 'txt', text);
      return { subject: title, text, html };
    },
  );
}

/** What is no text of ours is nobody's. */
function knownName(name: string): KnownTemplate {
  if (isTemplateName(name)) return name;
  throw notFound();
}

/** The version asked for, else the newest; undefined: the built-in text. Throws 404 for a version there is not. */
async function versionOf(
  db: Db | Tx,
  creditorId: string,
  name: KnownTemplate,
  of: Language,
  number: number | undefined,
): Promise<StoredTemplate | undefined> {
  if (number === 0) return undefined;
  const found = await findTemplate(db, creditorId, name, of, number ?? null);
  if (number !== undefined && !found) throw notFound();
  return found;
}

function refuseFaults(texts: TemplateTexts, name: KnownTemplate, of: Language, parts: TemplateParts): void {
  const faults = texts.faultsOf(name, of, parts);
  const [first] = faults;
  if (first) throw new Problem('templateInvalid', `${first.pointer}: ${first.message}`, { faults });
}

/** One kind of line end and none around, so that the same words are the same text. */
const tidied = ({ subject: a, lead: b, close: c }: TemplateParts): TemplateParts => ({
  subject: a.replace(/\r\n?/g, '\n').trim(),
  lead: b.replace(/\r\n?/g, '\n').trim(),
  close: c.replace(/\r\n?/g, '\n').trim(),
});

/** A channel that the text is made for; paper where it is to be printed. */
function channelOf(name: KnownTemplate, wanted: Channel | undefined, printed: boolean): Channel {
  const { channels } = TEMPLATES[name];
  const onPaper = channels.find((channel) => channel === 'letter' || channel === 'registeredLetter');
  const channel = wanted ?? (printed ? (onPaper ?? channels[0]!) : channels[0]!);
  const isPaper = channel === 'letter' || channel === 'registeredLetter';
  if (!channels.includes(channel)) throw notAllowed('/channel', `The text ${name} does not go out over this channel.`);
  if (printed && !isPaper) throw notAllowed('/format', 'Only what goes out as a letter is printed.');
  return channel;
}

const notAllowed = (pointer: string, message: string): Problem =>
  new Problem('validationFailed', message, { faults: [{ pointer, code: 'notAllowed', message }] });

const notPrinted = (): Problem => notAllowed('/format', 'This installation prints no letters.');

/** The case of one of the creditor's invoices: what a reminder would ask for today, or what was paid. */
async function realCase(
  deps: ApiDeps,
  creditor: CreditorRow,
  name: KnownTemplate,
  invoiceId: string,
): Promise<NonNullable<PreviewOrder['real']>> {
  const invoice = await findInvoice(deps.db, creditor.id, invoiceId);
  if (!invoice) throw notFound();
  const today = localDate(deps.clock.now(), creditor.time_zone);
  const asks = (await standingsOf(deps.db, [invoice], today)).get(invoice.id)?.asksMinor ?? 0n;
  const paid = invoice.amount_minor - invoice.balance_minor;
  // Nothing to ask or thank for is shown as if there were: the text is what is looked at.
  const first = name === 'thank-you' ? paid : asks;
  const amountMinor = [first, invoice.balance_minor].find((amount) => amount > 0n) ?? invoice.amount_minor;
  return { customerId: invoice.customer_id, invoiceId, amountMinor, currency: invoice.currency, today };
}

const letterheadOf = (creditor: CreditorRow): Letterhead => ({
  country: creditor.country,
  city: creditor.address?.city ?? null,
  registrationId: creditor.registration_id,
  vatId: creditor.vat_id,
});

/** What a preview can be answered as; JSON unless the client names another. */
const MEDIA = {
  json: 'application/json',
  html: 'text/html',
  text: 'text/plain',
  pdf: 'application/pdf',
} as const;

/** Never shown within a page of ours: the words are a creditor's. */
function file(reply: FastifyReply, name: string, type: string, ending: string, bytes: string | Uint8Array): Sent {
  const body = typeof bytes === 'string' ? Buffer.from(bytes, 'utf8') : Buffer.from(bytes);
  return reply.type(type).header('content-disposition', `attachment; filename="${name}.${ending}"`).send(body) as Sent;
}

const entryOf = (name: KnownTemplate, of: Language, stored: StoredTemplate | undefined): z.input<typeof listedOut> => ({
  name,
  language: of,
  version: stored?.version ?? null,
  builtIn: !stored?.parts,
  createdAt: stored ? isoInstant(stored.createdAt) : null,
  createdBy: stored?.createdBy ?? null,
});

const presentTemplate = (
  texts: TemplateTexts,
  name: KnownTemplate,
  of: Language,
  stored: StoredTemplate | undefined,
): z.input<typeof templateOut> => ({
  ...entryOf(name, of, stored),
  ...(stored?.parts ?? texts.builtIn(name, of)),
});
