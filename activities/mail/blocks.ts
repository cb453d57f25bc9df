/**
 * A part of a message cut into what every form of it shares: a paragraph, a list whose lines begin with `- `, or figures,
 * lines of `= label | value` whose sum begins with `=! `.
 */
export type Block =
  | { kind: 'paragraph'; text: string }
  | { kind: 'list'; items: string[] }
  | { kind: 'figures'; rows: { label: string; value: string; sum: boolean }[] };

const TEXT_COLUMNS = 76;
const FIGURE = /^=(!?) (.*) \| (.*)$/;

/** Cuts a part at its blank lines; the lines of a paragraph belong together. Values hold no line breaks, so they cannot cut. */
export function blocksOf(part: string): Block[] {
  return part
    .split(/\n\s*\n/)
    .map((block) =>
      block
        .split('\n')
        .map((line) => line.trim().replace(/[ \t]+/g, ' '))
        .filter((line) => line !== ''),
    )
    .filter((lines) => lines.length > 0)
    .map(blockOf);
}

function blockOf(lines: string[]): Block {
  if (lines.every((line) => line.startsWith('- '))) return { kind: 'list', items: lines.map((line) => line.slice(2)) };
  const figures = lines.map((line) => FIGURE.exec(line));
  if (figures.every((figure) => figure !== null)) {
    return {
      kind: 'figures',
      rows: figures.map(([, sum, label = '', value = '']) => ({ label, value, sum: sum === '!' })),
    };
  }
  return { kind: 'paragraph', text: lines.join(' ') };
}

export function blockToHtml(block: Block): string {
  if (block.kind === 'paragraph') return `<p style="margin:0 0 16px;">${escaped(block.text)}</p>`;
  if (block.kind === 'figures') {
    const rows = block.rows.map(({ label, value, sum }) => {
      const weight = sum ? 'font-weight:bold;border-top:1px solid #c9ced6;' : '';
      return `<tr><td style="padding:3px 24px 3px 0;${weight}">${escaped(label)}</td><td align="right" style="padding:3px 0;white-space:nowrap;${weight}">${escaped(value)}</td></tr>`;
    });
    return `<table role="presentation" cellpadding="0" cellspacing="0" style="margin:0 0 16px;">\n${rows.join('\n')}\n</table>`;
  }
  const items = block.items.map((item) => `<li style="margin:0 0 5px;">${escaped(item)}</li>`).join('\n');
  return `<ul style="margin:0 0 16px;padding-left:22px;">\n${items}\n</ul>`;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&#34;',
  "'": '&#39;',
};

const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => ESCAPES[character]!);

/** `colon` stands between a label and its value, as the language writes it. */
export function blockToText(block: Block, colon: string): string {
  if (block.kind === 'paragraph') return wrap(block.text, '');
  if (block.kind === 'figures') {
    return block.rows.map(({ label, value }) => wrap(`${label}${colon}${value}`, '  ')).join('\n');
  }
  return block.items.map((item) => `- ${wrap(item, '  ')}`).join('\n');
}

/** Breaks at plain spaces only: the no-break spaces inside amounts hold. */
function wrap(text: string, indent: string): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && indent.length + line.length + 1 + word.length > TEXT_COLUMNS) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line].join(`\n${indent}`);
}
