"""`spectronctl lifecycle`"""
