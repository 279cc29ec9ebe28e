"""Who works on which shard, and when: in one process or in many."""
