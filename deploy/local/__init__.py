"""The three tiers on one machine, without containers."""
