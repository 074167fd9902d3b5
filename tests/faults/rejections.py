"""A rejected message against its original."""

import json
from collections.abc import Iterator

from tests.faults.history import Found
from tests.faults.wrongs import Wrong

OURS = (
    "rejection-id", "rejection-code", "rejection-problems", "rejection-time", "rejection-attempt",
    "rejection-problem-count",
)  # fmt: skip


def badly_told(rejection: Found, original: Found, wrong: Wrong) -> Iterator[str]:
    """What a rejection does not say as it must."""
    if (rejection.key, rejection.value) != (original.key, original.value):
        yield "its rejection has other bytes"
    kept = [header for header in rejection.headers if header[0] not in OURS]
    if kept != [header for header in original.headers if header[0] != "authorization"]:
        yield "its rejection has other headers"
    if rejection.header("rejection-code") != wrong.code:
        yield f"it was rejected {rejection.header('rejection-code')} instead of {wrong.code}"
    problems = [(one["code"], one["path"]) for one in json.loads(rejection.header("rejection-problems") or "[]")]
    if problems != [tuple(wrong)]:
        yield f"it was rejected for {problems} instead of {tuple(wrong)}"
    if (rejection.header("rejection-problem-count"), rejection.header("rejection-attempt")) != ("1", "1"):
        yield "its rejection counts wrongly"
