"""What this machine keeps between runs, and where."""
