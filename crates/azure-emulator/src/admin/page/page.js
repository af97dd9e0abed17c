// Lets the journal grow while the page is open, and shows anew whether data flows.
"use strict";

const rows = document.getElementById("rows");
const MOST_ROWS = 500;

async function watch() {
  let after = rows.dataset.next;
  for (;;) {
    try {
      const reply = await fetch(`/rows?after=${after}&wait=30`);
      if (!reply.ok) throw new Error(`status ${reply.status}`);
      after = reply.headers.get("x-next");
      const html = await reply.text();
      if (html === "") continue;
      rows.insertAdjacentHTML("afterbegin", html);
      while (rows.rows.length > MOST_ROWS) rows.lastElementChild.remove();
      await showConnections();
    } catch {
      // The emulator is gone or starts anew: asked again, but not in a hurry.
      await new Promise((resolve) => setTimeout(resolve, 2000));
    }
  }
}

async function showConnections() {
  const place = document.getElementById("connections-now");
  if (!place) return;
  const reply = await fetch("/connections");
  if (reply.ok) place.innerHTML = await reply.text();
}

if (rows) watch();
