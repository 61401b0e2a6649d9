"""`spectronctl keys`"""
