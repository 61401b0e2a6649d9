"""`spectronctl sessions`"""
