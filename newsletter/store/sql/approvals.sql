-- name: approve(issue, content_hash, approved_by, now)!
-- Somebody's yes to one content; the last time that they gave it counts.
INSERT INTO approval (issue, content_hash, approved_by, approved_at)
VALUES (:issue, :content_hash, :approved_by, :now)
ON CONFLICT (issue, content_hash, approved_by) DO UPDATE SET approved_at = excluded.approved_at, voided = '';

-- name: of_content(issue, content_hash)
-- Who said yes to one content, in the order of time, even where that does not hold any more.
SELECT issue, content_hash, approved_by AS "by", approved_at AS at, voided
FROM approval
WHERE issue = :issue AND content_hash = :content_hash
ORDER BY approved_at, approved_by;

-- name: last_of(issue)^
-- The latest yes to any content of an issue.
SELECT issue, content_hash, approved_by AS "by", approved_at AS at, voided
FROM approval
WHERE issue = :issue
ORDER BY approved_at DESC, approved_by
LIMIT 1;

-- name: remember_test(issue, content_hash, copies, now)!
-- Test copies of one content were taken by the provider.
INSERT INTO tested (issue, content_hash, tested_at, copies)
VALUES (:issue, :content_hash, :now, :copies)
ON CONFLICT (issue, content_hash)
DO UPDATE SET tested_at = excluded.tested_at, copies = tested.copies + excluded.copies;

-- name: tested_at(issue, content_hash)$
-- When test copies of one content were last taken.
SELECT tested_at FROM tested WHERE issue = :issue AND content_hash = :content_hash;
