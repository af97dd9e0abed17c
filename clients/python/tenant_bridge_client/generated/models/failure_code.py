from enum import Enum


class FailureCode(str, Enum):
    AZUREFAILED = "azureFailed"
    AZUREREFUSED = "azureRefused"
    CONTESTED = "contested"
    DRIFTED = "drifted"
    NAMETAKEN = "nameTaken"
    NOTSENT = "notSent"
    PARENTMISSING = "parentMissing"

    def __str__(self) -> str:
        return str(self.value)
