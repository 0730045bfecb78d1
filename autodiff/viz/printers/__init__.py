"""Printers: each writes a scene in one format, and knows no other."""
