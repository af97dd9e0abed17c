// The sandbox as `cargo sandbox --json` describes it, and tokens from it.

import { readFileSync } from 'node:fs';
import { request } from 'node:https';

/** The members that the scenario uses. */
export interface Sandbox {
  service: string;
  userToken: string;
  caFile: string;
  tenants: { id: string; domains: string[] }[];
  resources: {
    clusters: { databases: { id: string }[] }[];
    namespaces: { eventHubs: { id: string; consumerGroups: string[] }[] }[];
  };
}

export function sandboxOf(file: string): Sandbox {
  return JSON.parse(readFileSync(file, 'utf8')) as Sandbox;
}

/** A token that the portal got for the user, for Tenant Bridge. */
export function tokenOf(sandbox: Sandbox, user: string): Promise<string> {
  const tenant = user.split('@')[1];
  const scopes = ['Connections.ReadWrite'];
  const body = JSON.stringify({ user, tenant, app: 'portal', api: 'tenant-bridge', scopes });
  return new Promise((resolve, reject) => {
    // `fetch` takes no CA of one's own.
    const call = request(sandbox.userToken, { method: 'POST', ca: readFileSync(sandbox.caFile) }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (part: string) => (text += part));
      answer.on('end', () => {
        const { accessToken } = JSON.parse(text) as { accessToken?: string };
        accessToken ? resolve(accessToken) : reject(new Error(text));
      });
    });
    call.on('error', reject).end(body);
  });
}
