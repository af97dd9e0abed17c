// The sandbox as `cargo sandbox --json` describes it, tokens from it, and changes of its emulated Azure.

import { readFileSync } from 'node:fs';
import { request } from 'node:https';

/** The members that the scenario uses. */
export interface Sandbox {
  service: string;
  admin: string;
  userToken: string;
  caFile: string;
  tenants: { id: string; domains: string[] }[];
  resources: {
    clusters: { databases: { id: string }[] }[];
    namespaces: { eventHubs: { id: string; consumerGroups: string[] }[] }[];
  };
}

/** What a sign-in shows. */
export interface SignIn {
  clientCapabilities?: string[];
  contexts?: string[];
}

export const sandbox = JSON.parse(readFileSync(process.argv[2] ?? 'ready.json', 'utf8')) as Sandbox;

export function tenantOf(domain: string): string {
  const tenant = sandbox.tenants.find(({ domains }) => domains.includes(domain));
  if (tenant === undefined) {
    throw new Error(`no tenant ${domain}`);
  }
  return tenant.id;
}

/** A token that the portal got for the user, for Tenant Bridge. */
export async function tokenOf(user: string, signIn: SignIn = {}): Promise<string> {
  const scopes = ['Connections.ReadWrite'];
  const asked = { user, tenant: user.split('@')[1], app: 'portal', api: 'tenant-bridge', scopes, ...signIn };
  const { accessToken } = (await post(sandbox.userToken, asked)) as { accessToken: string };
  return accessToken;
}

/** Changes the emulated Azure. */
export async function change(changes: object): Promise<void> {
  await post(`${sandbox.admin}/admin/changes`, changes);
}

/** Lets Azure fail the next write, once it has begun. */
export async function failNextWrite(message: string): Promise<void> {
  for (;;) {
    const { operations } = (await send('GET', `${sandbox.admin}/admin/state`)) as { operations: { status: string }[] };
    if (operations.some(({ status }) => status === 'Running')) {
      return change({ failOperations: { code: 'InternalServerError', message } });
    }
  }
}

function post(url: string, body: object): Promise<unknown> {
  return send('POST', url, body);
}

function send(method: string, url: string, body?: object): Promise<unknown> {
  const headers = { 'content-type': 'application/json' };
  return new Promise((resolve, reject) => {
    // `fetch` takes no CA of one's own.
    const call = request(url, { method, headers, ca: readFileSync(sandbox.caFile) }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (part: string) => (text += part));
      answer.on('end', () => (answer.statusCode === 200 ? resolve(JSON.parse(text)) : reject(new Error(text))));
    });
    call.on('error', reject).end(body && JSON.stringify(body));
  });
}
