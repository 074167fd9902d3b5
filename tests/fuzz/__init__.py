"""Messages made wrong by chance, and what must hold of every one: `python -m tests.fuzz --count 1000000`."""
