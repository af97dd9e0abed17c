from enum import Enum


class ListConnectionsState(str, Enum):
    ACTIVE = "active"
    CREATING = "creating"
    FAILED = "failed"
    MISSING = "missing"
    REMOVED = "removed"
    REMOVING = "removing"
    UNSETTLED = "unsettled"

    def __str__(self) -> str:
        return str(self.value)
