"""Rows of a query as nouns: a column of a field's name is that field's value."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Row

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")


def noun(kind: type[T], row: Row[Any], **others: object) -> T:
    """Make a noun of a row; `others` are the fields that are not columns of the same name."""
    names = {field.name for field in fields(kind)} - others.keys()
    return kind(**{name: getattr(row, name) for name in names}, **others)
