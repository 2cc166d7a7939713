-- Statements that change one chunk. If deliveries move, the sizes change in the same transaction.

-- name: set_state(broadcast, chunk, state, reason, message_id, now)!
-- Set the state of a chunk.
UPDATE chunk
SET state = :state, reason = :reason, message_id = :message_id, changed_at = :now
WHERE broadcast = :broadcast AND number = :chunk;

-- name: make_ready(broadcast, chunk, reason, now)!
-- Make a chunk that was definitely not sent ready again. No provider holds it, and it uses up no allowance.
UPDATE chunk
SET
    state = 'ready',
    reason = :reason,
    message_id = '',
    hold_until = '',
    batch_id = '',
    claimed_at = '',
    retry_at = '',
    ending = '',
    changed_at = :now
WHERE broadcast = :broadcast AND number = :chunk;

-- name: add_to_settlement(broadcast, status, reason, size, now)$
-- Add deliveries to the settlement with their status and reason. Create it if needed. Return its number.
INSERT INTO settlement (broadcast, number, status, reason, size, changed_at)
VALUES (
    :broadcast,
    (SELECT coalesce(max(number), 0) + 1 FROM settlement WHERE broadcast = :broadcast),
    :status,
    :reason,
    :size,
    :now
)
ON CONFLICT (broadcast, status, reason)
DO UPDATE SET size = settlement.size + excluded.size, changed_at = excluded.changed_at
RETURNING number;

-- name: settle_deliveries(broadcast, subscriber, settlement)*!
-- Move a delivery from its chunk to a settlement, for good.
UPDATE delivery
SET chunk = NULL, settlement = :settlement
WHERE broadcast = :broadcast AND subscriber = :subscriber;

-- name: move_deliveries(broadcast, subscriber, into)*!
-- Move a delivery to another chunk.
UPDATE delivery
SET chunk = :into
WHERE broadcast = :broadcast AND subscriber = :subscriber;

-- name: shrink_chunk(broadcast, chunk, by)!
-- Reduce the size of a chunk by the number of deliveries that were taken out.
UPDATE chunk SET size = size - :by WHERE broadcast = :broadcast AND number = :chunk;

-- name: next_number(broadcast)$
-- Return the number for a new chunk.
SELECT max(number) + 1 FROM chunk WHERE broadcast = :broadcast;

-- name: add_chunk_like(broadcast, chunk, number, size, first_subscriber)!
-- Add a chunk for some deliveries of another chunk. All other columns are copied.
INSERT INTO chunk (
    broadcast, number, variant, zone, wave, due_at, state, size, first_subscriber, attempt, runner, claimed_at,
    hold_until, batch_id, reason, message_id, tries, deferrals, accepted_before, changed_at
)
SELECT
    broadcast, :number, variant, zone, wave, due_at, state, :size, :first_subscriber, attempt, runner, claimed_at,
    hold_until, batch_id, reason, message_id, tries, deferrals, accepted_before, changed_at
FROM chunk
WHERE broadcast = :broadcast AND number = :chunk;
