"""Recorded leaders trade again, the real engine copies them, and all of it is accounted for.

ENGINE PERSON: this is whole and tested (see tests/integration/replay): register
`copyplugin.replay.command.replay_command` in cli.py and do not write another.
"""
