"""The endpoints, a module each: `create_connection.sync_detailed(…)` for threads, `asyncio_detailed(…)` for async code."""

from .generated.endpoints import *  # noqa: F403
from .generated.endpoints import __all__ as __all__
