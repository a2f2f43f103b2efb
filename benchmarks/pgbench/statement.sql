-- One statement. It asks the brand's two budgets alone and only counts for the campaign: less than
-- the other two do, and so no slower.
\set campaign random(1, 10)
WITH paid AS (
    UPDATE yardstick.brand
    SET spent_today = spent_today + 320, spent_this_month = spent_this_month + 320
    WHERE id = 1
      AND spent_today + 320 <= daily_budget AND spent_this_month + 320 <= monthly_budget
    RETURNING id
), counted AS (
    UPDATE yardstick.campaign
    SET spent_today = spent_today + 320, spent_this_month = spent_this_month + 320
    FROM paid
    WHERE campaign.id = :campaign AND campaign.brand_id = paid.id
    RETURNING campaign.id
)
INSERT INTO yardstick.entry (campaign_id, amount) SELECT id, 320 FROM counted;
