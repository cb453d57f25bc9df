import { lastEventOf } from './lifecycle.ts';
import type { MailStore, StoredMail } from './store.ts';

interface InboxView {
  store: MailStore;
  /** The page's mails, newest first. */
  mails: StoredMail[];
  found: number;
  total: number;
  page: number;
  pages: number;
  search: string;
  chosen: StoredMail | null;
}

/** HTML that is already safe to print. */
class Html {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

type Part = Html | string | number | null | readonly (Html | string)[];

/** Builds HTML; whatever is put in is escaped unless it was built by `html` itself. */
function html(strings: TemplateStringsArray, ...parts: Part[]): Html {
  return new Html(strings.reduce((out, string, i) => out + print(parts[i - 1] ?? null) + string));
}

function print(part: Part): string {
  if (part === null) return '';
  if (part instanceof Html) return part.text;
  if (typeof part === 'object') return part.map(print).join('');
  return String(part).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}

const STYLE = `
:root { color-scheme: light dark; --ground: #f5f6f8; --card: #fff; --line: #e3e6eb; --ink: #1c2330; --soft: #667085;
  --accent: #2456c9; --chosen: #eaf0fe; --good: #067647; --goodBg: #e3f6ec; --bad: #b42318; --badBg: #fdeceb; --idle: #475467; --idleBg: #eef1f5 }
@media (prefers-color-scheme: dark) { :root { --ground: #12151b; --card: #1a1f28; --line: #2c3440; --ink: #e6e9ef; --soft: #98a2b3;
  --accent: #86a8ff; --chosen: #222e4a; --good: #75e0a7; --goodBg: #10331f; --bad: #fda29b; --badBg: #451a17; --idle: #cdd3dd; --idleBg: #2a313d } }
* { box-sizing: border-box }
body { margin: 0; font: 14px/1.5 system-ui, -apple-system, 'Segoe UI', Roboto, 'Liberation Sans', sans-serif; background: var(--ground); color: var(--ink);
  height: 100vh; display: flex; flex-direction: column }
a { color: var(--accent); text-decoration: none } a:hover { text-decoration: underline }
header { display: flex; gap: 16px; align-items: center; padding: 12px 20px; background: var(--card); border-bottom: 1px solid var(--line) }
header h1 { font-size: 16px; margin: 0; white-space: nowrap } header h1 a { color: inherit }
header form { flex: 1; display: flex; gap: 8px; max-width: 560px }
input { flex: 1; min-width: 0; padding: 7px 12px; font: inherit; color: inherit; background: var(--ground); border: 1px solid var(--line); border-radius: 8px }
button { padding: 7px 14px; font: inherit; color: var(--card); background: var(--accent); border: 0; border-radius: 8px; cursor: pointer }
.count { color: var(--soft); margin-left: auto; white-space: nowrap }
main { flex: 1; min-height: 0; display: grid; grid-template-columns: minmax(300px, 400px) 1fr }
nav { overflow: auto; background: var(--card); border-right: 1px solid var(--line) }
nav ol { list-style: none; margin: 0; padding: 0 }
nav li a { display: block; padding: 11px 20px; color: inherit; border-bottom: 1px solid var(--line) }
nav li a:hover { background: var(--ground); text-decoration: none }
nav li a[aria-current] { background: var(--chosen); box-shadow: inset 3px 0 var(--accent) }
.row { display: flex; gap: 10px; justify-content: space-between; align-items: baseline }
.row > :first-child { overflow: hidden; text-overflow: ellipsis; white-space: nowrap }
.to { font-weight: 600 } .when { color: var(--soft); font-size: 12px; white-space: nowrap; font-variant-numeric: tabular-nums }
.badge { font-size: 11px; font-weight: 600; padding: 1px 8px; border-radius: 99px; white-space: nowrap; color: var(--idle); background: var(--idleBg) }
.badge.good { color: var(--good); background: var(--goodBg) } .badge.bad { color: var(--bad); background: var(--badBg) }
.pager { display: flex; justify-content: space-between; padding: 12px 20px; color: var(--soft) }
article { overflow: auto; padding: 24px 28px; display: flex; flex-direction: column; gap: 18px }
article h2 { font-size: 20px; line-height: 1.3; margin: 0; overflow-wrap: anywhere }
.back { display: none }
section { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 14px 18px }
h3 { font-size: 12px; font-weight: 600; letter-spacing: .03em; text-transform: uppercase; color: var(--soft); margin: 0 0 8px }
h3 a { float: right; text-transform: none; letter-spacing: 0; font-weight: 400 }
dl { display: grid; grid-template-columns: 110px 1fr; gap: 4px 14px; margin: 0 } dt { color: var(--soft) } dd { margin: 0; overflow-wrap: anywhere; min-width: 0 }
iframe { width: 100%; height: 620px; border: 0; border-radius: 8px; background: #fff; display: block }
pre { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; font: 13px/1.55 ui-monospace, 'SF Mono', 'DejaVu Sans Mono', monospace }
code { font: 12px ui-monospace, 'DejaVu Sans Mono', monospace; background: var(--idleBg); color: var(--idle); padding: 1px 6px; border-radius: 5px }
.list { list-style: none; margin: 0; padding: 0; display: grid; gap: 6px } .list li { display: flex; gap: 10px; align-items: baseline; flex-wrap: wrap }
.soft { color: var(--soft) } .empty { margin: auto; text-align: center; color: var(--soft); max-width: 360px }
@media (max-width: 820px) { main { grid-template-columns: 1fr } main.reading nav { display: none } main.listing article { display: none }
  .back { display: block } article { padding: 16px } .count { display: none } dl { grid-template-columns: 84px 1fr } }
`;

const instant = (at: number): string => new Date(at).toISOString().replace('T', ' ').slice(0, 19);
const GOOD = new Set(['delivered', 'opened', 'clicked']);
const BAD = new Set(['bounced', 'complained', 'failed', 'suppressed', 'canceled']);

function badge(event: string): Html {
  const kind = GOOD.has(event) ? 'badge good' : BAD.has(event) ? 'badge bad' : 'badge';
  return html`<span class="${kind}">${event.replace('_', ' ')}</span>`;
}

/** The whole page: the list on the left, the chosen mail on the right; on a phone one of the two. */
export function renderInbox(view: InboxView): string {
  const { search, found, total, chosen } = view;
  const count = search ? `${found} of ${total} mails` : total === 1 ? '1 mail' : `${total} mails`;
  return document(
    chosen ? chosen.subject : 'Inbox',
    html`<header>
        <h1><a href="/">Local inbox</a></h1>
        <form method="get" action="/">
          <input
            type="search"
            name="q"
            value="${search}"
            placeholder="Search address, subject, text, tag"
            aria-label="Search"
          />
          <button>Search</button>
        </form>
        <span class="count">${count}</span>
      </header>
      <main class="${chosen ? 'reading' : 'listing'}">
        ${renderList(view)}${chosen ? renderMail(view.store, chosen, link(view, {})) : renderNothing(view)}
      </main>`,
  );
}

export function notFoundPage(): string {
  return document('Not found', html`<p class="empty">There is no such mail. <a href="/">Back to the inbox</a></p>`);
}

function document(title: string, body: Html): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title} · Local inbox</title>
        <style>
          ${new Html(STYLE)}
        </style>
      </head>
      <body>
        ${body}
      </body>
    </html>`.text;
}

function link(view: InboxView, to: { mail?: string; page?: number }): string {
  const query = new URLSearchParams();
  if (view.search) query.set('q', view.search);
  const page = to.page ?? view.page;
  if (page > 1) query.set('page', String(page));
  if (to.mail) query.set('mail', to.mail);
  return `/?${query.toString()}`;
}

function renderList(view: InboxView): Html {
  const rows = view.mails.map(
    (mail) =>
      html`<li>
        <a href="${link(view, { mail: mail.id })}" ${mail === view.chosen ? html` aria-current="true"` : null}>
          <div class="row">
            <span class="to"><bdi>${mail.to.join(', ')}</bdi></span
            ><span class="when">${instant(mail.createdAt)}</span>
          </div>
          <div class="row">
            <span><bdi>${mail.subject}</bdi></span
            >${badge(lastEventOf(mail, view.store.events(mail.id)))}
          </div>
        </a>
      </li>`,
  );
  const pager =
    view.pages > 1
      ? html`<div class="pager">
          <span>${view.page > 1 ? html`<a href="${link(view, { page: view.page - 1 })}">← Newer</a>` : null}</span>
          <span>Page ${view.page} of ${view.pages}</span>
          <span
            >${view.page < view.pages ? html`<a href="${link(view, { page: view.page + 1 })}">Older →</a>` : null}</span
          >
        </div>`
      : null;
  return html`<nav aria-label="Mails">
    <ol>
      ${rows}
    </ol>
    ${pager}
  </nav>`;
}

function renderNothing(view: InboxView): Html {
  const text =
    view.total === 0
      ? 'No mail yet. What the program sends arrives here and nowhere else; reload to look again.'
      : view.found === 0
        ? 'No mail matches the search.'
        : 'Choose a mail to read it. Nothing here has left this machine.';
  return html`<article><p class="empty">${text}</p></article>`;
}

function renderMail(store: MailStore, mail: StoredMail, back: string): Html {
  const field = (name: string, value: readonly string[] | string): Html | null =>
    value.length === 0
      ? null
      : html`<dt>${name}</dt>
          <dd><bdi>${typeof value === 'string' ? value : value.join(', ')}</bdi></dd>`;
  const headers = Object.entries(mail.headers).map(
    ([name, value]) =>
      html`<dt>${name}</dt>
        <dd><bdi>${value}</bdi></dd>`,
  );
  return html`<article>
    <a class="back" href="${back}">← All mails</a>
    <h2><bdi>${mail.subject}</bdi></h2>
    <section>
      <dl>
        ${[
          field('From', mail.from),
          field('To', mail.to),
          field('Cc', mail.cc),
          field('Bcc', mail.bcc),
          field('Reply to', mail.replyTo),
          field('Accepted', `${instant(mail.createdAt)} UTC`),
          field('Scheduled', mail.scheduledAt === null ? '' : `${instant(mail.scheduledAt)} UTC`),
        ].filter((row) => row !== null)}
        ${
          mail.tags.length > 0
            ? html`<dt>Tags</dt>
                <dd>${mail.tags.map((tag) => html`<code>${tag.name}=${tag.value}</code> `)}</dd>`
            : null
        }
        ${field('Key', mail.idempotencyKey ?? '')} ${field('Id', mail.id)} ${headers}
      </dl>
    </section>
    ${renderAttachments(mail)}
    ${
      mail.html === null
        ? null
        : html`<section>
            <h3>HTML part <a href="/inbox/${mail.id}/html" target="_blank" rel="noopener">Open alone ↗</a></h3>
            <iframe
              src="/inbox/${mail.id}/html"
              title="HTML part"
              sandbox="allow-popups allow-popups-to-escape-sandbox"
            ></iframe>
          </section>`
    }
    ${
      mail.text === null
        ? null
        : html`<section>
            <h3>Text part</h3>
            <pre dir="auto">${mail.text}</pre>
          </section>`
    }
    ${renderEvents(store, mail)}
  </article>`;
}

function renderAttachments(mail: StoredMail): Html | null {
  if (mail.attachments.length === 0) return null;
  const rows = mail.attachments.map(
    (one) =>
      html`<li>
        <a href="/inbox/${mail.id}/attachments/${one.id}"><bdi>${one.filename}</bdi></a>
        <span class="soft">${one.contentType}, ${(one.size / 1024).toFixed(1)} kB</span>
      </li>`,
  );
  return html`<section>
    <h3>Attachments</h3>
    <ul class="list">
      ${rows}
    </ul>
  </section>`;
}

function renderEvents(store: MailStore, mail: StoredMail): Html {
  const rows = store.events(mail.id).map((event) => {
    const tries = store.tries(event.id).map((one) => `${instant(one.at).slice(11)} ${one.result}`);
    const told = !event.notify ? '' : tries.length === 0 ? 'webhook pending' : `webhook: ${tries.join(', ')}`;
    return html`<li>
      <span class="when">${instant(event.at)}</span>${badge(event.type.replace(/^email\./, ''))}<span class="soft"
        >${told}</span
      >
    </li>`;
  });
  return html`<section>
    <h3>Delivery</h3>
    <ul class="list">
      ${rows}
    </ul>
  </section>`;
}
