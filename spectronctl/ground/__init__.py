"""What every part of the program stands on: the standard library only, and no other part of this package."""
