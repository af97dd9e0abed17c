from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar

from attrs import define as _attrs_define

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.create_source import CreateSource
    from ..models.create_target import CreateTarget


T = TypeVar("T", bound="CreateConnection")


@_attrs_define
class CreateConnection:
    """What is to be connected to what.

    Attributes:
        name (str): The data connection's name: 1 to 40 letters, digits, hyphens, spaces and periods. Example:
            telemetry.
        target (CreateTarget): Where the events go.
        source (CreateSource): The source of the events: exactly one member, which names its kind.
        justification (str | Unset): Why it is wanted, for those who will ask: shown to the people who requested the
            connection or a change of it, and to callers who see it from the
            target's side: an account of the target's tenant that took part in it or has `Connections.Read.All` there, and
            callers who
            may read the data connection at Azure. Not shown to others of the source's tenant, to callers who see it by the
            event hub,
            and to operators; the ledger contains only a salted hash of it.
    """

    name: str
    target: CreateTarget
    source: CreateSource
    justification: str | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        name = self.name

        target = self.target.to_dict()

        source = self.source.to_dict()

        justification = self.justification

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "name": name,
                "target": target,
                "source": source,
            }
        )
        if justification is not UNSET:
            field_dict["justification"] = justification

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.create_source import CreateSource
        from ..models.create_target import CreateTarget

        d = dict(src_dict)
        name = d.pop("name")

        target = CreateTarget.from_dict(d.pop("target"))

        source = CreateSource.from_dict(d.pop("source"))

        justification = d.pop("justification", UNSET)

        create_connection = cls(
            name=name,
            target=target,
            source=source,
            justification=justification,
        )

        return create_connection
