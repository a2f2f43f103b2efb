"""PostgreSQL as this project talks to it: Django's backend, whose server may fall silent."""
