"""Trouble, as opposed to rejections: raised, waited for, and never published."""

from typing import Literal, TypeAlias

System: TypeAlias = Literal["mongo", "kafka"]


class UnavailableError(Exception):
    """A server is away, slow or says no; what was asked of it may have happened."""

    def __init__(self, system: System, reason: str, remedy: str | None = None) -> None:
        super().__init__(f"{system}: {reason}")
        self.system: System = system
        self.reason = reason  # goes on after the name of the system, if it is a sentence at all
        self.remedy = remedy  # where there is a better one than to see whether the server runs


class UnfitError(Exception):
    """A server is not what the guarantees need; the text says what is wrong and what to do."""
