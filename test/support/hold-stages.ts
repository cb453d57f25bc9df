import { TRANSITIONS } from '../../domain/case/stages.ts';

/**
 * SQL after which a database refuses every change of an invoice's stage that is not listed (`domain/case/stages.ts`):
 * whatever a test does with the real program goes the ways of the diagram, or the test fails.
 */
export function holdStages(): string[] {
  const listed = TRANSITIONS.map(({ from, to }) => `'${from}>${to}'`).join(', ');
  return [
    `create function hold_stages() returns trigger language plpgsql as $$ begin
       if old.stage <> new.stage and old.stage || '>' || new.stage not in (${listed}) then
         raise exception 'an invoice went from % to %', old.stage, new.stage;
       end if;
       return new;
     end $$`,
    'create trigger hold_stages before update of stage on invoices for each row execute function hold_stages()',
  ];
}
