/** An error as Resend answers it: `{name, statusCode, message}` (resend.com/docs/api-reference/errors). */
export class ApiError extends Error {
  readonly code: string;
  readonly statusCode: number;
  readonly headers: Record<string, string>;

  constructor(statusCode: number, code: string, message: string, headers: Record<string, string> = {}) {
    super(message);
    this.name = 'ApiError';
    this.code = code;
    this.statusCode = statusCode;
    this.headers = headers;
  }

  body(): { statusCode: number; name: string; message: string } {
    return { statusCode: this.statusCode, name: this.code, message: this.message };
  }
}
