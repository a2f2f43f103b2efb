"""Django puts commands here; each is arguments in, one call, output."""
