import type { ColumnType } from 'kysely';
import type { BulkKind } from '../domain/case/bulk.ts';
import type { Outlook } from '../domain/case/rollout.ts';
import type { BookJournal, Chart } from '../domain/books/chart.ts';
import type { ClosedStage, OpenStage, Stage } from '../domain/case/stages.ts';
import type { CollectsFor } from '../domain/law/collector.ts';
import type { InvoiceMentions } from '../domain/law/invoice-mentions.ts';
import type { LifecycleCode, LifecycleEffect } from '../domain/law/lifecycle.ts';
import type { LimitationEventKind } from '../domain/law/limitation.ts';
import type { LawWarning, PaymentTerms } from '../domain/law/payment-terms.ts';
import type { Account } from '../domain/ledger/postings.ts';
import type {
  BalanceCheck,
  BookingStatus,
  RejectedRecord,
  SourceKind,
  StatementFormat,
} from '../domain/statement/transaction.ts';
import type { Language } from '../domain/policy/templates.ts';
import type { ContactRole, CustomerKind, Period, Tone } from '../domain/policy/types.ts';

/**
 * The tables, column by column, as the migrations leave them. A suffix says what an insert may do: none, it must be
 * given; `?`, it may be null; `=`, it has a default; `!`, the database alone gives it. The TypeScript types below are
 * derived from this constant and `drift.ts` compares it with a live database, so neither can go its own way.
 */
export const TABLES = {
  creditors: {
    id: 'text',
    seq: 'int8!',
    name: 'text',
    country: 'text',
    time_zone: 'text',
    locale: 'text',
    sender_email: 'text',
    reply_to: 'text?',
    address: 'jsonb?',
    registration_id: 'text?',
    vat_id: 'text?',
    iban: 'text?',
    default_policy: 'text?',
    payment_days: 'int4=',
    closed_weeks: 'jsonb=',
    created_at: 'timestamptz',
    default_agency: 'text?',
    reply_hold_working_days: 'int4=',
    retention: 'jsonb=',
    payment_sent_days: 'int4=',
    collects_for: 'jsonb?',
  },
  api_keys: {
    id: 'text',
    creditor_id: 'text?',
    name: 'text',
    role: 'text',
    agency_id: 'text?',
    hash: 'bytea',
    created_at: 'timestamptz',
    revoked_at: 'timestamptz?',
  },
  policies: {
    creditor_id: 'text',
    name: 'text',
    version: 'int4',
    document: 'jsonb',
    created_at: 'timestamptz',
    created_by: 'text',
  },
  template_versions: {
    creditor_id: 'text',
    name: 'text',
    language: 'text',
    version: 'int4',
    subject: 'text?',
    lead: 'text?',
    close: 'text?',
    created_at: 'timestamptz',
    created_by: 'text',
  },
  customers: {
    id: 'text',
    seq: 'int8!',
    creditor_id: 'text',
    reference: 'text',
    name: 'text',
    kind: 'text',
    country: 'text',
    locale: 'text',
    time_zone: 'text',
    registration_id: 'text?',
    vat_id: 'text?',
    address: 'jsonb?',
    contacts: 'jsonb=',
    policy: 'text?',
    outreach_wake_at: 'timestamptz?',
    created_at: 'timestamptz',
    parent_id: 'text?',
  },
  stopped_addresses: {
    creditor_id: 'text',
    email: 'text',
    reason: 'text',
    contact_id: 'text?',
    at: 'timestamptz',
    lifted_at: 'timestamptz?',
  },
  invoices: {
    id: 'text',
    seq: 'int8!',
    creditor_id: 'text',
    customer_id: 'text',
    number: 'text',
    issued_on: 'date',
    due_on: 'date',
    amount_minor: 'int8',
    currency: 'text',
    vat: 'jsonb=',
    refs: '_text=',
    order_reference: 'text?',
    collection_method: 'text=',
    collection_on: 'date?',
    collection_failed_on: 'date?',
    collection_asked_on: 'date?',
    chase_from: 'date?',
    last_step_sent: 'text?',
    policy_name: 'text',
    policy_version: 'int4',
    limitation_on: 'date?',
    registered_at: 'timestamptz',
    recorded_at: 'timestamptz=',
    run: 'int4=',
    balance_minor: 'int8',
    stage: 'text=',
    next: 'jsonb?',
    wake_at: 'timestamptz?',
    turned_at: 'timestamptz?',
    event_count: 'int4=',
    event_hash: 'bytea=',
    step_now: 'text?',
    step_now_on: 'date?',
    written_off_minor: 'int8=',
    recovered_minor: 'int8=',
    terms: 'jsonb?',
    mentions: 'jsonb?',
    limitation_years: 'int4?',
    accessories_minor: 'int8=',
    discount_minor: 'int8?',
    discount_until: 'date?',
  },
  invoice_tokens: { creditor_id: 'text', token: 'text', invoice_id: 'text' },
  invoice_files: {
    invoice_id: 'text',
    filename: 'text',
    content_type: 'text',
    bytes: 'bytea',
    sha256: 'bytea',
    at: 'timestamptz',
  },
  case_runs: {
    invoice_id: 'text',
    run: 'int4',
    opened_on: 'date',
    closed_on: 'date?',
    closed_stage: 'text?',
    stage_before: 'text?',
  },
  case_steps: {
    id: 'int8!',
    invoice_id: 'text',
    customer_id: 'text',
    step: 'text',
    occurrence: 'int4=',
    status: 'text',
    channel: 'text',
    planned_at: 'timestamptz',
    planned_on: 'date',
    left_at: 'timestamptz?',
    left_on: 'date?',
    reanchors: 'bool=',
    approved: 'bool=',
    contact_id: 'text?',
    task_id: 'text?',
    reason: 'text?',
    at: 'timestamptz',
    recorded_at: 'timestamptz=',
    amount_minor: 'int8?',
  },
  journal_entries: {
    id: 'int8!',
    creditor_id: 'text',
    kind: 'text',
    key: 'text',
    on_date: 'date',
    at: 'timestamptz',
    recorded_at: 'timestamptz=',
    actor: 'text',
  },
  postings: {
    entry_id: 'int8',
    line: 'int4',
    creditor_id: 'text',
    account: 'text',
    invoice_id: 'text?',
    customer_id: 'text?',
    receipt_id: 'text?',
    credit_note_id: 'text?',
    currency: 'text',
    amount_minor: 'int8',
  },
  reference_rates: {
    series: 'text',
    from_on: 'date',
    to_on: 'date',
    rate: 'text',
    source: 'text',
    actor: 'text',
    at: 'timestamptz',
    recorded_at: 'timestamptz=',
  },
  claim_costs: {
    id: 'text',
    creditor_id: 'text',
    invoice_id: 'text',
    on_date: 'date',
    amount_minor: 'int8',
    basis: 'text',
    actor: 'text',
    at: 'timestamptz',
  },
  charts: {
    creditor_id: 'text',
    version: 'int4',
    chart: 'jsonb',
    actor: 'text',
    at: 'timestamptz',
  },
  entry_numbers: {
    entry_id: 'int8',
    creditor_id: 'text',
    journal: 'text',
    currency: 'text',
    year_from: 'date',
    number: 'int4',
    validated_on: 'date',
  },
  exports: {
    id: 'text',
    seq: 'int8!',
    creditor_id: 'text',
    kind: 'text',
    number: 'int4',
    from_on: 'date',
    to_on: 'date',
    chart_version: 'int4',
    filename: 'text',
    content_type: 'text',
    lines: 'int8',
    omitted: 'int8',
    sha256: 'bytea',
    actor: 'text',
    at: 'timestamptz',
  },
  export_chunks: {
    export_id: 'text',
    n: 'int4',
    bytes: 'bytea',
  },
  doubtful_claims: {
    invoice_id: 'text',
    n: 'int4',
    percent: 'text',
    allowance_minor: 'int8',
    entry_id: 'int8',
    ended_entry_id: 'int8?',
    actor: 'text',
    at: 'timestamptz',
  },
  vat_reliefs: {
    invoice_id: 'text',
    n: 'int4',
    loss_minor: 'int8',
    vat_minor: 'int8',
    due_again_minor: 'int8=',
    document_id: 'text',
    on_date: 'date',
    actor: 'text',
    at: 'timestamptz',
  },
  due_date_changes: {
    id: 'int8!',
    invoice_id: 'text',
    on_date: 'date',
    from_on: 'date',
    to_on: 'date',
  },
  receivable_deltas: {
    id: 'int8!',
    creditor_id: 'text',
    currency: 'text',
    due_on: 'date',
    on_date: 'date',
    amount_minor: 'int8',
  },
  receivable_sums: {
    creditor_id: 'text',
    grain: 'text',
    from_on: 'date',
    currency: 'text',
    due_on: 'date',
    amount_minor: 'int8',
  },
  feeds: {
    id: 'text',
    seq: 'int8!',
    creditor_id: 'text',
    kind: 'text',
    name: 'text',
    iban: 'text?',
    secrets: 'jsonb=',
    created_at: 'timestamptz',
    deleted_at: 'timestamptz?',
    credentials: 'text?',
    read_to: 'text?',
  },
  inbox: {
    id: 'int8!',
    feed_id: 'text',
    creditor_id: 'text',
    webhook_id: 'text',
    data_key: 'text?',
    body: 'bytea',
    received_at: 'timestamptz',
    recorded_at: 'timestamptz=',
    status: 'text=',
    receipt_id: 'text?',
    error_code: 'text?',
    ask: 'jsonb?',
    attempts: 'int4=',
    not_before: 'timestamptz?',
  },
  receipts: {
    id: 'text',
    seq: 'int8!',
    creditor_id: 'text',
    customer_id: 'text?',
    feed_id: 'text?',
    external_id: 'text?',
    booked_on: 'date',
    amount_minor: 'int8',
    currency: 'text',
    unapplied_minor: 'int8',
    returned_minor: 'int8=',
    payer_name: 'text?',
    payer_iban: 'text?',
    remittance: 'text?',
    end_to_end_id: 'text?',
    method: 'text?',
    at: 'timestamptz',
    recorded_at: 'timestamptz=',
    transaction_id: 'text?',
    ultimate_name: 'text?',
    structured_references: '_text=',
    fees_minor: 'int8?',
    set_aside_minor: 'int8=',
    by_person: 'bool=',
    look_again: 'bool=',
  },
  receipt_returns: {
    id: 'text',
    receipt_id: 'text',
    feed_id: 'text?',
    external_id: 'text?',
    amount_minor: 'int8',
    booked_on: 'date',
    reason_code: 'text?',
    at: 'timestamptz',
  },
  credit_notes: {
    id: 'text',
    seq: 'int8!',
    creditor_id: 'text',
    customer_id: 'text',
    invoice_id: 'text?',
    number: 'text',
    amount_minor: 'int8',
    currency: 'text',
    unapplied_minor: 'int8',
    issued_on: 'date',
    reason: 'text?',
    at: 'timestamptz',
  },
  allocations: {
    id: 'text',
    seq: 'int8!',
    creditor_id: 'text',
    receipt_id: 'text?',
    credit_note_id: 'text?',
    invoice_id: 'text',
    amount_minor: 'int8',
    on_date: 'date',
    rule: 'text',
    actor: 'text',
    at: 'timestamptz',
    recorded_at: 'timestamptz=',
    accessories_minor: 'int8=',
    decision_id: 'int8?',
  },
  allocation_reversals: {
    allocation_id: 'text',
    reason: 'text',
    on_date: 'date',
    actor: 'text',
    at: 'timestamptz',
    recorded_at: 'timestamptz=',
  },
  promises: {
    id: 'text',
    seq: 'int8!',
    invoice_id: 'text',
    amount_minor: 'int8?',
    pay_on: 'date',
    grace_days: 'int4',
    promised_by: 'text?',
    holds: 'bool',
    made_on: 'date',
    paid_before_minor: 'int8',
    status: 'text=',
    ended_on: 'date?',
    at: 'timestamptz',
  },
  disputes: {
    id: 'text',
    seq: 'int8!',
    invoice_id: 'text',
    amount_minor: 'int8?',
    category: 'text',
    note: 'text?',
    opened_on: 'date',
    status: 'text=',
    resolved_on: 'date?',
    resolution_note: 'text?',
    credit_note_id: 'text?',
    at: 'timestamptz',
  },
  holds: {
    id: 'text',
    seq: 'int8!',
    creditor_id: 'text',
    customer_id: 'text',
    invoice_id: 'text?',
    kind: 'text',
    reason: 'text?',
    from_on: 'date',
    until_on: 'date?',
    lifted_on: 'date?',
    lifted_at: 'timestamptz?',
    source_id: 'text?',
    actor: 'text',
    at: 'timestamptz',
  },
  contacts: {
    id: 'text',
    seq: 'int8!',
    creditor_id: 'text',
    customer_id: 'text',
    kind: 'text',
    channel: 'text',
    status: 'text',
    reference: 'text',
    sender: 'text',
    reply_to: 'text?',
    recipients: '_text',
    cc: '_text=',
    recipient_key: 'text',
    day: 'date',
    planned_at: 'timestamptz',
    queued_at: 'timestamptz',
    sending_at: 'timestamptz?',
    sending_real: 'timestamptz?',
    sent_at: 'timestamptz?',
    finished_at: 'timestamptz?',
    provider_id: 'text?',
    attempts: 'int4=',
    first_attempt_real: 'timestamptz?',
    next_attempt_real: 'timestamptz?',
    error_code: 'text?',
    subject: 'text?',
    body_text: 'text?',
    body_html: 'text?',
    template: 'text',
    tone: 'text',
    locale: 'text',
    task_id: 'text?',
    print_batch_id: 'text?',
    dispatched_on: 'date?',
    delivered_on: 'date?',
    refused_on: 'date?',
    returned_on: 'date?',
    tracking_number: 'text?',
    template_version: 'int4?',
    erased_at: 'timestamptz?',
  },
  contact_items: {
    contact_id: 'text',
    invoice_id: 'text',
    step: 'text',
    occurrence: 'int4',
    amount_minor: 'int8',
    currency: 'text',
    asks: 'bool',
    withdrawn: 'bool=',
  },
  file_blobs: {
    sha256: 'bytea',
    bytes: 'bytea',
  },
  contact_attachments: {
    contact_id: 'text',
    position: 'int4',
    filename: 'text',
    content_type: 'text',
    sha256: 'bytea',
  },
  delivery_events: {
    id: 'text',
    contact_id: 'text?',
    provider_id: 'text?',
    kind: 'text',
    at: 'timestamptz',
    recorded_at: 'timestamptz=',
  },
  documents: {
    id: 'text',
    seq: 'int8!',
    creditor_id: 'text',
    customer_id: 'text',
    contact_id: 'text?',
    task_id: 'text?',
    kind: 'text',
    content_type: 'text',
    bytes: 'bytea',
    at: 'timestamptz',
    erased_at: 'timestamptz?',
  },
  document_invoices: { document_id: 'text', invoice_id: 'text' },
  tasks: {
    id: 'text',
    seq: 'int8!',
    creditor_id: 'text',
    kind: 'text',
    key: 'text',
    status: 'text=',
    role: 'text',
    invoice_id: 'text?',
    customer_id: 'text?',
    contact_id: 'text?',
    receipt_id: 'text?',
    step: 'text?',
    subject: 'text',
    body: 'text=',
    data: 'jsonb=',
    due_at: 'timestamptz',
    opened_at: 'timestamptz',
    closed_at: 'timestamptz?',
    closed_by: 'text?',
    outcome: 'jsonb?',
  },
  events: {
    id: 'text',
    invoice_id: 'text',
    n: 'int4',
    at: 'timestamptz',
    recorded_at: 'timestamptz=',
    kind: 'text',
    actor: 'text',
    data: 'jsonb',
    text_digest: 'bytea?',
    prev_hash: 'bytea',
    hash: 'bytea',
  },
  event_texts: { event_id: 'text', salt: 'bytea', text: 'text' },
  commands: {
    id: 'text',
    invoice_id: 'text',
    kind: 'text',
    args: 'jsonb',
    actor: 'text',
    reason: 'text?',
    outcome: 'jsonb?',
    at: 'timestamptz',
  },
  outbox: {
    id: 'int8!',
    kind: 'text',
    target: 'text',
    payload: 'jsonb',
    coalesce_key: 'text?',
    status: 'text=',
    attempts: 'int4=',
    due_real: 'timestamptz=',
    claimed_real: 'timestamptz?',
    recorded_at: 'timestamptz=',
  },
  idempotency_keys: {
    owner: 'text',
    key: 'text',
    request_hash: 'bytea',
    state: 'text',
    status: 'int4?',
    headers: 'jsonb?',
    body: 'jsonb?',
    recorded_at: 'timestamptz=',
  },
  imports: {
    id: 'text',
    seq: 'int8!',
    creditor_id: 'text',
    actor: 'text',
    content_type: 'text',
    columns: 'text?',
    filename: 'text?',
    body: 'bytea',
    status: 'text=',
    total_rows: 'int4?',
    done_rows: 'int4=',
    accepted: 'int4=',
    unchanged: 'int4=',
    rejected: 'int4=',
    at: 'timestamptz',
    recorded_at: 'timestamptz=',
  },
  import_rows: {
    import_id: 'text',
    line: 'int4',
    number: 'text?',
    invoice_id: 'text?',
    credit_note_id: 'text?',
    status: 'text',
    code: 'text?',
    pointer: 'text?',
    message: 'text?',
    warnings: 'jsonb=',
  },
  plans: {
    id: 'text',
    seq: 'int8!',
    creditor_id: 'text',
    customer_id: 'text',
    currency: 'text',
    total_minor: 'int8',
    grace_days: 'int4',
    status: 'text=',
    agreed_on: 'date',
    ended_on: 'date?',
    paid_minor: 'int8?',
    replaces: 'text?',
    actor: 'text',
    at: 'timestamptz',
  },
  plan_instalments: { plan_id: 'text', n: 'int4', due_on: 'date', amount_minor: 'int8' },
  plan_invoices: { plan_id: 'text', invoice_id: 'text', amount_minor: 'int8' },
  print_batches: {
    id: 'text',
    seq: 'int8!',
    creditor_id: 'text',
    letters: 'int4',
    pages: 'int4',
    pdf: 'bytea',
    manifest: 'text',
    actor: 'text',
    at: 'timestamptz',
  },
  agencies: {
    id: 'text',
    seq: 'int8!',
    creditor_id: 'text',
    name: 'text',
    reference: 'text?',
    fee_text: 'text?',
    email: 'text?',
    address: 'jsonb?',
    deliver_by: 'text',
    webhook_url: 'text?',
    secrets: 'jsonb=',
    created_at: 'timestamptz',
    closed_at: 'timestamptz?',
  },
  placements: {
    id: 'text',
    seq: 'int8!',
    creditor_id: 'text',
    customer_id: 'text',
    invoice_id: 'text',
    agency_id: 'text',
    run: 'int4',
    status: 'text=',
    amount_minor: 'int8',
    currency: 'text',
    placed_on: 'date',
    ended_on: 'date?',
    end_reason: 'text?',
    actor: 'text',
    at: 'timestamptz',
  },
  agency_messages: {
    id: 'int8!',
    agency_id: 'text',
    placement_id: 'text',
    kind: 'text',
    data: 'jsonb',
    status: 'text=',
    attempts: 'int4=',
    error_code: 'text?',
    document_id: 'text?',
    at: 'timestamptz',
    sent_at: 'timestamptz?',
  },
  agency_reports: {
    id: 'text',
    seq: 'int8!',
    placement_id: 'text',
    kind: 'text',
    reference: 'text?',
    amount_minor: 'int8?',
    on_date: 'date',
    receipt_id: 'text?',
    task_id: 'text?',
    note: 'text?',
    actor: 'text',
    at: 'timestamptz',
  },
  agency_remittances: {
    id: 'text',
    seq: 'int8!',
    creditor_id: 'text',
    agency_id: 'text',
    receipt_id: 'text',
    amount_minor: 'int8',
    currency: 'text',
    on_date: 'date',
    undone_on: 'date?',
    actor: 'text',
    at: 'timestamptz',
  },
  insolvencies: {
    id: 'text',
    seq: 'int8!',
    creditor_id: 'text',
    customer_id: 'text',
    kind: 'text',
    judgment_on: 'date',
    published_on: 'date?',
    declare_by: 'date?',
    trustee: 'text?',
    status: 'text=',
    outcome: 'text?',
    closed_on: 'date?',
    actor: 'text',
    at: 'timestamptz',
  },
  inbound_messages: {
    id: 'text',
    seq: 'int8!',
    creditor_id: 'text',
    customer_id: 'text',
    channel: 'text',
    received_at: 'timestamptz',
    text: 'text?',
    invoice_ids: '_text=',
    hold_id: 'text?',
    task_id: 'text?',
    actor: 'text',
    at: 'timestamptz',
  },
  rollouts: {
    id: 'text',
    seq: 'int8!',
    creditor_id: 'text',
    policy: 'text',
    version: 'int4',
    dry_run: 'bool',
    dry_run_id: 'text?',
    filter: 'jsonb',
    status: 'text=',
    code: 'text?',
    total: 'int4?',
    planned_to: 'text?',
    actor: 'text',
    reason: 'text?',
    at: 'timestamptz',
    recorded_at: 'timestamptz=',
  },
  rollout_cases: {
    rollout_id: 'text',
    seq: 'int8!',
    invoice_id: 'text',
    customer_id: 'text',
    status: 'text',
    code: 'text?',
    before: 'jsonb',
    after: 'jsonb',
    listed_on: 'date',
    listed_until: 'date',
  },
  bulk_commands: {
    id: 'text',
    seq: 'int8!',
    creditor_id: 'text',
    kind: 'text',
    args: 'jsonb',
    filter: 'jsonb',
    dry_run: 'bool',
    dry_run_id: 'text?',
    status: 'text',
    role: 'text',
    actor: 'text',
    reason: 'text?',
    at: 'timestamptz',
    recorded_at: 'timestamptz=',
  },
  bulk_cases: {
    bulk_id: 'text',
    seq: 'int8!',
    invoice_id: 'text',
    status: 'text=',
    code: 'text?',
  },
  clock: {
    id: 'int4=',
    anchor_real: 'timestamptz',
    anchor_business: 'timestamptz',
    day_ms: 'int8',
    begun_business: 'timestamptz',
    last_seen_business: 'timestamptz',
  },
  creditor_heads: {
    creditor_id: 'text',
    n: 'int4',
    on_date: 'date',
    at: 'timestamptz',
    recorded_at: 'timestamptz=',
    cases: 'int4',
    root: 'bytea',
    prev_hash: 'bytea',
    hash: 'bytea',
  },
  creditor_head_leaves: {
    creditor_id: 'text',
    n: 'int4',
    invoice_id: 'text',
    event_count: 'int4',
    event_hash: 'bytea',
  },
  case_decisions: {
    invoice_id: 'text',
    n: 'int4',
    run: 'int4',
    at: 'timestamptz',
    recorded_at: 'timestamptz=',
    events_before: 'int4',
    events_after: 'int4',
    facts: 'jsonb',
    customer: 'jsonb',
    commanded: 'jsonb',
    decisions: 'jsonb',
    digest: 'bytea',
  },
  outreach_decisions: {
    id: 'int8!',
    customer_id: 'text',
    at: 'timestamptz',
    recorded_at: 'timestamptz=',
    events: 'jsonb',
    facts: 'jsonb',
    plan: 'jsonb',
    digest: 'bytea',
  },
  holiday_tables: {
    digest: 'bytea',
    days: 'jsonb',
  },
  message_models: {
    contact_id: 'text',
    outreach_id: 'int8?',
    template: 'text',
    model: 'jsonb',
  },
  limitation_events: {
    id: 'text',
    seq: 'int8!',
    invoice_id: 'text',
    kind: 'text',
    on_date: 'date',
    until_date: 'date?',
    status: 'text',
    actor: 'text',
    at: 'timestamptz',
    recorded_at: 'timestamptz=',
  },
  lifecycle_statuses: {
    id: 'text',
    seq: 'int8!',
    invoice_id: 'text',
    code: 'text',
    status_at: 'timestamptz',
    amount_minor: 'int8?',
    effect: 'text',
    hold_id: 'text?',
    task_id: 'text?',
    dispute_id: 'text?',
    actor: 'text',
    at: 'timestamptz',
    recorded_at: 'timestamptz=',
  },
  statements: {
    id: 'text',
    seq: 'int8!',
    creditor_id: 'text',
    feed_id: 'text',
    format: 'text',
    filename: 'text?',
    sha256: 'bytea',
    size: 'int8',
    entries: 'int4',
    receipts: 'int4',
    duplicates: 'int4',
    suspects: 'int4',
    provisional: 'int4',
    rejected: 'int4',
    rejections: 'jsonb=',
    accounts: 'jsonb=',
    balance: 'text',
    actor: 'text',
    at: 'timestamptz',
    erased_at: 'timestamptz?',
  },
  statement_chunks: { statement_id: 'text', n: 'int4', bytes: 'bytea' },
  bank_transactions: {
    id: 'text',
    seq: 'int8!',
    creditor_id: 'text',
    feed_id: 'text',
    account_key: 'text',
    status: 'text',
    state: 'text',
    outcome: 'text?',
    booked_on: 'date',
    value_on: 'date?',
    amount_minor: 'int8',
    currency: 'text',
    counterparty_name: 'text?',
    ultimate_name: 'text?',
    counterparty_account: 'text?',
    structured_references: '_text=',
    remittance: 'text?',
    bank_text: 'text?',
    bank_id: 'text?',
    end_to_end_id: 'text?',
    mandate_id: 'text?',
    returns: 'jsonb?',
    fees_minor: 'int8?',
    bank_code: 'text?',
    receipt_id: 'text?',
    same_as: 'text?',
    at: 'timestamptz',
    recorded_at: 'timestamptz=',
  },
  sightings: { document: 'text', position: 'text', transaction_id: 'text', source: 'text' },
  receipt_tokens: { creditor_id: 'text', token: 'text', receipt_id: 'text' },
  match_decisions: {
    id: 'int8!',
    creditor_id: 'text',
    receipt_id: 'text',
    outcome: 'text',
    rule: 'text?',
    confidence: 'text?',
    reason: 'text?',
    proposal: 'jsonb?',
    rivals: 'jsonb',
    payers: 'jsonb',
    quoted: '_text',
    settings_version: 'int4',
    at: 'timestamptz',
    recorded_at: 'timestamptz=',
  },
  matching_settings: {
    creditor_id: 'text',
    version: 'int4',
    document: 'jsonb',
    actor: 'text',
    at: 'timestamptz',
  },
  known_payers: {
    creditor_id: 'text',
    kind: 'text',
    value: 'text',
    customer_id: 'text',
    matches: 'int4',
  },
  remittance_advices: {
    id: 'text',
    seq: 'int8!',
    creditor_id: 'text',
    customer_id: 'text?',
    reference: 'text?',
    paid_on: 'date?',
    currency: 'text',
    total_minor: 'int8',
    format: 'text',
    source: 'bytea?',
    status: 'text=',
    receipt_id: 'text?',
    actor: 'text',
    at: 'timestamptz',
  },
  remittance_lines: {
    advice_id: 'text',
    line: 'int4',
    number: 'text',
    invoice_id: 'text?',
    amount_minor: 'int8',
    creditor_id: 'text',
    awaited: 'text?',
  },
} as const;

// Values that columns of type text are held to by a check, and the shapes of JSON ------------------------------------

export type Role = 'admin' | 'operator' | 'approver' | 'agency';
export type { Stage };
export type StepStatus =
  'awaitingApproval' | 'requested' | 'queued' | 'left' | 'failed' | 'merged' | 'skipped' | 'withdrawn';
export type AccountName = Account;
export type FeedKind = 'standard' | 'qonto' | 'bridge' | 'stripe' | 'gocardless' | 'file';
export type InboxStatus = 'pending' | 'fetch' | 'applied' | 'unreadable';
export type TransactionState = 'pending' | 'provisional' | 'suspect' | 'waiting' | 'done';
export type TransactionOutcome = 'receipt' | 'return' | 'debit' | 'ownReturn' | 'duplicate';
export type AdviceStatus = 'open' | 'used' | 'withdrawn';
export type PromiseStatus = 'active' | 'kept' | 'broken' | 'withdrawn';
export type DisputeStatus = 'open' | 'upheld' | 'rejected' | 'partly' | 'closed';
export type DisputeCategory =
  'price' | 'quantity' | 'quality' | 'delivery' | 'duplicate' | 'alreadyPaid' | 'missingDocument' | 'other';
/** The holds that are rows; those of promises and disputes follow from theirs. */
export type HoldKind = 'pause' | 'approval' | 'insolvency' | 'unappliedCash' | 'customer' | 'plan';
export type ContactKind = 'beforeDue' | 'reminder' | 'formalNotice' | 'plan' | 'thankYou';
export type ContactChannel = 'email' | 'call' | 'letter' | 'registeredLetter';
export type ContactStatus = 'queued' | 'sending' | 'sent' | 'delivered' | 'failed' | 'unknown' | 'withdrawn';
export type DocumentKind =
  'email' | 'callScript' | 'letter' | 'invoice' | 'agencyFile' | 'claimDeclaration' | 'vatCorrection';
export type ExportKind = 'fec' | 'journal' | 'subledger';
export type TaskStatus = 'open' | 'done' | 'missed' | 'cancelled';
export type TaskRole = 'operator' | 'approver';
export type OutboxKind =
  | 'startCase'
  | 'signalCase'
  | 'pokeOutreach'
  | 'pokeFeed'
  | 'pokeAgency'
  | 'startImport'
  | 'startRollout'
  | 'startBulk';
export type RolloutStatus = 'planning' | 'running' | 'done' | 'failed';
export type RolloutCaseStatus = 'listed' | 'affected' | 'moved' | 'unchanged' | 'refused' | 'differs' | 'skipped';
export type BulkStatus = 'running' | 'done';
export type BulkCaseStatus = 'pending' | 'done' | 'refused';
export type PlanStatus = 'active' | 'kept' | 'broken' | 'cancelled';
export type DeliverBy = 'download' | 'email' | 'webhook';
export type PlacementStatus = 'active' | 'givenUp' | 'recalled' | 'ended';
export type AgencyMessageKind = 'handover' | 'balance' | 'recall';
export type AgencyReportKind = 'payment' | 'givenUp' | 'documentsWanted' | 'note';
export type InsolvencyKind = 'safeguard' | 'receivership' | 'liquidation' | 'other';
export type InsolvencyOutcome = 'withdrawn' | 'planAdopted' | 'paid' | 'noAssets';
export type InboundChannel = 'email' | 'call' | 'letter';

export type LimitationEventStatus = 'unconfirmed' | 'counts' | 'refused';
/** What a case made of a status; `kept`: nothing, since it is closed, was overtaken, or had nothing left to change. */
export type LifecycleOutcome = LifecycleEffect | 'kept';

export interface Address {
  lines: string[];
  postalCode: string;
  city: string;
  country: string;
}

export interface ContactPerson {
  name?: string;
  role?: ContactRole;
  email?: string;
  phone?: string;
}

/** One rate of an invoice's VAT, as decimal strings. */
export interface VatLine {
  rate: string;
  net: string;
  vat: string;
}

/** `next` of an invoice as the API shows it; `at` is ISO 8601 in UTC. */
export interface NextAction {
  at: string;
  action: string;
  step: string | null;
  channel: string | null;
  reason: string;
}

export type JsonObject = { [name: string]: unknown };

/** Which cases of the policy a roll-out is for; all open ones where nothing is said. */
export interface RolloutFilter {
  customerId?: string;
  stage?: Stage;
}
/** Days that each kind of record is kept beyond need; null for ever, absent the default (`retention.ts`). */
export type RetentionSetting = { [Kind in RetentionKind]?: number | null };
export type RetentionKind = 'mailBodies' | 'documents' | 'eventTexts' | 'inbox' | 'imports' | 'idempotencyKeys';

interface Narrow {
  creditors: {
    address: Address;
    closed_weeks: Period[];
    retention: RetentionSetting;
    collects_for: CollectsFor;
  };
  api_keys: { role: Role };
  policies: { document: unknown };
  template_versions: { language: Language };
  customers: { kind: CustomerKind; address: Address; contacts: ContactPerson[] };
  invoices: {
    vat: VatLine[];
    collection_method: 'transfer' | 'directDebit';
    stage: Stage;
    next: NextAction;
    terms: PaymentTerms;
    mentions: InvoiceMentions;
  };
  case_runs: { closed_stage: ClosedStage; stage_before: OpenStage };
  case_steps: { status: StepStatus; channel: ContactChannel };
  postings: { account: AccountName };
  feeds: { kind: FeedKind; secrets: unknown[] };
  inbox: { status: InboxStatus; ask: JsonObject };
  statements: { format: StatementFormat; balance: BalanceCheck; rejections: RejectedRecord[]; accounts: JsonObject[] };
  bank_transactions: {
    status: BookingStatus;
    state: TransactionState;
    outcome: TransactionOutcome;
    returns: JsonObject;
  };
  sightings: { source: SourceKind };
  match_decisions: { outcome: 'applied' | 'review'; proposal: JsonObject; rivals: JsonObject[]; payers: JsonObject[] };
  matching_settings: { document: JsonObject };
  known_payers: { kind: 'account' | 'name' };
  remittance_advices: { status: AdviceStatus };
  promises: { status: PromiseStatus };
  charts: { chart: Chart };
  entry_numbers: { journal: BookJournal };
  exports: { kind: ExportKind };
  disputes: { status: DisputeStatus; category: DisputeCategory };
  holds: { kind: HoldKind };
  contacts: { kind: ContactKind; channel: ContactChannel; status: ContactStatus; tone: Tone };
  documents: { kind: DocumentKind };
  tasks: { status: TaskStatus; role: TaskRole; data: JsonObject; outcome: JsonObject };
  events: { data: JsonObject };
  commands: { args: JsonObject; outcome: JsonObject };
  outbox: { kind: OutboxKind; payload: JsonObject; status: 'pending' | 'claimed' };
  idempotency_keys: { state: 'running' | 'done'; headers: JsonObject; body: unknown };
  imports: { status: 'running' | 'done' };
  plans: { status: PlanStatus };
  agencies: { address: Address; deliver_by: DeliverBy; secrets: unknown[] };
  placements: { status: PlacementStatus };
  agency_messages: { kind: AgencyMessageKind; data: JsonObject; status: 'pending' | 'sent' | 'failed' };
  agency_reports: { kind: AgencyReportKind };
  insolvencies: { kind: InsolvencyKind; status: 'open' | 'closed'; outcome: InsolvencyOutcome };
  inbound_messages: { channel: InboundChannel };
  import_rows: { status: 'accepted' | 'unchanged' | 'rejected'; warnings: LawWarning[] };
  limitation_events: { kind: LimitationEventKind; status: LimitationEventStatus };
  lifecycle_statuses: { code: LifecycleCode; effect: LifecycleOutcome };
  rollouts: { filter: RolloutFilter; status: RolloutStatus };
  rollout_cases: { status: RolloutCaseStatus; before: Outlook; after: Outlook };
  bulk_commands: { kind: BulkKind; args: JsonObject; filter: JsonObject; status: BulkStatus; role: Role };
  bulk_cases: { status: BulkCaseStatus };
  case_decisions: { facts: JsonObject; customer: JsonObject; commanded: JsonObject[]; decisions: JsonObject[] };
  outreach_decisions: { events: Record<string, number>; facts: JsonObject; plan: JsonObject };
  holiday_tables: { days: string[] };
  message_models: { model: JsonObject };
}

/**
 * JSON on its way into a `jsonb` column, made by `json()` of `database.ts`. A type of its own, since the driver would
 * turn a bare array into a PostgreSQL array and take a bare string for JSON text.
 */
export type JsonText = string & { readonly isJson: true };

// How the constant becomes types -------------------------------------------------------------------------------------

interface Read {
  text: string;
  int4: number;
  int8: bigint;
  bool: boolean;
  date: string;
  /** Epoch milliseconds. */
  timestamptz: number;
  bytea: Buffer;
  jsonb: unknown;
  _text: string[];
}

type Base<S extends string> = S extends `${infer B}?` | `${infer B}=` | `${infer B}!` ? B : S;

type Narrowed<T, C, Otherwise> = T extends keyof Narrow
  ? C extends keyof Narrow[T]
    ? Narrow[T][C]
    : Otherwise
  : Otherwise;

type Value<T, C, S extends string> = Base<S> extends keyof Read ? Narrowed<T, C, Read[Base<S>]> : never;

type Written<T, C, S extends string> =
  Base<S> extends 'timestamptz' ? Date : Base<S> extends 'jsonb' ? JsonText : Value<T, C, S>;

type Column<T, C, S extends string> = S extends `${string}!`
  ? ColumnType<Value<T, C, S>, never, never>
  : S extends `${string}?`
    ? ColumnType<Value<T, C, S> | null, Written<T, C, S> | null, Written<T, C, S> | null>
    : S extends `${string}=`
      ? ColumnType<Value<T, C, S>, Written<T, C, S> | undefined, Written<T, C, S>>
      : ColumnType<Value<T, C, S>, Written<T, C, S>, Written<T, C, S>>;

type Tables = typeof TABLES;

/** What kysely is told about the schema. */
export type Database = {
  [T in keyof Tables]: { [C in keyof Tables[T]]: Column<T, C, Tables[T][C] & string> };
};
