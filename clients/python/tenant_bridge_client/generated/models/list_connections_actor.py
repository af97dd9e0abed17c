from enum import Enum


class ListConnectionsActor(str, Enum):
    ME = "me"

    def __str__(self) -> str:
        return str(self.value)
