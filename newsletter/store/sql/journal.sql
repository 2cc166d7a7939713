-- name: write(broadcast, at, entry, detail)!
-- Add an entry with the next number. No one else may write in the meantime, or two entries could get the same number.
INSERT INTO journal (broadcast, number, at, entry, detail)
VALUES (
    :broadcast,
    (SELECT coalesce(max(number), 0) + 1 FROM journal WHERE broadcast = :broadcast),
    :at,
    :entry,
    :detail
);

-- name: entries(broadcast)
-- Return the entries of a broadcast in order.
SELECT at, entry, detail FROM journal WHERE broadcast = :broadcast ORDER BY number;
