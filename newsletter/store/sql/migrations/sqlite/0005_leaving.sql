-- When the consent was given that was on record when the person left. Only a newer one brings them back. For suppressions
-- so far, the consent that is on record now is the latest that it can have been.
ALTER TABLE suppression ADD COLUMN consent_on_record TEXT NOT NULL DEFAULT '';
UPDATE suppression
SET consent_on_record = coalesce((SELECT s.consented_at FROM subscriber AS s WHERE s.person = suppression.person), '');

-- The latest time at which the person may have left before the suppression was lifted, if that is later than `created_at`.
ALTER TABLE past_suppression ADD COLUMN repeated_at TEXT NOT NULL DEFAULT '';

-- The number of rows of people who left, according to the list, and were suppressed.
ALTER TABLE import ADD COLUMN blocked INTEGER NOT NULL DEFAULT 0;
