-- Queries over a segment. `:segment`, `:few`, `:part` and `:field` are replaced with compiled SQL that contains no
-- values. `:few` is the segment's condition in a form that is fast if only a few people are tested: it looks up each of
-- them.

-- name: count_members(segment)
-- Return the number of people in the segment.
SELECT count(*) FROM subscriber AS s WHERE :segment;

-- name: count_segment(segment, few, part, at)
-- Return, for a part of the list, the number of people in the segment, how many of them are suppressed, and how many of
-- the others have no recorded consent. Of the rest, also return how many have paused until after a time. All of these
-- people are few, so it is fastest to begin with them. CROSS JOIN makes SQLite do that, because it never reorders the
-- tables of a CROSS JOIN.
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
    ) AS without_consent,
    (
        SELECT count(*)
        FROM (
            SELECT id
            FROM subscriber
            WHERE paused_until <> '' AND paused_until > :at AND (consented_at <> '' OR consent_basis <> '')
        ) AS w
        CROSS JOIN subscriber AS s
        WHERE
            s.id = w.id
            AND :part
            AND NOT EXISTS (SELECT 1 FROM suppression AS p WHERE p.person = s.person AND p.topic = '')
            AND :few
    ) AS paused;

-- name: count_suppressed(few)
-- Return the number of suppressed people in the segment for each reason.
SELECT p.reason, count(*) AS people
FROM suppression AS p
CROSS JOIN subscriber AS s
WHERE p.topic = '' AND s.person = p.person AND :few
GROUP BY p.reason
ORDER BY people DESC, p.reason;

-- name: member_ids(segment, most)
-- Return the ids of the people in the segment, in the order in which they were added.
SELECT s.id
FROM subscriber AS s
WHERE :segment
ORDER BY s.id
LIMIT :most;

-- name: sample_ids(segment, size)
-- Return a few people of the segment, spread over the whole list and always the same. They are the first by a hash of
-- the id: id * 2654435769 modulo 2^32. The factor is 2^32 divided by the golden ratio, which spreads consecutive ids
-- evenly (Knuth, The Art of Computer Programming, volume 3, section 6.4).
SELECT s.id
FROM subscriber AS s
WHERE :segment
ORDER BY (s.id * 2654435769) % 4294967296, s.id
LIMIT :size;

-- name: people(ids)
-- Return the subscribers in a JSON list of ids, and the reason if they are suppressed.
SELECT p.reason AS suppressed, s.id, s.token, s.joined_at, s.updated_at, {s.columns}
FROM subscriber AS s
LEFT JOIN suppression AS p ON p.person = s.person AND p.topic = ''
WHERE s.id IN (SELECT CAST(value AS INTEGER) FROM json_each(:ids))
ORDER BY s.id;

-- name: has_member(segment)$
-- Return whether anyone is in the segment.
SELECT EXISTS (SELECT 1 FROM subscriber AS s WHERE :segment);

-- name: field_values(segment, field, most)
-- Return different values of a field that the people in the segment have.
SELECT DISTINCT :field AS value FROM subscriber AS s WHERE :segment LIMIT :most;

-- name: has_reaction(type)$
-- Return whether any email was opened, or any link clicked. The rows are in the order of the broadcasts and types.
SELECT EXISTS (
    SELECT 1
    FROM broadcast AS b
    WHERE EXISTS (SELECT 1 FROM reaction AS r WHERE r.broadcast = b.id AND r.type = :type)
);

-- name: segment_names()
-- Return the name of every segment that has a broadcast.
SELECT DISTINCT segment FROM broadcast ORDER BY segment;

-- name: issue_names()
-- Return every issue that has a broadcast.
SELECT DISTINCT issue FROM broadcast ORDER BY issue;

-- name: is_member(subscriber, segment)$
-- Return whether a subscriber belongs to a segment.
SELECT EXISTS (SELECT 1 FROM subscriber AS s WHERE s.id = :subscriber AND :segment);
