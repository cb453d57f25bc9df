/** Why a verb could not do what it was asked: sentences for the terminal, never a stack. */
export class CliError extends Error {
  /** 1: refused or failed; 2: the command line is wrong. */
  readonly exitCode: 1 | 2;

  constructor(message: string, exitCode: 1 | 2 = 1) {
    super(message);
    this.name = 'CliError';
    this.exitCode = exitCode;
  }
}

/** Nobody answers, or not now: the same request may succeed in a while. */
export class NotNow extends CliError {
  /** Real milliseconds after which to try again, where the API said so. */
  readonly retryAfterMs: number | null;

  constructor(message: string, retryAfterMs: number | null = null) {
    super(message);
    this.name = 'NotNow';
    this.retryAfterMs = retryAfterMs;
  }
}

/** The API refused: title and detail of its problem, its code, and the fields concerned. */
export class Refusal extends CliError {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.name = 'Refusal';
    this.status = status;
    this.code = code;
  }
}

export const wrongUsage = (message: string): CliError => new CliError(message, 2);
