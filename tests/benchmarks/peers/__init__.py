"""The peers, each a program of its own that takes its settings from the environment, as the worker does."""
