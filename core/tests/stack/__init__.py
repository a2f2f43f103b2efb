"""The outer shell: processes, containers and what they are started with."""
