from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

T = TypeVar("T", bound="DeferredDetails")


@_attrs_define
class DeferredDetails:
    """Azure did nothing and wants the same asked later: `change.putOff`.

    Attributes:
        wait_ms (int): How long the change waits, in milliseconds.
        code (str | Unset): Azure's own error code.
        status (int | Unset): The HTTP status that Azure answered.
    """

    wait_ms: int
    code: str | Unset = UNSET
    status: int | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        wait_ms = self.wait_ms

        code = self.code

        status = self.status

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "waitMs": wait_ms,
            }
        )
        if code is not UNSET:
            field_dict["code"] = code
        if status is not UNSET:
            field_dict["status"] = status

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        wait_ms = d.pop("waitMs")

        code = d.pop("code", UNSET)

        status = d.pop("status", UNSET)

        deferred_details = cls(
            wait_ms=wait_ms,
            code=code,
            status=status,
        )

        deferred_details.additional_properties = d
        return deferred_details

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
