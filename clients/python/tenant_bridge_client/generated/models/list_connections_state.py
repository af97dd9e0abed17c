from enum import Enum


class ListConnectionsState(str, Enum):
    UNSETTLED = "unsettled"

    def __str__(self) -> str:
        return str(self.value)
