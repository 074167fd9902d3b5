"""This worker beside its peers and the bare limit, on one set of real servers.

Reading order: `messages` (what is sent), `contestants` (who plays), `clock` and `usage` (what is measured), `play` (one
run), `workloads` (all of them), `latency`, `health`; then `results`, `report` and `plot`.
"""
