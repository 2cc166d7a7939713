-- The steps of a freeze, in the order in which they run. All run in one transaction.

-- name: create_lookup()!
-- Create the lookup tables of all axes: the number for each key, which is the domain of an address or a time zone. `id`
-- is the number of the lookup table.
CREATE TEMPORARY TABLE lookup (
    id INTEGER NOT NULL,
    key TEXT /*+ COLLATE "C" */ NOT NULL,
    number BIGINT NOT NULL,
    PRIMARY KEY (id, key)
);

-- name: stated_zones()
-- Return every time zone that any subscriber states.
SELECT DISTINCT timezone FROM subscriber;

-- name: stated_languages()
-- Return every language that any subscriber states.
SELECT DISTINCT language FROM subscriber;

-- name: create_member()!
-- Create the table of the segment's members. `part` is the number of their part, and `stratum` that of their mailbox
-- provider if the broadcast leaves in waves. `settlement` is the number of the
-- reason why they get nothing, or NULL.
CREATE TEMPORARY TABLE member (
    subscriber INTEGER PRIMARY KEY,
    part BIGINT NOT NULL,
    stratum INTEGER NOT NULL,
    settlement INTEGER
);

-- name: collect_members(segment, number, stratum, lookups)!
-- Collect the members. `:segment`, `:number`, `:stratum` and `:lookups` are replaced with compiled SQL that contains no values.
INSERT INTO member (subscriber, part, stratum)
SELECT s.id, :number, :stratum
FROM subscriber AS s :lookups
WHERE :segment;

-- name: exclude_suppressed(settlement, reason)!
-- Exclude the members who are suppressed for one reason.
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
-- Exclude the members without a recorded consent or basis. A partial index contains only these people.
UPDATE member
SET settlement = :settlement
WHERE
    settlement IS NULL
    AND subscriber IN (SELECT id FROM subscriber WHERE consented_at = '' AND consent_basis = '');

-- name: paused_members(at)
-- Return the remaining members who have paused until after a time, with the number of their part. A partial index
-- contains only people with a pause.
SELECT m.subscriber, m.part, s.paused_until
FROM subscriber AS s
JOIN member AS m ON m.subscriber = s.id
WHERE s.paused_until <> '' AND s.paused_until > :at AND m.settlement IS NULL
ORDER BY m.subscriber;

-- name: exclude_listed(settlement, subscribers)!
-- Exclude the members in a JSON list of ids.
UPDATE member
SET settlement = :settlement
WHERE subscriber IN (SELECT CAST(value AS INTEGER) FROM json_each(:subscribers));

-- name: earlier_broadcasts(issue, kind, provider)
-- Return the broadcasts of the same issue and kind so far. The outbox only writes files, which no one receives, so its
-- broadcasts count among themselves, and those of all other providers do too.
SELECT id
FROM broadcast
WHERE issue = :issue AND kind = :kind AND (provider = 'outbox') = (:provider = 'outbox')
ORDER BY id;

-- name: exclude_earlier(settlement, earlier)!
-- Exclude the members who may have received, or may still receive, the issue from an earlier broadcast.
UPDATE member
SET settlement = :settlement
WHERE
    settlement IS NULL
    AND EXISTS (
        SELECT 1
        FROM delivery AS d
        LEFT JOIN chunk AS c ON c.broadcast = d.broadcast AND c.number = d.chunk
        LEFT JOIN settlement AS s ON s.broadcast = d.broadcast AND s.number = d.settlement
        WHERE
            d.broadcast = :earlier
            AND d.subscriber = member.subscriber
            AND coalesce(c.state, s.status) NOT IN ('rejected', 'cancelled', 'invalid', 'excluded')
    );

-- name: repeated_content(content_hash, kind, issue, provider)
-- Return the broadcasts that had the same content and kind under another name of the issue. Also return how many of the
-- remaining members may have received it, or may still receive it, from each.
SELECT
    b.id AS broadcast,
    b.issue,
    (
        SELECT count(*)
        FROM member AS m
        JOIN delivery AS d ON d.broadcast = b.id AND d.subscriber = m.subscriber
        LEFT JOIN chunk AS c ON c.broadcast = d.broadcast AND c.number = d.chunk
        LEFT JOIN settlement AS s ON s.broadcast = d.broadcast AND s.number = d.settlement
        WHERE
            m.settlement IS NULL
            AND coalesce(c.state, s.status) NOT IN ('rejected', 'cancelled', 'invalid', 'excluded')
    ) AS people
FROM broadcast AS b
WHERE
    b.content_hash = :content_hash
    AND b.kind = :kind
    AND b.issue <> :issue
    AND (b.provider = 'outbox') = (:provider = 'outbox')
ORDER BY b.id;

-- name: members_left(after, size)
-- Return a page of the remaining members, by subscriber. Sorting or grouping all of them would need more time and
-- memory.
SELECT subscriber, part
FROM member
WHERE subscriber > :after AND settlement IS NULL
ORDER BY subscriber
LIMIT :size;

-- name: zones_left()
-- Return the number of remaining members who state each time zone.
SELECT s.timezone AS zone, count(*) AS people
FROM member AS m
JOIN subscriber AS s ON s.id = m.subscriber
WHERE m.settlement IS NULL
GROUP BY s.timezone;

-- name: add_broadcast(issue, kind, segment, expression, provider, state, content_hash, nonce, envelope, waivers, frozen, due_at, is_local_time, good_until, grace_until, now)$
-- Add a broadcast. Return its id.
INSERT INTO broadcast (
    issue, kind, segment, expression, provider, state, reason, content_hash, nonce, envelope, waivers, frozen, due_at,
    is_local_time, good_until, grace_until, created_at
)
VALUES (
    :issue, :kind, :segment, :expression, :provider, :state, '', :content_hash, :nonce, :envelope, :waivers, :frozen,
    :due_at, :is_local_time, :good_until, :grace_until, :now
)
RETURNING id;

-- name: edition_of(broadcast)$
-- Return the edition that the deliveries of a broadcast count for: the first broadcast of the same issue and kind, among
-- those that also go to the outbox, or among those that do not.
SELECT min(f.id)
FROM broadcast AS f
JOIN broadcast AS b ON b.issue = f.issue AND b.kind = f.kind AND (b.provider = 'outbox') = (f.provider = 'outbox')
WHERE b.id = :broadcast;

-- name: give_up_places(edition)!
-- Free the places in an edition that the remaining members have from deliveries that certainly reached no one. The
-- unique index then refuses the freeze if any of them may have received the edition.
UPDATE delivery
SET edition = NULL
WHERE
    edition = :edition
    AND subscriber IN (SELECT subscriber FROM member WHERE settlement IS NULL)
    AND EXISTS (
        SELECT 1
        FROM chunk AS c
        WHERE c.broadcast = delivery.broadcast AND c.number = delivery.chunk AND c.state IN ('rejected', 'cancelled')
    );

-- name: add_settlement(broadcast, number, reason, size, now)!
-- Add a reason for which deliveries are excluded.
INSERT INTO settlement (broadcast, number, status, reason, size, changed_at)
VALUES (:broadcast, :number, 'excluded', :reason, :size, :now);

-- name: add_chunk(broadcast, number, variant, zone, wave, due_at, size, first_subscriber, now)*!
-- Add a chunk. All of its deliveries have the same variant, zone and wave.
INSERT INTO chunk (broadcast, number, variant, zone, wave, due_at, state, size, first_subscriber, changed_at)
VALUES (:broadcast, :number, :variant, :zone, :wave, :due_at, 'ready', :size, :first_subscriber, :now);

-- name: create_beginning()!
-- Create the table of the first subscriber of each chunk.
CREATE TEMPORARY TABLE beginning (
    part BIGINT NOT NULL,
    subscriber INTEGER NOT NULL,
    chunk INTEGER NOT NULL
);

-- name: index_beginning()!
-- Create an index from which a member's chunk is found without reading the table. PostgreSQL would otherwise read the
-- whole table for each member, so sequential scans are turned off for the rest of the transaction.
CREATE UNIQUE INDEX beginning_of ON beginning (part, subscriber, chunk) /*+ ; SET LOCAL enable_seqscan = off */;

-- name: add_deliveries(broadcast, edition)!
-- Add one delivery per member, in the order in which deliveries are stored. A member's chunk is the last chunk of their
-- part that begins at or before them. An excluded member has a settlement instead.
INSERT INTO delivery (broadcast, edition, subscriber, chunk, settlement)
SELECT
    :broadcast,
    :edition,
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
-- Drop the temporary table at the end of the freeze.
DROP TABLE lookup;

-- name: drop_member()!
-- Drop the temporary table at the end of the freeze.
DROP TABLE member;

-- name: drop_beginning()!
-- Drop the temporary table at the end of the freeze.
DROP TABLE beginning;
