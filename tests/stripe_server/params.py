"""What a request may say: its form, decoded, held against the parameter types of the official client for the same call.

The types are open where the service is (`Literal[…] | str`); here only the values they name are taken.
"""

import re
import sys
import types
import typing
from collections.abc import Mapping
from typing import Any, Literal, Union, get_args, get_origin
from urllib.parse import parse_qsl

import stripe._request_options as options_module
import typing_extensions
from stripe._request_options import RequestOptions

OPTIONS = frozenset(RequestOptions.__annotations__)
NAME = re.compile(r"[^\[\]]+")


class WrongParameter(Exception):
    """A parameter that the call does not take, misses, or takes in another form."""

    def __init__(self, code: str, param: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.param = param


def decoded(form: str) -> dict[str, Any]:
    """Names with brackets as nested objects and lists; values stay text."""
    told: dict[str, Any] = {}
    for name, value in parse_qsl(form, keep_blank_values=True, strict_parsing=bool(form)):
        path = NAME.findall(name)
        at = told
        for step in path[:-1]:
            at = at.setdefault(step, {})
        if path[-1] in at:
            raise WrongParameter("parameter_invalid_string", name, f"Received {name} twice")
        at[path[-1]] = value
    return told


def checked(told: Mapping[str, Any], kind: Any) -> dict[str, Any]:
    """The parameters with their types. Raises WrongParameter."""
    return _object(told, kind, "")


def _hints(kind: Any) -> dict[str, Any]:
    """The types of a TypedDict; the client's modules leave some names to the type checker alone."""
    space = {**vars(typing), **vars(options_module), **vars(sys.modules[kind.__module__])}
    space.setdefault("StripeContext", str)
    found = typing_extensions.get_type_hints(kind, globalns=space, include_extras=True)
    return {name: hint for name, hint in found.items() if name not in OPTIONS}


def _object(told: Any, kind: Any, at: str) -> dict[str, Any]:
    if not isinstance(told, Mapping):
        raise WrongParameter("parameter_invalid", at, f"Invalid object: {at}")
    hints = _hints(kind)
    for name in told:
        if name not in hints:
            raise WrongParameter(
                "parameter_unknown", _inside(at, name), f"Received unknown parameter: {_inside(at, name)}"
            )
    made = {}
    for name, hint in hints.items():
        optional, inner = _unwrapped(hint)
        if name in told:
            made[name] = _value(told[name], inner, _inside(at, name))
        elif not optional:
            raise WrongParameter(
                "parameter_missing", _inside(at, name), f"Missing required param: {_inside(at, name)}."
            )
    return made


def _unwrapped(hint: Any) -> tuple[bool, Any]:
    if get_origin(hint) in (typing.NotRequired, typing_extensions.NotRequired):
        return True, get_args(hint)[0]
    return False, hint


def _value(told: Any, kind: Any, at: str) -> Any:
    origin, inside = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return _one_of(told, inside, at)
    if origin is Literal:
        return _chosen(told, inside, at)
    if origin is list:
        return _list(told, inside[0], at)
    if origin is dict:
        return _texts(told, at)
    if typing_extensions.is_typeddict(kind):
        return _object(told, kind, at)
    return _plain(told, kind, at)


def _one_of(told: Any, kinds: tuple[Any, ...], at: str) -> Any:
    named = [value for kind in kinds if get_origin(kind) is Literal for value in get_args(kind) if value]
    if named and str in kinds:
        # an open list of values: only those that this version knows
        return _chosen(told, tuple(named), at)
    wrong: WrongParameter | None = None
    for kind in kinds:
        if "StripeObject" in str(kind):
            continue
        try:
            return _value(told, kind, at)
        except WrongParameter as error:
            wrong = wrong or error
    raise wrong or WrongParameter("parameter_invalid", at, f"Invalid {at}")


def _chosen(told: Any, values: tuple[Any, ...], at: str) -> Any:
    if told not in values:
        raise WrongParameter("parameter_invalid_enum", at, f"Invalid {at}: must be one of {values}")
    return told


def _list(told: Any, kind: Any, at: str) -> list[Any]:
    if not isinstance(told, Mapping) or sorted(told) != sorted(str(n) for n in range(len(told))):
        raise WrongParameter("parameter_invalid", at, f"Invalid array: {at}")
    return [_value(told[str(n)], kind, f"{at}[{n}]") for n in range(len(told))]


def _texts(told: Any, at: str) -> dict[str, str]:
    if not isinstance(told, Mapping) or not all(isinstance(value, str) for value in told.values()):
        raise WrongParameter("parameter_invalid", at, f"Invalid object: {at}")
    if len(told) > 50 or any(len(name) > 40 or len(value) > 500 for name, value in told.items()):
        raise WrongParameter("parameter_invalid", at, f"Metadata is limited: {at}")
    return dict(told)


def _plain(told: Any, kind: Any, at: str) -> Any:
    if not isinstance(told, str):
        raise WrongParameter("parameter_invalid", at, f"Invalid value: {at}")
    if kind is int:
        if not re.fullmatch(r"-?[0-9]{1,15}", told):
            raise WrongParameter("parameter_invalid_integer", at, f"Invalid integer: {at}")
        return int(told)
    if kind is bool:
        if told not in ("true", "false"):
            raise WrongParameter("parameter_invalid_boolean", at, f"Invalid boolean: {at}")
        return told == "true"
    if kind is not str:
        raise AssertionError(f"no reading of {kind} for {at}")
    if not told:
        raise WrongParameter("parameter_invalid_empty", at, f"You passed an empty string for {at}.")
    return told


def _inside(at: str, name: str) -> str:
    return f"{at}[{name}]" if at else name
