from enum import Enum


class ListConnectionsKind(str, Enum):
    EVENTHUB = "eventHub"

    def __str__(self) -> str:
        return str(self.value)
