-- Queries over a segment. In the place of `:segment`, `:few`, `:part` and `:field` compiled SQL is put, never a value.
-- `:few` is the segment's condition for where it is asked of few people: it looks each of them up.

-- name: count_members(segment)
-- How many the segment has.
SELECT count(*) FROM subscriber AS s WHERE :segment;

-- name: count_segment(segment, few, part)
-- Of a part of the list: how many the segment has; of these, how many are suppressed; and of the others, how many have no
-- consent on record. CROSS JOIN makes SQLite begin with the suppressed, and with those without consent, for they are few.
SELECT
    (SELECT count(*) FROM subscriber AS s WHERE :part AND :segment) AS members,
    (
        SELECT count(*)
        FROM suppression AS p
        CROSS JOIN subscriber AS s
        WHERE p.topic = '' AND s.person = p.person AND :part AND :few
    ) AS suppressed,
    (
        SELECT count(*)
        FROM (SELECT id FROM subscriber WHERE consented_at = '' AND consent_basis = '') AS w
        CROSS JOIN subscriber AS s
        WHERE
            s.id = w.id
            AND :part
            AND NOT EXISTS (SELECT 1 FROM suppression AS p WHERE p.person = s.person AND p.topic = '')
            AND :few
    ) AS without_consent;

-- name: count_suppressed(few)
-- Why people of the segment are suppressed, and how many for each reason.
SELECT p.reason, count(*) AS people
FROM suppression AS p
CROSS JOIN subscriber AS s
WHERE p.topic = '' AND s.person = p.person AND :few
GROUP BY p.reason
ORDER BY people DESC, p.reason;

-- name: count_missing(segment, field)
-- How many of the segment have nothing in a field.
SELECT count(*)
FROM subscriber AS s
WHERE :segment AND :field = '';

-- name: member_ids(segment, most)
-- Who is in the segment, in the order in which they came.
SELECT s.id
FROM subscriber AS s
WHERE :segment
ORDER BY s.id
LIMIT :most;

-- name: sample_ids(segment, size)
-- A few of the segment from all over the list, always the same ones: ids are strewn by the golden ratio (Knuth, TAOCP
-- volume 3, section 6.4).
SELECT s.id
FROM subscriber AS s
WHERE :segment
ORDER BY (s.id * 2654435769) % 4294967296, s.id
LIMIT :size;

-- name: people(ids)
-- Subscribers by a JSON list of their ids, and why they are suppressed, if they are.
SELECT p.reason AS suppressed, s.id, s.token, s.joined_at, s.updated_at, {s.columns}
FROM subscriber AS s
LEFT JOIN suppression AS p ON p.person = s.person AND p.topic = ''
WHERE s.id IN (SELECT CAST(value AS INTEGER) FROM json_each(:ids))
ORDER BY s.id;

-- name: issue_names()
-- Every issue that a broadcast was made of.
SELECT DISTINCT issue FROM broadcast ORDER BY issue;

-- name: is_member(subscriber, segment)$
-- Whether somebody belongs to a segment. In the place of `:segment` compiled SQL is put, never a value.
SELECT EXISTS (SELECT 1 FROM subscriber AS s WHERE s.id = :subscriber AND :segment);
