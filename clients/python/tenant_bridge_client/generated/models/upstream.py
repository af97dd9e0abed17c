from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

T = TypeVar("T", bound="Upstream")


@_attrs_define
class Upstream:
    """An answer of Entra or ARM that a problem or failure goes back to.

    Attributes:
        service (str): `entra` or `arm`.
        code (str | Unset): Its own error code.
        request_id (str | Unset): Its request id: what its support will ask for.
        status (int | Unset): The HTTP status it answered, if it answered.
    """

    service: str
    code: str | Unset = UNSET
    request_id: str | Unset = UNSET
    status: int | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        service = self.service

        code = self.code

        request_id = self.request_id

        status = self.status

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "service": service,
            }
        )
        if code is not UNSET:
            field_dict["code"] = code
        if request_id is not UNSET:
            field_dict["requestId"] = request_id
        if status is not UNSET:
            field_dict["status"] = status

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        service = d.pop("service")

        code = d.pop("code", UNSET)

        request_id = d.pop("requestId", UNSET)

        status = d.pop("status", UNSET)

        upstream = cls(
            service=service,
            code=code,
            request_id=request_id,
            status=status,
        )

        upstream.additional_properties = d
        return upstream

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
