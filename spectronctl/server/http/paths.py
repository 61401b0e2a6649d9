"""
Where the routes begin.

Each router holds its whole paths: one that is included under a prefix is built anew by the first request.
"""

PREFIX = "/api/v1"
