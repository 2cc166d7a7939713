-- The steps of a freeze, in the order in which they run, all in one transaction.

-- name: create_member()!
-- Everybody of the segment: which variant they get, or why they get none.
CREATE TEMPORARY TABLE member (
    subscriber INTEGER PRIMARY KEY,
    variant INTEGER NOT NULL,
    settlement INTEGER
);

-- name: collect_members(segment, variant)!
-- In the place of `:segment` and `:variant` compiled SQL is put, never a value.
INSERT INTO member (subscriber, variant)
SELECT s.id, :variant
FROM subscriber AS s
WHERE :segment;

-- name: exclude_suppressed(settlement, reason)!
-- Excludes those who are suppressed for one reason.
UPDATE member
SET settlement = :settlement
WHERE
    settlement IS NULL
    AND subscriber IN (
        SELECT s.id
        FROM suppression AS p
        JOIN subscriber AS s ON s.person = p.person
        WHERE p.reason = :reason
    );

-- name: earlier_broadcasts(issue)
-- The broadcasts of the same issue so far.
SELECT id FROM broadcast WHERE issue = :issue ORDER BY id;

-- name: exclude_earlier(settlement, earlier)!
-- Excludes whoever may have got, or may still get, the issue from an earlier broadcast.
UPDATE member
SET settlement = :settlement
WHERE
    settlement IS NULL
    AND EXISTS (
        SELECT 1
        FROM delivery AS d
        JOIN chunk AS c ON c.broadcast = d.broadcast AND c.number = d.chunk
        WHERE d.broadcast = :earlier AND d.subscriber = member.subscriber AND c.state <> 'rejected'
    );

-- name: count_variants()
-- How many are left of each variant.
SELECT variant, count(*) FROM member WHERE settlement IS NULL GROUP BY variant ORDER BY variant;

-- name: add_broadcast(issue, segment, expression, provider, content_hash, nonce, envelope, waivers, frozen, now)$
-- Begins the ledger of a broadcast.
INSERT INTO broadcast (
    issue, segment, expression, provider, state, reason, content_hash, nonce, envelope, waivers, frozen, created_at
)
VALUES (
    :issue, :segment, :expression, :provider, 'running', '', :content_hash, :nonce, :envelope, :waivers, :frozen, :now
)
RETURNING id;

-- name: add_settlement(broadcast, number, reason, size, now)!
-- One reason for which deliveries are excluded.
INSERT INTO settlement (broadcast, number, status, reason, size, changed_at)
VALUES (:broadcast, :number, 'excluded', :reason, :size, :now);

-- name: add_excluded(broadcast)!
-- The deliveries that are in no chunk.
INSERT INTO delivery (broadcast, subscriber, settlement)
SELECT :broadcast, subscriber, settlement
FROM member
WHERE settlement IS NOT NULL
ORDER BY subscriber;

-- name: add_chunks(broadcast, variant, first_chunk, chunk_size, members, now)!
-- The chunks of one variant: one for every `chunk_size` people in the order of their ids.
INSERT INTO chunk (broadcast, number, variant, state, size, first_subscriber, changed_at)
SELECT
    :broadcast,
    :first_chunk + place / :chunk_size,
    :variant,
    'ready',
    CASE WHEN :members - place < :chunk_size THEN :members - place ELSE :chunk_size END,
    subscriber,
    :now
FROM (
    SELECT subscriber, row_number() OVER (ORDER BY subscriber) - 1 AS place
    FROM member
    WHERE settlement IS NULL AND variant = :variant
) AS placed
WHERE place % :chunk_size = 0;

-- name: add_deliveries(broadcast, variant, first_chunk, chunk_size)!
-- The deliveries of one variant, put into its chunks in the same order.
INSERT INTO delivery (broadcast, subscriber, chunk)
SELECT :broadcast, subscriber, :first_chunk + (row_number() OVER (ORDER BY subscriber) - 1) / :chunk_size
FROM member
WHERE settlement IS NULL AND variant = :variant
ORDER BY subscriber;

-- name: drop_member()!
-- Clears up.
DROP TABLE member;
