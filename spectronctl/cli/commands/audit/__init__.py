"""`spectronctl audit`"""
