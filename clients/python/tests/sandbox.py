"""The sandbox as `cargo sandbox --json` describes it, tokens from it, and changes of its emulated Azure."""

import json
import ssl
import sys
from typing import Any
from uuid import UUID

import httpx

with open(sys.argv[1], encoding="utf-8") as line:
    SANDBOX: dict[str, Any] = json.load(line)

SERVICE: str = SANDBOX["service"]
DATABASE: str = SANDBOX["resources"]["clusters"][0]["databases"][0]["id"]
HUB: str = SANDBOX["resources"]["namespaces"][0]["eventHubs"][1]["id"]
_TLS = ssl.create_default_context(cafile=SANDBOX["caFile"])


def tenant_of(domain: str) -> UUID:
    return next(UUID(tenant["id"]) for tenant in SANDBOX["tenants"] if domain in tenant["domains"])


def token_of(user: str, *contexts: str) -> str:
    """A token that the portal got for the user, for Tenant Bridge; `contexts` are what the sign-in satisfied."""
    asked = {
        "user": user,
        "tenant": user.split("@")[1],
        "app": "portal",
        "api": "tenant-bridge",
        "scopes": ["Connections.ReadWrite"],
        "clientCapabilities": ["cp1"],
        "contexts": contexts,
    }
    return str(_post(SANDBOX["userToken"], asked)["accessToken"])


def change(changes: dict[str, Any]) -> None:
    """Changes the emulated Azure."""
    _post(f"{SANDBOX['admin']}/admin/changes", changes)


async def fail_next_write(message: str) -> None:
    """Lets Azure fail the next write, once it has begun."""
    async with httpx.AsyncClient(verify=_TLS) as admin:
        while True:
            state = (await admin.get(f"{SANDBOX['admin']}/admin/state")).json()
            if any(operation["status"] == "Running" for operation in state["operations"]):
                failure = {"code": "InternalServerError", "message": message}
                await admin.post(f"{SANDBOX['admin']}/admin/changes", json={"failOperations": failure})
                return


def _post(url: str, body: dict[str, Any]) -> Any:
    return httpx.post(url, json=body, verify=_TLS).raise_for_status().json()
