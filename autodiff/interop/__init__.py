"""Layer 5: other libraries, each imported only when it is used."""
