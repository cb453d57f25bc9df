import type { MailMessage } from './resend-client.ts';

/**
 * The source of a mail (RFC 5322, multipart/alternative by RFC 2046) as it was handed to the provider, for the record of
 * what was sent. Attachments are named, not repeated: they are kept by themselves.
 * @param at epoch milliseconds of the business clock
 */
export function mailSource(message: MailMessage, id: string, at: number): Buffer {
  const boundary = `=_${id}`;
  const headers = [
    `Date: ${new Date(at).toUTCString().replace('GMT', '+0000')}`,
    `From: ${message.from}`,
    `To: ${message.to.join(', ')}`,
    ...(message.cc.length > 0 ? [`Cc: ${message.cc.join(', ')}`] : []),
    ...(message.replyTo === null ? [] : [`Reply-To: ${message.replyTo}`]),
    `Subject: ${encodedWords(message.subject)}`,
    ...message.tags.map((tag) => `X-Relance-Tag: ${tag.name}=${tag.value}`),
    ...message.attachments.map((file) => `X-Relance-Attachment: ${encodedWords(file.filename)}`),
    'MIME-Version: 1.0',
    `Content-Type: multipart/alternative; boundary="${boundary}"`,
  ];
  const part = (type: string, text: string): string[] => [
    `--${boundary}`,
    `Content-Type: ${type}; charset=utf-8`,
    'Content-Transfer-Encoding: base64',
    '',
    ...(Buffer.from(text, 'utf8')
      .toString('base64')
      .match(/.{1,76}/g) ?? []),
    '',
  ];
  const lines = [
    ...headers,
    '',
    ...part('text/plain', message.text),
    ...part('text/html', message.html),
    `--${boundary}--`,
    '',
  ];
  return Buffer.from(lines.join('\r\n'), 'utf8');
}

/** Encoded words of RFC 2047 where a header holds more than ASCII; each within 75 characters and whole in itself. */
function encodedWords(text: string): string {
  if (/^[\x20-\x7e]*$/.test(text)) return text;
  const words: string[] = [];
  let piece = '';
  for (const character of text) {
    if (Buffer.byteLength(piece + character, 'utf8') > 42) {
      words.push(piece);
      piece = '';
    }
    piece += character;
  }
  words.push(piece);
  return words.map((word) => `=?utf-8?B?${Buffer.from(word, 'utf8').toString('base64')}?=`).join('\r\n ');
}
