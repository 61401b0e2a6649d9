"""How fast spectronctl is, as ratios against something else measured in the same run: `make bench`."""
