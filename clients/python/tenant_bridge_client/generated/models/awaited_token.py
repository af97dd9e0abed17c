from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar, cast
from uuid import UUID

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.awaiting_reason import AwaitingReason
from ..types import UNSET, Unset

T = TypeVar("T", bound="AwaitedToken")


@_attrs_define
class AwaitedToken:
    """A user token that an operation waits for.

    Attributes:
        tenant_id (UUID): The tenant of the token.
        reason (AwaitingReason | str): Why an operation waits for a user token. Later versions may add words: treat one
            that you do not know as a text.

            - `tokenMissing`: The service has no token of that tenant, or not one that is accepted: `POST …/continue`
            provides it, and so does repeating the request.
            - `claims`: The tenant requires more proof of its user: sign in with `claims`, and continue with the new token.
            - `notJoined`: Reserved: no person of the source's tenant has joined the operation yet. This version never sends
            it.
        tenant_name (str | Unset): That tenant's name, if this service's configuration has one.
        claims (str | Unset): The claims that the sign-in to that tenant requires, as JSON text: pass them on unchanged,
            as `claims` of the sign-in. Absent if
            no particular claims are required.
    """

    tenant_id: UUID
    reason: AwaitingReason | str
    tenant_name: str | Unset = UNSET
    claims: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        tenant_id = str(self.tenant_id)

        reason: str
        if isinstance(self.reason, AwaitingReason):
            reason = self.reason.value
        else:
            reason = self.reason

        tenant_name = self.tenant_name

        claims = self.claims

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "tenantId": tenant_id,
                "reason": reason,
            }
        )
        if tenant_name is not UNSET:
            field_dict["tenantName"] = tenant_name
        if claims is not UNSET:
            field_dict["claims"] = claims

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        tenant_id = UUID(d.pop("tenantId"))

        def _parse_reason(data: object) -> AwaitingReason | str:
            try:
                if not isinstance(data, str):
                    raise TypeError()
                componentsschemas_awaiting_reason_type_0 = AwaitingReason(data)

                return componentsschemas_awaiting_reason_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(AwaitingReason | str, data)

        reason = _parse_reason(d.pop("reason"))

        tenant_name = d.pop("tenantName", UNSET)

        claims = d.pop("claims", UNSET)

        awaited_token = cls(
            tenant_id=tenant_id,
            reason=reason,
            tenant_name=tenant_name,
            claims=claims,
        )

        awaited_token.additional_properties = d
        return awaited_token

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
