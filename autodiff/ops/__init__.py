"""Layer 1: the rule table, one file a topic.

``families`` holds the shorthands that rows are declared with; every other module is nothing but rows, with the mixin
that makes them methods at its end.
"""
