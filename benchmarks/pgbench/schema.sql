-- What the hand-written ways spend from: the fewest tables and columns that two budgets of a brand
-- and two of a campaign need, with a log. Amounts are micros. The hot rows have room beside them,
-- so that an update touches no index.

CREATE SCHEMA yardstick;

CREATE TABLE yardstick.brand (
    id integer PRIMARY KEY,
    daily_budget bigint NOT NULL,
    monthly_budget bigint NOT NULL,
    spent_today bigint NOT NULL DEFAULT 0,
    spent_this_month bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 10);

CREATE TABLE yardstick.campaign (
    id integer PRIMARY KEY,
    brand_id integer NOT NULL REFERENCES yardstick.brand,
    daily_budget bigint NOT NULL,
    monthly_budget bigint NOT NULL,
    spent_today bigint NOT NULL DEFAULT 0,
    spent_this_month bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 10);

CREATE TABLE yardstick.entry (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    campaign_id integer NOT NULL REFERENCES yardstick.campaign,
    amount bigint NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ON yardstick.entry (campaign_id, recorded_at);

INSERT INTO yardstick.brand (id, daily_budget, monthly_budget) VALUES (1, 1e18, 1e18);
INSERT INTO yardstick.campaign (id, brand_id, daily_budget, monthly_budget)
SELECT number, 1, 1e18, 1e18 FROM generate_series(1, 10) AS number;

-- True when it was admitted. The brand comes first: its row is what everybody waits for.
CREATE FUNCTION yardstick.spend(spender integer, cost bigint) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE yardstick.brand
    SET spent_today = spent_today + cost, spent_this_month = spent_this_month + cost
    WHERE id = 1
      AND spent_today + cost <= daily_budget AND spent_this_month + cost <= monthly_budget;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    UPDATE yardstick.campaign
    SET spent_today = spent_today + cost, spent_this_month = spent_this_month + cost
    WHERE id = spender
      AND spent_today + cost <= daily_budget AND spent_this_month + cost <= monthly_budget;
    IF NOT FOUND THEN
        UPDATE yardstick.brand
        SET spent_today = spent_today - cost, spent_this_month = spent_this_month - cost
        WHERE id = 1;
        RETURN false;
    END IF;
    INSERT INTO yardstick.entry (campaign_id, amount) VALUES (spender, cost);
    RETURN true;
END $$;
