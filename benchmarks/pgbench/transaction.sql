-- The usual way: lock, read, write, commit.
\set campaign random(1, 10)
BEGIN;
SELECT spent_today, spent_this_month FROM yardstick.brand WHERE id = 1 FOR NO KEY UPDATE;
UPDATE yardstick.brand
SET spent_today = spent_today + 320, spent_this_month = spent_this_month + 320 WHERE id = 1;
UPDATE yardstick.campaign
SET spent_today = spent_today + 320, spent_this_month = spent_this_month + 320
WHERE id = :campaign;
INSERT INTO yardstick.entry (campaign_id, amount) VALUES (:campaign, 320);
COMMIT;
