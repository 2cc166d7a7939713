-- name: write(broadcast, at, entry, detail)!
-- Adds what happened; only within a transaction beside which nobody writes, for the numbers follow each other.
INSERT INTO journal (broadcast, number, at, entry, detail)
VALUES (
    :broadcast,
    (SELECT coalesce(max(number), 0) + 1 FROM journal WHERE broadcast = :broadcast),
    :at,
    :entry,
    :detail
);

-- name: entries(broadcast)
-- What happened to a broadcast, in order.
SELECT at, entry, detail FROM journal WHERE broadcast = :broadcast ORDER BY number;

-- name: first_of(broadcast, entry)$
-- When something happened for the first time; NULL where it did not.
SELECT min(at) FROM journal WHERE broadcast = :broadcast AND entry = :entry;
