"""The command `check`: messages judged offline, as the worker would (interface 5)."""

from collections.abc import Iterable, Sequence

from orderstream.decode import Contracts
from orderstream.message_files import Located
from orderstream.messages import judged
from orderstream.outcomes import Refusal
from orderstream.terminal import say, show_table

COLUMNS = ("file", "message", "code", "path", "what is wrong")
NOT_JUDGED = (
    "not judged, since it depends on the stored order: whether an update finds its order or line, duplicates and "
    "conflicts of ids, references and idempotency keys, source-version, and the order that an update would leave behind"
)


def check(messages: Sequence[Located], contracts: Contracts) -> bool:
    """Show all problems; whether every message is right in itself."""
    outcomes = [(each, judged(each.message, contracts)) for each in messages]
    refused = [(each, outcome) for each, outcome in outcomes if isinstance(outcome, Refusal)]
    if refused:
        show_table(COLUMNS, _rows(refused))
    say(f"{len(messages) - len(refused)} accepted, {len(refused)} rejected")
    say(NOT_JUDGED)
    return not refused


def _rows(refused: Iterable[tuple[Located, Refusal]]) -> Iterable[Sequence[object]]:
    for (file, number, _), refusal in refused:
        for problem in refusal.problems:
            yield file, number, *problem
