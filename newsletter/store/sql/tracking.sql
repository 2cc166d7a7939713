-- name: set_mode(broadcast, mode)!
-- Save whether the emails of a broadcast report opens and clicks.
UPDATE broadcast SET tracking = :mode WHERE id = :broadcast;

-- name: add_link(broadcast, number, target)*!
-- Save where a tracked link leads.
INSERT INTO tracked_link (broadcast, number, target) VALUES (:broadcast, :number, :target);

-- name: find_link(broadcast, number, subscriber)?
-- Return where a tracked link leads, and what is needed to check whose it is. The person's token is empty if they are not
-- on the list.
SELECT
    t.target,
    b.nonce,
    b.tracking AS mode,
    coalesce(s.token, '') AS token,
    coalesce(s.tracking_consented_at, '') AS consented_at
FROM tracked_link AS t
JOIN broadcast AS b ON b.id = t.broadcast
LEFT JOIN subscriber AS s ON s.id = :subscriber
WHERE t.broadcast = :broadcast AND t.number = :number;

-- name: withdraw(subscriber)!
-- End the consent to tracking of one person.
UPDATE subscriber SET tracking_consented_at = '' WHERE id = :subscriber AND tracking_consented_at <> '';

-- name: forget_reactions(subscriber)!
-- Delete which broadcasts one person opened and clicked.
DELETE FROM reaction
WHERE
    broadcast IN (SELECT id FROM broadcast WHERE tracking = 'consented')
    AND type IN ('opened', 'clicked')
    AND subscriber = :subscriber;
