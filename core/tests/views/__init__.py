"""The API as callers meet it: real requests, a real database, one file per noun or promise."""
