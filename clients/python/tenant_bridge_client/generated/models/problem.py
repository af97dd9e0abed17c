from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast
from uuid import UUID

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.comparison_word import ComparisonWord
from ..models.failure_code import FailureCode
from ..models.problem_code import ProblemCode
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
        type_ (str): Identifies the kind of problem; stable.
        code (ProblemCode | str): The kind of problem in one word; stable. The header `x-ms-error-code` repeats it.
            Later versions may add words: treat one that you do not know as a text.

            - `invalidRequest`: The request is no JSON of the expected form; `errors` names the places.
            - `unauthenticated`: There is no user token.
            - `invalidToken`: A user token is not accepted.
            - `claimsChallenge`: Entra or Azure wants the user to prove more than the token says; the challenge is in `WWW-
            Authenticate`. An app that has not declared that it takes challenges gets `accessMissing` instead.
            - `auxiliaryTokens`: The auxiliary tokens don't fit the request.
            - `insufficientScope`: The token lacks the scope of the call.
            - `tenantNotAllowed`: A tenant is not allowed on its side of a connection.
            - `accessMissing`: Tokens, roles or consents are missing; `missing` names them.
            - `referenceNotFound`: A resource that the request names is not there; `errors` names them.
            - `nameTaken`: Azure already has a data connection of this name.
            - `connectionExists`: The connection exists and was not made by this request.
            - `changeInProgress`: Another change of the connection is running.
            - `requestHashMissing`: The operation is another person's: to continue it, its request's hash is required.
            - `requestHashDiffers`: The hash is not that of the operation's request.
            - `idempotencyKeyReused`: The `Idempotency-Key` was used for another request.
            - `notFound`: There is no such thing, or not for this caller.
            - `feedRestarted`: The feed was begun anew after the cursor was given: positions that were given may have been
            lost.
            - `preconditionFailed`: A condition of the request (RFC 9110, section 13) does not hold, or can't be evaluated;
            nothing was changed.
            - `methodNotAllowed`: The path exists, but not with this method.
            - `requestTimeout`: The body did not come in time; nothing was done.
            - `tooManyRequests`: The caller asks more often than one may, or has as many changes waiting as one may; nothing
            was done. `RateLimit-Policy` names the limit.
            - `payloadTooLarge`: The body is too large.
            - `headersTooLarge`: The headers are too large together.
            - `unsupportedMediaType`: The body is not JSON, or is compressed.
            - `timeout`: The service did not finish in time; nothing was changed by this request.
            - `overloaded`: The service processes too many requests; nothing was done.
            - `upstreamUnavailable`: Entra or Azure is out of reach, throttles or fails.
            - `upstreamRefused`: Entra or Azure answered what it never should, or this service is not set up right there.
            - `databaseUnavailable`: The database is out of reach, so nothing can be recorded, so nothing is done.
            - `internal`: A defect of this service.
            - `azureFailed`: Azure took the change and then reported that it failed.
            - `azureRefused`: Azure refused the change.
            - `createFailed`: The connection could not be created; nothing of it is at Azure unless `cause` says otherwise.
            `cause` is the code of the operation's failure, `remedy` what fixes it. A request with a new key, or without
            one, tries again.
            - `removeFailed`: The connection could not be removed; `cause` is the code of the operation's failure, `remedy`
            what fixes it.
            - `notSent`: The change was never made: it did not reach Azure.
            - `parentMissing`: The parent database is gone, so that the absence of the data connection proves nothing.
            - `drifted`: What is at Azure is not what is recorded; `comparison` says how, and the connection's `found` what
            it is.
            - `contested`: Azure processed a create as an update: it replaced what another person had created.
            - `stillPresent`: The record alone was to be closed, but what it records is still at Azure.
        title (str): A short summary, the same each time.
        status (int): The HTTP status.
        detail (str): What is wrong in this case, and how to fix it.
        request_id (str): The request, as the service's log knows it.
        retryable (bool): Whether the same request may succeed later.
        errors (list[FieldError] | Unset): The members of the request that are wrong.
        missing (list[Missing] | Unset): The access that is missing, and how to get it.
        upstream (Upstream | Unset): An answer of Entra or Azure Resource Manager that a problem or failure goes back
            to.
        connection_id (UUID | Unset): The connection whose change ended like this.
        operation_id (UUID | Unset): The operation that ended like this: a refusal without one left everything as it
            was.
        cause (FailureCode | str | Unset): Why an operation ended without its change; stable. Later versions may add
            words: treat one that you do not know as a text.

            - `azureFailed`: Azure took the change and then reported that it failed.
            - `azureRefused`: Azure refused the change.
            - `notSent`: The change was never made: it did not reach Azure.
            - `nameTaken`: Azure already has a data connection of this name.
            - `parentMissing`: The parent database is gone, so that the absence of the data connection proves nothing.
            - `drifted`: What is at Azure is not what is recorded; `comparison` says how, and the connection's `found` what
            it is.
            - `contested`: Azure processed a create as an update: it replaced what another person had created.
        remedy (str | Unset): What fixes it, as far as the caller may know.
        comparison (ComparisonWord | str | Unset): How what Azure holds compares with the record. Later versions may add
            words: treat one that you do not know as a text.

            - `same`: It is what is recorded.
            - `differs`: The recorded one, with other settings.
            - `replaced`: Another kind, source or consumer group: another data connection under the same name.
            - `absent`: Nothing is there.
            - `unreadable`: It cannot be read.
    """

    type_: str
    code: ProblemCode | str
    title: str
    status: int
    detail: str
    request_id: str
    retryable: bool
    errors: list[FieldError] | Unset = UNSET
    missing: list[Missing] | Unset = UNSET
    upstream: Upstream | Unset = UNSET
    connection_id: UUID | Unset = UNSET
    operation_id: UUID | Unset = UNSET
    cause: FailureCode | str | Unset = UNSET
    remedy: str | Unset = UNSET
    comparison: ComparisonWord | str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        type_ = self.type_

        code: str
        if isinstance(self.code, ProblemCode):
            code = self.code.value
        else:
            code = self.code

        title = self.title

        status = self.status

        detail = self.detail

        request_id = self.request_id

        retryable = self.retryable

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

        upstream: dict[str, Any] | Unset = UNSET
        if not isinstance(self.upstream, Unset):
            upstream = self.upstream.to_dict()

        connection_id: str | Unset = UNSET
        if not isinstance(self.connection_id, Unset):
            connection_id = str(self.connection_id)

        operation_id: str | Unset = UNSET
        if not isinstance(self.operation_id, Unset):
            operation_id = str(self.operation_id)

        cause: str | Unset
        if isinstance(self.cause, Unset):
            cause = UNSET
        elif isinstance(self.cause, FailureCode):
            cause = self.cause.value
        else:
            cause = self.cause

        remedy = self.remedy

        comparison: str | Unset
        if isinstance(self.comparison, Unset):
            comparison = UNSET
        elif isinstance(self.comparison, ComparisonWord):
            comparison = self.comparison.value
        else:
            comparison = self.comparison

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "type": type_,
                "code": code,
                "title": title,
                "status": status,
                "detail": detail,
                "requestId": request_id,
                "retryable": retryable,
            }
        )
        if errors is not UNSET:
            field_dict["errors"] = errors
        if missing is not UNSET:
            field_dict["missing"] = missing
        if upstream is not UNSET:
            field_dict["upstream"] = upstream
        if connection_id is not UNSET:
            field_dict["connectionId"] = connection_id
        if operation_id is not UNSET:
            field_dict["operationId"] = operation_id
        if cause is not UNSET:
            field_dict["cause"] = cause
        if remedy is not UNSET:
            field_dict["remedy"] = remedy
        if comparison is not UNSET:
            field_dict["comparison"] = comparison

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.field_error import FieldError
        from ..models.missing import Missing
        from ..models.upstream import Upstream

        d = dict(src_dict)
        type_ = d.pop("type")

        def _parse_code(data: object) -> ProblemCode | str:
            try:
                if not isinstance(data, str):
                    raise TypeError()
                componentsschemas_problem_code_type_0 = ProblemCode(data)

                return componentsschemas_problem_code_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(ProblemCode | str, data)

        code = _parse_code(d.pop("code"))

        title = d.pop("title")

        status = d.pop("status")

        detail = d.pop("detail")

        request_id = d.pop("requestId")

        retryable = d.pop("retryable")

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

        _upstream = d.pop("upstream", UNSET)
        upstream: Upstream | Unset
        if isinstance(_upstream, Unset):
            upstream = UNSET
        else:
            upstream = Upstream.from_dict(_upstream)

        _connection_id = d.pop("connectionId", UNSET)
        connection_id: UUID | Unset
        if isinstance(_connection_id, Unset):
            connection_id = UNSET
        else:
            connection_id = UUID(_connection_id)

        _operation_id = d.pop("operationId", UNSET)
        operation_id: UUID | Unset
        if isinstance(_operation_id, Unset):
            operation_id = UNSET
        else:
            operation_id = UUID(_operation_id)

        def _parse_cause(data: object) -> FailureCode | str | Unset:
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, str):
                    raise TypeError()
                componentsschemas_failure_code_type_0 = FailureCode(data)

                return componentsschemas_failure_code_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(FailureCode | str | Unset, data)

        cause = _parse_cause(d.pop("cause", UNSET))

        remedy = d.pop("remedy", UNSET)

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

        problem = cls(
            type_=type_,
            code=code,
            title=title,
            status=status,
            detail=detail,
            request_id=request_id,
            retryable=retryable,
            errors=errors,
            missing=missing,
            upstream=upstream,
            connection_id=connection_id,
            operation_id=operation_id,
            cause=cause,
            remedy=remedy,
            comparison=comparison,
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
