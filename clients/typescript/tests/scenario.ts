// The main job through the client, against `cargo sandbox --json`: node scenario.js FILE, where FILE holds its line.
// Each step prints `ok` or `not ok`; the last line counts them.

import assert from 'node:assert/strict';

import {
  OperationPending,
  ProblemError,
  UnexpectedAnswer,
  allConnections,
  allEvents,
  connect,
  createConnection,
  getConnection,
  listConnections,
  removeConnection,
  waitForOperation,
} from '../src/index.js';
import type { CreateConnection } from '../src/index.js';
import { sandboxOf, tokenOf } from './sandbox.js';

const sandbox = sandboxOf(process.argv[2] ?? 'ready.json');
const actor = await tokenOf(sandbox, 'acc1@domain1.com');
const auxiliary = `Bearer ${await tokenOf(sandbox, 'acc2@domain2.com')}`;
const client = connect({ baseUrl: sandbox.service, token: () => actor });

const database = sandbox.resources.clusters[0]?.databases[0]?.id ?? '';
const hub = sandbox.resources.namespaces[0]?.eventHubs[0];

function request(name: string, consumerGroup: string): CreateConnection {
  return {
    name,
    target: { database, table: 'Events', mapping: 'EventsMapping', dataFormat: 'JSON' },
    source: { eventHub: { resourceId: hub?.id ?? '', consumerGroup } },
    justification: 'The scenario of the TypeScript client',
  };
}

/** The problem that a call was refused with. */
async function refusal(call: Promise<unknown>): Promise<ProblemError> {
  const error = await call.then(
    () => assert.fail('was not refused'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof ProblemError, String(error));
  return error;
}

const made: string[] = [];
let passed = 0;
let failed = 0;

async function step(name: string, run: () => Promise<void>): Promise<void> {
  try {
    await run();
    passed += 1;
    console.log(`ok - typescript: ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`not ok - typescript: ${name}\n${error instanceof Error ? error.stack : String(error)}`);
  }
}

await step('creates and waits in the same call', async () => {
  const { data, response } = await createConnection({
    client,
    body: request('typescript-1', '$Default'),
    headers: { Prefer: 'wait=20', 'x-ms-authorization-auxiliary': auxiliary },
    throwOnError: true,
  });
  assert.equal(response.status, 201);
  assert.equal(data.state, 'active');
  assert.equal(data.source.tenants[0]?.tenantId, sandbox.tenants.find((tenant) => tenant.domains.includes('domain2.com'))?.id);
  made.push(data.id);
});

await step('creates, does not wait, and follows the operation', async () => {
  for (const [index, group] of ['cg1', 'cg2'].entries()) {
    const { data, response } = await createConnection({
      client,
      body: request(`typescript-${index + 2}`, group),
      headers: { Prefer: 'respond-async', 'x-ms-authorization-auxiliary': auxiliary },
      throwOnError: true,
    });
    assert.equal(response.status, 202);
    const operation = await waitForOperation(client, response, { auxiliary, patience: 60_000 });
    assert.equal(operation.connectionId, data.id);
    const { data: now } = await getConnection({ client, path: { id: data.id }, throwOnError: true });
    assert.equal(now.state, 'active');
    made.push(data.id);
  }
});

await step('waits no longer than it is told', async () => {
  // An answer like the service's, of an operation that is long done, and of one that nobody knows.
  const answer = (id: string) => new Response(null, { headers: { 'Operation-Location': `/v1/operations/${id}` } });
  const { data } = await getConnection({ client, path: { id: made[0] ?? '' }, throwOnError: true });
  const done = await waitForOperation(client, answer(data.lastOperation?.id ?? ''), { patience: 0 });
  assert.equal(done.status, 'succeeded');
  const unknown = await refusal(waitForOperation(client, answer(crypto.randomUUID())));
  assert.equal(unknown.code, 'notFound');
  const busy = connect({
    baseUrl: sandbox.service,
    token: () => actor,
    fetch: async () => Response.json({ status: 'running' }, { headers: { 'Retry-After': '1' } }),
  });
  await assert.rejects(waitForOperation(busy, answer(crypto.randomUUID()), { patience: 500 }), OperationPending);
});

await step('lists in pages of one, newest first', async () => {
  const { data: page } = await listConnections({ client, query: { limit: 1 }, throwOnError: true });
  assert.equal(page.value.length, 1);
  assert.ok(page.nextLink);
  const all: string[] = [];
  for await (const connection of allConnections(client, 1)) {
    all.push(connection.id);
  }
  assert.deepEqual(all.filter((id) => made.includes(id)), [...made].reverse());
});

await step('reads the ledger in pages', async () => {
  const kinds: string[] = [];
  for await (const event of allEvents(client, made[1] ?? '', 1)) {
    kinds.push(event.kind);
  }
  assert.deepEqual(kinds, ['create.intended', 'create.accepted', 'create.succeeded']);
});

await step('may repeat itself', async () => {
  const { data, response } = await createConnection({
    client,
    body: request('typescript-1', '$Default'),
    headers: { 'x-ms-authorization-auxiliary': auxiliary },
    throwOnError: true,
  });
  assert.deepEqual([response.status, data.id], [200, made[0]]);
});

await step('meets a conflict as a typed problem', async () => {
  const call = createConnection({
    client,
    body: { ...request('typescript-1', '$Default'), target: { database } },
    headers: { 'x-ms-authorization-auxiliary': auxiliary },
    throwOnError: true,
  });
  const { code, status, problem } = await refusal(call);
  assert.deepEqual([code, status, problem.retryable], ['connectionExists', 409, false]);
  assert.ok(problem.requestId);
});

await step('is told which access is missing', async () => {
  const call = createConnection({ client, body: request('typescript-4', 'cg1'), throwOnError: true });
  const { code, problem } = await refusal(call);
  assert.equal(code, 'accessMissing');
  assert.deepEqual(problem.missing?.map((missing) => missing.tenant), [
    sandbox.tenants.find((tenant) => tenant.domains.includes('domain2.com'))?.id,
  ]);
});

await step('is told which member is wrong, also without throwing', async () => {
  const { error } = await createConnection({ client, body: request('a/b', 'cg1') });
  assert.equal(error?.code, 'invalidRequest');
  assert.deepEqual(error.errors?.map((wrong) => wrong.pointer), ['/name']);
});

await step('tells an answer of something else from a problem', async () => {
  const proxied = connect({
    baseUrl: sandbox.service,
    token: () => actor,
    fetch: async () => new Response('<html>', { status: 502 }),
  });
  await assert.rejects(listConnections({ client: proxied, throwOnError: true }), UnexpectedAnswer);
});

await step('removes with the target tenant alone, and keeps the record', async () => {
  for (const id of made) {
    const { response } = await removeConnection({
      client,
      path: { id },
      headers: { Prefer: 'respond-async' },
      throwOnError: true,
    });
    await waitForOperation(client, response, { patience: 60_000 });
    const { data } = await getConnection({ client, path: { id }, throwOnError: true });
    assert.equal(data.state, 'removed');
  }
});

console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
