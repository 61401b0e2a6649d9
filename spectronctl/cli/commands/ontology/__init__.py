"""`spectronctl ontology`"""
