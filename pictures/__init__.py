"""Picture files of every kind, as arrays."""
