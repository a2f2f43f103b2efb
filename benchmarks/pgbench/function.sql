-- One call of a function: conditional updates and an insert.
\set campaign random(1, 10)
SELECT yardstick.spend(:campaign::integer, 320);
