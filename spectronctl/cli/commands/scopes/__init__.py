"""`spectronctl scopes`"""
