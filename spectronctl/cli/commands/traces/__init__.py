"""`spectronctl traces`"""
