from enum import Enum


class ListConnectionsState(str, Enum):
    ACTIVE = "Active"
    CREATING = "Creating"
    FAILED = "Failed"
    MISSING = "Missing"
    REMOVED = "Removed"
    REMOVING = "Removing"
    UNSETTLED = "Unsettled"

    def __str__(self) -> str:
        return str(self.value)
