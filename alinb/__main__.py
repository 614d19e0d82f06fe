"""`python -m alinb` is the command line."""

from .cli import main

main()
