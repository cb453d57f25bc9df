/** What every part of `npm run check` looks like, so that the runner can treat them alike. */

/**
 * One part of the check. `run` gets the absolute path of the project and answers one sentence per fault,
 * an empty list when all is well. It throws only when it cannot look at all.
 */
export interface CheckPart {
  readonly name: string;
  readonly run: (root: string, options: CheckOptions) => Promise<string[]>;
}

export interface CheckOptions {
  /** Bring generated texts up to date instead of complaining (`--write`). */
  readonly write: boolean;
}
