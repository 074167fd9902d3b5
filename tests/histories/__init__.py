"""Random histories of crashes, in memory: `python -m tests.histories --count 100000 --seed 1`.

A history is a small world made from its seed (`world`): what stands in one or two partitions of both input topics,
which is never more than senders can have sent by then. Worker processes (`worker`) share them as members of a
group (`group`), each with real lanes on fakes that are proved to be like MongoDB (tests.fakes); whatever a
process asks of a server goes over a `wire` that loses, delays, cuts or answers it, and processes crash, stand still
and are cut off at every such moment (`cluster`). All of it runs on a clock that jumps, and by one seed.

What must come of a history does not depend on it, although the two topics have no common order:

- All creates of an order stand in one partition, so their own order is the same in every history: which of them
  makes the order, and which repeats or contradicts it, is settled by what that one says and by nothing later.
- Its updates stand in one partition, too. One that comes before the create waits for it if its sender could know the
  address, and those that wait are decided in the order of offsets before the next one is. So every update is decided
  after the create, and each after the one before it.
- An update by an address that only the worker can give is not sent before somebody has seen the order's first event.
- Time decides only over updates whose create never comes, or is sent when somebody has seen that they were refused:
  no other create is so late that the lane may have read past it.

Orders whose lines get in one another's way know one more order, that of updates among orders: there no update is
sent before all creates are done, and nothing expires before everything is read.

So the creates in their order, then the updates in theirs, are what every history must amount to: that is how the
undisturbed run reads them (`calm`), and how the model of tests.faults, which shares no code with the worker, folds
them. A history must leave behind what both say (`verdict`).
"""
