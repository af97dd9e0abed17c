from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="CreateRepeatedDetails")


@_attrs_define
class CreateRepeatedDetails:
    """A create that had no effect so far is sent again: `create.repeated`.

    Attributes:
        absence_seen_at (datetime.datetime): When a read found once more that nothing had the name.
        dispatches (int): How often it was sent before.
    """

    absence_seen_at: datetime.datetime
    dispatches: int
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        absence_seen_at = self.absence_seen_at.isoformat()

        dispatches = self.dispatches

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "absenceSeenAt": absence_seen_at,
                "dispatches": dispatches,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        absence_seen_at = datetime.datetime.fromisoformat(d.pop("absenceSeenAt"))

        dispatches = d.pop("dispatches")

        create_repeated_details = cls(
            absence_seen_at=absence_seen_at,
            dispatches=dispatches,
        )

        create_repeated_details.additional_properties = d
        return create_repeated_details

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties
