"""Problems (RFC 9457) as exceptions."""

import base64
import math
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import ClassVar, TypeVar
from uuid import UUID

import httpx

from .generated.models.field_error import FieldError
from .generated.models.missing import Missing
from .generated.models.problem import Problem
from .generated.types import Response

T = TypeVar("T")


class ProblemError(Exception):
    """An error response of the service, whatever its status. Build on `code`: it is stable."""

    def __init__(self, problem: Problem, status: int, headers: httpx.Headers) -> None:
        super().__init__(f"{problem.title} ({problem.code}): {problem.detail}")
        self.problem = problem
        self.status = status
        self.headers = headers

    @property
    def code(self) -> str:
        """The kind of problem in one word. Later versions of the service may have more than this client's document names."""
        return str(self.problem.code)

    @property
    def retry_after(self) -> int | None:
        """When to try again, in seconds, if the service said so."""
        return seconds_of(self.headers.get("Retry-After"))

    def _challenge(self, name: str) -> str | None:
        found = re.search(rf'\b{name}="([^"]+)"', self.headers.get("WWW-Authenticate", ""))
        return found[1] if found else None

    @property
    def tenant_id(self) -> UUID | None:
        """The tenant that requires more proof of its user, if that is what the problem is."""
        tenant = self._challenge("realm")
        return UUID(tenant) if tenant else None

    @property
    def claims(self) -> str | None:
        """The claims that the sign-in to that tenant requires, as JSON text."""
        claims = self._challenge("claims")
        return base64.b64decode(claims).decode() if claims else None


class AccessMissing(ProblemError):
    """Access is missing in some tenant: `missing` says which, and how to get it."""

    codes: ClassVar = ("accessMissing",)

    @property
    def missing(self) -> list[Missing]:
        return self.problem.missing or []


class InvalidRequest(ProblemError):
    """The request is wrong: `errors` says where."""

    codes: ClassVar = ("invalidRequest",)

    @property
    def errors(self) -> list[FieldError]:
        return self.problem.errors or []


class ChangeFailed(ProblemError):
    """The change failed; if it was recorded, the connection and the operation tell more."""

    codes: ClassVar = ("createFailed", "removeFailed", "drifted", "contested", "parentMissing")

    @property
    def connection_id(self) -> UUID | None:
        return self.problem.connection_id or None

    @property
    def operation_id(self) -> UUID | None:
        return self.problem.operation_id or None


_BY_CODE: dict[str, type[ProblemError]] = {
    code: kind for kind in (AccessMissing, InvalidRequest, ChangeFailed) for code in kind.codes
}


class UnexpectedAnswer(Exception):
    """An answer that is neither what the document says nor a problem: of something between here and the service."""

    def __init__(self, status: int, retry_after: int | None = None) -> None:
        super().__init__(f"unexpected answer: {status}")
        self.status = status
        self.retry_after = retry_after
        """When to try again, in seconds, if the answer said so."""


def may_pass(error: Exception) -> bool:
    """Whether a request that failed in this way may succeed later: also where something between here and the service answered."""
    if isinstance(error, ProblemError):
        return error.problem.retryable
    if isinstance(error, UnexpectedAnswer):
        return error.status >= 500 or error.status in (408, 429)
    # These two say that the request can't be sent at all.
    is_local = isinstance(error, (httpx.UnsupportedProtocol, httpx.LocalProtocolError))
    return isinstance(error, httpx.TransportError) and not is_local


def retry_after_of(error: Exception) -> int:
    """The seconds that a failed request should wait for: 0 if its answer named none."""
    return (error.retry_after or 0) if isinstance(error, (ProblemError, UnexpectedAnswer)) else 0


def problem_in(response: httpx.Response) -> Problem | None:
    """The problem of an error response, if the service sent it."""
    if response.headers.get("Content-Type", "").partition(";")[0].strip() != "application/problem+json":
        return None
    try:
        return Problem.from_dict(response.json())
    except (KeyError, TypeError, ValueError):
        return None


def raise_for_error(response: httpx.Response) -> httpx.Response:
    """The response, unless it is an error or a redirect, which is raised."""
    if not (response.is_error or response.has_redirect_location):
        return response
    problem = problem_in(response)
    if problem is None:
        raise UnexpectedAnswer(response.status_code, seconds_of(response.headers.get("Retry-After")))
    kind = _BY_CODE.get(str(problem.code), ProblemError)
    raise kind(problem, response.status_code, response.headers)


def unwrap(response: Response[Problem | T]) -> T:
    """What was asked for. Error responses were raised before."""
    if response.parsed is None or isinstance(response.parsed, Problem):
        raise UnexpectedAnswer(response.status_code.value)
    return response.parsed


def seconds_of(text: str | None) -> int | None:
    """The seconds that a `Retry-After` names, as a number or as a date (RFC 9110, section 10.2.3)."""
    if not text:
        return None
    if text.strip().isdecimal():
        return int(text)
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    seconds = (at if at.tzinfo else at.replace(tzinfo=UTC)) - datetime.now(UTC)
    return max(math.ceil(seconds.total_seconds()), 0)
