-- The steps of a freeze, in the order in which they run, all in one transaction.

-- name: create_clock()!
-- The first part of each time zone that people state; empty where everybody goes by the same clock.
CREATE TEMPORARY TABLE clock (
    timezone TEXT /*+ COLLATE "C" */ PRIMARY KEY,
    part INTEGER NOT NULL,
    is_known INTEGER NOT NULL
);

-- name: stated_zones()
-- Every time zone that people state.
SELECT DISTINCT timezone FROM subscriber;

-- name: create_member()!
-- Everybody of the segment: which variant they get and by which clock, as one number, or why they get none.
CREATE TEMPORARY TABLE member (
    subscriber INTEGER PRIMARY KEY,
    part INTEGER NOT NULL,
    settlement INTEGER
);

-- name: collect_members(segment, variant)!
-- In the place of `:segment` and `:variant` compiled SQL is put, never a value.
INSERT INTO member (subscriber, part)
SELECT s.id, :variant + coalesce((SELECT k.part FROM clock AS k WHERE k.timezone = s.timezone), 0)
FROM subscriber AS s
WHERE :segment;

-- name: create_mailbox()!
-- The first part of the readers at each domain; empty where the mailbox provider makes no difference.
CREATE TEMPORARY TABLE mailbox (
    domain TEXT /*+ COLLATE "C" */ PRIMARY KEY,
    part INTEGER NOT NULL
);

-- name: collect_members_by_mailbox(segment, variant, elsewhere)!
-- As above, and by the domain of the address; `elsewhere` is for all others. To find a domain after the last @ costs twice
-- as much as after the first; the few quoted addresses that have two are among the others.
INSERT INTO member (subscriber, part)
SELECT
    s.id,
    :variant + coalesce((SELECT k.part FROM clock AS k WHERE k.timezone = s.timezone), 0) + coalesce(a.part, :elsewhere)
FROM subscriber AS s
LEFT JOIN mailbox AS a ON a.domain = substr(s.person, instr(s.person, '@') + 1)
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

-- name: count_zoneless()$
-- How many of those who are left state no time zone that is known.
SELECT count(*)
FROM member AS m
JOIN subscriber AS s ON s.id = m.subscriber
JOIN clock AS k ON k.timezone = s.timezone
WHERE m.settlement IS NULL AND k.is_known = 0;

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
    part INTEGER NOT NULL,
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

-- name: drop_clock()!
-- Clears up.
DROP TABLE clock;

-- name: drop_mailbox()!
-- Clears up.
DROP TABLE mailbox;

-- name: drop_member()!
-- Clears up.
DROP TABLE member;

-- name: drop_beginning()!
-- Clears up.
DROP TABLE beginning;
