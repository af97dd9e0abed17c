"""Steps that print `ok` or `not ok`; the last line counts them."""

import inspect
import traceback
from collections.abc import Awaitable, Callable


class Steps:
    """Runs steps; one that fails does not hide the others."""

    def __init__(self) -> None:
        self.passed = 0
        self.failed = 0

    def run(self, *steps: Callable[[], None]) -> None:
        for step in steps:
            try:
                step()
            except Exception:
                self._fails(step)
            else:
                self._passes(step)

    async def run_async(self, *steps: Callable[[], Awaitable[None]]) -> None:
        for step in steps:
            try:
                await step()
            except Exception:
                self._fails(step)
            else:
                self._passes(step)

    def end(self) -> int:
        print(f"{self.passed} passed, {self.failed} failed")
        return 1 if self.failed else 0

    def _passes(self, step: Callable[[], object]) -> None:
        self.passed += 1
        print(f"ok - python: {_name(step)}", flush=True)

    def _fails(self, step: Callable[[], object]) -> None:
        self.failed += 1
        print(f"not ok - python: {_name(step)}\n{traceback.format_exc()}", flush=True)


def _name(step: Callable[[], object]) -> str:
    assert inspect.isroutine(step)
    return step.__name__.replace("_", " ")
