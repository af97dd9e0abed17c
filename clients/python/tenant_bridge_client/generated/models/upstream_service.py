from enum import Enum


class UpstreamService(str, Enum):
    ARM = "arm"
    ENTRA = "entra"

    def __str__(self) -> str:
        return str(self.value)
