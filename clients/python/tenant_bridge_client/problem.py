"""Problems (RFC 9457) as exceptions."""

import base64
import re
from typing import TypeVar

from .generated.models.problem import Problem
from .generated.types import Response

T = TypeVar("T")


class ProblemError(Exception):
    """A refusal or failure of the service. Build on `code`: it is stable."""

    def __init__(self, problem: Problem, response: Response[T]) -> None:
        super().__init__(f"{problem.title} ({problem.code}): {problem.detail}")
        self.problem = problem
        self.headers = response.headers

    @property
    def code(self) -> str:
        """The kind of problem in one word."""
        return self.problem.code

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.problem.status

    @property
    def retry_after(self) -> int | None:
        """When to try again, in seconds, if the service said so."""
        return seconds_of(self.headers.get("Retry-After"))

    @property
    def claims(self) -> str | None:
        """The claims that the user has to sign in with, as JSON text, if that is what was refused."""
        found = re.search(r'\bclaims="([^"]+)"', self.headers.get("WWW-Authenticate") or "")
        return base64.b64decode(found[1]).decode() if found else None


class UnexpectedAnswer(Exception):
    """An answer that is neither what the document says nor a problem: of something between here and the service."""

    def __init__(self, status: int) -> None:
        super().__init__(f"unexpected answer: {status}")
        self.status = status


def unwrap(response: Response[Problem | T]) -> T:
    """What was asked for; raises `ProblemError` for a refusal."""
    if isinstance(response.parsed, Problem):
        raise ProblemError(response.parsed, response)
    if response.parsed is None:
        raise UnexpectedAnswer(response.status_code.value)
    return response.parsed


def seconds_of(text: str | None) -> int | None:
    """The seconds that a `Retry-After` names (RFC 9110, section 10.2.3); the service sends no dates."""
    return int(text) if text and text.strip().isdecimal() else None
