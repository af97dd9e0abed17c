// Problems (RFC 9457) as errors.

import type { Problem } from './generated/types.gen.js';

/** A refusal or failure of the service. Build on `code`: it is stable. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';

  constructor(
    /** What the service said. */
    readonly problem: Problem,
    /** The answer it came with; its body is read already. */
    readonly response: Response,
  ) {
    super(`${problem.title} (${problem.code}): ${problem.detail}`);
  }

  /** The kind of problem in one word. */
  get code(): string {
    return this.problem.code;
  }

  /** The HTTP status. */
  get status(): number {
    return this.problem.status;
  }

  /** When to try again, in seconds, if the service said so. */
  get retryAfter(): number | undefined {
    return secondsOf(this.response);
  }

  /** The claims that the user has to sign in with, as JSON text, if that is what was refused. */
  get claims(): string | undefined {
    const challenge = this.response.headers.get('WWW-Authenticate') ?? '';
    const claims = /\bclaims="([^"]+)"/.exec(challenge)?.[1];
    return claims === undefined ? undefined : new TextDecoder().decode(bytesOf(claims));
  }
}

/** An answer that is neither what the document says nor a problem: of something between here and the service. */
export class UnexpectedAnswer extends Error {
  override readonly name = 'UnexpectedAnswer';

  constructor(readonly response: Response) {
    super(`unexpected answer: ${response.status} ${response.statusText}`);
  }
}

/** The seconds that an answer's `Retry-After` names (RFC 9110, section 10.2.3); the service sends no dates. */
export function secondsOf(response: Response): number | undefined {
  const text = response.headers.get('Retry-After')?.trim() ?? '';
  return /^\d+$/.test(text) ? Number(text) : undefined;
}

/** What is thrown for a failed call. Without an answer it is what `fetch` threw. */
export function asError(error: unknown, response: Response | undefined): unknown {
  if (response === undefined) {
    return error;
  }
  return isProblem(error) ? new ProblemError(error, response) : new UnexpectedAnswer(response);
}

function isProblem(value: unknown): value is Problem {
  return (
    typeof value === 'object' &&
    value !== null &&
    'code' in value &&
    typeof value.code === 'string' &&
    'detail' in value
  );
}

function bytesOf(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}
