-- Queries that compare a backup with the current data, and settle the broadcasts that were open in the backup.

-- name: is_anything_there()$
-- Return whether the database contains any data.
SELECT
    EXISTS (SELECT 1 FROM subscriber) OR EXISTS (SELECT 1 FROM broadcast) OR EXISTS (SELECT 1 FROM suppression)
    OR EXISTS (SELECT 1 FROM forgotten);

-- name: nonces()
-- Return the nonce of each broadcast, by which the same broadcast is recognized in another database.
SELECT id, nonce AS mark FROM broadcast ORDER BY id;

-- name: tokens(size)
-- Return the tokens of the first people, by which the same people are recognized in another database.
SELECT id, token AS mark FROM subscriber ORDER BY id LIMIT :size;

-- name: runners()
-- Return the runners that are sending a chunk, or were when they died.
SELECT DISTINCT runner FROM chunk WHERE state = 'inflight' ORDER BY runner;

-- name: open_broadcasts()
-- Return the broadcasts that may continue, or that have a chunk that is waiting or being sent. Also return the number
-- of people in such chunks.
SELECT b.id, b.issue, coalesce(sum(c.size), 0) AS people
FROM broadcast AS b
LEFT JOIN chunk AS c ON c.broadcast = b.id AND c.state IN ('ready', 'inflight', 'deferred')
WHERE b.state IN ('scheduled', 'running', 'watching') OR c.size > 0
GROUP BY b.id, b.issue
ORDER BY b.id;

-- name: give_up_edition(edition, first)!
-- Free all places in an edition that deliveries of broadcasts before `:first` have.
UPDATE delivery SET edition = NULL WHERE edition = :edition AND broadcast < :first;

-- name: make_unknown(broadcast, reason, now)!
-- Mark as unknown the chunks that had not been sent, were set aside or were being sent, when the backup was made. They may have been
-- sent since then.
UPDATE chunk
SET state = 'unknown', reason = :reason, changed_at = :now
WHERE broadcast = :broadcast AND state IN ('ready', 'inflight', 'deferred');

-- name: end_recalls()!
-- Let no email that the provider holds be recalled and sent again: that may have happened since the backup was made. If
-- such email is canceled, it is therefore unknown whether it reaches anyone.
UPDATE held_batch
SET recall_ends_at = changed_at, state = CASE state WHEN 'recalled' THEN 'doubtful' ELSE state END;

-- name: suppressions()
-- Return all suppressions.
SELECT person, topic, email, reason, detail, created_at, repeated_at, handed_over_at, consent_on_record FROM suppression;

-- name: suppress(person, topic, email, reason, detail, created_at, repeated_at, handed_over_at, consent_on_record)*!
-- Save a suppression as it is now. It replaces the one in the backup.
INSERT INTO suppression (
    person, topic, email, reason, detail, created_at, repeated_at, handed_over_at, consent_on_record
)
VALUES (
    :person, :topic, :email, :reason, :detail, :created_at, :repeated_at, :handed_over_at, :consent_on_record
)
ON CONFLICT (person, topic) DO UPDATE
SET
    reason = excluded.reason,
    detail = excluded.detail,
    created_at = excluded.created_at,
    repeated_at = excluded.repeated_at,
    handed_over_at = excluded.handed_over_at,
    consent_on_record = excluded.consent_on_record;

-- name: forgotten()
-- Return everyone who was erased.
SELECT digest, subscriber, reason, created_at FROM forgotten ORDER BY digest;

-- name: remember(digest, subscriber, reason, created_at)*!
-- Save that a person was erased. If the backup has an earlier record, they came back and were erased again.
INSERT INTO forgotten (digest, subscriber, reason, created_at)
VALUES (:digest, :subscriber, :reason, :created_at)
ON CONFLICT (digest) DO UPDATE
SET subscriber = excluded.subscriber, reason = excluded.reason, created_at = excluded.created_at;

-- name: people()
-- Return everyone in the backup, on the list or not. Lifted suppressions and soft bounces have no address but
-- `person`.
SELECT person, email FROM subscriber
UNION SELECT person, email FROM suppression
UNION SELECT person, person FROM past_suppression
UNION SELECT person, person FROM soft_bounce;

-- name: joined(newest)
-- Return the subscribers who were carried over, because they joined after the backup was made.
SELECT person, consented_at, consent_source FROM subscriber WHERE id > :newest;

-- name: email_of(subscriber)$
-- Return the address of a subscriber.
SELECT email FROM subscriber WHERE id = :subscriber;
