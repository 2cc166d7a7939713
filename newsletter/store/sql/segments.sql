-- Queries over a segment. In the place of `:segment` and `:field` compiled SQL is put, never a value.

-- name: count_members(segment)
-- How many the segment has, and how many of these are suppressed.
SELECT
    (SELECT count(*) FROM subscriber AS s WHERE :segment) AS members,
    (
        SELECT count(*)
        FROM subscriber AS s
        WHERE s.person IN (SELECT person FROM suppression) AND :segment
    ) AS suppressed;

-- name: count_missing(segment, field)
-- How many of the segment have nothing in a field.
SELECT count(*)
FROM subscriber AS s
WHERE :segment AND :field = '';
