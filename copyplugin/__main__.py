"""`python -m copyplugin`."""

from copyplugin.cli import main

main(prog_name="copyplugin")
