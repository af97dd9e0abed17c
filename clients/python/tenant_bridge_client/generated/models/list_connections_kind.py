from enum import Enum


class ListConnectionsKind(str, Enum):
    EVENTHUB = "EventHub"

    def __str__(self) -> str:
        return str(self.value)
