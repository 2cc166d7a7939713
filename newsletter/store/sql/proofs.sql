-- name: keep_checks(broadcast, result)!
-- Save what the checks found before a broadcast began.
INSERT INTO checked (broadcast, result) VALUES (:broadcast, :result);

-- name: find_checks(broadcast)?
-- Return what the checks found before a broadcast began.
SELECT result FROM checked WHERE broadcast = :broadcast;

-- name: expression_of(broadcast)?
-- Return what the segment of a broadcast meant when it was created.
SELECT expression FROM broadcast WHERE id = :broadcast;

-- name: results(broadcast)
-- Return what happened to the deliveries of each chunk, and to those that were settled individually.
SELECT number AS chunk, CAST(NULL AS INTEGER) AS settlement, state AS outcome, reason, changed_at AS at
FROM chunk
WHERE broadcast = :broadcast
UNION ALL
SELECT NULL, number, status, reason, changed_at
FROM settlement
WHERE broadcast = :broadcast;

-- name: replaced_consents(since)
-- Return the consents that were replaced after a time, the latest first.
SELECT subscriber, consented_at, source, wording, confirmed_at
FROM past_consent
WHERE replaced_at > :since
ORDER BY replaced_at DESC;

-- name: lines(broadcast)
-- Return the deliveries by subscriber, with the consent on record now.
SELECT
    d.subscriber,
    d.chunk,
    d.settlement,
    coalesce(s.email, '') AS email,
    coalesce(s.consent_basis, '') AS basis,
    coalesce(s.consented_at, '') AS consented_at,
    coalesce(s.consent_source, '') AS source,
    coalesce(s.consent_wording, '') AS wording,
    coalesce(s.consent_confirmed_at, '') AS confirmed_at
FROM delivery AS d
LEFT JOIN subscriber AS s ON s.id = d.subscriber
WHERE d.broadcast = :broadcast
ORDER BY d.subscriber;

-- name: drop_pages(broadcast)!
-- Delete the lines of the earlier proof of a broadcast.
DELETE FROM proof_page WHERE broadcast = :broadcast;

-- name: drop_bundle(broadcast)!
-- Delete the earlier proof of a broadcast.
DELETE FROM proof WHERE broadcast = :broadcast;

-- name: add_page(broadcast, number, first_subscriber, last_subscriber, root, leaves, openings)!
-- Save a page of lines.
INSERT INTO proof_page (broadcast, number, first_subscriber, last_subscriber, root, leaves, openings)
VALUES (:broadcast, :number, :first_subscriber, :last_subscriber, :root, :leaves, :openings);

-- name: keep_bundle(broadcast, bundle)!
-- Save the bundle of a proof.
INSERT INTO proof (broadcast, bundle) VALUES (:broadcast, :bundle);

-- name: find_bundle(broadcast)?
-- Return the bundle of the newest proof of a broadcast.
SELECT bundle FROM proof WHERE broadcast = :broadcast;

-- name: roots(broadcast)
-- Return the root of each page of lines.
SELECT root FROM proof_page WHERE broadcast = :broadcast ORDER BY number;

-- name: page_with(broadcast, subscriber)?
-- Return the page of lines that may have a subscriber.
SELECT number, leaves, openings
FROM proof_page
WHERE broadcast = :broadcast AND first_subscriber <= :subscriber AND last_subscriber >= :subscriber;

-- name: pages_with(subscriber)
-- Return the pages of all proofs that may have a line of a subscriber.
SELECT broadcast, number, openings
FROM proof_page
WHERE first_subscriber <= :subscriber AND last_subscriber >= :subscriber;

-- name: set_openings(broadcast, number, openings)!
-- Replace what opens the lines of a page.
UPDATE proof_page SET openings = :openings WHERE broadcast = :broadcast AND number = :number;
