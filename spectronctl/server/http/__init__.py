"""What every room of the server speaks HTTP with."""
