"""A Spectron server on SurrealDB: the wire contract, served from this machine or beside a cluster."""
