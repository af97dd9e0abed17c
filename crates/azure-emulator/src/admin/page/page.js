// Shows what the JSON API has, and makes changes through it. Everything is put in as text, never as markup.
"use strict";

const MAX_ROWS = 500;
const FIRST_ROWS = 50;
const HINDRANCES = {
  notProvisioned: "It is being made or removed.",
  eventHubMissing: "The event hub or its namespace is gone.",
  consumerGroupMissing: "The event hub has no such consumer group.",
  keyNotCurrent: "The key was rotated since it was fetched. A PUT fetches the new one.",
  localAuthDisabled: "The namespace refuses keys (disableLocalAuth).",
  databaseMissing: "The database is gone.",
  tableMissing: "The database has no such table.",
  mappingMissing: "The table has no such mapping.",
};

const byId = (id) => document.getElementById(id);
const tenantNames = new Map();

// An element; what is no element in it becomes text.
function element(tag, properties, ...content) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...content.flat());
  return made;
}
const strong = (text) => element("strong", {}, text);
const small = (text) => element("small", {}, text);
const code = (text) => element("code", {}, text);
const told = (className, text) => element("b", { className }, text);
const line = (...content) => element("div", {}, ...content);
const time = (text) => text.slice(0, 19).replace("T", " ");
// The last names of a resource id: `adx1/telemetry` of a database's.
const short = (id, names) => id.split("/").filter((_, i, all) => (all.length - i) % 2 === 1).slice(-names).join("/");

// A row whose cells carry their columns' names, for windows too narrow for columns.
function row(table, cells) {
  const names = [...table.tHead.rows[0].cells].map((head) => head.textContent);
  const cell = (content, i) => {
    const made = element("td", {}, line(...[content].flat()));
    made.dataset.label = names[i];
    return made;
  };
  return element("tr", {}, cells.map(cell));
}

function fill(id, items, cells) {
  const table = document.querySelector(`#${id} table`);
  table.tBodies[0].replaceChildren(...items.map((item) => row(table, cells(item))));
}

async function ask(path, method = "GET", body = undefined) {
  const headers = body === undefined ? {} : { "content-type": "application/json" };
  const reply = await fetch(path, { method, headers, body: JSON.stringify(body) });
  const answer = reply.status === 204 ? {} : await reply.json();
  if (!reply.ok) throw new Error([answer.error, answer.path, answer.fix].filter(Boolean).join(" · "));
  return answer;
}

// Does something at the API, shows everything anew, and tells why where it was refused.
async function act(path, method, body) {
  const refusal = byId("refusal");
  refusal.hidden = true;
  try {
    await ask(path, method, body);
    await showAll();
  } catch (error) {
    refusal.textContent = error.message;
    refusal.hidden = false;
  }
}

// A button that makes a change.
function change(name, members, label) {
  return element("button", { type: "button", onclick: () => act("/admin/changes", "POST", { [name]: members }) }, label);
}

function showConnections(state) {
  fill("connections", state.dataConnections, (connection) => {
    const properties = connection.properties;
    const table = properties.tableName || "no table";
    const mapping = properties.mappingRuleName ? ` by ${properties.mappingRuleName}` : "";
    const hub = properties.eventHubResourceId;
    const flow = connection.ingestion;
    return [
      [strong(short(connection.id, 1)), small(connection.provisioning)],
      [hub ? short(hub, 2) : connection.kind, small(`${properties.consumerGroup ?? ""} of ${connection.sourceTenant ?? "elsewhere"}`)],
      [short(connection.id.split("/dataConnections/")[0], 2), small(table + mapping)],
      [connection.createdBy, small(time(connection.createdAt))],
      !flow ? "" : flow.flows ? told("good", "flows") : [
        told("bad", "stands still"),
        element("ul", {}, flow.reasons.map((reason) => element("li", {}, HINDRANCES[reason] ?? reason))),
      ],
      change("removeDataConnection", { id: connection.id }, "Remove it behind ARM’s back"),
    ];
  });
}

function showDirectory(state) {
  fill("tenants", state.tenants, (tenant) => [
    [strong(tenant.domains.join(", ")), small(tenant.name)],
    code(tenant.id),
    tenant.administrators.join(", ") || "everybody in it",
    [
      tenant.requiresMfa ? told("mixed", "demanded of everyone") : "",
      change("requireMfa", { tenant: tenant.id, required: !tenant.requiresMfa }, tenant.requiresMfa ? "Demand it no more" : "Demand it of everyone"),
    ],
  ]);
  fill("policies", state.policies, (policy) => {
    const age = policy.signInFrequencySeconds;
    return [
      [strong(policy.name), small(policy.tenant)],
      [policy.guests ? "guests" : [], policy.principals].flat().join(", ") || "everybody",
      policy.resources.join(", ") || "everything",
      [policy.requires, age && `a sign-in younger than ${age} s`].filter(Boolean).join(", "),
      change("removePolicy", { policy: policy.id }, "Remove"),
    ];
  });
  fill("users", state.users, (user) => [
    [strong(user.upn), user.enabled ? "" : told("bad", " disabled"), small(user.name)],
    user.memberships.map((membership) => line(membership.tenant, membership.guest ? " as a guest" : "", small(membership.oid))),
    user.sessionsRevoked ? `revoked ${time(user.sessionsRevoked)}` : "",
    [
      change("revokeSessions", { user: user.upn }, "Revoke sessions"),
      user.enabled ? change("disableUser", { user: user.upn }, "Disable") : change("enableUser", { user: user.upn }, "Enable"),
    ],
  ]);
  fill("groups", state.groups, (group) => [[strong(group.name), small(group.id)], group.tenant, group.members.join(", ")]);
  fill("consents", state.consents, (consent) => [
    strong(consent.app),
    consent.tenant,
    [consent.resource, small(consent.scopes.join(" "))],
    consent.user ?? "everyone",
    change("revokeConsent", { app: consent.app, tenant: consent.tenant }, "Revoke"),
  ]);
  fill("apps", state.apps, (app) => {
    const kinds = [[app.secrets, "secret"], [app.certificates.length, "certificate"], [app.federatedCredentials.length, "federated"]];
    const credentials = kinds.filter(([count]) => count > 0).map(([count, kind]) => `${count} ${kind}`);
    return [[strong(app.name), line(code(app.clientId))], app.scopes.join(" "), app.provisionedIn.join(" "), credentials.join(", ")];
  });
}

function showResources(state) {
  fill("roles", state.roleAssignments, (given) => [
    [strong(given.principal), small(given.tenant)],
    given.role,
    [short(given.scope, 1), small(given.scope)],
    change("revokeRoles", { principal: given.oid, scope: given.scope }, "Revoke"),
  ]);
  fill("hubs", state.namespaces, (namespace) => [
    [strong(namespace.name), small(namespace.tenant)],
    namespace.eventHubs.map((hub) => line(hub.name, small(["$Default", ...hub.consumerGroups].join(" ")))),
    [
      namespace.localAuthEnabled ? "" : told("bad", "refused"),
      ...namespace.authorizationRules.map((rule) =>
        line(rule.name, small(`rotated: primary ${rule.primaryKeyRotations}×, secondary ${rule.secondaryKeyRotations}×`))),
    ],
    [
      ...namespace.authorizationRules.map((rule) =>
        change("rotateHubKey", { namespace: namespace.id, rule: rule.name, key: "primary" }, `Rotate ${rule.name}’s primary key`)),
      change("setLocalAuth", { namespace: namespace.id, enabled: !namespace.localAuthEnabled }, namespace.localAuthEnabled ? "Refuse keys" : "Accept keys"),
    ],
  ]);
  const databases = state.clusters.flatMap((cluster) => cluster.databases.map((database) => ({ cluster, database })));
  fill("clusters", databases, ({ cluster, database }) => [
    [strong(cluster.name), small(cluster.tenant)],
    database.name,
    database.tables.map((table) =>
      line(table.name, small(table.mappings.join(" ")), change("removeTable", { database: database.id, table: table.name }, `Drop ${table.name}`))),
  ]);
}

async function showAll() {
  const [state, faults] = await Promise.all([ask("/admin/state"), ask("/admin/faults")]);
  for (const tenant of state.tenants) tenantNames.set(tenant.id, tenant.domains[0]);
  byId("entra").textContent = state.entra;
  byId("arm").textContent = state.arm;
  byId("clock").replaceChildren(`${time(state.now)} UTC `,
    change("advanceClock", { seconds: 3600 }, "+ 1 hour"), change("advanceClock", { seconds: 86400 }, "+ 1 day"));
  byId("keys").replaceChildren(`${state.settings.signingKeys.length} published `,
    change("rotateSigningKey", {}, "Rotate"), change("retireSigningKeys", {}, "Retire the old ones"));
  showConnections(state);
  showDirectory(state);
  showResources(state);
  fill("faults", faults.value, (fault) => [
    fault.host,
    fault.method ?? "any",
    code(fault.path),
    `${fault.met} of ${fault.times ?? "always"}`,
    code([fault.effect, fault.latency].filter(Boolean).map((part) => JSON.stringify(part)).join(" ")),
  ]);
}

function call(entry) {
  const token = entry.primary ?? entry.grant?.issued ?? entry.grant?.assertion;
  const number = entry.responseBody?.error_codes?.[0];
  const notes = [entry.grant?.grantType?.split(":").at(-1), entry.responseBody?.error?.code ?? (number && `AADSTS${number}`)];
  const whole = element("details", {}, element("summary", {}, String(entry.sequence)));
  whole.addEventListener("toggle", () => whole.append(element("pre", {}, JSON.stringify(entry, null, 2))), { once: true });
  const good = entry.delivered && entry.status < 400;
  const bad = !entry.delivered || entry.status >= 500;
  const cut = entry.status === 0 ? "cut" : `${entry.status}, cut`;
  return [
    [whole, small(entry.at.slice(11, 19))],
    entry.host === "entra" ? "login" : "ARM",
    [element("b", {}, entry.method), " ", code(entry.pathAndQuery), small(notes.filter(Boolean).join(" · "))],
    told(good ? "good" : bad ? "bad" : "mixed", entry.delivered ? String(entry.status) : cut),
    token?.upn ?? "",
    entry.auxiliary.map((auxiliary) => tenantNames.get(auxiliary.tenant) ?? auxiliary.tenant).join(" "),
  ];
}

// Lets the journal grow while the page is open, and shows anew whether data flows.
async function watch() {
  const table = document.querySelector("#calls table");
  const body = table.tBodies[0];
  let query = `last=${FIRST_ROWS}`;
  for (;;) {
    try {
      const { value, next } = await ask(`/admin/journal?${query}`);
      for (const entry of value) body.prepend(row(table, call(entry)));
      while (body.rows.length > MAX_ROWS) body.lastElementChild.remove();
      if (value.length > 0) showConnections(await ask("/admin/state"));
      query = `after=${next}&wait=30`;
    } catch {
      // The emulator is gone or starts anew: asked again, but not in a hurry.
      await new Promise((resolve) => setTimeout(resolve, 2000));
    }
  }
}

byId("fault").addEventListener("submit", (event) => {
  event.preventDefault();
  const { host, method, path, times, what } = Object.fromEntries(new FormData(event.target));
  act("/admin/faults", "POST", { host, path, times: Number(times), ...(method && { method }), ...JSON.parse(what) });
});
byId("clear").addEventListener("click", () => act("/admin/faults", "DELETE"));
showAll().then(watch);
