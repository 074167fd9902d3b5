"""Mistakes planted in the worker show in the histories; those of `planted` that are not here show too rarely."""

from collections.abc import Callable, Mapping
from typing import Final

import pytest

from tests.histories import planted
from tests.histories.planted import Patch
from tests.histories.play import played

SHOWN: Final[Mapping[Callable[[Patch], None], int]] = {  # and by which history at the latest
    planted.the_ledger_is_not_asked: 2,
    planted.what_changes_nothing_is_not_entered: 1,
    planted.what_is_refused_is_not_entered: 8,
    planted.a_write_is_not_guarded: 2,
    planted.earlier_events_are_not_published_first: 4,
    planted.a_batch_is_published_before_it_is_written: 1,
    planted.an_update_that_expires_leaves_no_mark: 30,
    planted.an_update_that_is_taken_along_leaves_no_mark: 4,
    planted.the_group_is_not_asked_after_the_fence_is_raised: 4,
    planted.an_update_that_waits_is_decided_without_asking_the_ledger: 4,
    planted.what_waits_is_taken_along_though_it_is_still_to_come: 4,
    planted.what_waits_is_taken_along_in_any_order: 4,
    planted.each_portion_of_what_waits_tells_all_before_it_again: 168,
    planted.a_lane_that_is_fenced_ends: 147,
    planted.an_update_expires_while_creates_are_unread: 1,
}


@pytest.mark.parametrize("plant", SHOWN, ids=lambda plant: plant.__name__)
def test_a_planted_mistake_shows(plant: Callable[[Patch], None], monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch)

    assert any(played(seed).differences for seed in range(1, SHOWN[plant] + 1))
