"""Staff. Reads freely, changes only through actions."""
