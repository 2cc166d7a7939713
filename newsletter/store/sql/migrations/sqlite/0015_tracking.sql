-- Whether the emails of a broadcast report opens and clicks: 'off', 'totals' or 'consented'.
ALTER TABLE broadcast ADD COLUMN tracking TEXT NOT NULL DEFAULT 'off';

-- Where the tracked links of a broadcast lead. An email contains the number, never the target. Number 0 is the picture
-- that shows opens. A link without a target is the one that no person sees.
CREATE TABLE tracked_link (
    broadcast INTEGER NOT NULL,
    number INTEGER NOT NULL,
    target TEXT NOT NULL,
    PRIMARY KEY (broadcast, number)
) STRICT, WITHOUT ROWID;

-- The minutes in which opens and clicks happened that have not been judged yet. They are judged a few minutes later,
-- because only several of them together show that a machine was at work.
CREATE TABLE unjudged_minute (
    minute TEXT NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID;
