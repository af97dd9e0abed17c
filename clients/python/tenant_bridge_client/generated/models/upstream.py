from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.upstream_service import UpstreamService
from ..types import UNSET, Unset

T = TypeVar("T", bound="Upstream")


@_attrs_define
class Upstream:
    """An answer of Entra or Azure Resource Manager that a problem or failure goes back to.

    Attributes:
        service (str | UpstreamService): A service that this one calls. Later versions may add words: treat one that you
            do not know as a text.

            - `arm`: Azure Resource Manager.
            - `entra`: Microsoft Entra.
        status (int | Unset): The HTTP status it answered, if it answered.
        code (str | Unset): Its own error code.
        request_id (str | Unset): Its request id: what its support will ask for.
    """

    service: str | UpstreamService
    status: int | Unset = UNSET
    code: str | Unset = UNSET
    request_id: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        service: str
        if isinstance(self.service, UpstreamService):
            service = self.service.value
        else:
            service = self.service

        status = self.status

        code = self.code

        request_id = self.request_id

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "service": service,
            }
        )
        if status is not UNSET:
            field_dict["status"] = status
        if code is not UNSET:
            field_dict["code"] = code
        if request_id is not UNSET:
            field_dict["requestId"] = request_id

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)

        def _parse_service(data: object) -> str | UpstreamService:
            try:
                if not isinstance(data, str):
                    raise TypeError()
                componentsschemas_upstream_service_type_0 = UpstreamService(data)

                return componentsschemas_upstream_service_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(str | UpstreamService, data)

        service = _parse_service(d.pop("service"))

        status = d.pop("status", UNSET)

        code = d.pop("code", UNSET)

        request_id = d.pop("requestId", UNSET)

        upstream = cls(
            service=service,
            status=status,
            code=code,
            request_id=request_id,
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
