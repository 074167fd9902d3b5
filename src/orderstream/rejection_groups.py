"""Rejections grouped, so that thousands with one cause are one row (interface 5; pure)."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from orderstream.order import Position
from orderstream.rejections import Rejection

MAX_GROUPS: Final = 10_000  # what comes then is grouped without path and tenant
OTHER: Final = "*"

_INDEX: Final = re.compile(r"\[\d+\]")
_LIKE_A_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,40}")


class Cause(NamedTuple):
    """What the rejections of a group have in common: their first problem, their producer, and when they came."""

    code: str
    path: str  # `lineItems[].price`
    dialect: str | None  # as sent; `*` if it does not look like a name
    tenant: str | None
    hour: datetime


@dataclass(slots=True)
class Group:
    """Rejections with one cause."""

    cause: Cause
    example: Position  # the first one
    first: datetime
    last: datetime
    count: int = 0
    problems: int = 1  # the most that one of them has
    attempts: int = 1  # the most that one of them has had


class Groups:
    """Counts rejections; needs memory for groups, not for messages."""

    def __init__(self) -> None:
        self.total = 0
        self._groups: dict[Cause, Group] = {}

    def add(self, rejection: Rejection) -> None:
        """Count one."""
        cause = _cause(rejection)
        if cause not in self._groups and len(self._groups) >= MAX_GROUPS:
            cause = cause._replace(path=OTHER, dialect=OTHER, tenant=OTHER)
        group = self._groups.get(cause) or Group(cause, rejection.id, rejection.at, rejection.at)
        self._groups[cause] = group
        group.count += 1
        group.first, group.example = min((group.first, group.example), (rejection.at, rejection.id))
        group.last = max(group.last, rejection.at)
        group.problems = max(group.problems, rejection.problem_count)
        group.attempts = max(group.attempts, rejection.attempt)
        self.total += 1

    def listed(self) -> list[Group]:
        """The last hour first, and in it the largest group."""
        return sorted(self._groups.values(), key=lambda group: (group.cause.hour, group.count), reverse=True)


def _cause(rejection: Rejection) -> Cause:
    first, dialect = rejection.problems[0], rejection.dialect
    return Cause(
        code=first.code,
        path=_INDEX.sub("[]", first.path),
        dialect=dialect if dialect is None or _LIKE_A_NAME.fullmatch(dialect) else OTHER,
        tenant=rejection.tenant,
        hour=rejection.at.replace(minute=0, second=0, microsecond=0),
    )
