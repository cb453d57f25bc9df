import type { InsolvencyKind } from '../db/types.ts';
import type { LocalDate } from '../domain/time/dates.ts';

interface Party {
  name: string;
  addressLines: readonly string[];
  registration?: string | null;
  vatId?: string | null;
  email?: string | null;
}

export interface ClaimDeclarationModel {
  date: LocalDate;
  place?: string | null;
  reference: string;
  fromCountry: string;
  creditor: Party;
  debtor: Party & { siren?: string | null };
  trustee: { name: string; addressLines: readonly string[] };
  proceedings: InsolvencyKind;
  judgmentOn: LocalDate;
  publishedOn?: LocalDate | null;
  lastDay?: LocalDate | null;
  currency: string;
  due: readonly { number: string; issuedOn: LocalDate; dueOn: LocalDate; principal: string; total: string }[];
  notYetDue: readonly { number: string; issuedOn: LocalDate; dueOn: LocalDate; amount: string }[];
  total: string;
}

/** To be replaced by `renderClaimDeclaration` of the letters. */
export async function renderClaimDeclaration(model: ClaimDeclarationModel): Promise<Uint8Array> {
  return Buffer.from(`%PDF-1.7\n${JSON.stringify(model)}\n%%EOF\n`, 'utf8');
}
