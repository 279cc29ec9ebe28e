"""Commands on disk before they count: the journal, snapshots of the state, and recovery."""
