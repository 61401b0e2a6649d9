"""What travels on the wire, one module per resource. Unknown fields are kept, so that they reach the caller."""
