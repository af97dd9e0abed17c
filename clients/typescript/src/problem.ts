// Problems (RFC 9457) as errors.

import type { FieldError, Missing, Problem, ProblemCode } from './generated/types.gen.js';

/** The members that a problem has because of its code. */
export interface MembersByCode {
  accessMissing: { missing: Missing[] };
  createFailed: { connectionId: string; operationId: string };
  invalidRequest: { errors: FieldError[] };
  removeFailed: { connectionId: string; operationId: string };
}

/** An error response of the service, whatever its status. Build on `code`: it is stable. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';

  constructor(
    /** What the service said. */
    readonly problem: Problem,
    /** The response it came with; its body is read already. */
    readonly response: Response,
  ) {
    super(`${problem.title} (${problem.code}): ${problem.detail}`);
  }

  /** The kind of problem in one word. Later versions of the service may have more than this client's document names. */
  get code(): ProblemCode {
    return this.problem.code;
  }

  /** The HTTP status. */
  get status(): number {
    return this.response.status;
  }

  /** When to try again, in seconds, if the service said so. */
  get retryAfter(): number | undefined {
    return secondsOf(this.response);
  }

  /** The tenant that requires more proof of its user, if that is what the problem is. */
  get tenantId(): string | undefined {
    return this.#challenge('realm');
  }

  /** The claims that the sign-in to that tenant requires, as JSON text. */
  get claims(): string | undefined {
    const claims = this.#challenge('claims');
    return claims === undefined ? undefined : new TextDecoder().decode(bytesOf(claims));
  }

  /** Whether the problem has this code; then it has the members of that code. */
  is<C extends keyof MembersByCode>(code: C): this is ProblemError & { problem: Problem & MembersByCode[C] };
  is(code: ProblemCode): boolean;
  is(code: ProblemCode): boolean {
    return this.problem.code === code;
  }

  #challenge(name: string): string | undefined {
    const challenge = this.response.headers.get('WWW-Authenticate') ?? '';
    return new RegExp(`\\b${name}="([^"]+)"`).exec(challenge)?.[1];
  }
}

/** A response that is neither what the document says nor a problem: of something between here and the service. */
export class UnexpectedAnswer extends Error {
  override readonly name = 'UnexpectedAnswer';

  constructor(readonly response: Response) {
    super(`unexpected answer: ${response.status} ${response.statusText}`);
  }

  /** When to try again, in seconds, if the answer said so. */
  get retryAfter(): number | undefined {
    return secondsOf(this.response);
  }
}

/** A request was sent and got no whole answer: `cause` says why. Whether the service received it is unknown. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';

  constructor(cause: unknown) {
    super(`no answer: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

/** The seconds that a response's `Retry-After` names, as a number or as a date (RFC 9110, section 10.2.3). */
export function secondsOf(response: Response): number | undefined {
  const text = response.headers.get('Retry-After')?.trim() ?? '';
  if (/^\d+$/.test(text)) {
    return Number(text);
  }
  const at = text.endsWith('GMT') ? Date.parse(text) : NaN;
  return Number.isNaN(at) ? undefined : Math.max(Math.ceil((at - Date.now()) / 1000), 0);
}

/** The seconds that a failed request should wait for, if its answer said so. */
export function retryAfterOf(error: unknown): number | undefined {
  return error instanceof ProblemError || error instanceof UnexpectedAnswer ? error.retryAfter : undefined;
}

/** What is thrown for a failed call. Without a response it is what kept it from one. */
export function asError(error: unknown, response: Response | undefined): unknown {
  if (response === undefined) {
    return error;
  }
  return isProblem(error) ? new ProblemError(error, response) : new UnexpectedAnswer(response);
}

/** Whether a request that failed in this way may succeed later: also where something between here and the service answered. */
export function mayPass(error: unknown): boolean {
  if (error instanceof ProblemError) {
    return error.problem.retryable;
  }
  if (error instanceof UnexpectedAnswer) {
    const { status } = error.response;
    return status >= 500 || status === 408 || status === 429;
  }
  return error instanceof NoAnswer;
}

export function isProblem(value: unknown): value is Problem {
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
