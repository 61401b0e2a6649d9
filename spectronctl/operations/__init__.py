"""Use-cases: what takes two or more requests, a wait, or a decision."""
