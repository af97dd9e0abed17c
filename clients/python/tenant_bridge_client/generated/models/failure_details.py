from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.comparison_word import ComparisonWord
from ..models.failure_code import FailureCode
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.upstream import Upstream


T = TypeVar("T", bound="FailureDetails")


@_attrs_define
class FailureDetails:
    """Why a change ended, or why Azure did not take it: `create.failed`, `remove.failed`, `create.held`, `remove.held`.
    Azure's code, never
    its sentence, which may name people.

        Attributes:
            code (FailureCode | str): Why an operation ended without its change; stable. Later versions may add words: treat
                one that you do not know as a text.

                - `azureFailed`: Azure took the change and then reported that it failed.
                - `azureRefused`: Azure refused the change.
                - `notSent`: The change was never made: it did not reach Azure.
                - `nameTaken`: Azure already has a data connection of this name.
                - `parentMissing`: The parent database is gone, so that the absence of the data connection proves nothing.
                - `drifted`: What is at Azure is not what is recorded; `comparison` says how, and the connection's `found` what
                it is.
                - `contested`: Azure processed a create as an update: it replaced what another person had created.
            comparison (ComparisonWord | str | Unset): How what Azure holds compares with the record. Later versions may add
                words: treat one that you do not know as a text.

                - `same`: It is what is recorded.
                - `differs`: The recorded one, with other settings.
                - `replaced`: Another kind, source or consumer group: another data connection under the same name.
                - `absent`: Nothing is there.
                - `unreadable`: It cannot be read.
            upstream (Upstream | Unset): An answer of Entra or Azure Resource Manager that a problem or failure goes back
                to.
            differences (list[str] | Unset): Where what was found at Azure differs from the record, as JSON pointers into
                it.
            fingerprint (str | Unset): SHA-256 of what was found, in hexadecimal.
    """

    code: FailureCode | str
    comparison: ComparisonWord | str | Unset = UNSET
    upstream: Upstream | Unset = UNSET
    differences: list[str] | Unset = UNSET
    fingerprint: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        code: str
        if isinstance(self.code, FailureCode):
            code = self.code.value
        else:
            code = self.code

        comparison: str | Unset
        if isinstance(self.comparison, Unset):
            comparison = UNSET
        elif isinstance(self.comparison, ComparisonWord):
            comparison = self.comparison.value
        else:
            comparison = self.comparison

        upstream: dict[str, Any] | Unset = UNSET
        if not isinstance(self.upstream, Unset):
            upstream = self.upstream.to_dict()

        differences: list[str] | Unset = UNSET
        if not isinstance(self.differences, Unset):
            differences = self.differences

        fingerprint = self.fingerprint

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "code": code,
            }
        )
        if comparison is not UNSET:
            field_dict["comparison"] = comparison
        if upstream is not UNSET:
            field_dict["upstream"] = upstream
        if differences is not UNSET:
            field_dict["differences"] = differences
        if fingerprint is not UNSET:
            field_dict["fingerprint"] = fingerprint

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.upstream import Upstream

        d = dict(src_dict)

        def _parse_code(data: object) -> FailureCode | str:
            try:
                if not isinstance(data, str):
                    raise TypeError()
                componentsschemas_failure_code_type_0 = FailureCode(data)

                return componentsschemas_failure_code_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(FailureCode | str, data)

        code = _parse_code(d.pop("code"))

        def _parse_comparison(data: object) -> ComparisonWord | str | Unset:
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                componentsschemas_comparison_word_type_0 = ComparisonWord(data)

                return componentsschemas_comparison_word_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(ComparisonWord | str | Unset, data)

        comparison = _parse_comparison(d.pop("comparison", UNSET))

        _upstream = d.pop("upstream", UNSET)
        upstream: Upstream | Unset
        if isinstance(_upstream, Unset):
            upstream = UNSET
        else:
            upstream = Upstream.from_dict(_upstream)

        differences = cast(list[str], d.pop("differences", UNSET))

        fingerprint = d.pop("fingerprint", UNSET)

        failure_details = cls(
            code=code,
            comparison=comparison,
            upstream=upstream,
            differences=differences,
            fingerprint=fingerprint,
        )

        failure_details.additional_properties = d
        return failure_details

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
