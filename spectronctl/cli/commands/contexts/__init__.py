"""`spectronctl contexts`"""
