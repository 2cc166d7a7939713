-- The steps of a freeze, in the order in which they run, all in one transaction.

-- name: create_lookup()!
-- Numbers by the domain of an address or by the time zone that somebody states, for the axes that go by these.
CREATE TEMPORARY TABLE lookup (
    id INTEGER NOT NULL,
    key TEXT /*+ COLLATE "C" */ NOT NULL,
    number BIGINT NOT NULL,
    PRIMARY KEY (id, key)
);

-- name: stated_zones()
-- Every time zone that people state.
SELECT DISTINCT timezone FROM subscriber;

-- name: create_member()!
-- Everybody of the segment with the number of their part, or why they get nothing.
CREATE TEMPORARY TABLE member (
    subscriber INTEGER PRIMARY KEY,
    part BIGINT NOT NULL,
    settlement INTEGER
);

-- name: collect_members(segment, number, lookups)!
-- In the place of `:segment`, `:number` and `:lookups` compiled SQL is put, never a value.
INSERT INTO member (subscriber, part)
SELECT s.id, :number
FROM subscriber AS s :lookups
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
        WHERE p.reason = :reason AND p.topic = ''
    );

-- name: exclude_without_consent(settlement)!
-- Excludes those whom nothing on record allows to mail; an index holds them alone.
UPDATE member
SET settlement = :settlement
WHERE
    settlement IS NULL
    AND subscriber IN (SELECT id FROM subscriber WHERE consented_at = '' AND consent_basis = '');

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
        WHERE
            d.broadcast = :earlier
            AND d.subscriber = member.subscriber
            AND c.state NOT IN ('rejected', 'cancelled')
    );

-- name: members_left(after, size)
-- Who is left, by subscriber, a page at a time: sorting or grouping them all would cost more time, and memory.
SELECT subscriber, part
FROM member
WHERE subscriber > :after AND settlement IS NULL
ORDER BY subscriber
LIMIT :size;

-- name: zones_left()
-- How many of those who are left state each time zone.
SELECT s.timezone AS zone, count(*) AS people
FROM member AS m
JOIN subscriber AS s ON s.id = m.subscriber
WHERE m.settlement IS NULL
GROUP BY s.timezone;

-- name: add_broadcast(issue, segment, expression, provider, state, content_hash, nonce, envelope, waivers, frozen, due_at, is_local_time, now)$
-- Begins the ledger of a broadcast.
INSERT INTO broadcast (
    issue, segment, expression, provider, state, reason, content_hash, nonce, envelope, waivers, frozen, due_at,
    is_local_time, created_at
)
VALUES (
    :issue, :segment, :expression, :provider, :state, '', :content_hash, :nonce, :envelope, :waivers, :frozen, :due_at,
    :is_local_time, :now
)
RETURNING id;

-- name: add_settlement(broadcast, number, reason, size, now)!
-- One reason for which deliveries are excluded.
INSERT INTO settlement (broadcast, number, status, reason, size, changed_at)
VALUES (:broadcast, :number, 'excluded', :reason, :size, :now);

-- name: add_chunk(broadcast, number, variant, zone, due_at, size, first_subscriber, now)*!
-- A chunk, of which everybody is of one variant and zone.
INSERT INTO chunk (broadcast, number, variant, zone, due_at, state, size, first_subscriber, changed_at)
VALUES (:broadcast, :number, :variant, :zone, :due_at, 'ready', :size, :first_subscriber, :now);

-- name: create_beginning()!
-- With which subscriber each chunk begins.
CREATE TEMPORARY TABLE beginning (
    part BIGINT NOT NULL,
    subscriber INTEGER NOT NULL,
    chunk INTEGER NOT NULL
);

-- name: index_beginning()!
-- Finds the chunk of a member without a look at the table, which PostgreSQL would rather read whole for each member.
CREATE UNIQUE INDEX beginning_of ON beginning (part, subscriber, chunk) /*+ ; SET LOCAL enable_seqscan = off */;

-- name: add_deliveries(broadcast)!
-- Everybody's delivery, in the order in which they are stored: in the last chunk that begins before them, or in none.
INSERT INTO delivery (broadcast, subscriber, chunk, settlement)
SELECT
    :broadcast,
    m.subscriber,
    CASE
        WHEN m.settlement IS NULL
            THEN (
                SELECT g.chunk
                FROM beginning AS g
                WHERE g.part = m.part AND g.subscriber <= m.subscriber
                ORDER BY g.subscriber DESC
                LIMIT 1
            )
    END,
    m.settlement
FROM member AS m
ORDER BY m.subscriber;

-- name: drop_lookup()!
-- Clears up.
DROP TABLE lookup;

-- name: drop_member()!
-- Clears up.
DROP TABLE member;

-- name: drop_beginning()!
-- Clears up.
DROP TABLE beginning;
