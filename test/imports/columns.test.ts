import { describe, expect, test } from 'vitest';
import { DomainError } from '../../domain/errors.ts';
import { findColumns, parseColumns } from '../../domain/imports/csv-columns.ts';

const refusal = (run: () => unknown): DomainError => {
  try {
    run();
  } catch (error) {
    if (error instanceof DomainError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
};

describe('the column grammar', () => {
  test('reads quoted, unquoted and several headers', () => {
    const text =
      'number="Document Number",references="Billing Number"+"Assignment Number", amount=Amount,issuedOn = "a ""b"", c"';
    expect(Object.fromEntries(parseColumns(text))).toEqual({
      number: ['Document Number'],
      references: ['Billing Number', 'Assignment Number'],
      amount: ['Amount'],
      issuedOn: ['a "b", c'],
    });
  });

  test('does without the quotes that a shell has stripped', () => {
    const text = 'number=Document Number,references=Billing Number+Assignment Number,customer.name=Customer Name';
    expect(Object.fromEntries(parseColumns(text))).toEqual({
      number: ['Document Number'],
      references: ['Billing Number', 'Assignment Number'],
      'customer.name': ['Customer Name'],
    });
  });

  test('is empty for an empty text', () => expect(parseColumns(' ').size).toBe(0));

  test.each([
    ['nummer=A', '"nummer" is not a field'],
    ['number', '"number" is not of the form field=Header'],
    ['number=A,amount', '"amount" is not of the form field=Header'],
    ['number=A,number=B', 'number is given twice'],
    ['number=', 'number: a header is empty'],
    ['references=A+', 'references: a header is empty'],
    ['number="A', 'number: the quote before "A" is not closed'],
    ['number="A"B', 'expected "," or "+" after the header "A"'],
    ['number=A+B', 'number takes one header'],
    ['__proto__=A', '"__proto__" is not a field'],
  ])('refuses %s', (text, message) => {
    const error = refusal(() => parseColumns(text));
    expect(error.code).toBe('columnsInvalid');
    expect(error.message).toContain(message);
    expect(error.faults[0]?.pointer).toBe('/columns');
  });
});

describe('finding columns', () => {
  const none = parseColumns('');

  test.each([
    [['Invoice number', 'Customer name', 'Issue date', 'Due date', 'Total', 'Currency']],
    [['N° de facture', 'Raison sociale', "Date d'émission", "Date d'échéance", 'Montant TTC', 'Devise']],
    [['Rechnungs-Nr.', 'Kundenname', 'Rechnungsdatum', 'Fällig am', 'Bruttobetrag', 'Währung']],
    [['number', 'customer.name', 'issuedOn', 'dueOn', 'amount', 'currency']],
  ])('by their names: %j', (headers) => {
    const { at } = findColumns(headers, none);
    expect(Object.fromEntries(at)).toEqual({
      number: [0],
      'customer.name': [1],
      issuedOn: [2],
      dueOn: [3],
      amount: [4],
      currency: [5],
    });
  });

  test('prefers the better name: a payable amount to a total, a customer number to a client', () => {
    const { at } = findColumns(['Client', 'Facture', 'Date', 'Total TTC', 'Net à payer', 'Code client'], none);
    expect(at.get('amount')).toEqual([4]);
    expect(at.get('customer.name')).toEqual([0]);
    expect(at.get('customer.reference')).toEqual([5]);
  });

  test('what is mapped is not recognised a second time', () => {
    const { at } = findColumns(['No', 'Reference', 'Date', 'Amount', 'Name'], parseColumns('number=Reference'));
    expect(at.get('number')).toEqual([1]);
    expect(at.has('references')).toBe(false);
  });

  test('a mapped header that the file lacks is an error of the whole file', () => {
    const error = refusal(() => findColumns(['Number', 'Date', 'Amount', 'Name'], parseColumns('dueOn="Pay by"')));
    expect(error.code).toBe('columnMissing');
    expect(error.faults).toEqual([
      { pointer: '/columns/dueOn', code: 'columnMissing', message: 'dueOn: the file has no header "Pay by"' },
    ]);
  });

  test('a mapped header that is there twice is ambiguous', () => {
    const error = refusal(() =>
      findColumns(['Number', 'Date', 'Amount', 'Name', 'Date'], parseColumns('issuedOn=Date')),
    );
    expect(error.code).toBe('columnAmbiguous');
  });

  test('names every needed column that is missing', () => {
    const error = refusal(() => findColumns(['Number', 'Colour'], none));
    expect(error.faults.map(({ pointer }) => pointer)).toEqual([
      '/columns/amount',
      '/columns/issuedOn',
      '/columns/customer.reference',
    ]);
  });
});
