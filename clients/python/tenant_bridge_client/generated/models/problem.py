from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar
from uuid import UUID

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.field_error import FieldError
    from ..models.missing import Missing
    from ..models.upstream import Upstream


T = TypeVar("T", bound="Problem")


@_attrs_define
class Problem:
    """What went wrong, for people and programs.

    Attributes:
        code (str): The kind of problem in one word; stable. The header `x-ms-error-code` repeats it.
        detail (str): What is wrong in this case, and how to fix it.
        request_id (str): The request, as the service's log knows it.
        retryable (bool): Whether the same request may succeed later.
        status (int): The HTTP status.
        title (str): A short summary, the same each time.
        type_ (str): Identifies the kind of problem; stable.
        comparison (str | Unset): How what Azure holds compares with the record, where that is the reason: `differs` or
            `replaced`.
        connection_id (UUID | Unset): The connection whose change ended like this.
        errors (list[FieldError] | Unset): The members of the request that are wrong.
        missing (list[Missing] | Unset): The access that is missing, and how to get it.
        operation_id (UUID | Unset): The operation that ended like this: a refusal without one left everything as it
            was.
        upstream (Upstream | Unset): An answer of Entra or ARM that a problem or failure goes back to.
    """

    code: str
    detail: str
    request_id: str
    retryable: bool
    status: int
    title: str
    type_: str
    comparison: str | Unset = UNSET
    connection_id: UUID | Unset = UNSET
    errors: list[FieldError] | Unset = UNSET
    missing: list[Missing] | Unset = UNSET
    operation_id: UUID | Unset = UNSET
    upstream: Upstream | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        code = self.code

        detail = self.detail

        request_id = self.request_id

        retryable = self.retryable

        status = self.status

        title = self.title

        type_ = self.type_

        comparison = self.comparison

        connection_id: str | Unset = UNSET
        if not isinstance(self.connection_id, Unset):
            connection_id = str(self.connection_id)

        errors: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.errors, Unset):
            errors = []
            for errors_item_data in self.errors:
                errors_item = errors_item_data.to_dict()
                errors.append(errors_item)

        missing: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.missing, Unset):
            missing = []
            for missing_item_data in self.missing:
                missing_item = missing_item_data.to_dict()
                missing.append(missing_item)

        operation_id: str | Unset = UNSET
        if not isinstance(self.operation_id, Unset):
            operation_id = str(self.operation_id)

        upstream: dict[str, Any] | Unset = UNSET
        if not isinstance(self.upstream, Unset):
            upstream = self.upstream.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "code": code,
                "detail": detail,
                "requestId": request_id,
                "retryable": retryable,
                "status": status,
                "title": title,
                "type": type_,
            }
        )
        if comparison is not UNSET:
            field_dict["comparison"] = comparison
        if connection_id is not UNSET:
            field_dict["connectionId"] = connection_id
        if errors is not UNSET:
            field_dict["errors"] = errors
        if missing is not UNSET:
            field_dict["missing"] = missing
        if operation_id is not UNSET:
            field_dict["operationId"] = operation_id
        if upstream is not UNSET:
            field_dict["upstream"] = upstream

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.field_error import FieldError
        from ..models.missing import Missing
        from ..models.upstream import Upstream

        d = dict(src_dict)
        code = d.pop("code")

        detail = d.pop("detail")

        request_id = d.pop("requestId")

        retryable = d.pop("retryable")

        status = d.pop("status")

        title = d.pop("title")

        type_ = d.pop("type")

        comparison = d.pop("comparison", UNSET)

        _connection_id = d.pop("connectionId", UNSET)
        connection_id: UUID | Unset
        if isinstance(_connection_id, Unset):
            connection_id = UNSET
        else:
            connection_id = UUID(_connection_id)

        _errors = d.pop("errors", UNSET)
        errors: list[FieldError] | Unset = UNSET
        if _errors is not UNSET:
            errors = []
            for errors_item_data in _errors:
                errors_item = FieldError.from_dict(errors_item_data)

                errors.append(errors_item)

        _missing = d.pop("missing", UNSET)
        missing: list[Missing] | Unset = UNSET
        if _missing is not UNSET:
            missing = []
            for missing_item_data in _missing:
                missing_item = Missing.from_dict(missing_item_data)

                missing.append(missing_item)

        _operation_id = d.pop("operationId", UNSET)
        operation_id: UUID | Unset
        if isinstance(_operation_id, Unset):
            operation_id = UNSET
        else:
            operation_id = UUID(_operation_id)

        _upstream = d.pop("upstream", UNSET)
        upstream: Upstream | Unset
        if isinstance(_upstream, Unset):
            upstream = UNSET
        else:
            upstream = Upstream.from_dict(_upstream)

        problem = cls(
            code=code,
            detail=detail,
            request_id=request_id,
            retryable=retryable,
            status=status,
            title=title,
            type_=type_,
            comparison=comparison,
            connection_id=connection_id,
            errors=errors,
            missing=missing,
            operation_id=operation_id,
            upstream=upstream,
        )

        problem.additional_properties = d
        return problem

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
