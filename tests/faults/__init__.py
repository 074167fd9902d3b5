"""Faults on real servers, and a checker that knows what must come of every message.

Reading order: `messages`, `wrongs` and `load` (what is sent), `model` (what must come of it), `history` and `checker`
(what came of it), `cluster`, `proxy` and `nemesis` (what goes wrong), `rounds` and `table` (all together).
"""
