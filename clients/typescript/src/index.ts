// Tenant Bridge's client: what is generated from the OpenAPI document, and the few helpers that can't be.

export * from './client.js';
export type { Client } from './generated/client/index.js';
export * from './feed.js';
export * from './generated/sdk.gen.js';
export * from './generated/types.gen.js';
export * from './operation.js';
export * from './pages.js';
export { NoAnswer, ProblemError, UnexpectedAnswer } from './problem.js';
export type { MembersByCode } from './problem.js';
