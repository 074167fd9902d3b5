"""`python -m orderstream`, the same as `orderstream`."""

from orderstream.cli import main

main()
