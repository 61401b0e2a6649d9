"""`spectronctl principals`: who acts in a context, and what each may do."""
