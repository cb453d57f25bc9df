import type { CollectsFor } from '../../domain/law/collector.ts';

/** Everything that the law asks of whoever collects for others (CPCE R124-1 to R124-3). */
export const COLLECTS_FOR: CollectsFor = {
  principal: { name: 'Imprimerie Vasseur SARL', addressLines: ['3 quai Perrache', '69002 Lyon'] },
  insurance: { insurer: 'Assurances du Rhône', policyNumber: 'RC-1', validUntil: '2027-06-30' },
  dedicatedIban: 'FR7610107001011234567890129',
  declaration: { court: 'Tribunal judiciaire de Lyon', declaredOn: '2025-01-10' },
  mandate: {
    signedOn: '2026-02-01',
    powerToReceive: true,
    itemisedSums: true,
    guarantee: true,
    fee: true,
    remittance: true,
  },
};
