-- Broadcasts that leave in waves: the draw, and how far each is.

-- name: strata()
-- Return the number of remaining members in each stratum, which is the number of a mailbox provider.
SELECT stratum, count(*) AS people FROM member WHERE settlement IS NULL GROUP BY stratum ORDER BY stratum;

-- name: strata_left(after, size)
-- Return a page of the remaining members with their strata, by subscriber.
SELECT subscriber, stratum
FROM member
WHERE subscriber > :after AND settlement IS NULL
ORDER BY subscriber
LIMIT :size;

-- name: create_drawn_member()!
-- Create the table of the members who were drawn.
CREATE TEMPORARY TABLE drawn_member (
    subscriber INTEGER PRIMARY KEY,
    value TEXT NOT NULL
);

-- name: move_drawn(value, term)!
-- Move the members who were drawn for a value to other parts.
UPDATE member
SET part = part + CAST(:term AS BIGINT)
WHERE subscriber IN (SELECT subscriber FROM drawn_member WHERE value = :value);

-- name: keep_drawn(broadcast)!
-- Save who was drawn, and for which value.
INSERT INTO drawn (broadcast, subscriber, value)
SELECT :broadcast, subscriber, value
FROM drawn_member;

-- name: drop_drawn_member()!
-- Drop the temporary table at the end of the freeze.
DROP TABLE drawn_member;

-- name: add_watch(broadcast, plan, sizes)!
-- Save that a broadcast leaves in waves.
INSERT INTO watch (broadcast, plan, sizes, state, watch_until, decided_at, reason, figures)
VALUES (:broadcast, :plan, :sizes, 'first', '', '', '', '{}');

-- name: find(broadcast)^
-- Return how a broadcast leaves in waves, and how far it is.
SELECT broadcast, plan, sizes, state, watch_until, decided_at, reason, figures, chosen, chosen_at, chosen_because, chosen_from
FROM watch
WHERE broadcast = :broadcast;

-- name: watched(now)
-- Return the broadcasts in waves about which a decision is to be made without a person, or whose email must be recalled.
-- One that is done can still be held as long as the provider holds email of it.
SELECT w.broadcast
FROM watch AS w
JOIN broadcast AS b ON b.id = w.broadcast
WHERE
    (w.state IN ('first', 'watching', 'rest') AND b.state IN ('running', 'watching', 'paused'))
    OR (w.state = 'held' AND b.state = 'paused')
    OR (
        w.state = 'rest'
        AND b.state = 'done'
        AND EXISTS (
            SELECT 1 FROM held_batch AS h WHERE h.broadcast = b.id AND h.state = 'open' AND h.due_at > :now
        )
    )
ORDER BY w.broadcast;

-- name: open_waiting(broadcast)$
-- Return the number of deliveries that wait in waves that may leave.
SELECT coalesce(sum(c.size), 0)
FROM chunk AS c
JOIN broadcast AS b ON b.id = c.broadcast AND c.wave <= b.wave
WHERE c.broadcast = :broadcast AND c.state = 'ready';

-- name: last_held(broadcast)$
-- Return until when the provider holds the last email of a broadcast, past or future.
SELECT max(hold_until)
FROM chunk
WHERE broadcast = :broadcast AND state IN ('accepted', 'unknown') AND size > 0 AND hold_until <> '';

-- name: set_watch(broadcast, state, watch_until)!
-- Save how far a broadcast in waves is.
UPDATE watch SET state = :state, watch_until = :watch_until WHERE broadcast = :broadcast;

-- name: keep_decision(broadcast, state, decided_at, reason, figures)!
-- Save a decision about the rest, and what it was based on.
UPDATE watch
SET state = :state, decided_at = :decided_at, reason = :reason, figures = :figures
WHERE broadcast = :broadcast;

-- name: open_rest(broadcast)!
-- Let the rest of a broadcast leave.
UPDATE broadcast SET wave = 2 WHERE id = :broadcast;

-- name: drawn(broadcast)
-- Return who was drawn, and for which value.
SELECT subscriber, value FROM drawn WHERE broadcast = :broadcast ORDER BY subscriber;
