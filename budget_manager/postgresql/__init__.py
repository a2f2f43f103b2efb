"""Django's PostgreSQL, which asks only an idle connection whether it still lives."""
