// Answers of a later version of the service: node grown.js DOCUMENT, where DOCUMENT is openapi.json. Each example of the document gets
// words, members and statuses that this client never heard of; nothing of them may be lost, and nothing may fail.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

import * as sdk from 'tenant-bridge-client';
import { OperationFailed, ProblemError, connect, waitForOperation } from 'tenant-bridge-client';

import { end, step } from './steps.js';

const WORD = 'ofALaterVersion';
/** Members whose words later versions may add to. */
const OPEN = ['code', 'comparison', 'kind', 'reason', 'role', 'state', 'status'];

interface Document {
  paths: Record<string, Record<string, { operationId?: string; responses: Record<string, ResponseObject> }>>;
  components: { examples: Record<string, { value: unknown }> };
}

interface ResponseObject {
  content?: Record<string, { example?: unknown; examples?: Record<string, { value?: unknown; $ref?: string }> }>;
}

const document = JSON.parse(readFileSync(process.argv[2] ?? 'openapi.json', 'utf8')) as Document;

/** The same answer of a later version. */
function grown(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(grown);
  }
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  const members = Object.entries(value).map(([name, member]) => {
    return [name, OPEN.includes(name) && typeof member === 'string' ? WORD : grown(member)];
  });
  return { ...Object.fromEntries(members), [WORD]: { [WORD]: [WORD] } };
}

/** The examples of a response. */
function examplesOf({ content = {} }: ResponseObject): unknown[] {
  return Object.entries(content).flatMap(([type, { example, examples = {} }]) => {
    const named = Object.values(examples).map(({ value, $ref }) => value ?? resolved($ref));
    return type === 'application/json' || type === 'application/problem+json' ? [example, ...named].filter(Boolean) : [];
  });
}

function resolved(reference: string | undefined): unknown {
  return document.components.examples[reference?.split('/').pop() ?? '']?.value;
}

function answering(body: unknown, status: number): ReturnType<typeof connect> {
  const type = status < 400 ? 'application/json' : 'application/problem+json';
  const answer = async () => new Response(JSON.stringify(body), { status, headers: { 'Content-Type': type } });
  return connect({ baseUrl: 'https://tenant-bridge.example', token: () => 'token', retries: 0, fetch: answer });
}

async function thrownBy(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => assert.fail('was not rejected'),
    (error: unknown) => error,
  );
}

type Call = (options: object) => Promise<{ data: unknown }>;
const calls = sdk as unknown as Record<string, Call>;
const path = { id: crypto.randomUUID() };
const operations = Object.values(document.paths).flatMap((methods) => Object.entries(methods));
const problems = operations
  .flatMap(([, { responses }]) => Object.entries(responses))
  .flatMap(([status, response]) => (status.startsWith('2') ? [] : examplesOf(response)));
let answers = 0;

for (const [method, { operationId, responses }] of operations) {
  const anything = { path, throwOnError: true, ...(method === 'post' && { body: {} }) };
  if (operationId === undefined) {
    continue;
  }
  const call = calls[operationId];
  await step(`${operationId} reads the answers of a later version`, async () => {
    assert.ok(call, 'the client lacks it');
    for (const [status, response] of Object.entries(responses).filter(([status]) => status.startsWith('2'))) {
      for (const example of examplesOf(response)) {
        const body = grown(example);
        const { data } = await call({ ...anything, client: answering(body, Number(status)) });
        assert.deepEqual(data, body);
        answers += 1;
      }
    }
  });
  await step(`${operationId} reads problems of a later version from any status`, async () => {
    assert.ok(call, 'the client lacks it');
    for (const status of [418, 451, 499, 507, 599]) {
      const problem = grown(problems.at(-1)) as { detail: string };
      const thrown = await thrownBy(call({ ...anything, client: answering(problem, status) }));
      assert.ok(thrown instanceof ProblemError, String(thrown));
      assert.deepEqual([thrown.code, thrown.status, thrown.problem.detail], [WORD, status, problem.detail]);
    }
  });
}

await step('an access that is missing in a way it never heard of is shown as it is', async () => {
  const example = problems.find((problem) => (problem as { missing?: unknown[] }).missing?.length);
  assert.ok(example, 'the document has no such example');
  const problem = { ...(grown(example) as object), code: 'accessMissing' };
  const client = answering(problem, 403);
  const thrown = await thrownBy(sdk.getConnection({ client, path, throwOnError: true }));
  assert.ok(thrown instanceof ProblemError && thrown.is('accessMissing'));
  assert.deepEqual(thrown.problem.missing.map(({ kind }) => kind), [WORD]);
  assert.ok(thrown.problem.missing[0]?.fix);
});

await step('an operation in a state that it never heard of is waited for', async () => {
  const { responses } = document.paths['/v1/operations/{id}']?.get ?? { responses: {} };
  const example = examplesOf(responses['200'] ?? {})[0];
  const { finishedAt, ...unfinished } = grown(example) as { finishedAt?: string };
  const bodies: object[] = [unfinished, { ...unfinished, finishedAt, status: 'failed' }];
  const headers = { 'Retry-After': '0' };
  const client = connect({
    baseUrl: 'https://tenant-bridge.example',
    token: () => 'token',
    fetch: async () => Response.json(bodies.length > 1 ? bodies.shift() : bodies[0], { headers }),
  });
  await assert.rejects(waitForOperation(client, crypto.randomUUID()), OperationFailed);
  assert.equal(bodies.length, 1);
});

await step('an operation that ended in a way that it never heard of has ended', async () => {
  const { responses } = document.paths['/v1/operations/{id}']?.get ?? { responses: {} };
  const ended = { ...(grown(examplesOf(responses['200'] ?? {})[0]) as object), finishedAt: '2025-03-03T09:15:00Z' };
  assert.deepEqual(await waitForOperation(answering(ended, 200), crypto.randomUUID()), ended);
});

await step('enough was read', async () => {
  assert.ok(answers >= 12, `${answers} answers`);
  assert.ok(problems.length >= 12, `${problems.length} problems`);
});

end();
