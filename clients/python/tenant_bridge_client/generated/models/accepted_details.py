from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

T = TypeVar("T", bound="AcceptedDetails")


@_attrs_define
class AcceptedDetails:
    """Azure took the change: `create.accepted`, `remove.accepted`.

    Attributes:
        status (int): The HTTP status that Azure answered.
        duration_ms (int): How long Azure took to answer, in milliseconds.
        arm_request_id (str | Unset): Azure's id of the request.
        with_auxiliary (bool | Unset): Of a removal: whether the source's token went with it, because Azure demanded it.
        differences (list[str] | Unset): Where what was found at Azure differs from the record, as JSON pointers into
            it.
        fingerprint (str | Unset): SHA-256 of what was found, in hexadecimal.
    """

    status: int
    duration_ms: int
    arm_request_id: str | Unset = UNSET
    with_auxiliary: bool | Unset = UNSET
    differences: list[str] | Unset = UNSET
    fingerprint: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        status = self.status

        duration_ms = self.duration_ms

        arm_request_id = self.arm_request_id

        with_auxiliary = self.with_auxiliary

        differences: list[str] | Unset = UNSET
        if not isinstance(self.differences, Unset):
            differences = self.differences

        fingerprint = self.fingerprint

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "status": status,
                "durationMs": duration_ms,
            }
        )
        if arm_request_id is not UNSET:
            field_dict["armRequestId"] = arm_request_id
        if with_auxiliary is not UNSET:
            field_dict["withAuxiliary"] = with_auxiliary
        if differences is not UNSET:
            field_dict["differences"] = differences
        if fingerprint is not UNSET:
            field_dict["fingerprint"] = fingerprint

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        status = d.pop("status")

        duration_ms = d.pop("durationMs")

        arm_request_id = d.pop("armRequestId", UNSET)

        with_auxiliary = d.pop("withAuxiliary", UNSET)

        differences = cast(list[str], d.pop("differences", UNSET))

        fingerprint = d.pop("fingerprint", UNSET)

        accepted_details = cls(
            status=status,
            duration_ms=duration_ms,
            arm_request_id=arm_request_id,
            with_auxiliary=with_auxiliary,
            differences=differences,
            fingerprint=fingerprint,
        )

        accepted_details.additional_properties = d
        return accepted_details

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
