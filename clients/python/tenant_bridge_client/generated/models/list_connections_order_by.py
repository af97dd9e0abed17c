from enum import Enum


class ListConnectionsOrderBy(str, Enum):
    CREATION = "creation"
    NAME = "name"

    def __str__(self) -> str:
        return str(self.value)
