"""What makes files of this repository out of others: `make generate` and `make man`."""
