"""Where a value comes from: profiles on disk, the environment, the command line."""
