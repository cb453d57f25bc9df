import { describe, expect, test } from 'vitest';

import { importsOf } from '../../scripts/check/imports.ts';

const names = (source: string): string[] =>
  importsOf(source).map((one) => `${one.typeOnly ? 'type ' : ''}${one.dynamic ? 'dynamic ' : ''}${one.specifier}`);

describe('importsOf', () => {
  test.each([
    [`import 'a';`, ['a']],
    [`import a from "a";`, ['a']],
    [`import * as a from 'a';`, ['a']],
    [`import a, { b as c, type D } from 'a';`, ['a']],
    [`import {\n  a,\n  b,\n} from './a.ts';`, ['./a.ts']],
    [`import type { A } from 'a';`, ['type a']],
    [`import type A from 'a';`, ['type a']],
    [`import type * as A from 'a';`, ['type a']],
    // A default export that happens to be called "type" is a value.
    [`import type from 'a';`, ['a']],
    [`import type, { b } from 'a';`, ['a']],
    // With verbatimModuleSyntax the module is still loaded.
    [`import { type A } from 'a';`, ['a']],
    [`export * from 'a';`, ['a']],
    [`export * as b from 'a';`, ['a']],
    [`export { a } from 'a';`, ['a']],
    [`export type { A } from 'a';`, ['type a']],
    [`export type * from 'a';`, ['type a']],
    [`const a = await import('a');`, ['dynamic a']],
    [`type A = typeof import('a');`, ['type dynamic a']],
    [`import data from './a.json' with { type: 'json' };`, ['./a.json']],
    [`import a from 'a'\nimport b from 'b'`, ['a', 'b']],
  ])('%s', (source, expected) => {
    expect(names(source)).toEqual(expected);
  });

  test.each([
    [`// import a from 'a';`],
    [`/* import a from 'a'; */`],
    [`/**\n * import a from 'a';\n */`],
    [`const a = "import b from 'b'";`],
    ["const a = `import b from 'b'`;"],
    ["const a = `${'x'} import b from 'b' ${`export * from 'c'`}`;"],
    [`const a = /import b from 'b'/;`],
    [`const a = /['"\`]/; const b = 1;`],
    [`export const a = 'b'; export { a };`],
    [`export type A = 'a'; export default 'from';`],
    [`import.meta.url; thing.import('a');`],
    [`const from = 'a'; export { from };`],
  ])('finds none in %s', (source) => {
    expect(names(source)).toEqual([]);
  });

  test('goes on after what could confuse it', () => {
    const source = [
      `const half = total / 2; const rest = list[0] / count; // it's`,
      'const text = `a ${wrap({ b: `${c}` })} d`;',
      `const quotes = /["'\`/]/g;`,
      `const page = <p>Don't stop</p>;`,
      `import { z } from 'zod';`,
    ].join('\n');
    expect(importsOf(source)).toEqual([{ specifier: 'zod', line: 5, typeOnly: false, dynamic: false }]);
  });
});
