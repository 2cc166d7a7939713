-- When the consent was given that was on record when the person left. Only a newer one brings them back. For suppressions
-- so far, the consent that is on record now is the latest that it can have been.
ALTER TABLE suppression ADD COLUMN consent_on_record TEXT NOT NULL DEFAULT '';
UPDATE suppression
SET consent_on_record = coalesce((SELECT s.consented_at FROM subscriber AS s WHERE s.person = suppression.person), '');

-- The latest time at which the person may have left before the suppression was lifted, if that is later than `created_at`.
ALTER TABLE past_suppression ADD COLUMN repeated_at TEXT NOT NULL DEFAULT '';

-- The consent that lifted the suppression. It is empty if someone lifted it by hand. So far, only the reason named it.
ALTER TABLE past_suppression ADD COLUMN consented_at TEXT NOT NULL DEFAULT '';
UPDATE past_suppression SET consented_at = substr(because, 16, 20)
WHERE because LIKE 'new consent of ____-__-__T__:__:__Z (%';
UPDATE past_suppression SET consented_at = substr(because, 19, 20)
WHERE because LIKE 'new consent dated ____-__-__T__:__:__Z (%';

-- If someone left, came back and left again, the latest of these times counts.
UPDATE suppression
SET
    repeated_at = (
        SELECT max(w.created_at)
        FROM past_suppression AS w
        WHERE w.person = suppression.person AND w.topic = suppression.topic
    )
WHERE EXISTS (
    SELECT 1
    FROM past_suppression AS w
    WHERE
        w.person = suppression.person AND w.topic = suppression.topic
        AND w.created_at > suppression.created_at AND w.created_at > suppression.repeated_at
);

-- The number of rows of people who left, according to the list, and were suppressed.
ALTER TABLE import ADD COLUMN blocked INTEGER NOT NULL DEFAULT 0;
