"""How a client is made: whose tokens it sends, and what it retries."""

import base64
import inspect
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Mapping
from typing import Any
from uuid import UUID

import httpx
from attrs import define, field

from .generated.client import AuthenticatedClient
from .retry import AUXILIARY, AsyncRetryingClient, RetryingClient

TokenFunction = Callable[[], str | Awaitable[str]]
"""Returns a user token for this service, without `Bearer`; async functions are for async calls only."""

_MAX_AUXILIARY = 3
# Set in a request's extensions: whether each attempt adds the auxiliary tokens.
_ADDS_AUXILIARY = "tenant_bridge_adds_auxiliary"


class _UserTokens(httpx.Auth):
    """Adds the tokens of this moment to each request, so that they can be renewed."""

    def __init__(self, token: TokenFunction, auxiliary: Mapping[UUID, TokenFunction]) -> None:
        self._token = token
        self._auxiliary = auxiliary
        # The tenant of the token that was sent last.
        self._home: UUID | None = None

    def may_have(self, tenant_id: UUID) -> bool:
        # Whose an unreadable token is, the service tells.
        return self._home in (None, tenant_id) or tenant_id in self._auxiliary

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        self._add(request, [_now(function) for function in self._needed(request)])
        yield request

    async def async_auth_flow(
        self, request: httpx.Request
    ) -> AsyncGenerator[httpx.Request, httpx.Response]:
        self._add(request, [await _later(function) for function in self._needed(request)])
        yield request

    def _needed(self, request: httpx.Request) -> list[TokenFunction]:
        takes_others = request.method not in ("GET", "HEAD") and AUXILIARY not in request.headers
        adds = request.extensions.setdefault(_ADDS_AUXILIARY, takes_others)
        return [self._token, *(self._auxiliary.values() if adds else [])]

    def _add(self, request: httpx.Request, tokens: list[str]) -> None:
        token, *others = tokens
        self._home = _tenant_in(token)
        request.headers["Authorization"] = f"Bearer {token}"
        if others:
            request.headers[AUXILIARY] = ", ".join(f"Bearer {other}" for other in others)


def _tenant_in(token: str) -> UUID | None:
    """The tenant that issued a token; nothing if the token can't be read."""
    try:
        payload = token.split(".")[1]
        return UUID(json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["tid"])
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        return None


def _now(function: TokenFunction) -> str:
    token = function()
    if isinstance(token, str):
        return token
    if inspect.iscoroutine(token):
        token.close()
    raise TypeError("an async token function needs the async functions of the client")


async def _later(function: TokenFunction) -> str:
    token = function()
    return token if isinstance(token, str) else await token


@define
class BridgeClient(AuthenticatedClient):
    """A client for the generated functions; made by `connect`."""

    retries: int = field(default=3, kw_only=True)
    max_pause: float = field(default=30.0, kw_only=True)

    def get_httpx_client(self) -> httpx.Client:
        """The underlying client, which retries."""
        if self._client is None:
            self._client = RetryingClient(self.retries, self.max_pause, **self._arguments())
        return self._client

    def get_async_httpx_client(self) -> httpx.AsyncClient:
        """The underlying async client, which retries."""
        if self._async_client is None:
            self._async_client = AsyncRetryingClient(self.retries, self.max_pause, **self._arguments())
        return self._async_client

    def __enter__(self) -> "BridgeClient":
        super().__enter__()
        return self

    async def __aenter__(self) -> "BridgeClient":
        await super().__aenter__()
        return self

    def may_have_token_of(self, tenant_id: UUID) -> bool:
        """Whether the client may have a token of this tenant."""
        auth = self._httpx_args.get("auth")
        return auth.may_have(tenant_id) if isinstance(auth, _UserTokens) else True

    def _arguments(self) -> dict[str, Any]:
        return {
            "base_url": self._base_url,
            "cookies": self._cookies,
            "headers": self._headers,
            "timeout": self._timeout,
            "verify": self._verify_ssl,
            "follow_redirects": self._follow_redirects,
            **self._httpx_args,
        }


def connect(
    base_url: str,
    token: TokenFunction,
    auxiliary: Mapping[UUID, TokenFunction] | None = None,
    *,
    timeout: float = 130.0,
    retries: int = 3,
    max_pause: float = 30.0,
    httpx_args: Mapping[str, Any] | None = None,
) -> BridgeClient:
    """A client for the generated functions (`create_connection.sync_detailed(client=…)` and `asyncio_detailed`).

    `token` returns the token of the person who makes changes, `auxiliary` those of the person's accounts in other tenants, by
    tenant id: at most three. Every change sends them. The service rejects those of tenants that a change does not concern, so
    name the accounts of the connections that this client is for.

    Each change has an `Idempotency-Key` of its own unless it is given one, so a request that gets no answer, or 429, 502 or 503,
    is retried safely: at most `retries` times, with pauses of at most `max_pause` seconds. A longer `Retry-After` is left to the
    caller. An error response raises `ProblemError`, whatever its status.

    `timeout` (seconds) has to be longer than the longest `Prefer: wait=n`. `httpx_args` are further arguments of `httpx.Client`
    and `httpx.AsyncClient`. Redirects are not followed, because a token must not go to another host: they raise `UnexpectedAnswer`.
    """
    others = dict(auxiliary or {})
    if len(others) > _MAX_AUXILIARY:
        raise ValueError(f"a request has at most {_MAX_AUXILIARY} auxiliary tokens, not {len(others)}")
    return BridgeClient(
        base_url=base_url.rstrip("/"),
        # The generator's own header would hold one token for ever; the flow above replaces it.
        token="",
        timeout=httpx.Timeout(timeout),
        follow_redirects=False,
        retries=retries,
        max_pause=max_pause,
        httpx_args={**(httpx_args or {}), "auth": _UserTokens(token, others)},
    )
