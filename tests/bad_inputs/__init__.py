"""Bad inputs, grouped by what is wrong with them; each says what must come of it (contracts 1.6, reliability (d))."""

from typing import Final

from tests.bad_inputs import dialects, framing, headers, ids, members, numbers, sizes, text, times
from tests.bad_inputs.cases import Case

GROUPS: Final = (framing, numbers, text, members, headers, ids, sizes, times, dialects)
CASES: Final[dict[str, Case]] = {case.name: case for group in GROUPS for case in group.CASES}
