-- name: claims(provider)
-- Return when each batch of the last three broadcasts of an issue through a provider was claimed, in order, and when the
-- broadcast ended. Batches that were not accepted at the first attempt are left out.
SELECT c.broadcast, c.claimed_at, c.size, b.finished_at
FROM chunk AS c
JOIN broadcast AS b ON b.id = c.broadcast
WHERE
    b.id IN (
        SELECT p.id
        FROM broadcast AS p
        WHERE
            p.provider = :provider
            AND p.kind IN ('issue', 'follow-up', 'correction')
            AND p.finished_at IS NOT NULL
        ORDER BY p.id DESC
        LIMIT 3
    )
    AND c.state = 'accepted'
    AND c.attempt = 1
    AND c.claimed_at <> ''
    AND c.size > 0
ORDER BY c.broadcast, c.claimed_at, c.number;

-- name: stated_zones()
-- Return the subscribers who state a time zone.
SELECT id AS subscriber, timezone AS zone FROM subscriber WHERE timezone <> '' ORDER BY id;
