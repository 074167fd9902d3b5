"""What the worker makes of a partition that is, or is not, the one it has read (design G8)."""

import pytest

from orderstream.checkpoint import Checkpoint, Seen, judge, name_of, topic_and_life

KEPT = Checkpoint("topic-1", 1, offset=100, committed=90)
SEEN = Seen("topic-1", 12, beginning=0, end=150, committed=100)


def test_a_partition_that_nobody_has_read_begins_at_its_beginning() -> None:
    judgement = judge(None, None, SEEN._replace(beginning=7, committed=None))

    assert (7, None) == (judgement.checkpoint.offset, judgement.problem)


@pytest.mark.parametrize("committed", [90, 95, 100])
def test_it_goes_on_where_it_had_stopped(committed: int) -> None:
    judgement = judge(KEPT, 12, SEEN._replace(committed=committed))

    assert (KEPT, None, None) == (judgement.checkpoint, judgement.problem, judgement.remark)


@pytest.mark.parametrize("committed", [0, 89, 101, 150, None])
def test_an_offset_that_somebody_else_has_set_is_overruled_and_told(committed: int | None) -> None:
    judgement = judge(KEPT, 12, SEEN._replace(committed=committed))

    assert (100, None) == (judgement.checkpoint.offset, judgement.problem)
    assert judgement.remark
    assert "goes on at 100" in judgement.remark


def test_a_group_without_offsets_is_nothing_where_nothing_was_committed() -> None:
    assert judge(KEPT._replace(committed=None), 12, SEEN._replace(committed=None)).remark is None


def test_a_topic_that_was_made_again_stands_and_begins_another_life_when_adopted() -> None:
    judgement = judge(KEPT, 12, SEEN._replace(topic_id="topic-2", committed=None))

    assert "the topic was deleted and made again" == judgement.problem
    assert Checkpoint("topic-2", 2, 0, None, former=(100,)) == judgement.checkpoint


def test_lost_records_at_the_end_stand_and_begin_another_life_when_adopted() -> None:
    judgement = judge(KEPT, 12, SEEN._replace(end=80))

    assert "the partition was read up to 100 and now ends at 80" == judgement.problem
    assert (2, 80) == (judgement.checkpoint.life, judgement.checkpoint.offset)


def test_expired_records_that_were_not_read_stand_and_are_left_out_when_adopted() -> None:
    judgement = judge(KEPT, 12, SEEN._replace(beginning=120))

    assert "records from 100 to 119 are gone, and were not read" == judgement.problem
    assert (1, 120) == (judgement.checkpoint.life, judgement.checkpoint.offset)


def test_expired_records_that_were_read_are_nothing() -> None:
    assert judge(KEPT, 12, SEEN._replace(beginning=100)).problem is None


def test_a_database_that_knows_nothing_of_a_group_with_offsets_stands() -> None:
    judgement = judge(None, None, SEEN)

    assert judgement.problem
    assert "the group stands at 100, but this database has read nothing" in judgement.problem


def test_another_number_of_partitions_stands_whatever_else_is_right() -> None:
    judgement = judge(KEPT, 12, SEEN._replace(partitions=16))

    assert "its topic had 12 partitions and has 16: keys lead to other partitions now" == judgement.problem
    assert 16 == judgement.seen.partitions


def test_what_was_adopted_is_sound() -> None:
    for seen in (SEEN._replace(topic_id="topic-2"), SEEN._replace(end=80), SEEN._replace(beginning=120)):
        adopted = judge(KEPT, 12, seen).checkpoint

        assert judge(adopted, 12, seen).problem is None


def test_each_life_remembers_how_far_it_came() -> None:
    reborn = judge(KEPT, 12, SEEN._replace(topic_id="topic-2", beginning=5)).checkpoint

    assert [100, 5] == [reborn.reached(life) for life in (1, 2)]


def test_the_life_of_a_topic_stands_in_its_name() -> None:
    assert ["order-create", "order-create@2"] == [name_of("order-create", life) for life in (1, 2)]
    assert [("order-create", 1), ("order-create", 2)] == [
        topic_and_life(name) for name in ("order-create", "order-create@2")
    ]
